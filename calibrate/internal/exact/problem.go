package exact

import (
	"sipipe/calibrate/interpolant"
	"sipipe/calibrate/sde"
)

// Problem is a process with the exact fields of a mixture in place of a network.
// The fields pass through the process's heads, as those of a network do. It
// implements every interface of package sde.
type Problem struct {
	Process interpolant.Process
	Data    Mixture
	// Reference is the linear problem of the exponential solver.
	Reference interpolant.Gaussian
	Backward  bool // the problem is integrated from t = 1 to 0
}

var (
	_ sde.Incremental = Problem{}
	_ sde.Linear      = Problem{}
	_ sde.Rewinder    = Problem{}
	_ sde.Ender       = Problem{}
)

// New is the forward problem with the Gaussian that matches the data as reference.
func New(p interpolant.Process, data Mixture) Problem {
	return Problem{Process: p, Data: data, Reference: data.Match()}
}

// apply writes the mix of the heads at (t, x) to dst.
func (p Problem) apply(dst []float64, t float64, x []float64, mix interpolant.Mix) error {
	c := p.Process.Interpolant.At(interpolant.Inside(t))
	for i, xi := range x {
		v, eta := p.Data.Fields(c, xi)
		h1, h2 := p.Process.Heads.Outputs(c, v, eta, xi)
		dst[i] = mix.Of(h1, h2, xi)
	}
	return nil
}

// Drift implements [sde.Problem].
func (p Problem) Drift(dst []float64, t float64, x []float64) error {
	if p.Backward {
		return p.apply(dst, t, x, p.Process.Backward(t))
	}
	return p.apply(dst, t, x, p.Process.Drift(t))
}

// Eps implements [sde.Problem].
func (p Problem) Eps(t float64) float64 { return p.Process.Eps(t) }

// Increment implements [sde.Incremental].
func (p Problem) Increment(dst []float64, t float64, x []float64, from, to float64) error {
	return p.apply(dst, t, x, p.increment(from, to))
}

func (p Problem) increment(from, to float64) interpolant.Mix {
	if p.Backward {
		return p.Process.BackwardIncrement(from, to)
	}
	return p.Process.Increment(from, to)
}

// Spread implements [sde.Incremental].
func (p Problem) Spread(from, to float64) float64 { return p.Process.Spread(from, to) }

// Transition implements [sde.Linear].
func (p Problem) Transition(scale, shift, sd []float64, from, to float64) error {
	a, b, s := p.Process.Transition(p.Reference, from, to)
	for i := range scale {
		scale[i], shift[i], sd[i] = a, b, s
	}
	return nil
}

// Remainder implements [sde.Linear]: the increment of the heads beyond those of
// the reference.
func (p Problem) Remainder(dst []float64, t float64, x []float64, from, to float64) error {
	c := p.Process.Interpolant.At(interpolant.Inside(t))
	mix := p.increment(from, to)
	vs, vo, es, eo := p.Reference.Affine(c)
	for i, xi := range x {
		v, eta := p.Data.Fields(c, xi)
		a1, a2 := p.Process.Heads.Outputs(c, v, eta, xi)
		b1, b2 := p.Process.Heads.Outputs(c, vs*xi+vo, es*xi+eo, xi)
		dst[i] = mix.Of(a1-b1, a2-b2, 0)
	}
	return nil
}

// Rewind implements [sde.Rewinder].
func (p Problem) Rewind(t, growth float64) (back, scale, sd float64, err error) {
	return p.Process.Rewind(t, growth)
}

// ODE implements [sde.Ender].
func (p Problem) ODE(dst []float64, t float64, x []float64) error {
	return p.apply(dst, t, x, p.Process.ODE(t))
}

// End implements [sde.Ender].
func (p Problem) End(dst []float64, t float64, x []float64) error {
	return p.apply(dst, t, x, p.Process.End(t))
}
