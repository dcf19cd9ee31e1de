package score

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Blocks of a ChangeTest: of a week, so that what neighbouring days have in common is
// within them, and at most so many of earlier days as do not reach into another season.
const (
	ChangeDays    = 7
	maxBlocks     = 12
	minBlocks     = 6
	leastOfABlock = 4 // days with a value
)

// Change compares the last days of a series with those before.
type Change struct {
	Recent, Earlier float64 // means
	Blocks          int     // of earlier days; less than 6: nothing can be said, and T is NaN
	T               float64 // difference in units of its standard error
}

// ChangeTest asks whether the mean of the last seven days of a daily series, NaN where
// there is no value, is one of those of the up to twelve blocks of seven days before.
// With block means b_0 (the last), b_1 … b_B and the standard deviation s of the latter,
//
//	T = (b_0 - mean b) / (s √(1 + 1/B))
//
// has Student's t distribution with B-1 degrees of freedom when block means are
// independent and normal with one mean and variance: a prediction interval for one more
// block. Correlation of days matters only where it reaches beyond a block. Blocks with
// values on less than four days are left out; without a last one nothing can be said.
//
// Of a score that is positive, T is about the logarithms of block means: these are
// nearer to normal, and a wet week is not so far from dry ones.
func ChangeTest(daily []float64, positive bool) Change {
	c := Change{Recent: math.NaN(), Earlier: math.NaN(), T: math.NaN()}
	space := func(v float64) float64 { return v }
	if positive {
		space = math.Log
	}
	var earlier, spaced []float64
	for k := 0; k <= maxBlocks; k++ {
		to := len(daily) - k*ChangeDays
		mean, n := 0.0, 0
		for _, v := range daily[max(0, to-ChangeDays):max(0, to)] {
			if v == v {
				mean += v
				n++
			}
		}
		switch mean /= float64(n); {
		case n < leastOfABlock:
		case k == 0:
			c.Recent = mean
		default:
			earlier, spaced = append(earlier, mean), append(spaced, space(mean))
		}
	}
	c.Blocks = len(earlier)
	if c.Blocks < minBlocks || c.Recent != c.Recent {
		return c
	}
	c.Earlier = stat.Mean(earlier, nil)
	mean, s := stat.MeanStdDev(spaced, nil)
	c.T = 0
	if d := space(c.Recent) - mean; d != 0 {
		c.T = d / (s * math.Sqrt(1+1/float64(c.Blocks)))
	}
	return c
}

// Larger is the probability of a T as large or larger without a change; NaN when nothing
// can be said.
func (c Change) Larger() float64 {
	if c.T != c.T {
		return math.NaN()
	}
	return distuv.StudentsT{Sigma: 1, Nu: float64(c.Blocks - 1)}.Survival(c.T)
}

// Different is the probability of a T as far from zero or farther without a change.
func (c Change) Different() float64 {
	l := c.Larger()
	return 2 * min(l, 1-l)
}
