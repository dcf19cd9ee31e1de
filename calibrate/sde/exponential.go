package sde

// exponentialStep takes the exact step Φ of the linear problem and treats the
// remainder of the drift by Heun's method in the coordinates in which the linear
// problem stands still (Lawson 1967), order 2:
//
//	x' = Φ(x + R(t, x)),   x = Φ(x + R(t, x)/2) + R(t+h, x')/2
//	Φ(x) = scale x + shift + sd ξ, the same ξ in both
//
// where R(t, x) is the remainder's increment over the step. Without a remainder,
// as for Gaussian data or an untrained correction, any number of steps is exact.
func exponentialStep(s *Solver, x []float64, t, to float64, p Problem, noise Noise) error {
	q := p.(Linear)
	scale, shift, sd := s.work[0], s.work[1], s.work[2]
	f, g, y, w := s.work[3], s.work[4], s.work[5], s.work[6]
	if err := q.Transition(scale, shift, sd, t, to); err != nil {
		return err
	}
	if err := q.Remainder(f, t, x, t, to); err != nil {
		return err
	}
	if noise == nil {
		clear(w)
	} else {
		s.draw(w, noise)
	}
	for i := range x {
		w[i] = shift[i] + sd[i]*w[i]
		y[i] = scale[i]*(x[i]+f[i]) + w[i]
	}
	if err := q.Remainder(g, to, y, t, to); err != nil {
		return err
	}
	for i := range x {
		x[i] = scale[i]*(x[i]+f[i]/2) + w[i] + g[i]/2
	}
	return nil
}
