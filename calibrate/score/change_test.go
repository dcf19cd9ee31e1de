package score

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat"
)

// series is a daily series of 91 days with standard deviation 1 in which neighbouring
// days have the correlation rho, an AR(1) process.
func series(seed uint64, rho float64) []float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	x := make([]float64, 91)
	x[0] = r.NormFloat64()
	for i := 1; i < len(x); i++ {
		x[i] = rho*x[i-1] + math.Sqrt(1-rho*rho)*r.NormFloat64()
	}
	return x
}

// A hand-worked case: blocks of constant days.
func TestChangeTestByHand(t *testing.T) {
	var daily []float64
	for _, mean := range []float64{100, 3, 1, 2, 3, 1, 2, 4} { // the first has three days only
		days := 7
		if mean == 100 {
			days = 3
		}
		for range days {
			daily = append(daily, mean)
		}
	}
	daily[5] = math.NaN() // one of the block of threes
	c := ChangeTest(daily, false)
	mean, sd := stat.MeanStdDev([]float64{3, 1, 2, 3, 1, 2}, nil)
	if want := (4 - mean) / (sd * math.Sqrt(1+1./6)); c.Recent != 4 || c.Earlier != 2 || c.Blocks != 6 || math.Abs(c.T-want) > 1e-12 {
		t.Errorf("%+v, want T = %g", c, want)
	}
	// Student's t with 5 degrees of freedom: 2.015 is the 95 % quantile.
	c.T = 2.015048
	near(t, "larger", c.Larger(), 0.05, 1e-6)
	near(t, "different", c.Different(), 0.1, 1e-6)
	// A positive score by its logarithm, here with block means e³, e¹ …
	positive := make([]float64, len(daily))
	for i, v := range daily {
		positive[i] = math.Exp(v)
	}
	if p := ChangeTest(positive, true); math.Abs(p.T-(4-mean)/(sd*math.Sqrt(1+1./6))) > 1e-9 || math.Abs(p.Recent-math.Exp(4)) > 1e-9 {
		t.Errorf("positive: %+v", p)
	}
	for _, days := range []int{0, 7, 42, 45} {
		if c := ChangeTest(daily[len(daily)-days:], false); c.T == c.T || c.Larger() == c.Larger() {
			t.Errorf("%d days: %+v, want that nothing can be said", days, c)
		}
	}
}

// Without a change, alarms are as rare as their probability says, also when days are
// correlated; a change of seven standard deviations of a block is found.
func TestChangeTestRates(t *testing.T) {
	const seeds = 20000
	for _, c := range []struct {
		rho, most float64 // most alarms at p < 0.001, two-sided, a share
	}{{0, 0.0016}, {0.3, 0.0020}, {0.6, 0.0035}} {
		alarms, found := 0, 0
		for s := range uint64(seeds) {
			x := series(s, c.rho)
			if ChangeTest(x, false).Different() < 0.001 {
				alarms++
			}
			var blocks []float64
			for k := range 12 {
				blocks = append(blocks, stat.Mean(x[k*7:k*7+7], nil))
			}
			shift := 7 * stat.StdDev(blocks, nil)
			for i := 84; i < 91; i++ {
				x[i] += shift
			}
			if ChangeTest(x, false).Different() < 0.001 {
				found++
			}
		}
		t.Logf("rho %.1f: %.4f false alarms, %.3f found", c.rho, float64(alarms)/seeds, float64(found)/seeds)
		if rate := float64(alarms) / seeds; rate > c.most {
			t.Errorf("rho %.1f: alarms in %.4f of undisturbed series, want at most %.4f", c.rho, rate, c.most)
		}
		if rate := float64(found) / seeds; rate < 0.95 {
			t.Errorf("rho %.1f: found %.3f of the changes, want 0.95", c.rho, rate)
		}
	}
}
