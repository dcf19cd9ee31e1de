package baseline

import (
	"math"
	"testing"
)

// A line search that meets values that are not finite has no bound of its own; it once
// held up a verification.
func TestSearchEnds(t *testing.T) {
	for name, far := range map[string][2]float64{
		"value":             {math.NaN(), math.NaN()},
		"derivative":        {.5, math.NaN()},
		"value that is +∞":  {math.Inf(1), 1},
		"value that is -∞":  {math.Inf(-1), 1},
		"a wrong direction": {2, -1},
	} {
		calls := 0
		x, err := bfgs(func(grad, x []float64) float64 {
			calls++
			if x[0] == 0 {
				grad[0] = -1
				return 1
			}
			grad[0] = far[1]
			return far[0]
		}, []float64{0}, 1e-6, 1e-9)
		if calls > 2500 {
			t.Errorf("%s: %d calls", name, calls)
		}
		if err == nil && x[0] != 0 && name != "derivative" {
			t.Errorf("%s: ended at %g", name, x[0])
		}
	}
}
