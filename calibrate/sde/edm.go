package sde

// edmStep is the stochastic sampler of Karras et al. (2022, algorithm 2): noise
// is added to go back to a noisier time, then one Heun step of the ODE leads
// from there to the end of the step. Without churn it is Heun's method, for any path.
func edmStep(s *Solver, x []float64, t, to float64, p Problem, noise Noise) error {
	if s.growth == 0 {
		return heunStep(s, x, t, to, p, nil)
	}
	back, scale, sd, err := p.(Rewinder).Rewind(t, s.growth)
	if err != nil {
		return err
	}
	if back != t {
		w := s.work[3]
		s.increments(w, sd, noise)
		for i := range x {
			x[i] = scale*x[i] + w[i]
		}
	}
	return heunStep(s, x, back, to, p, nil)
}
