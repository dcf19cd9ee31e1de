package calibrate

import (
	"sipipe/calibrate/interpolant"
)

// correction evaluates the learned part of the two heads at (t, x) for every lane
// of a tile: out is [head, lane].
type correction interface {
	Eval(out []float64, t float64, x []float64) error
}

// field is the drift of a tile of lanes: the closed-form Gaussian field plus
// weight times the learned correction. With weight 0 it is exactly that of a
// standard normal target, whatever the network says. It is a problem of every kind
// that package sde knows.
type field struct {
	process  interpolant.Process
	gaussian interpolant.Gaussian // of x0 and x1 in normal scores
	learned  correction           // nil: none
	weight   float64

	out []float64 // work, [head, lane]
	// calls counts the lanes that the learned part was evaluated for.
	calls int64
}

// newField returns a field for tiles of up to lanes.
func newField(p interpolant.Process, g interpolant.Gaussian, lanes int) *field {
	return &field{process: p, gaussian: g, out: make([]float64, 2*lanes)}
}

// heads returns the learned outputs of the heads, weighted, or nil.
func (f *field) heads(t float64, x []float64) (h1, h2 []float64, err error) {
	if f.learned == nil || f.weight == 0 {
		return nil, nil, nil
	}
	n := len(x)
	f.calls += int64(n)
	return f.out[:n], f.out[n : 2*n], f.learned.Eval(f.out[:2*n], t, x)
}

// linear is the Gaussian part of a mixture of heads at t, slope·x + offset.
func (f *field) linear(t float64, m interpolant.Mix) (slope, offset float64) {
	c := f.process.Interpolant.At(interpolant.Inside(t))
	vs, vo, es, eo := f.gaussian.Affine(c)
	// Two evaluations fix an affine function.
	a1, a2 := f.process.Heads.Outputs(c, vo, eo, 0)
	b1, b2 := f.process.Heads.Outputs(c, vo+vs, eo+es, 1)
	offset = m.Of(a1, a2, 0)
	return m.Of(b1, b2, 1) - offset, offset
}

// apply writes the mixture of Gaussian and learned heads.
func (f *field) apply(dst []float64, t float64, x []float64, m interpolant.Mix, slope, offset float64) error {
	h1, h2, err := f.heads(t, x)
	if err != nil {
		return err
	}
	if h1 == nil {
		for i, v := range x {
			dst[i] = slope*v + offset
		}
		return nil
	}
	a, b := f.weight*m.H1, f.weight*m.H2
	for i, v := range x {
		dst[i] = slope*v + offset + a*h1[i] + b*h2[i]
	}
	return nil
}

// Drift implements sde.Problem: b + ε s.
func (f *field) Drift(dst []float64, t float64, x []float64) error {
	m := f.process.Drift(t)
	// The Gaussian part of b + ε s in closed form is finite at the ends.
	c := f.process.Interpolant.At(t)
	slope, offset := f.gaussian.Drift(c)
	ss, so := f.gaussian.GradLogP(c)
	eps := f.process.Diffusion.Eps(c)
	return f.apply(dst, t, x, m, slope+eps*ss, offset+eps*so)
}

// Eps implements sde.Problem.
func (f *field) Eps(t float64) float64 { return f.process.Eps(t) }

// ODE implements sde.Ender.
func (f *field) ODE(dst []float64, t float64, x []float64) error {
	slope, offset := f.gaussian.Drift(f.process.Interpolant.At(t))
	return f.apply(dst, t, x, f.process.ODE(t), slope, offset)
}

// End implements sde.Ender.
func (f *field) End(dst []float64, t float64, x []float64) error {
	_, _, slope, offset := f.gaussian.Conditional(f.process.Interpolant.At(t))
	return f.apply(dst, t, x, f.process.End(t), slope, offset)
}

// Increment implements sde.Incremental.
func (f *field) Increment(dst []float64, t float64, x []float64, from, to float64) error {
	m := f.process.Increment(from, to)
	slope, offset := f.linear(t, m)
	return f.apply(dst, t, x, m, slope, offset)
}

// Spread implements sde.Incremental.
func (f *field) Spread(from, to float64) float64 { return f.process.Spread(from, to) }

// Transition implements sde.Linear: the exact step of the Gaussian part.
func (f *field) Transition(scale, shift, sd []float64, from, to float64) error {
	a, b, s := f.process.Transition(f.gaussian, from, to)
	for i := range scale {
		scale[i], shift[i], sd[i] = a, b, s
	}
	return nil
}

// Remainder implements sde.Linear: the learned part, its coefficients integrated
// over the step.
func (f *field) Remainder(dst []float64, t float64, x []float64, from, to float64) error {
	h1, h2, err := f.heads(t, x)
	if err != nil {
		return err
	}
	if h1 == nil {
		clear(dst)
		return nil
	}
	m := f.process.Increment(from, to)
	a, b := f.weight*m.H1, f.weight*m.H2
	for i := range dst {
		dst[i] = a*h1[i] + b*h2[i]
	}
	return nil
}

// Rewind implements sde.Rewinder.
func (f *field) Rewind(t, growth float64) (back, scale, sd float64, err error) {
	return f.process.Rewind(t, growth)
}
