package frame

import (
	"math"
	"math/rand/v2"
	"testing"
)

// A row learns from what was known when its forecast was made, not from what has come in
// between.
func TestKnownIsWhatWasKnown(t *testing.T) {
	f, s := New(Options{Censored: true, Exchangeable: true}), &Stations{}
	station := s.Lookup([]string{"a"}, []float64{47}, []float64{11}, []float64{500})
	at := func(day float64) *Cases {
		return &Cases{Day: day, Cycle: day - 1, Station: station, Members: 2, Values: []float32{float32(day), float32(day) + 1}}
	}
	predict := func(day float64) *Prediction {
		p, err := f.Predict(s, at(day))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	update := func(day float64, p *Prediction) {
		if err := f.Update(s, at(day), []float32{float32(10 * day)}, p); err != nil {
			t.Fatal(err)
		}
	}
	if p := predict(1); !isNaN(p.known(0).Obs) {
		t.Errorf("something is known at first: %v", p.known(0))
	}
	update(1, nil)
	third := predict(3)
	update(2, nil)
	update(3, third)
	if got := f.Censored.Rows.Kept[2].Row.Known; got.Obs != 10 || got.Mean != 1.5 || got.Age != 2 {
		t.Errorf("day 3 was learned with %v, want that of day 1, 2 days old", got)
	}
	if got := predict(3 + pastAge).known(0); got.Obs != 30 || got.Mean != 3.5 || got.Age != pastAge {
		t.Errorf("%d days later %v is known, want that of day 3", pastAge, got)
	}
}

// The forecast of the day before is known before its observation is, but not one of
// another hour, nor an older one.
func TestForecastOfTheDayBefore(t *testing.T) {
	f, s := New(Options{}), &Stations{}
	station := s.Lookup([]string{"a", "b"}, []float64{47, 48}, []float64{11, 11}, []float64{500, 500})
	nan := float32(math.NaN())
	at := func(day float64, a, b float32) *Cases {
		return &Cases{Day: day, Cycle: day - 5, Station: station, Members: 2, Values: []float32{a, a + 1, b, b}}
	}
	for _, d := range []struct {
		day  float64
		want [2]float32 // NaN = nothing
	}{
		{1, [2]float32{nan, nan}},
		{1.5, [2]float32{nan, nan}},
		{2, [2]float32{1.5, 10}},
		{2.5, [2]float32{2, 15}},
		{4, [2]float32{nan, nan}},
		{5, [2]float32{4.5, nan}},
	} {
		b := float32(10 * d.day)
		if d.day == 4 {
			b = nan
		}
		c := at(d.day, float32(d.day), b)
		for i, k := range f.known(c) {
			if k.Before != d.want[i] && !(isNaN(k.Before) && isNaN(d.want[i])) {
				t.Errorf("day %v, place %d: %v of the day before, want %v", d.day, i, k.Before, d.want[i])
			}
		}
		f.Note(s, c)
		if len(f.Issued) > 2 {
			t.Errorf("day %v: means of %d days are kept", d.day, len(f.Issued))
		}
	}
}

// Errors that persist from day to day, as AR(1): the best forecast from the latest error
// has a standard deviation of sqrt(1 - phi²). The layer of recent residuals alone does not
// know how far to trust one error of one place.
func TestPersistenceIsLearned(t *testing.T) {
	const days, phi, sd = 1500, 0.8, 2.0
	rms := func(experts []Spec) float64 {
		rng := rand.New(rand.NewPCG(3, 4))
		f, s := New(Options{Experts: experts, Exchangeable: true}), &Stations{}
		station := s.Lookup([]string{"a"}, []float64{47}, []float64{11}, []float64{500})
		var e, sum, n float64
		for d := range days {
			e = phi*e + math.Sqrt(1-phi*phi)*rng.NormFloat64()
			c := &Cases{Day: float64(d), Cycle: float64(d) - 1, Station: station, Members: 2}
			centre := 280 + 8*rng.NormFloat64()
			c.Values = []float32{float32(centre - 0.5), float32(centre + 0.5)}
			y := float32(centre + sd*e)
			p, err := f.Predict(s, c)
			if err != nil {
				t.Fatal(err)
			}
			if d >= days/2 {
				sum += math.Pow(float64(y-p.Mu[0]), 2)
				n++
			}
			if err := f.Update(s, c, []float32{y}, p); err != nil {
				t.Fatal(err)
			}
		}
		return math.Sqrt(sum / n)
	}
	without := DefaultExperts()
	for k := range without {
		without[k].Past = false
	}
	best := sd * math.Sqrt(1-phi*phi)
	with := rms(nil)
	if with > 1.06*best {
		t.Errorf("rms error %.3f, the best possible is %.3f", with, best)
	}
	if w := rms(without); with > 0.9*w {
		t.Errorf("rms error %.3f with and %.3f without the last pair", with, w)
	}
}
