package baseline

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
)

// BMAOptions choose the form of Bayesian model averaging.
type BMAOptions struct {
	// Exchangeable members share one bias correction and have equal weights.
	Exchangeable bool
}

// BMA is Bayesian model averaging for a variable like temperature (Raftery et al.
// 2005, Mon. Wea. Rev. 133, 1155): the mixture
//
//	sum_k Weight[k] N(Intercept[k] + Slope[k] x_k, Sigma²)
//
// over the members k. Where members are missing the weights of the others are
// scaled up (Fraley et al. 2010, Mon. Wea. Rev. 138, 190). Ensembles that were
// smaller lack their last members.
type BMA struct {
	Weight, Intercept, Slope []float64 // [member]
	Sigma                    float64
}

// FitBMA corrects each member's bias by linear regression and finds weights and
// sigma by maximum likelihood. O(rows × members × iterations).
func FitBMA(rows []Row, o BMAOptions) (BMA, error) {
	rows, k := usable(rows)
	if need := max(minEMOSRows, 3*k); len(rows) < need {
		return BMA{}, &TooFewError{"BMA", len(rows), need}
	}
	b := BMA{Weight: make([]float64, k), Intercept: make([]float64, k), Slope: make([]float64, k)}
	// A member that is never there gets weight zero; one that never changes, the mean.
	for _, group := range o.groups(k) {
		x, y := pairs(rows, group)
		if len(x) < 2 {
			continue
		}
		a, s := stat.LinearRegression(x, y, nil, false)
		if math.IsNaN(s) || math.IsInf(s, 0) {
			a, s = stat.Mean(y, nil), 0
		}
		for _, j := range group {
			b.Intercept[j], b.Slope[j], b.Weight[j] = a, s, 1
		}
	}
	if !shareOut(b.Weight) {
		return BMA{}, &TooFewError{"BMA", 0, 2}
	}
	if err := b.maximise(rows, !o.Exchangeable); err != nil {
		return BMA{}, fmt.Errorf("fit BMA to %d rows: %w", len(rows), err)
	}
	return b, nil
}

// maximise finds sigma and, with weights, weights.
func (b *BMA) maximise(rows []Row, weights bool) error {
	// Squared errors [row, member] of the corrected members; NaN where one is missing.
	k := len(b.Weight)
	square := make([]float64, 0, len(rows)*k)
	var mean, terms float64
	for _, r := range rows {
		for j := range k {
			e := math.NaN()
			if j < len(r.Members) {
				e = r.Obs - b.Intercept[j] - b.Slope[j]*float64(r.Members[j])
			}
			if !math.IsNaN(e) {
				mean += e * e
				terms++
			}
			square = append(square, e*e)
		}
	}
	mean /= terms
	if mean <= 1e-20 { // rounding of a regression that is exact
		return ErrDegenerate
	}
	start := math.Log(mean) / 2
	logSigma := func(theta []float64) float64 {
		return min(max(theta[0], start-20), start+20) // far steps of the line search must not overflow
	}
	w, theta, err := maximise(len(rows), b.Weight, []float64{start}, weights, func(i int, theta, logDensity, slope []float64) {
		s := logSigma(theta)
		precision := math.Exp(-2 * s)
		for j, e2 := range square[i*k : (i+1)*k] {
			logDensity[j], slope[j] = -s-e2*precision/2, e2*precision-1
		}
	})
	if err != nil {
		return err
	}
	b.Weight, b.Sigma = w, math.Exp(logSigma(theta))
	return nil
}

// Predict returns the Mixture for an ensemble whose members are in the order of
// the rows; false when no member with a weight is present. Members beyond those of
// the rows have none.
func (b *BMA) Predict(members []float32) (Distribution, bool) {
	var m Mixture
	for j, v := range members[:min(len(members), len(b.Weight))] {
		if x := float64(v); !math.IsNaN(x) && b.Weight[j] > 0 {
			m.Weight = append(m.Weight, b.Weight[j])
			m.Mu = append(m.Mu, b.Intercept[j]+b.Slope[j]*x)
			m.Sigma = append(m.Sigma, b.Sigma)
		}
	}
	return m, shareOut(m.Weight)
}
