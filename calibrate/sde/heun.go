package sde

import "math"

// heunStep is Heun's method, the explicit trapezoidal rule of order 2:
//
//	x' = x + h f(t, x),   x += h/2 (f(t, x) + f(t+h, x'))
//
// The first stage is at t, not at t+h: with both at t+h the order is 1.
func heunStep(s *Solver, x []float64, t, to float64, p Problem, _ Noise) error {
	f, g, y, h := s.work[0], s.work[1], s.work[2], to-t
	if err := p.Drift(f, t, x); err != nil {
		return err
	}
	for i := range x {
		y[i] = x[i] + h*f[i]
	}
	if err := p.Drift(g, to, y); err != nil {
		return err
	}
	for i := range x {
		x[i] += h / 2 * (f[i] + g[i])
	}
	return nil
}

// stochasticHeunStep is Heun's method with the same noise in both stages and ε
// averaged over the step, weak order 2 for additive noise (Kloeden and Platen
// 1992, section 15.1) and Heun's method at ε = 0:
//
//	w = √((ε(t) + ε(t+h))|h|) ξ
//	x' = x + h f(t, x) + w,   x += h/2 (f(t, x) + f(t+h, x')) + w
func stochasticHeunStep(s *Solver, x []float64, t, to float64, p Problem, noise Noise) error {
	f, g, y, w, h := s.work[0], s.work[1], s.work[2], s.work[3], to-t
	if err := p.Drift(f, t, x); err != nil {
		return err
	}
	s.increments(w, math.Sqrt((p.Eps(t)+p.Eps(to))*math.Abs(h)), noise)
	for i := range x {
		y[i] = x[i] + h*f[i] + w[i]
	}
	if err := p.Drift(g, to, y); err != nil {
		return err
	}
	for i := range x {
		x[i] += h/2*(f[i]+g[i]) + w[i]
	}
	return nil
}

// increments fills w with noise of a standard deviation, zero when it is 0.
func (s *Solver) increments(w []float64, sd float64, noise Noise) {
	if sd == 0 {
		clear(w)
		return
	}
	s.draw(w, noise)
	for i := range w {
		w[i] *= sd
	}
}
