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

// Where the times begin at 0.2 on the linear path, members start with the variance
// that the Gaussian part has by then, 0.8² start² + 0.2² + (0.2·0.8)², whatever share
// of it the raw member has.
func TestBeginning(t *testing.T) {
	m := &Model{Method: DefaultMethod(), Start: math.Hypot(1, 0.5)}
	m.Method.FirstTime = 0.2
	p, err := m.Method.process()
	if err != nil {
		t.Fatal(err)
	}
	b := m.beginning(p)
	raw, z := b.at(1, 0), b.at(0, 1)
	if got, want := raw*raw+z*z, 0.64*1.25+0.04+0.0256; math.Abs(got-want) > 1e-12 || math.Abs(z/raw-0.5) > 1e-12 {
		t.Errorf("variance %.6f, want %.6f; dressing %.3f of the raw member, want 0.5", got, want, z/raw)
	}
}
