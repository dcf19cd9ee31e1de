package interpolant

import (
	"fmt"
	"math"
	"strings"
)

// Times draws training times from a density on [Delta, 1-Delta] and gives the
// weight that makes the weighted loss an unbiased estimate of the loss under
// uniform times. Build it with [NewTimes].
type Times struct {
	name     string
	delta    float64
	cdf      func(t float64) float64
	quantile func(u float64) float64
	density  func(t float64) float64
}

// times lists the densities on [0, 1] by configuration name.
var times = []Times{
	{name: "uniform", cdf: identity, quantile: identity, density: func(float64) float64 { return 1 }},
	// Beta(½, ½), which dwells at the ends.
	{
		name:     "ends",
		cdf:      func(t float64) float64 { return 2 / math.Pi * math.Asin(math.Sqrt(t)) },
		quantile: func(u float64) float64 { s := math.Sin(math.Pi / 2 * u); return s * s },
		density:  func(t float64) float64 { return 1 / (math.Pi * math.Sqrt(t*(1-t))) },
	},
	// Beta(2, 2), which dwells in the middle.
	{
		name:     "middle",
		cdf:      func(t float64) float64 { return t * t * (3 - 2*t) },
		quantile: func(u float64) float64 { return 0.5 - math.Sin(math.Asin(1-2*u)/3) },
		density:  func(t float64) float64 { return 6 * t * (1 - t) },
	},
}

func identity(u float64) float64 { return u }

// NewTimes builds a density from its configuration name, cut to [delta, 1-delta]:
//
//	uniform   1
//	ends      Beta(½, ½), 1/(π√(t(1-t)))
//	middle    Beta(2, 2), 6t(1-t)
//
// delta must lie in [0, ½), and be positive for ends and middle, whose weight or
// density is infinite at the ends. Unknown names give an error that lists the known ones.
func NewTimes(name string, delta float64) (Times, error) {
	var names []string
	for _, d := range times {
		names = append(names, d.name)
		if d.name != name {
			continue
		}
		if !(delta >= 0 && delta < 0.5) || delta == 0 && name != "uniform" {
			return Times{}, fmt.Errorf("times %q cannot be cut at delta %g; use a small positive one such as 0.001", name, delta)
		}
		d.delta = delta
		return d, nil
	}
	return Times{}, fmt.Errorf("unknown times %q; known are %s", name, strings.Join(names, ", "))
}

// At turns a uniform u in (0, 1) into a time and its weight, whose mean is 1.
func (d Times) At(u float64) (t, weight float64) {
	lo, hi := d.cdf(d.delta), d.cdf(1-d.delta)
	t = min(max(d.quantile(lo+u*(hi-lo)), d.delta), 1-d.delta)
	return t, (hi - lo) / ((1 - 2*d.delta) * d.density(t))
}
