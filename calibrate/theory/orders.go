package theory

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"sipipe/calibrate/internal/exact"
	"sipipe/calibrate/interpolant"
	"sipipe/calibrate/sde"
)

// Curve is the error of one sampler against its number of steps.
type Curve struct {
	Name  string
	Steps []int
	// Error is the Wasserstein-2 distance of the law at t = 1 from the exact one, in
	// the exact one's standard deviations.
	Error []float64
	Order float64 // by which the error falls, from the three largest numbers of steps
}

// Panel is a group of curves for one law.
type Panel struct {
	Title  string
	Curves []Curve
}

// Orders measures errors against steps: ODE solvers on two modes, SDE solvers on a
// Gaussian, and one SDE solver for several ε on the same Gaussian. Nothing here is
// sampled: the ODE carries quantiles to quantiles, and Gaussians are carried exactly.
func Orders(ctx context.Context) ([]Panel, error) {
	steps := []int{2, 4, 8, 16, 32, 64, 128}
	ode := Panel{Title: "ODE, two modes"}
	for _, method := range []string{"euler", "ddim", "heun", "ddim-heun", "exponential"} {
		p, err := linear("quadratic", 1, 0)
		if err != nil {
			return nil, err
		}
		c, err := curve(method, steps, func(n int) (float64, error) { return quantileError(ctx, method, n, p) })
		if err != nil {
			return nil, fmt.Errorf("errors of %s: %w", method, err)
		}
		ode.Curves = append(ode.Curves, c)
	}
	noisy := Panel{Title: "SDE with ε = γ, Gaussian"}
	for _, method := range []string{"euler-maruyama", "ddim", "stochastic-heun", "ddim-heun", "exponential"} {
		p, err := linear("quadratic", 1, 1)
		if err != nil {
			return nil, err
		}
		c, err := curve(method, steps, func(n int) (float64, error) { return gaussianError(ctx, method, n, p) })
		if err != nil {
			return nil, fmt.Errorf("errors of %s: %w", method, err)
		}
		noisy.Curves = append(noisy.Curves, c)
	}
	many := Panel{Title: "stochastic-heun, by ε, Gaussian"}
	for _, scale := range []float64{0, 1, 4, 16} {
		p, err := linear("quadratic", 1, scale)
		if err != nil {
			return nil, err
		}
		c, err := curve(name(scale), steps, func(n int) (float64, error) { return gaussianError(ctx, "stochastic-heun", n, p) })
		if err != nil {
			return nil, fmt.Errorf("errors with epsilon %g gamma: %w", scale, err)
		}
		many.Curves = append(many.Curves, c)
	}
	return []Panel{ode, noisy, many}, nil
}

// name of ε = scale·γ.
func name(scale float64) string {
	switch scale {
	case 0:
		return "ε = 0 (ODE)"
	case 1:
		return "ε = γ"
	}
	return fmt.Sprintf("ε = %g γ", scale)
}

// curve evaluates the error at each number of steps.
func curve(name string, steps []int, at func(n int) (float64, error)) (Curve, error) {
	c := Curve{Name: name}
	for _, n := range steps {
		e, err := at(n)
		if err != nil {
			return c, err
		}
		c.Steps, c.Error = append(c.Steps, n), append(c.Error, e)
	}
	var x, y []float64
	for i := max(0, len(c.Steps)-3); i < len(c.Steps); i++ {
		x, y = append(x, math.Log(float64(c.Steps[i]))), append(y, math.Log(c.Error[i]))
	}
	if len(x) > 1 {
		_, slope := stat.LinearRegression(x, y, nil, false)
		c.Order = -slope
	}
	return c, nil
}

// start is the standard deviation of x0 in the panels, that of a raw member dressed
// with half its spread.
const start = 1.118

// quantileError carries quantiles of x0 along the ODE, which keeps their order, and
// compares them with the quantiles of x1.
func quantileError(ctx context.Context, method string, n int, p interpolant.Process) (float64, error) {
	law := exact.Bimodal(start, math.Sqrt(0.91), 0.3, 0.5)
	const quantiles = 400
	x, want := make([]float64, quantiles), make([]float64, quantiles)
	law.Start(p.Interpolant.At(0), x)
	law.Start(p.Interpolant.At(1), want)
	solver, times, err := sampler(method, n)
	if err != nil {
		return 0, err
	}
	problem := exact.New(p, law)
	problem.Reference = interpolant.Gaussian{S0: start, S1: 1}
	if err := solver.Solve(ctx, x, times, problem, nil); err != nil {
		return 0, err
	}
	slices.Sort(x)
	sum := 0.0
	for i, v := range x {
		sum += (v - want[i]) * (v - want[i])
	}
	return math.Sqrt(sum / quantiles), nil // the exact standard deviation is 1
}

// gaussianError is the distance of two Gaussians, √(Δmean² + Δsd²), of the one a
// solver ends with and the exact one, which is sharper than the reference and
// shifted.
func gaussianError(ctx context.Context, method string, n int, p interpolant.Process) (float64, error) {
	g := interpolant.Gaussian{S0: start, M1: 0.5, S1: 0.7}
	solver, times, err := sampler(method, n)
	if err != nil {
		return 0, err
	}
	problem := exact.New(p, exact.One(g))
	problem.Reference = interpolant.Gaussian{S0: start, S1: 1}
	mean, variance, err := exact.Carry(ctx, solver, problem, times, g.M0, g.S0*g.S0)
	return math.Hypot(mean-g.M1, math.Sqrt(variance)-g.S1) / g.S1, err
}

func sampler(method string, n int) (*sde.Solver, []float64, error) {
	solver, err := sde.New(sde.Options{Method: method})
	if err != nil {
		return nil, nil, err
	}
	times, err := sde.Grid{Steps: n}.Times()
	return solver, times, err
}
