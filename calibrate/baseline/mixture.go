package baseline

import (
	"math"
	"slices"

	"sipipe/calibrate/score"
)

// Mixture of normal distributions, sum_k Weight[k] N(Mu[k], Sigma[k]²); the
// weights add up to one and are not negative.
type Mixture struct{ Weight, Mu, Sigma []float64 }

// CDF is the weighted mean of the components' CDFs.
func (d Mixture) CDF(x float64) float64 {
	var f float64
	for k, w := range d.Weight {
		f += w * Normal{d.Mu[k], d.Sigma[k]}.CDF(x)
	}
	return f
}

// Quantile between the lowest and the highest quantile of the components.
func (d Mixture) Quantile(p float64) float64 {
	lo, hi := math.Inf(1), math.Inf(-1)
	for k, w := range d.Weight {
		if w > 0 {
			q := Normal{d.Mu[k], d.Sigma[k]}.Quantile(p)
			lo, hi = math.Min(lo, q), math.Max(hi, q)
		}
	}
	return inverse(d.CDF, p, lo, hi)
}

// inverse is an x between lo and hi where the CDF is p to 1e-13, or to rounding the
// first where it is not below: by regula falsi (Illinois), every fourth step a bisection
// for where the CDF is flat.
func inverse(cdf func(float64) float64, p, lo, hi float64) float64 {
	const exact = 1e-13
	below, above := cdf(lo)-p, cdf(hi)-p
	side := 0
	for step := 1; ; step++ {
		x := hi - above*(hi-lo)/(above-below)
		if step%4 == 0 || !(lo < x && x < hi) {
			x = lo + (hi-lo)/2
			if !(lo < x && x < hi) {
				return hi
			}
		}
		f := cdf(x) - p
		switch {
		case math.Abs(f) <= exact:
			return x
		case f < 0:
			if lo, below = x, f; side < 0 {
				above /= 2
			}
			side = -1
		default:
			if hi, above = x, f; side > 0 {
				below /= 2
			}
			side = 1
		}
	}
}

// CRPS by score.CRPSNormalMixture.
func (d Mixture) CRPS(y float64) float64 {
	return score.CRPSNormalMixture(y, d.Weight, d.Mu, d.Sigma)
}

// Mean is the weighted mean of the components' means.
func (d Mixture) Mean() float64 {
	var m float64
	for k, w := range d.Weight {
		m += w * d.Mu[k]
	}
	return m
}

// SD is √(sum_k w_k (sigma_k² + (mu_k - mean)²)).
func (d Mixture) SD() float64 {
	mean := d.Mean()
	var v float64
	for k, w := range d.Weight {
		v += w * (d.Sigma[k]*d.Sigma[k] + (d.Mu[k]-mean)*(d.Mu[k]-mean))
	}
	return math.Sqrt(v)
}

// Empirical puts equal mass on each of its values, which ascend.
type Empirical struct{ Values []float64 }

// CDF is the share of values not above x.
func (d Empirical) CDF(x float64) float64 {
	n := len(d.Values)
	return float64(n-score.Sample(d.Values).Exceed(x)) / float64(n)
}

// Quantile is the value with rank ⌈np⌉.
func (d Empirical) Quantile(p float64) float64 {
	n := len(d.Values)
	// n p may lie a rounding error above a whole number.
	k := int(math.Ceil(float64(n)*p - 1e-9))
	return d.Values[min(max(k, 1), n)-1]
}

// CRPS of the values as an ensemble.
func (d Empirical) CRPS(y float64) float64 {
	return score.Sample(d.Values).CRPS(y, score.Empirical)
}

// Mean of the values.
func (d Empirical) Mean() float64 { return score.Sample(d.Values).Mean() }

// SD with divisor n, that of the distribution.
func (d Empirical) SD() float64 {
	mean := d.Mean()
	var v float64
	for _, x := range d.Values {
		v += (x - mean) * (x - mean)
	}
	return math.Sqrt(v / float64(len(d.Values)))
}

// NewEmpirical is the distribution of the values that are not NaN.
func NewEmpirical(values []float64) Empirical {
	return Empirical{slices.Clip(score.Sorted(nil, values))}
}
