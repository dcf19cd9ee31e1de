package sde

import (
	"fmt"
	"math"
	"strings"
)

// Grid describes the times of a solver from 0 to 1, or back.
type Grid struct {
	// Spacing names the transformation of equal steps s in [0, 1]:
	//
	//	uniform    t = s (the default)
	//	cosine     t = (1 - cos πs)/2, fine at both ends
	//	quadratic  t = 1 - (1-s)², fine at t = 1
	//	power      t = 1 - (1-s)^Power, fine at t = 1 for Power > 1
	Spacing string
	Power   float64 // for power only, positive
	Steps   int     // at least 1
	// First and Last cut the grid to [First, 1-Last] of the interval, for drifts
	// that are singular at an end; both 0 by default.
	First, Last float64
	Backward    bool // from 1-Last down to First
}

// spacings lists the transformations by name.
var spacings = []struct {
	name string
	f    func(s, power float64) float64
}{
	{"uniform", func(s, _ float64) float64 { return s }},
	{"cosine", func(s, _ float64) float64 { h := math.Sin(math.Pi / 2 * s); return h * h }},
	{"quadratic", func(s, _ float64) float64 { return s * (2 - s) }},
	{"power", func(s, power float64) float64 { return 1 - math.Pow(1-s, power) }},
}

// Times returns the Steps+1 times of the grid, strictly monotone.
func (g Grid) Times() ([]float64, error) {
	if g.Steps < 1 {
		return nil, fmt.Errorf("a time grid needs at least 1 step, not %d", g.Steps)
	}
	if !(g.First >= 0 && g.Last >= 0 && g.First+g.Last < 1) {
		return nil, fmt.Errorf("cannot cut %g and %g from the ends of [0, 1]; use small non-negative values such as 0.001", g.First, g.Last)
	}
	name := g.Spacing
	if name == "" {
		name = "uniform"
	}
	if name == "power" && !(g.Power > 0 && g.Power < 100) {
		return nil, fmt.Errorf("spacing power needs a positive power, not %g; 2 is the same as quadratic", g.Power)
	}
	var names []string
	for _, s := range spacings {
		names = append(names, s.name)
		if s.name != name {
			continue
		}
		times := make([]float64, g.Steps+1)
		for k := range times {
			times[k] = g.First + (1-g.Last-g.First)*s.f(float64(k)/float64(g.Steps), g.Power)
		}
		times[0], times[g.Steps] = g.First, 1-g.Last
		if g.Backward {
			for i, j := 0, g.Steps; i < j; i, j = i+1, j-1 {
				times[i], times[j] = times[j], times[i]
			}
		}
		return times, nil
	}
	return nil, fmt.Errorf("unknown spacing %q; known are %s", name, strings.Join(names, ", "))
}
