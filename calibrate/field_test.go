package calibrate

import (
	"math"
	"testing"

	"sipipe/calibrate/interpolant"
)

// The closed-form drift must be the one composed from the heads, for every
// parametrisation.
func TestFieldDriftIsMixOfHeads(t *testing.T) {
	for _, heads := range interpolant.HeadNames() {
		m := DefaultMethod()
		m.Heads = heads
		p, err := m.process()
		if err != nil {
			t.Fatal(err)
		}
		f := newField(p, interpolant.Gaussian{S0: 1.1, S1: 1}, 3)
		x := []float64{-2, 0.3, 1.7}
		got := make([]float64, 3)
		for _, at := range []float64{0.05, 0.4, 0.9} {
			if err := f.Drift(got, at, x); err != nil {
				t.Fatal(err)
			}
			slope, offset := f.linear(at, p.Drift(at))
			for i, v := range x {
				if want := slope*v + offset; math.Abs(got[i]-want) > 1e-9 {
					t.Errorf("%s, t %.2f, x %.1f: drift %.12f, from heads %.12f", heads, at, v, got[i], want)
				}
			}
		}
	}
}
