package baseline

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

// The form and the rows that a rolling fit stands for.
func TestRolling(t *testing.T) {
	pnw, tmin, rain := sample(t, "pnw.csv"), sample(t, "tmin.csv"), sample(t, "rain.csv")
	const last = february1 - 2
	year1 := tmin[0].Day
	for _, c := range []struct {
		name string
		o    Rolling
		rows []Row
		last int
		want []Row
		form EMOSOptions
	}{
		{"thirty days", Rolling{}, pnw, last, Window(pnw, last-29, last), EMOSOptions{}},
		{"ten days", Rolling{Days: 10}, pnw, last, Window(pnw, last-9, last), EMOSOptions{}},
		{"years", Rolling{}, tmin, year1 + 1000, Window(tmin, 0, year1+1000), EMOSOptions{LogScale: true, Harmonics: 1}},
		{"a year", Rolling{}, tmin, year1 + 400, Window(tmin, year1+341, year1+400), EMOSOptions{}},
		{
			"rain",
			Rolling{Censored: true},
			rain, year1 + 1000, Window(rain, 0, year1+1000),
			EMOSOptions{Family: FamilyLogistic, Censored: true, Sqrt: true, LogScale: true, Harmonics: 1},
		},
	} {
		got, err := c.o.Fit(c.rows, c.last)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		want, err := FitEMOS(c.want, c.form)
		if err != nil {
			t.Fatal(c.name, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, want)
		}
	}
}

// A month without rain widens the window; no data at all is an error.
func TestRollingWidens(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	var rows []Row
	for d := range 100 {
		for range 5 {
			x := float32(math.Max(0, rng.NormFloat64()))
			y := math.Max(0, float64(x)+rng.NormFloat64())
			if d >= 60 {
				y = 0
			}
			rows = append(rows, Row{Members: []float32{x, x / 2}, Obs: y, Day: d})
		}
	}
	got, err := Rolling{Censored: true}.Fit(rows, 99)
	if err != nil {
		t.Fatal(err)
	}
	want, err := FitEMOS(Window(rows, 40, 99), got.Options)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Error("the window of a dry month was not doubled")
	}
	if _, err := (Rolling{Censored: true}).Fit(rows[300:], 99); !errors.Is(err, ErrDegenerate) {
		t.Errorf("dry all the time: %v", err)
	}
	var few *TooFewError
	if _, err := (Rolling{}).Fit(rows, -1); !errors.As(err, &few) {
		t.Errorf("no row is known: %v", err)
	}
}

func TestThin(t *testing.T) {
	rows := make([]Row, 10)
	for i := range rows {
		rows[i].Day = i
	}
	for limit, want := range map[int][]int{10: {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 9: {0, 2, 4, 6, 8}, 4: {0, 3, 6, 9}, 1: {0}} {
		var got []int
		for _, r := range thin(rows, limit) {
			got = append(got, r.Day)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("limit %d: %v, want %v", limit, got, want)
		}
	}
}
