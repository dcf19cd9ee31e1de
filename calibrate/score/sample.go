package score

import (
	"math"
	"slices"
)

// Float is the type of members.
type Float interface{ ~float32 | ~float64 }

// Sample holds the present members of one case, ascending and without NaN, so
// that several scores share one sorting.
type Sample []float64

// Sorted appends the members that are not NaN to dst[:0] and sorts them. The
// result uses dst's memory when it is large enough; members is not changed.
func Sorted[T Float](dst Sample, members []T) Sample {
	dst = dst[:0]
	for _, v := range members {
		if x := float64(v); !math.IsNaN(x) {
			dst = append(dst, x)
		}
	}
	slices.Sort(dst)
	return dst
}

// Median of the numbers that are not NaN.
func Median(x []float64) float64 { return Sorted[float64](nil, x).Quantile(0.5) }

// Mean of the members.
func (s Sample) Mean() float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	// Differences to one member keep the digits of values far from zero, like
	// temperatures in K.
	var sum float64
	for _, x := range s {
		sum += x - s[0]
	}
	return s[0] + sum/float64(len(s))
}

// Variance is the unbiased variance (divisor M-1); NaN for less than two members.
func (s Sample) Variance() float64 {
	if len(s) < 2 {
		return math.NaN()
	}
	mean := s.Mean()
	var sum float64
	for _, x := range s {
		d := x - mean
		sum += d * d
	}
	return sum / float64(len(s)-1)
}

// Quantile at plotting positions i/(M+1), i = 1 … M, linear between them and
// constant outside. These positions are those of a reliable ensemble: the
// observation is below x_(i-1) with probability i/(M+1).
func (s Sample) Quantile(p float64) float64 {
	m := len(s)
	if m == 0 || math.IsNaN(p) {
		return math.NaN()
	}
	h := p*float64(m+1) - 1
	if h <= 0 {
		return s[0]
	}
	if h >= float64(m-1) {
		return s[m-1]
	}
	i := int(h)
	return s[i] + (h-float64(i))*(s[i+1]-s[i])
}

// Exceed is the number of members above a threshold.
func (s Sample) Exceed(threshold float64) int {
	i, _ := slices.BinarySearchFunc(s, threshold, func(x, t float64) int {
		if x > t {
			return 1
		}
		return -1
	})
	return len(s) - i
}

// Rank is the number of members below y, and the number equal to it: the
// observation's place in a rank histogram is below + a random number of the ties
// (0 … ties), all equally likely (Hamill 2001, Mon. Wea. Rev. 129, 550).
func (s Sample) Rank(y float64) (below, ties int) {
	below, _ = slices.BinarySearch(s, y)
	for i := below; i < len(s) && s[i] == y; i++ {
		ties++
	}
	return below, ties
}
