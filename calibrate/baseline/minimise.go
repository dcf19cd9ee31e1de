package baseline

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/optimize"
)

// objective returns the value at x and writes the gradient.
type objective func(grad, x []float64) float64

// bfgs minimises f from x until no component of the gradient is above flat, three
// iterations gain less than the fraction gain of the value, or the line search
// cannot improve any more.
func bfgs(f objective, x []float64, flat, gain float64) ([]float64, error) {
	// The optimiser asks for value and gradient one after the other; both come
	// from one pass over the rows.
	at := slices.Clone(x)
	grad := make([]float64, len(x))
	value := f(grad, at)
	first := value
	pass := func(x []float64) {
		if !slices.Equal(x, at) {
			copy(at, x)
			value = f(grad, at)
		}
	}
	problem := optimize.Problem{
		Func: func(x []float64) float64 { pass(x); return value },
		Grad: func(g, x []float64) { pass(x); copy(g, grad) },
	}
	settings := &optimize.Settings{
		GradientThreshold: flat,
		MajorIterations:   200,
		FuncEvaluations:   1000, // a line search has no bound of its own
		Converger:         &optimize.FunctionConverge{Relative: gain, Iterations: 3},
	}
	// The default line search takes twice as many passes.
	res, err := optimize.Minimize(problem, x, settings, &optimize.BFGS{Linesearcher: &optimize.MoreThuente{}})
	if res == nil {
		return nil, err
	}
	// A line search that stalls at rounding level leaves a usable minimum.
	if math.IsNaN(res.F) || math.IsInf(res.F, 0) || res.F > first {
		return nil, errors.Join(errors.New("minimisation did not improve on its start"), err)
	}
	return res.X, nil
}
