package score

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

const day = 24 * time.Hour

// uniform01 is the uniform distribution on [0, 1].
type uniform01 struct{}

func (uniform01) CDF(x float64) float64      { return math.Min(math.Max(x, 0), 1) }
func (uniform01) Quantile(p float64) float64 { return p }
func (uniform01) CRPS(y float64) float64     { return (y*y*y + (1-y)*(1-y)*(1-y)) / 3 }
func (uniform01) Mean() float64              { return .5 }
func (uniform01) SD() float64                { return 1 / math.Sqrt(12) }

func TestAccumulatorHandWorked(t *testing.T) {
	nan := float32(math.NaN())
	a := NewAccumulator(Options{Ranks: 4, Thresholds: []float64{1}, Level: .5})
	add := func(d int, y float64, x ...float32) bool {
		return a.AddMembers(Case{Day: d, Lead: day, Station: "A"}, y, x)
	}
	if !add(1, 1, 4, 0, 1) || !add(2, 5, 2, 3, 4) {
		t.Fatal("a complete case was left out")
	}
	if add(3, math.NaN(), 1, 2, 3) || add(3, 1, nan, nan, nan) {
		t.Fatal("a case without observation or members was counted")
	}
	s := a.Where(nil).Summary()
	// Case 1: CRPS 4/9, fair 0, mean 5/3, variance 13/3. Case 2: mean|x-y| = 2, pairs
	// 1+1+2: 2 - 4/9, fair 2 - 4/6, mean 3, variance 1.
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"crps", float64(s.CRPS), (4./9 + 2 - 4./9) / 2},
		{"fair crps", float64(s.CRPSFair), (2 - 4./6) / 2},
		{"bias", float64(s.Bias), (2./3 - 2) / 2},
		{"rmse", float64(s.RMSE), math.Sqrt((4./9 + 4) / 2)},
		{"spread", float64(s.Spread), math.Sqrt((13./3 + 1) / 2)},
		{"spread ÷ error", float64(s.SpreadError), math.Sqrt(4./3*(13./3+1)/2) / math.Sqrt((4./9+4)/2)},
		{"mae of the median", float64(s.MAE), (0 + 2.) / 2},
		// Quartiles at positions i/4: the first and third members.
		{"width", float64(s.Width), (4. + 2) / 2},
		{"coverage", float64(s.Coverage), .5},
		{"nominal coverage", float64(s.Nominal), .5},
	} {
		near(t, c.name, c.got, c.want, 1e-14)
	}
	if s.Cases != 2 || s.RankHistogram[3] != 1 || s.RankHistogram[1]+s.RankHistogram[2] != 1 {
		t.Errorf("ranks: %v", s.RankHistogram)
	}
	// Event > 1: 1 of 3, no; 3 of 3, yes.
	near(t, "brier", a.Where(nil).Events[0].Brier, 1./9, 1e-15)

	// One member: no spread, no fair score, but a CRPS.
	b := NewAccumulator(Options{Ranks: 2})
	b.AddMembers(Case{}, 3, []float32{1})
	s = b.Where(nil).Summary()
	near(t, "crps of one member", float64(s.CRPS), 2, 0)
	if !math.IsNaN(float64(s.CRPSFair)) || !math.IsNaN(float64(s.SpreadError)) {
		t.Errorf("one member: fair %g, spread ÷ error %g", s.CRPSFair, s.SpreadError)
	}
}

// A forecast from which the truth is drawn scores as it should, whatever the
// number of members, with some missing, and as a distribution.
func TestAccumulatorReliable(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 20000
	for _, m := range []int{8, 50} {
		a := NewAccumulator(Options{Ranks: m + 1, Seed: 1})
		d := NewAccumulator(Options{Ranks: 21, Seed: 1})
		x := make([]float32, m)
		for i := range n {
			for j := range x {
				x[j] = rng.Float32()
			}
			if i%3 == 0 {
				x[0], x[3] = float32(math.NaN()), float32(math.NaN())
			}
			k := Case{Day: i, Station: "A"}
			y := rng.Float64()
			a.AddMembers(k, y, x)
			d.AddDistribution(k, y, uniform01{})
		}
		for name, acc := range map[string]*Accumulator{"members": a, "distribution": d} {
			s := acc.Where(nil).Summary()
			near(t, name+": spread ÷ error", float64(s.SpreadError), 1, .01)
			near(t, name+": coverage", float64(s.Coverage), float64(s.Nominal), .01)
			near(t, name+": fair CRPS", float64(s.CRPSFair), 1./6, .003)
			if f := NewFlatness(s.RankHistogram); f.P < .001 || f.SlopeP < .001 || f.DispersionP < .001 {
				t.Errorf("%d %s: ranks are not flat: %+v %v", m, name, f, s.RankHistogram)
			}
		}
	}
}

