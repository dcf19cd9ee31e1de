package exact

import (
	"context"
	"math"

	"sipipe/calibrate/interpolant"
	"sipipe/calibrate/sde"
)

// Carry returns the exact mean and variance with which a solver ends when it
// carries N(mean, variance) along the times through a problem with a drift affine
// in x. A step then maps x to a x + Σ c_j ξ_j + d, so a state of the origin, of a
// unit and of single unit normals reveals all coefficients: no sampling error.
func Carry(ctx context.Context, s *sde.Solver, p sde.Problem, times []float64, mean, variance float64) (m, v float64, err error) {
	rounds := len(times) // at most one noise vector a step
	x := make([]float64, 2+rounds)
	x[1] = 1
	one := func(dst []float64, step int) {
		clear(dst)
		dst[2+step] = 1
	}
	if err := s.Solve(ctx, x, times, p, one); err != nil {
		return math.NaN(), math.NaN(), err
	}
	slope := x[1] - x[0]
	m = x[0] + slope*mean
	v = slope * slope * variance
	for _, xi := range x[2:] {
		v += (xi - x[0]) * (xi - x[0])
	}
	return m, v, nil
}

// Start fills x with a stratified sample of n starting values of a mixture at the
// time of c: the quantiles of (i + ½)/n, by bisection of the distribution function.
func (m Mixture) Start(c interpolant.Coefficients, x []float64) {
	mean, variance := m.Moments(c)
	for i := range x {
		u := (float64(i) + 0.5) / float64(len(x))
		lo, hi := mean-40*math.Sqrt(variance), mean+40*math.Sqrt(variance)
		for range 60 {
			if mid := (lo + hi) / 2; m.CDF(c, mid) < u {
				lo = mid
			} else {
				hi = mid
			}
		}
		x[i] = (lo + hi) / 2
	}
}
