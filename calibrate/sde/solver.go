package sde

import (
	"context"
	"fmt"
	"math"
	"strings"
)

// Options choose and tune a solver.
type Options struct {
	Method string // one of [Methods]
	// Last is the treatment of the end of the grid; none by default.
	Last Last
	// Tolerance of each component's error per step for the adaptive method,
	// relative to 1 + |x|; 1e-6 by default.
	Tolerance float64
	// Churn is the S_churn of the edm method (Karras et al. 2022, algorithm 2): before
	// each of N steps the ratio of noise to signal grows by the factor 1 + S_churn/N,
	// at most √2. 0 is plain Heun. Their S_tmin is 0, S_tmax infinite, S_noise 1.
	Churn float64
}

// Solver integrates problems with one method. It owns its work buffers: a Solver
// serves one goroutine, and after the first call of a size it no longer allocates.
type Solver struct {
	method  method
	options Options
	// a, b, … are work vectors of the length of the state.
	work   [maxWork][]float64
	rounds int     // noise vectors used so far in the present solution
	growth float64 // of the ratio of noise to signal before a step of edm
}

const maxWork = 9

// A stepper advances x in place from time t to t+h.
type stepper func(s *Solver, x []float64, t, to float64, p Problem, noise Noise) error

// method is a table entry.
type method struct {
	name  string
	needs need
	work  int // vectors used
	step  stepper
}

// need says what a method asks of its problem.
type need int

const (
	ode         need = iota // ε ≡ 0
	anyProblem              // nothing but a Problem
	incremental             // an Incremental
	linear                  // a Linear
	rewinder                // a Rewinder with ε ≡ 0
)

// methods lists the solvers by configuration name.
var methods = []method{
	{"euler", ode, 1, eulerStep},
	{"heun", ode, 3, heunStep},
	{"dopri5", ode, 9, adaptiveStep},
	{"euler-maruyama", anyProblem, 2, eulerMaruyamaStep},
	{"stochastic-heun", anyProblem, 4, stochasticHeunStep},
	{"ddim", incremental, 2, ddimStep},
	{"ddim-heun", incremental, 4, ddimHeunStep},
	{"exponential", linear, 7, exponentialStep},
	{"edm", rewinder, 4, edmStep},
}

// Methods lists the names of the solvers.
func Methods() []string {
	var names []string
	for _, m := range methods {
		names = append(names, m.name)
	}
	return names
}

// New makes a solver. An unknown method gives an error that lists the known ones.
func New(o Options) (*Solver, error) {
	if o.Tolerance == 0 {
		o.Tolerance = 1e-6
	}
	if !(o.Tolerance > 0) {
		return nil, fmt.Errorf("solver tolerance must be positive, not %g", o.Tolerance)
	}
	if !(o.Churn >= 0) || math.IsInf(o.Churn, 0) {
		return nil, fmt.Errorf("churn must be 0 or more, not %g", o.Churn)
	}
	if o.Churn > 0 && o.Method != "edm" {
		return nil, fmt.Errorf("churn %g is for solver edm, not %s; set churn 0 or solver edm", o.Churn, o.Method)
	}
	if o.Last < 0 || int(o.Last) >= len(lastNames) {
		return nil, fmt.Errorf("unknown last step %d; known are %s", int(o.Last), strings.Join(lastNames[:], ", "))
	}
	for _, m := range methods {
		if m.name == o.Method {
			return &Solver{method: m, options: o}, nil
		}
	}
	return nil, fmt.Errorf("unknown solver %q; known are %s", o.Method, strings.Join(Methods(), ", "))
}

// Solve advances the state x in place along the grid times. With a last step
// other than none it then goes on from the last time of the grid to 1, or to 0
// when the grid descends. Noise may be nil for problems without. The error of a
// problem ends the solution, as do a context that is done and a component that
// is not finite ([*DivergedError]); x is then in an unspecified state.
func (s *Solver) Solve(ctx context.Context, x []float64, times []float64, p Problem, noise Noise) error {
	if err := s.check(times, p, noise); err != nil {
		return err
	}
	s.reserve(len(x))
	s.rounds = 0
	s.growth = min(s.options.Churn/float64(len(times)-1), math.Sqrt2-1)
	for k := 0; k+1 < len(times); k++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.method.step(s, x, times[k], times[k+1], p, noise); err != nil {
			return fmt.Errorf("%s from t = %.4g to %.4g: %w", s.method.name, times[k], times[k+1], err)
		}
		if i := notFinite(x); i >= 0 {
			return &DivergedError{Method: s.method.name, Step: k, From: times[k], To: times[k+1], Component: i}
		}
	}
	return s.finish(x, times, p)
}

// check refuses what the method cannot integrate.
func (s *Solver) check(times []float64, p Problem, noise Noise) error {
	if len(times) < 2 {
		return fmt.Errorf("solver %s needs at least two times", s.method.name)
	}
	down := times[1] < times[0]
	random := false
	for k, t := range times {
		if k > 0 && (t == times[k-1] || (t < times[k-1]) != down) {
			return fmt.Errorf("solver %s: times are not monotone at %d: %g after %g", s.method.name, k, t, times[k-1])
		}
		// Mid-points, since ε often vanishes at the ends.
		if k > 0 && p.Eps((t+times[k-1])/2) != 0 {
			random = true
		}
	}
	missing := ""
	switch s.method.needs {
	case incremental:
		if _, ok := p.(Incremental); !ok {
			missing = "Incremental"
		}
	case linear:
		if _, ok := p.(Linear); !ok {
			missing = "Linear"
		}
	case rewinder:
		if _, ok := p.(Rewinder); !ok {
			missing = "Rewinder"
		}
	}
	if missing != "" {
		return fmt.Errorf("solver %s needs a problem that is %s; use stochastic-heun", s.method.name, missing)
	}
	if random && (s.method.needs == ode || s.method.needs == rewinder) {
		return fmt.Errorf("solver %s integrates an ODE, but epsilon is not zero; set epsilon zero, or use solver stochastic-heun", s.method.name)
	}
	needsNoise := random || s.method.needs == rewinder && s.options.Churn > 0
	if needsNoise && noise == nil {
		return fmt.Errorf("solver %s: the problem has noise, but no source of noise is given", s.method.name)
	}
	return nil
}

// reserve makes the work vectors as long as the state.
func (s *Solver) reserve(n int) {
	for i := range s.method.work {
		if cap(s.work[i]) < n {
			s.work[i] = make([]float64, n)
		}
		s.work[i] = s.work[i][:n]
	}
}

// draw fills dst with the normals of the next round.
func (s *Solver) draw(dst []float64, noise Noise) {
	noise(dst, s.rounds)
	s.rounds++
}

// DivergedError reports a component that became infinite or not a number.
type DivergedError struct {
	Method    string
	Step      int     // index of the grid step
	From, To  float64 // its times
	Component int     // index of the first such component
}

// Error implements error.
func (e *DivergedError) Error() string {
	return fmt.Sprintf("%s: component %d is not finite after step %d, t = %.4g to %.4g; use more steps, or an epsilon and gamma whose coefficients are finite at the ends",
		e.Method, e.Component, e.Step, e.From, e.To)
}

// notFinite returns the index of the first infinite or NaN component, or -1.
func notFinite(x []float64) int {
	for i, v := range x {
		if v-v != 0 {
			return i
		}
	}
	return -1
}
