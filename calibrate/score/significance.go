package score

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// AutomaticLag lets MeanTest choose the lag, ⌊4 (n/100)^(2/9)⌋ (Newey and West
// 1994, Rev. Econ. Stud. 61, 631).
const AutomaticLag = -1

// MeanTest tests the hypothesis that the mean of a stationary series is zero. The
// variance of the mean is that of Newey and West (1987) with Bartlett weights,
//
//	(1/n) [γ_0 + 2 sum_{l=1}^{lag} (1 - l/(lag+1)) γ_l]
//
// with γ_l the autocovariance with divisor n. It returns the ratio of mean to
// standard error and its two-sided probability from Student's t with n-1 degrees
// of freedom; NaN for less than two values. A series of zeros has p = 1.
//
// Applied to the differences of two forecasts' daily mean scores it is the test of
// Diebold and Mariano (1995, J. Bus. Econ. Stat. 13, 253): negative when the first
// is better. Days in order, lag at least the forecasts' overlap in days.
func MeanTest(x []float64, lag int) (t, p float64) {
	n := len(x)
	if n < 2 {
		return math.NaN(), math.NaN()
	}
	if lag == AutomaticLag {
		lag = int(4 * math.Pow(float64(n)/100, 2./9))
	}
	mean := stat.Mean(x, nil)
	var v float64
	for l := 0; l <= min(lag, n-1); l++ {
		var c float64
		for i := l; i < n; i++ {
			c += (x[i] - mean) * (x[i-l] - mean)
		}
		if l > 0 {
			c *= 2 * (1 - float64(l)/float64(lag+1))
		}
		v += c / float64(n)
	}
	if v <= 0 {
		if mean == 0 {
			return 0, 1
		}
		return math.Copysign(math.Inf(1), mean), 0
	}
	t = mean / math.Sqrt(v/float64(n))
	return t, 2 * distuv.StudentsT{Sigma: 1, Nu: float64(n - 1)}.Survival(math.Abs(t))
}

// DieboldMariano tests whether two forecasts of the same days have the same mean
// score: MeanTest of a - b.
func DieboldMariano(a, b []float64, lag int) (t, p float64) {
	if len(a) != len(b) {
		panic("score: Diebold-Mariano test of series of different length")
	}
	d := make([]float64, len(a))
	for i := range d {
		d[i] = a[i] - b[i]
	}
	return MeanTest(d, lag)
}

// BenjaminiHochberg adjusts the probabilities of several tests: rejecting those
// with adjusted value <= q keeps the expected share of false rejections below q
// (Benjamini and Hochberg 1995, J. R. Stat. Soc. B 57, 289). NaN stays NaN and
// does not count as a test.
func BenjaminiHochberg(p []float64) []float64 {
	var order []int
	for i, v := range p {
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case p[a] < p[b]:
			return -1
		case p[a] > p[b]:
			return 1
		}
		return 0
	})
	out := slices.Clone(p)
	least := 1.
	for rank, i := range slices.Backward(order) {
		least = min(least, p[i]*float64(len(order))/float64(rank+1))
		out[i] = least
	}
	return out
}
