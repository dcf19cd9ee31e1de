package selfcheck

import (
	"context"
	"errors"
	"fmt"
	"math"

	"sipipe/calibrate/internal/exact"
	"sipipe/calibrate/interpolant"
	"sipipe/calibrate/sde"
)

// Sampler is everything that turns raw members into calibrated ones but the
// network.
type Sampler struct {
	Process interpolant.Process
	Solver  sde.Options
	Grid    sde.Grid // Steps are the configured ones
	// Start is the standard deviation of x0 in units of the observation's normal
	// score; sqrt(1 + dress²) for raw members of unit variance. Must be positive.
	Start float64
}

// reference is the model's Gaussian: what it samples before anything is learned.
func (s Sampler) reference() interpolant.Gaussian {
	return interpolant.Gaussian{S0: s.Start, S1: 1}
}

// enter is how the model starts where its times begin later than 0: raw members are
// scaled as its Gaussian is, whatever their law. The error of that is in the check; that
// of a mirror, which starts from raw members in place of x1, is not: see caution.
func (s Sampler) enter() float64 { return s.Process.Enter(s.reference(), s.Grid.First) }

// problem is the sampler's with the exact fields of a law.
func (s Sampler) problem(m exact.Mixture) exact.Problem {
	return exact.Problem{Process: s.Process, Data: m, Reference: s.reference()}
}

// Validate refuses a sampler that cannot work: a process without the fields it
// needs, a solver for another kind of problem, a drift that is infinite at a time
// the solver evaluates. The error gives the reason and a remedy. It integrates one
// small state, which costs microseconds.
func (s Sampler) Validate(ctx context.Context) error {
	if err := s.Process.Validate(); err != nil {
		return err
	}
	if err := s.Process.ValidateEps(s.Grid.First); err != nil {
		return err
	}
	kind := s.Process.Interpolant.Kind()
	if kind == interpolant.Mirror && s.Process.Diffusion.Zero() {
		return errors.New("path mirror with epsilon zero: its ODE leads from the law of x1 to itself, so raw members would stay as they are; set epsilon gamma")
	}
	if s.Solver.Churn > 0 && kind != interpolant.OneSided {
		return fmt.Errorf("%s with churn: noise alone brings x back on one-sided paths only; set churn 0, or path one-sided-linear and gamma none", s.Process.Interpolant)
	}
	solver, err := sde.New(s.Solver)
	if err != nil {
		return err
	}
	times, err := s.Grid.Times()
	if err != nil {
		return err
	}
	// Not the reference itself, whose remainder is zero whatever the weights.
	p := s.problem(exact.One(interpolant.Gaussian{S0: s.Start, M1: 0.5, S1: 0.7}))
	if _, _, err = exact.Carry(ctx, solver, p, times, 0, s.Start*s.Start); err != nil {
		return s.explain(err, times)
	}
	return s.Process.ValidateWeights()
}

// caution says what the check does not see, or "".
func (s Sampler) caution() string {
	if s.Process.Interpolant.Kind() == interpolant.Mirror {
		scale, _, _ := s.Process.Transition(interpolant.Gaussian{S1: 1}, s.Grid.First, 1)
		return fmt.Sprintf("a mirror starts from raw members in place of x1, and %.0f %% of their difference from it is left at the end", 100*scale)
	}
	return s.Process.Caution()
}

// explain replaces the news that a solution diverged or stalled by the reason, where the
// reason is a singular drift.
func (s Sampler) explain(err error, times []float64) error {
	var diverged *sde.DivergedError
	if !errors.As(err, &diverged) && !errors.Is(err, sde.ErrStalled) {
		return err
	}
	if reason := s.Process.ValidateWeights(); reason != nil {
		return reason
	}
	first, last := math.Min(times[0], times[len(times)-1]), math.Max(times[0], times[len(times)-1])
	if reason := s.Process.ValidateOn(first, last); reason != nil {
		return reason
	}
	return err
}
