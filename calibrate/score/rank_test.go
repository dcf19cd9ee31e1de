package score

import (
	"math"
	"testing"
)

func TestFlatness(t *testing.T) {
	// Three ranks, 12 cases: expected 4 each. Chi-square (4+0+4)/4 = 2, p = exp(-1)
	// with two degrees of freedom. Contrasts -1 0 1 and ½ -1 ½ (times 12/8 of the
	// squared distances 1 0 1, less one).
	f := NewFlatness([]int{6, 4, 2})
	near(t, "chi-square", float64(f.ChiSquare), 2, 1e-15)
	near(t, "p", float64(f.P), math.Exp(-1), 1e-12)
	near(t, "reliability index", float64(f.ReliabilityIndex), 2./6, 1e-15)
	near(t, "slope", float64(f.Slope), -4./12, 1e-15)
	near(t, "dispersion", float64(f.Dispersion), 0, 1e-15)
	near(t, "p of dispersion", float64(f.DispersionP), 1, 1e-12)
	// All of the chi-square is slope: P(χ²₁ > 2), scipy.stats.chi2.sf(2, 1).
	near(t, "p of slope", float64(f.SlopeP), 0.15729920705028502, 1e-12)

	for _, c := range []struct {
		name              string
		h                 []int
		slope, dispersion float64 // signs
	}{
		{"flat", []int{5, 5, 5, 5, 5}, 0, 0},
		{"too little spread", []int{9, 3, 1, 3, 9}, 0, 1},
		{"too much spread", []int{1, 3, 9, 3, 1}, 0, -1},
		{"too cold", []int{1, 2, 3, 4, 15}, 1, 1},
	} {
		f := NewFlatness(c.h)
		for what, v := range map[string][2]float64{"slope": {float64(f.Slope), c.slope}, "dispersion": {float64(f.Dispersion), c.dispersion}} {
			if v[1] == 0 && math.Abs(v[0]) > 1e-14 || v[0]*v[1] < 0 {
				t.Errorf("%s: %s %g", c.name, what, v[0])
			}
		}
	}
	if f := NewFlatness([]int{0, 0, 0}); !math.IsNaN(float64(f.P)) || !math.IsNaN(float64(f.Slope)) {
		t.Error("an empty histogram has a shape")
	}
}

// With three ranks the two components are the whole chi-square.
func TestFlatnessComponents(t *testing.T) {
	h := []int{7, 1, 4}
	f := NewFlatness(h)
	s, d := float64(f.Slope), float64(f.Dispersion)
	near(t, "sum of components", 12*(s*s/(2./3)+d*d/.5), float64(f.ChiSquare), 1e-13)
}

// A histogram of many places a day is tested over days.
func TestDailyFlatness(t *testing.T) {
	// Each day all places see the same rank: days are the cases, not places.
	days := [][]int{{100, 0, 0}, {0, 0, 100}, {0, 100, 0}, {100, 0, 0}, {0, 100, 0}, {0, 0, 100}, {100, 0, 0}}
	f := DailyFlatness(days, EvenRanks(3, false))
	if f.P > 1e-6 {
		t.Errorf("independent cases: p = %g; 700 of them cannot be flat", f.P)
	}
	if f.SlopeP < .3 || f.DispersionP < .3 {
		t.Errorf("by days: p of slope %g, of dispersion %g", f.SlopeP, f.DispersionP)
	}
	near(t, "slope", float64(f.Slope), float64(NewFlatness([]int{300, 200, 200}).Slope), 1e-14)
}
