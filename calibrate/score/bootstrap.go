package score

import (
	"iter"
	"math"
	"math/rand/v2"
	"slices"
)

// Bootstrap resamples days in blocks, so that neither the dependence between the
// places of a day nor that between neighbouring days is broken (circular blocks:
// Politis and Romano 1992).
type Bootstrap struct {
	Replicates int     // 0 is 1000
	Block      int     // days in a block; 0 is n^(1/3), rounded
	Level      float64 // of the interval; 0 is 0.95
	Seed       uint64
}

func (b Bootstrap) replicates() int {
	if b.Replicates == 0 {
		return 1000
	}
	return b.Replicates
}

func (b Bootstrap) block(n int) int {
	if b.Block == 0 {
		return max(1, int(math.Round(math.Cbrt(float64(n)))))
	}
	return min(b.Block, n)
}

// Resamples yields, for each replicate, n indices of days out of n. They depend on
// n and the options only: systems scored on the same days are compared on the same
// blocks. The slice is overwritten by the next replicate.
func (b Bootstrap) Resamples(n int) iter.Seq[[]int] {
	return func(yield func([]int) bool) {
		if n == 0 {
			return
		}
		rng := rand.New(rand.NewPCG(b.Seed, uint64(n)))
		index := make([]int, n)
		block := b.block(n)
		for range b.replicates() {
			for i := 0; i < n; i += block {
				first := rng.IntN(n)
				for j := i; j < min(i+block, n); j++ {
					index[j] = (first + j - i) % n
				}
			}
			if !yield(index) {
				return
			}
		}
	}
}

// minBootstrapDays is the least number of days from which an interval is given.
const minBootstrapDays = 3

// Interval is the percentile interval of a statistic of n days; NaN for less than
// three days.
func (b Bootstrap) Interval(n int, statistic func(days []int) float64) (lower, upper float64) {
	if n < minBootstrapDays {
		return math.NaN(), math.NaN()
	}
	values := make([]float64, 0, b.replicates())
	for index := range b.Resamples(n) {
		if v := statistic(index); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	level := b.Level
	if level == 0 {
		level = 0.95
	}
	s := Sample(values)
	return s.Quantile((1 - level) / 2), s.Quantile((1 + level) / 2)
}