// Ties are broken at random, by seed and case and nothing else.
func TestAccumulatorTies(t *testing.T) {
	fill := func(seed uint64, order []int) *Accumulator {
		a := NewAccumulator(Options{Ranks: 11, Seed: seed})
		for _, i := range order {
			k := Case{Day: i % 100, Lead: time.Duration(i/100%5) * day, Station: fmt.Sprint(i / 500)}
			a.AddMembers(k, 0, make([]float32, 10))
		}
		return a
	}
	order := make([]int, 20000)
	for i := range order {
		order[i] = i
	}
	a := fill(1, order)
	if f := NewFlatness(a.Where(nil).Ranks); f.P < .001 || f.SlopeP < .001 {
		t.Errorf("dry days are not flat: %+v", f)
	}
	// Ranks of neighbouring days must not go together either.
	_, daily := a.Daily(nil)
	var days [][]int
	for _, s := range daily {
		days = append(days, s.Ranks)
	}
	if f := DailyFlatness(days, EvenRanks(len(days[0]), false)); f.SlopeP < .001 || f.DispersionP < .001 {
		t.Errorf("dry days, by day: %+v", f)
	}
	slices.Reverse(order)
	if b := fill(1, order); !slices.Equal(a.Where(nil).Ranks, b.Where(nil).Ranks) {
		t.Error("ranks depend on the order of cases")
	}
	if c := fill(2, order); slices.Equal(a.Where(nil).Ranks, c.Where(nil).Ranks) {
		t.Error("ranks do not depend on the seed")
	}
}

func TestAccumulatorMerge(t *testing.T) {
	o := Options{Ranks: 6, Thresholds: []float64{.5, 1}, Seed: 4}
	rng := rand.New(rand.NewPCG(9, 9))
	whole, parts := NewAccumulator(o), []*Accumulator{NewAccumulator(o), NewAccumulator(o), NewAccumulator(o)}
	for i := range 600 {
		x := make([]float32, 5)
		for j := range x {
			x[j] = float32(rng.NormFloat64())
		}
		k := Case{Day: i / 20, Lead: time.Duration(i%4) * day, Station: fmt.Sprint(i % 7)}
		y := rng.NormFloat64()
		whole.AddMembers(k, y, x)
		parts[k.Day%3].AddMembers(k, y, x)
	}
	// Through gob, as shards would send them.
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(parts[2]); err != nil {
		t.Fatal(err)
	}
	sum := NewAccumulator(o)
	var sent Accumulator
	if err := gob.NewDecoder(&b).Decode(&sent); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*Accumulator{parts[0], parts[1], &sent} {
		if err := sum.Merge(p); err != nil {
			t.Fatal(err)
		}
	}
	w, s := whole.Where(nil), sum.Where(nil)
	if w.Cases != 600 || s.Cases != 600 || !slices.Equal(w.Ranks, s.Ranks) || w.Covered != s.Covered {
		t.Errorf("merged %+v, whole %+v", s, w)
	}
	// Days were not split: the sums are the same to the last bit.
	if w.CRPS != s.CRPS || w.Events[1] != s.Events[1] {
		t.Errorf("merged CRPS %g, whole %g", s.CRPS, w.CRPS)
	}
	for i := range 2 {
		var x, y Reliability
		for _, d := range whole.Reliability(i) {
			x.Merge(d)
		}
		for _, d := range sum.Reliability(i) {
			y.Merge(d)
		}
		if !slices.Equal(x.Bins, y.Bins) {
			t.Errorf("outcomes of threshold %d differ", i)
		}
	}
	// The divisions each hold all cases.
	var byStation int
	for _, v := range sum.Stations {
		byStation += v.Cases
	}
	days, daily := sum.Daily(func(s Slot) bool { return s.Lead == day })
	if byStation != 600 || len(sum.Leads()) != 4 || len(days) != 30 || daily[0].Cases != 5 {
		t.Errorf("%d cases by station, leads %v, %d days, %d cases on the first", byStation, sum.Leads(), len(days), daily[0].Cases)
	}
	if err := sum.Merge(NewAccumulator(Options{Ranks: 7})); err == nil {
		t.Error("different options were merged")
	}
}

func BenchmarkAddMembers(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	a := NewAccumulator(Options{Ranks: 51})
	x := make([]float32, 50)
	for i := range x {
		x[i] = rng.Float32()
	}
	for i := 0; b.Loop(); i++ {
		a.AddMembers(Case{Day: i / 1000, Station: "A"}, .5, x)
	}
}

// Values are stored in single precision, where 0.1 is a little more than 0.1.
func TestEventBoundaryInSinglePrecision(t *testing.T) {
	a := NewAccumulator(Options{Ranks: 3, Thresholds: []float64{0.1}})
	a.AddMembers(Case{}, float64(float32(0.1)), []float32{0.1, 0.2})
	// Half of the members exceed it and the observation does not.
	if got := a.Where(nil).Events[0].Brier; got != 0.25 {
		t.Errorf("Brier score %v, want 0.25", got)
	}
}
