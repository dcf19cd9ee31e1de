package frame

import (
	"math"
	"math/rand/v2"
	"testing"
)

// A row learns from the pair that was known when its forecast was made, not from what has
// come in between; a pair beyond pastAge is none.
func TestPastIsWhatWasKnown(t *testing.T) {
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
	if p := predict(1); !isNaN(p.past(0).Obs) {
		t.Errorf("something is known at first: %v", p.past(0))
	}
	update(1, nil)
	third := predict(3)
	update(2, nil)
	update(3, third)
	if got, want := f.Censored.Rows.Kept[2].Row.Past, (pair{10, 1.5}); got != want {
		t.Errorf("day 3 was learned with %v, want %v of day 1", got, want)
	}
	if got, want := predict(3+pastAge).past(0), (pair{30, 3.5}); got != want {
		t.Errorf("%d days later %v is known, want %v", pastAge, got, want)
	}
	if p := predict(3.5 + pastAge); !isNaN(p.past(0).Obs) {
		t.Errorf("what is older than %d days is known: %v", pastAge, p.past(0))
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
