package sde

import "math"

// eulerStep is Euler's method, order 1:
//
//	x += h f(t, x)
func eulerStep(s *Solver, x []float64, t, to float64, p Problem, _ Noise) error {
	f, h := s.work[0], to-t
	if err := p.Drift(f, t, x); err != nil {
		return err
	}
	for i := range x {
		x[i] += h * f[i]
	}
	return nil
}

// eulerMaruyamaStep is the method of Maruyama (1955), weak order 1:
//
//	x += h f(t, x) + √(2ε(t)|h|) ξ
func eulerMaruyamaStep(s *Solver, x []float64, t, to float64, p Problem, noise Noise) error {
	f, w, h := s.work[0], s.work[1], to-t
	if err := p.Drift(f, t, x); err != nil {
		return err
	}
	s.increments(w, math.Sqrt(2*p.Eps(t)*math.Abs(h)), noise)
	for i := range x {
		x[i] += h*f[i] + w[i]
	}
	return nil
}
