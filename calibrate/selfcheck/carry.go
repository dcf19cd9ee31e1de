package selfcheck

import (
	"cmp"
	"context"
	"math"
	"math/bits"
	"slices"

	"sipipe/calibrate/internal/exact"
	"sipipe/calibrate/noise"
	"sipipe/calibrate/sde"
)

// evenNoise is a source of normals that makes a sample of n states represent its
// law far better than independent draws do: before each step the states are
// ranked, and rank i is given the quantile of the i-th point of van der Corput's
// sequence. Neighbouring states, which share a future, then meet evenly spread
// noise (array-RQMC: L'Ecuyer, Lécot and Tuffin 2008, "A randomized quasi-Monte
// Carlo simulation method for Markov chains"). n is a power of two.
type evenNoise struct {
	x    []float64 // the state that is being integrated
	rank []int
	key  noise.Key
}

// fill implements [sde.Noise]. Solvers ask for noise before they move the state.
func (e *evenNoise) fill(dst []float64, step int) {
	for i := range e.rank {
		e.rank[i] = i
	}
	slices.SortFunc(e.rank, func(a, b int) int { return cmp.Or(cmp.Compare(e.x[a], e.x[b]), cmp.Compare(a, b)) })
	// A shift per step, within whole strata, keeps steps from repeating each other.
	shift := e.key.Bits(uint32(step), 0)
	for i, at := range e.rank {
		dst[at] = noise.Quantile(bits.Reverse32(uint32(i)) + shift)
	}
}

// carryGaussian returns the moments that a law of one component ends with; there
// is no sampling error.
func (s Sampler) carryGaussian(ctx context.Context, p exact.Problem, times []float64) (mean, sd float64, err error) {
	solver, err := sde.New(s.Solver)
	if err != nil {
		return 0, 0, err
	}
	mean, variance := p.Data.Moments(s.Process.Interpolant.At(0))
	enter := s.enter()
	mean, variance, err = exact.Carry(ctx, solver, p, times, enter*mean, enter*enter*variance)
	return mean, math.Sqrt(variance), err
}

// carrySample integrates x, a sample of the law at t = 0, in place.
func (s Sampler) carrySample(ctx context.Context, p exact.Problem, times, x []float64, key noise.Key) error {
	solver, err := sde.New(s.Solver)
	if err != nil {
		return err
	}
	for i, enter := 0, s.enter(); i < len(x); i++ {
		x[i] *= enter
	}
	even := &evenNoise{x: x, rank: make([]int, len(x)), key: key}
	return solver.Solve(ctx, x, times, p, even.fill)
}

// crps is the expected CRPS of a mixture's law at the end of its path against
// itself, ½ E|X - X'|.
func crps(m exact.Mixture, p exact.Problem) float64 {
	end := p.Process.Interpolant.At(1)
	sum := 0.0
	for _, a := range m {
		for _, b := range m {
			ma, va := a.Joint.Moments(end)
			mb, vb := b.Joint.Moments(end)
			sum += a.Weight * b.Weight * absolute(ma-mb, math.Sqrt(va+vb)) / 2
		}
	}
	return sum
}

// absolute is E|N(m, q²)| = q√(2/π) exp(-m²/2q²) + m erf(m/q√2).
func absolute(m, q float64) float64 {
	return q*math.Sqrt(2/math.Pi)*math.Exp(-m*m/(2*q*q)) + m*math.Erf(m/(q*math.Sqrt2))
}

// normalExcess is the CRPS that the forecast N(d, s²) costs over the true law
// N(0, 1), as a share of the true law's CRPS 1/√π:
//
//	∫ (Φ((x-d)/s) - Φ(x))² dx = E|X - Y| - ½E|X - X'| - ½E|Y - Y'|
//
// with X - Y ~ N(d, 1 + s²) (Gneiting and Raftery 2007, equation 21, for two laws).
func normalExcess(d, s float64) float64 {
	return math.Sqrt(math.Pi)*absolute(d, math.Hypot(1, s)) - s - 1
}
