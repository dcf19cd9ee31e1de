package calibrate

import (
	"context"
	"fmt"
	"math"

	"sipipe/calibrate/sde"
	"sipipe/calibrate/selfcheck"
)

// CheckSampler runs the method's sampler on laws that are known exactly and tells
// how far from them it ends, at half, once and twice the method's steps. start is
// the sd of x0, of [Model].Start; 0 stands for raw members of unit variance with the
// method's dressing. The error says what cannot work, and what would.
func (m Method) CheckSampler(ctx context.Context, start float64, threads int) (*selfcheck.Result, error) {
	return m.check(ctx, start, selfcheck.Options{Threads: threads})
}

// CheckSteps is CheckSampler at the method's steps alone, for a warning that comes
// with training: it takes a fraction of a second, or some seconds when a remedy has to
// be found. The text is "" when the steps are enough.
func (m Method) CheckSteps(ctx context.Context, start float64, threads int) (warning string, err error) {
	r, err := m.check(ctx, start, selfcheck.Options{Steps: []int{m.Steps}, Threads: threads})
	if err != nil || r.Enough() {
		return "", err
	}
	return r.Verdict(), nil
}

func (m Method) check(ctx context.Context, start float64, o selfcheck.Options) (*selfcheck.Result, error) {
	if start == 0 {
		start = math.Hypot(1, m.Dress)
	}
	s, err := m.sampler(start)
	if err != nil {
		return nil, err
	}
	return selfcheck.Run(ctx, s, o)
}

// sampler is what package selfcheck tests, with start the sd of x0.
func (m Method) sampler(start float64) (selfcheck.Sampler, error) {
	p, err := m.process()
	if err != nil {
		return selfcheck.Sampler{}, err
	}
	last, err := sde.ParseLast(m.Last)
	if err != nil {
		return selfcheck.Sampler{}, err
	}
	return selfcheck.Sampler{
		Process: p,
		Solver:  sde.Options{Method: m.Solver, Last: last, Churn: m.Churn},
		Grid:    m.grid(),
		Start:   start,
	}, nil
}

// Summary names the sampler in one line.
func (m Method) Summary() string {
	gamma := fmt.Sprintf("gamma %s %g", m.Gamma, m.Amplitude)
	if m.Gamma == "" {
		gamma = "its own gamma"
	}
	epsilon := m.Epsilon
	if epsilon != "zero" {
		epsilon += fmt.Sprintf(" %g", m.Scale)
	}
	solver := m.Solver
	if m.Churn > 0 {
		solver += fmt.Sprintf(" with churn %g", m.Churn)
	}
	return fmt.Sprintf("path %s, %s, heads %s, epsilon %s; %s on a %s grid from %g to %g, last step %s, steps: %d",
		m.Path, gamma, m.Heads, epsilon, solver, m.Grid, m.FirstTime, m.LastTime, m.Last, m.Steps)
}
