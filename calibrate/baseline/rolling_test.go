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
		got, err := c.o.EMOS(pool(c.rows, c.last), c.last)
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
	got, err := Rolling{}.BMA(pool(pnw, last), last)
	if err != nil {
		t.Fatal(err)
	}
	want, err := FitBMA(Window(pnw, last-24, last), BMAOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, &want) {
		t.Errorf("BMA: %+v, want %+v", got, want)
	}
	// Of years, the days of the season up to the last that is known.
	for _, c := range []struct {
		o    Rolling
		rows []Row
		half float64
		fit  func([]Row) (Averaging, error)
	}{
		{Rolling{}, tmin, 30, func(r []Row) (Averaging, error) { b, err := FitBMA(r, BMAOptions{}); return &b, err }},
		{Rolling{Censored: true}, rain, 60, func(r []Row) (Averaging, error) { b, err := FitRainBMA(r, BMAOptions{}); return &b, err }},
	} {
		var season []Row
		for _, r := range c.rows {
			days := float64(year1 + 1000 - r.Day)
			if days = days - year*math.Round(days/year); r.Day <= year1+1000 && math.Abs(days) <= c.half {
				season = append(season, r)
			}
		}
		want, err := c.fit(season)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.o.BMA(pool(c.rows, year1+1000), year1+1000)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("BMA of a season: %+v, %v; want %+v", got, err, want)
		}
	}
}

// However many members and stations, a fit of BMA takes no more values than its bound.
func TestThinned(t *testing.T) {
	rows := make([]Row, 5000)
	for i := range rows {
		rows[i] = Row{Members: make([]float32, 50), Day: i}
	}
	kept := thinned(rows)
	if n := len(kept) * 50; n > bmaValues || n < bmaValues/2 || kept[0].Day != 0 || kept[1].Day != 2 {
		t.Errorf("%d values", n)
	}
	if all := thinned(rows[:3000]); len(all) != 3000 {
		t.Errorf("%d rows of 3000 that are within the bound", len(all))
	}
}

// pool of the rows up to a day, added day by day.
func pool(rows []Row, last int) *Pool {
	p := &Pool{}
	for from := 0; from < len(rows) && rows[from].Day <= last; {
		to := from
		for to < len(rows) && rows[to].Day == rows[from].Day {
			to++
		}
		p.Add(rows[from:to])
		from = to
	}
	return p
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
	got, err := Rolling{Censored: true}.EMOS(pool(rows, 99), 99)
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
	if _, err := (Rolling{Censored: true}).EMOS(pool(rows[300:], 99), 99); !errors.Is(err, ErrDegenerate) {
		t.Errorf("dry all the time: %v", err)
	}
	var few *TooFewError
	if _, err := (Rolling{}).EMOS(pool(rows, -1), -1); !errors.As(err, &few) {
		t.Errorf("no row is known: %v", err)
	}
}

// However long the archive, a pool holds no more than its bound, of each day as much
// as of others, and not the memory that rows were cut from.
func TestPoolIsBounded(t *testing.T) {
	const stations, members, days = 500, 20, 900
	p, values := &Pool{}, make([]float32, stations*members)
	var rows []Row
	for i := range stations {
		rows = append(rows, Row{Members: values[i*members : (i+1)*members]})
	}
	for d := range days {
		for i := range rows {
			rows[i].Day, rows[i].Obs = d, float64(i)
		}
		p.Add(rows)
	}
	if n := len(p.all) * members; n > poolValues || n < poolValues/2 {
		t.Errorf("%d values of the archive, want up to %d, and half of it", n, poolValues)
	}
	if n := len(p.latest); n != poolDays*stations {
		t.Errorf("%d rows of the latest days, want all %d", n, poolDays*stations)
	}
	count := map[int]int{}
	for i, r := range p.all {
		count[r.Day/90]++
		if &r.Members[0] == &values[int(r.Obs)*members] {
			t.Fatalf("row %d holds the memory it was given", i)
		}
	}
	for part, n := range count {
		if want := len(p.all) / 10; n < want*9/10 || n > want*11/10 {
			t.Errorf("%d rows of tenth %d of the archive, want about %d", n, part, want)
		}
	}
	wide := &Pool{}
	for i := range rows {
		rows[i].Members = make([]float32, 1000) // a day is a fourth of the bound
	}
	for d := range 40 {
		for i := range rows {
			rows[i].Day = d
		}
		wide.Add(rows)
	}
	if n := len(wide.latest) * 1000; n > poolValues || n < poolValues/2 {
		t.Errorf("%d values of wide days, want up to %d, and half of it", n, poolValues)
	}
}
