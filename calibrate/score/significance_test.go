package score

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestMeanTest(t *testing.T) {
	// Deviations of 1, 2, 3, 6 from 3: -2 -1 0 3. γ_0 = 14/4, γ_1 = (2+0+0)/4,
	// γ_2 = (0-3)/4. Lag 1: 3.5 + 2·½·0.5 = 4; t = 3/√(4/4) = 3.
	x := []float64{1, 2, 3, 6}
	for _, c := range []struct {
		lag int
		t   float64
		p   float64 // 2·scipy.stats.t.sf(t, 3)
	}{
		{0, 3 / math.Sqrt(3.5/4), 0.049063489172975115},
		{1, 3, 0.05766888562243731},
		// 3.5 + 2·⅔·0.5 - 2·⅓·0.75 = 3.6667
		{2, 3 / math.Sqrt(11./12), 0.05192850487176412},
	} {
		tt, p := MeanTest(x, c.lag)
		near(t, "t", tt, c.t, 1e-14)
		near(t, "p", p, c.p, 1e-12)
	}
	if _, p := MeanTest([]float64{0, 0, 0}, 0); p != 1 {
		t.Errorf("zeros: p = %g", p)
	}
	if _, p := MeanTest([]float64{1, 1, 1}, 0); p != 0 {
		t.Errorf("constant: p = %g", p)
	}
	if _, p := MeanTest([]float64{1}, 0); !math.IsNaN(p) {
		t.Errorf("one value: p = %g", p)
	}
	stat, _ := DieboldMariano([]float64{1, 2, 3}, []float64{2, 2, 5}, 0)
	if stat >= 0 {
		t.Error("the better forecast does not have the negative statistic")
	}
}

// Under the hypothesis a test at 5 % rejects 5 %; one that takes correlated days
// for independent rejects far more.
func TestMeanTestSize(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 1))
	const n, runs, rho = 200, 2000, .5
	var automatic, independent float64
	x := make([]float64, n)
	for range runs {
		var last float64
		for i := range x {
			last = rho*last + rng.NormFloat64()
			x[i] = last
		}
		if _, p := MeanTest(x, AutomaticLag); p < .05 {
			automatic += 1. / runs
		}
		if _, p := MeanTest(x, 0); p < .05 {
			independent += 1. / runs
		}
	}
	if automatic > .11 || independent < .2 {
		t.Errorf("rejected: %.3f with automatic lag, %.3f without", automatic, independent)
	}
}

func TestBenjaminiHochberg(t *testing.T) {
	// The example of Benjamini and Hochberg 1995, section 3.2: at q = 0.05 the first
	// four hypotheses are rejected.
	p := []float64{
		.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344, .0459, .3240, .4262, .5719, .6528, .7590, 1,
	}
	q := BenjaminiHochberg(p)
	rejected := 0
	for _, v := range q {
		if v <= .05 {
			rejected++
		}
	}
	if rejected != 4 {
		t.Errorf("%d rejected, want 4: %v", rejected, q)
	}
	if !slices.IsSorted(q) {
		t.Errorf("adjusted values do not ascend: %v", q)
	}
	near(t, "third", q[2], .0019*15/3, 1e-15)
	// Order and NaN do not matter.
	got := BenjaminiHochberg([]float64{.04, math.NaN(), .01})
	near(t, "first", got[0], .04, 1e-15)
	near(t, "last", got[2], .02, 1e-15)
	if !math.IsNaN(got[1]) {
		t.Error("NaN became a probability")
	}
}

func TestBootstrapBlocks(t *testing.T) {
	b := Bootstrap{Replicates: 50, Block: 4, Seed: 3}
	var first [][]int
	for index := range b.Resamples(10) {
		if len(index) != 10 {
			t.Fatalf("%d days", len(index))
		}
		for i := range index {
			if i%4 != 0 && index[i] != (index[i-1]+1)%10 {
				t.Fatalf("not in blocks of four: %v", index)
			}
		}
		first = append(first, slices.Clone(index))
	}
	if len(first) != 50 {
		t.Fatalf("%d replicates", len(first))
	}
	i := 0
	for index := range b.Resamples(10) {
		if !slices.Equal(index, first[i]) {
			t.Fatal("the same options gave other blocks")
		}
		i++
	}
	for n, want := range map[int]int{1: 1, 9: 2, 27: 3, 365: 7} {
		if got := (Bootstrap{}).block(n); got != want {
			t.Errorf("block of %d days: %d, want %d", n, got, want)
		}
	}
}

// The interval of a mean of independent normal days is ±1.96/√n; of an
// autoregressive series with coefficient 0.6, twice that ((1+ρ)/(1-ρ) = 4).
func TestBootstrapInterval(t *testing.T) {
	const n = 2000
	for _, c := range []struct {
		rho   float64
		block int
		want  float64
	}{{0, 1, 1.96}, {.6, 40, 2 * 1.96}} {
		rng := rand.New(rand.NewPCG(11, 1))
		x := make([]float64, n)
		last := 0.
		for i := range x {
			last = c.rho*last + math.Sqrt(1-c.rho*c.rho)*rng.NormFloat64()
			x[i] = last
		}
		lower, upper := Bootstrap{Block: c.block}.Interval(n, func(days []int) float64 {
			var s float64
			for _, d := range days {
				s += x[d] / n
			}
			return s
		})
		if got := (upper - lower) / 2 * math.Sqrt(n); math.Abs(got/c.want-1) > .2 {
			t.Errorf("coefficient %g: half-width %.3f, want about %.3f", c.rho, got, c.want)
		}
	}
	if l, _ := (Bootstrap{}).Interval(2, func([]int) float64 { return 1 }); !math.IsNaN(l) {
		t.Error("two days have an interval")
	}
}
