package baseline

import (
	"fmt"
	"math"
	"slices"

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
	usable, k := 0, 0
	for _, r := range rows {
		if m, _, _ := moments(r.Members); m > 0 && !math.IsNaN(r.Obs) {
			usable++
			k = max(k, len(r.Members))
		}
	}
	if need := max(minEMOSRows, 3*k); usable < need {
		return BMA{}, &TooFewError{"BMA", usable, need}
	}
	b := BMA{Weight: make([]float64, k), Intercept: make([]float64, k), Slope: make([]float64, k)}
	if err := b.correctBias(rows, o); err != nil {
		return BMA{}, err
	}
	if err := b.maximise(b.residuals(rows), k, !o.Exchangeable); err != nil {
		return BMA{}, fmt.Errorf("fit BMA to %d rows: %w", usable, err)
	}
	return b, nil
}

// correctBias regresses the observation on each member, or on all of them pooled.
// A member that is never there gets weight zero; one that never changes, the mean.
func (b *BMA) correctBias(rows []Row, o BMAOptions) error {
	k := len(b.Weight)
	groups := k
	if o.Exchangeable {
		groups = 1
	}
	for g := range groups {
		var x, y []float64
		for _, r := range rows {
			if math.IsNaN(r.Obs) {
				continue
			}
			for j, v := range r.Members {
				if (j == g || groups == 1) && !math.IsNaN(float64(v)) {
					x, y = append(x, float64(v)), append(y, r.Obs)
				}
			}
		}
		if len(x) < 2 {
			continue
		}
		a, s := stat.LinearRegression(x, y, nil, false)
		if math.IsNaN(s) || math.IsInf(s, 0) {
			a, s = stat.Mean(y, nil), 0
		}
		for j := range k {
			if j == g || groups == 1 {
				b.Intercept[j], b.Slope[j], b.Weight[j] = a, s, 1
			}
		}
	}
	var sum float64
	for _, w := range b.Weight {
		sum += w
	}
	if sum == 0 {
		return &TooFewError{"BMA", 0, 2}
	}
	for j := range b.Weight {
		b.Weight[j] /= sum
	}
	return nil
}

// residuals are the squared errors [row, member] of the corrected members, of the
// usable rows; infinite where a member is missing.
func (b *BMA) residuals(rows []Row) []float64 {
	var out []float64
	for _, r := range rows {
		if m, _, _ := moments(r.Members); m == 0 || math.IsNaN(r.Obs) {
			continue
		}
		for j := range b.Weight {
			e := math.Inf(1)
			if j < len(r.Members) && r.Members[j] == r.Members[j] {
				e = r.Obs - b.Intercept[j] - b.Slope[j]*float64(r.Members[j])
			}
			out = append(out, e*e)
		}
	}
	return out
}

// maximise finds weights and sigma from the squared errors [row, k] of n rows by
// minimising the mean of
//
//	log sigma - log (sum_j w_j exp(-e_j²/2sigma²) / sum_j w_j)      j: members present
//
// over log sigma and, with weights, log w_j: a softmax keeps weights positive.
// Its derivatives are those shares p_j of the members that an EM step works with,
// but the EM algorithm of the paper takes hundreds of steps to the same maximum.
func (b *BMA) maximise(square []float64, k int, weights bool) error {
	n := len(square) / k
	var s2, terms float64
	for _, v := range square {
		if !math.IsInf(v, 1) {
			s2 += v
			terms++
		}
	}
	s2 /= terms
	if s2 <= 1e-20 { // rounding of a regression that is exact
		return ErrDegenerate
	}
	// Members that never were there keep the weight zero.
	start := []float64{math.Log(s2) / 2}
	var member []int
	for j, w := range b.Weight {
		if weights && w > 0 {
			start, member = append(start, 0), append(member, j)
		}
	}
	w := slices.Clone(b.Weight)
	set := func(theta []float64) {
		if len(member) == 0 {
			return
		}
		top := slices.Max(theta[1:])
		var sum float64
		for i, j := range member {
			w[j] = math.Exp(theta[1+i] - top)
			sum += w[j]
		}
		for _, j := range member {
			w[j] /= sum
		}
	}
	share, slope := make([]float64, k), make([]float64, k)
	value := func(grad, theta []float64) float64 {
		set(theta)
		// Far steps of the line search must not overflow.
		logSigma := min(max(theta[0], start[0]-20), start[0]+20)
		half := math.Exp(-2*logSigma) / 2
		var sum, weighted float64
		clear(slope)
		for i := range n {
			e := square[i*k : (i+1)*k]
			// The nearest member as reference keeps the exponentials from vanishing.
			least := slices.Min(e)
			var total, present, mean float64
			for j, v := range e {
				share[j] = 0
				if !math.IsInf(v, 1) {
					share[j] = w[j] * math.Exp((least-v)*half)
					present += w[j]
					mean += share[j] * v
				}
				total += share[j]
			}
			if total == 0 {
				continue // all members that are there have no weight
			}
			sum += logSigma - math.Log(total/present) + least*half
			weighted += mean/total*2*half - 1
			for j, v := range e {
				if !math.IsInf(v, 1) {
					slope[j] += share[j]/total - w[j]/present
				}
			}
		}
		grad[0] = -weighted / float64(n)
		for i, j := range member {
			grad[1+i] = -slope[j] / float64(n)
		}
		return sum / float64(n)
	}
	theta, err := bfgs(value, start, 1e-6, 1e-9)
	if err != nil {
		return err
	}
	set(theta)
	b.Weight, b.Sigma = w, math.Exp(theta[0])
	return nil
}

// Predict returns the mixture for an ensemble whose members are in the order of
// the rows; false when no member with a weight is present. Members beyond those of
// the rows have none.
func (b *BMA) Predict(members []float32) (Mixture, bool) {
	var m Mixture
	var sum float64
	for j, v := range members[:min(len(members), len(b.Weight))] {
		if x := float64(v); !math.IsNaN(x) && b.Weight[j] > 0 {
			m.Weight = append(m.Weight, b.Weight[j])
			m.Mu = append(m.Mu, b.Intercept[j]+b.Slope[j]*x)
			m.Sigma = append(m.Sigma, b.Sigma)
			sum += b.Weight[j]
		}
	}
	for j := range m.Weight {
		m.Weight[j] /= sum
	}
	return m, sum > 0
}
