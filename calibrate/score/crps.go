package score

import "math"

// Estimator says what an ensemble stands for in its CRPS.
type Estimator int

const (
	// Empirical scores the members as they are, a distribution with M steps:
	//
	//	(1/M) sum_i |x_i - y| - (1/2M²) sum_ij |x_i - x_j|
	Empirical Estimator = iota
	// Fair scores the distribution from which the members are independent draws;
	// its expectation does not depend on M (Ferro 2014):
	//
	//	(1/M) sum_i |x_i - y| - (1/(2M(M-1))) sum_ij |x_i - x_j|
	//
	// It needs two members, and is not valid for members that are quantiles or
	// otherwise depend on each other.
	Fair
)

// pairs is the divisor of sum_i<j |x_i - x_j|.
func (e Estimator) pairs(m int) float64 {
	if e == Fair {
		return float64(m) * float64(m-1)
	}
	return float64(m) * float64(m)
}

// CRPS of an ensemble, which need not be sorted; NaN members are left out.
func CRPS[T Float](y float64, members []T, e Estimator) float64 {
	return Sorted(nil, members).CRPS(y, e)
}

// CRPS of the members against y. With ascending members
// sum_i<j |x_i - x_j| = sum_i (2i + 1 - M) x_(i), so the cost is O(M).
func (s Sample) CRPS(y float64, e Estimator) float64 {
	return s.ChainedCRPS(y, e, func(x float64) float64 { return x })
}

// CRPSAbove is the threshold-weighted CRPS with weight 1 above t, computed by
// chaining: the CRPS of max(x, t) against max(y, t) (Allen et al. 2023, SIAM/ASA
// J. Uncertain. Quantif. 11, 906).
func (s Sample) CRPSAbove(y, t float64, e Estimator) float64 {
	return s.ChainedCRPS(y, e, func(x float64) float64 { return math.Max(x, t) })
}

// CRPSBelow is the threshold-weighted CRPS with weight 1 below t.
func (s Sample) CRPSBelow(y, t float64, e Estimator) float64 {
	return s.ChainedCRPS(y, e, func(x float64) float64 { return math.Min(x, t) })
}

// ChainedCRPS is the CRPS of chain(x_i) against chain(y). chain must not decrease.
func (s Sample) ChainedCRPS(y float64, e Estimator, chain func(float64) float64) float64 {
	m := len(s)
	if m == 0 || math.IsNaN(y) || e == Fair && m < 2 {
		return math.NaN()
	}
	at := chain(y)
	var distance, gini float64
	for i, x := range s {
		d := chain(x) - at
		distance += math.Abs(d)
		gini += float64(2*i+1-m) * d
	}
	return distance/float64(m) - gini/e.pairs(m)
}

// QuantileScore of the forecast q of the p-quantile, the pinball loss
// (1{y < q} - p)(q - y). Twice its integral over p is the CRPS.
func QuantileScore(y, q, p float64) float64 {
	if y < q {
		return (1 - p) * (q - y)
	}
	return p * (y - q)
}

// IntervalScore of the central interval [lower, upper] with nominal coverage
// level (Gneiting and Raftery 2007, eq. 43):
//
//	(upper - lower) + (2/(1-level)) ((lower - y)⁺ + (y - upper)⁺)
func IntervalScore(y, lower, upper, level float64) float64 {
	miss := math.Max(lower-y, 0) + math.Max(y-upper, 0)
	return upper - lower + 2/(1-level)*miss
}
