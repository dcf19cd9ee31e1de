package sde

import "math"

// ddimStep is Euler's method with integrated weights, order 1. I(t, x) is the
// problem's increment over the step with its fields frozen at (t, x):
//
//	x += I(t, x) + √(∫2ε) ξ
//
// With ε = 0 it is the step of denoising diffusion implicit models (Song, Meng and
// Ermon 2021, equation 12) on one-sided paths with heads (η1, η), and on the linear one
// with heads (v, η) too.
func ddimStep(s *Solver, x []float64, t, to float64, p Problem, noise Noise) error {
	q := p.(Incremental)
	f, w := s.work[0], s.work[1]
	if err := q.Increment(f, t, x, t, to); err != nil {
		return err
	}
	s.increments(w, math.Sqrt(q.Spread(t, to)), noise)
	for i := range x {
		x[i] += f[i] + w[i]
	}
	return nil
}

// ddimHeunStep is the stochastic Heun method with integrated weights, order 2
// where fields and weights are smooth and without singular coefficients at the ends:
//
//	x' = x + I(t, x) + w,   x += (I(t, x) + I(t+h, x'))/2 + w,   w = √(∫2ε) ξ
func ddimHeunStep(s *Solver, x []float64, t, to float64, p Problem, noise Noise) error {
	q := p.(Incremental)
	f, g, y, w := s.work[0], s.work[1], s.work[2], s.work[3]
	if err := q.Increment(f, t, x, t, to); err != nil {
		return err
	}
	s.increments(w, math.Sqrt(q.Spread(t, to)), noise)
	for i := range x {
		y[i] = x[i] + f[i] + w[i]
	}
	if err := q.Increment(g, to, y, t, to); err != nil {
		return err
	}
	for i := range x {
		x[i] += (f[i]+g[i])/2 + w[i]
	}
	return nil
}
