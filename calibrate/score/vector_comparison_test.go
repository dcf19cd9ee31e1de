package score

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// Members with the right correlation beat members with the same margins and none, in
// the variogram score, and in spread of the mean and of differences.
func TestVectorComparison(t *testing.T) {
	const d, m, days, r = 4, 50, 60, 0.9
	rng := rand.New(rand.NewPCG(3, 4))
	normal := func(related bool) []float64 {
		common := rng.NormFloat64()
		x := make([]float64, d)
		for i := range x {
			if !related {
				common = rng.NormFloat64()
			}
			x[i] = math.Sqrt(r)*common + math.Sqrt(1-r)*rng.NormFloat64()
		}
		return x
	}
	ensemble := func(related bool) []float32 {
		x := make([]float32, d*m)
		for j := range m {
			for i, v := range normal(related) {
				x[i*m+j] = float32(v)
			}
		}
		return x
	}
	c := NewVectorComparison([]System{{Name: "independent"}, {Name: "related"}})
	for day := range days {
		for range 10 {
			ok, err := c.Add(VectorCase{
				Day: day, Y: normal(true), Forecasts: [][]float32{ensemble(false), ensemble(true)},
				Scored: d, Pairs: [][2]int{{0, 1}},
			})
			if !ok || err != nil {
				t.Fatal(ok, err)
			}
		}
	}
	report := c.Report("related", Bootstrap{Replicates: 200})
	if report.Cases != 10*days || report.Days != days || report.Components != d {
		t.Errorf("%d cases on %d days of %v components", report.Cases, report.Days, report.Components)
	}
	skill := report.Skill["related_vs_independent"]
	if skill.Variogram.CI95[0] < 0 || skill.Energy.CI95[0] < 0 {
		t.Errorf("no skill from dependence: variogram %v, energy %v", skill.Variogram, skill.Energy)
	}
	// Variance of the mean 0.9 + 0.1/4 and 1/4; of the difference 0.2 and 2.
	right, wrong := report.Systems["related"], report.Systems["independent"]
	near(t, "spread of the mean", float64(right.Mean.Spread), math.Sqrt(.925), .02)
	near(t, "without dependence", float64(wrong.Mean.Spread), .5, .02)
	near(t, "spread of differences", float64(right.Difference.Spread), math.Sqrt(.2), .02)
	near(t, "without dependence", float64(wrong.Difference.Spread), math.Sqrt2, .03)
	near(t, "spread ÷ error of the mean", float64(right.Mean.SpreadError), 1, .1)
	var energy, difference float64
	for i, day := range report.ByDay {
		if want := time.Unix(int64(i)*86400, 0).UTC().Format(time.DateOnly); day.Date != want || day.Cases != 10 || day.Pairs != 10 {
			t.Errorf("day %d: %+v, want 10 cases and pairs on %s", i, day, want)
		}
		energy += float64(day.Systems["related"].Energy) / days
		difference += float64(day.Systems["related"].Difference.CRPS) / days
	}
	near(t, "energy score, mean over days", energy, float64(right.Energy), 1e-12)
	near(t, "CRPS of differences, mean over days", difference, float64(right.Difference.CRPS), 1e-12)
}

// A case that a system has no complete member for counts for none.
func TestVectorComparisonIncomplete(t *testing.T) {
	nan := float32(math.NaN())
	c := NewVectorComparison([]System{{Name: "a"}, {Name: "b"}})
	ok, err := c.Add(VectorCase{Y: []float64{1, 2}, Forecasts: [][]float32{{1, 2, 3, 4}, {1, nan, nan, 4}}, Scored: 2})
	if ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
	}
	if r := c.Report("b", Bootstrap{}); r != nil {
		t.Errorf("a report of nothing: %+v", r)
	}
}
