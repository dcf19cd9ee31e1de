package baseline

import (
	"math"
	"slices"
)

// law writes, for row i and each member, the log density of the observation if it
// follows that member, and its derivatives by theta, slope [member, theta]; NaN where
// a member is missing.
type law func(i int, theta, logDensity, slope []float64)

// maximise finds theta and the weights w of a mixture by maximum likelihood: the
// minimum of the mean over n rows of
//
//	-log (sum_j w_j exp logDensity_j / sum_j w_j)      j: members present
//
// over theta and, with weights, log w_j: a softmax keeps weights positive; those that
// are zero stay so. The derivatives are those shares p_j of the members that an EM
// step works with, but the EM algorithm of the papers takes hundreds of steps to the
// same maximum.
func maximise(n int, w, theta []float64, weights bool, f law) (bestW, bestTheta []float64, err error) {
	k, q := len(w), len(theta)
	w = slices.Clone(w)
	start := slices.Clone(theta)
	var member []int
	for j, v := range w {
		if weights && v > 0 {
			start, member = append(start, 0), append(member, j)
		}
	}
	set := func(x []float64) {
		if len(member) == 0 {
			return
		}
		top := slices.Max(x[q:])
		for i, j := range member {
			w[j] = math.Exp(x[q+i] - top)
		}
		shareOut(w)
	}
	share, slope := make([]float64, k), make([]float64, k*q)
	byWeight := make([]float64, k)
	value := func(grad, x []float64) float64 {
		set(x)
		clear(grad)
		clear(byWeight)
		var sum float64
		for i := range n {
			f(i, x[:q], share, slope)
			// The likeliest member as reference keeps the exponentials from vanishing.
			top := math.Inf(-1)
			for _, v := range share {
				if v > top {
					top = v
				}
			}
			var total, present float64
			for j, v := range share {
				if math.IsNaN(v) {
					continue
				}
				share[j] = w[j] * math.Exp(v-top)
				present += w[j]
				total += share[j]
			}
			if total == 0 {
				continue // all members that are there have no weight
			}
			sum -= top + math.Log(total/present)
			for j, v := range share {
				if math.IsNaN(v) {
					continue
				}
				v /= total
				byWeight[j] += w[j]/present - v
				for l := range q {
					grad[l] -= v * slope[j*q+l]
				}
			}
		}
		for i, j := range member {
			grad[q+i] = byWeight[j]
		}
		for l := range grad {
			grad[l] /= float64(n)
		}
		return sum / float64(n)
	}
	x, err := bfgs(value, start, 1e-6, 1e-9)
	if err != nil {
		return nil, nil, err
	}
	set(x)
	return w, x[:q], nil
}

// groups are the members that share coefficients: each for itself, or all of them.
func (o BMAOptions) groups(k int) [][]int {
	all := make([]int, k)
	each := make([][]int, k)
	for j := range k {
		all[j], each[j] = j, []int{j}
	}
	if o.Exchangeable {
		return [][]int{all}
	}
	return each
}

// pairs are forecasts and observations of a group of members, those that are there.
func pairs(rows []Row, group []int) (x, y []float64) {
	for _, r := range rows {
		if math.IsNaN(r.Obs) {
			continue
		}
		for _, j := range group {
			if j < len(r.Members) && r.Members[j] == r.Members[j] {
				x, y = append(x, float64(r.Members[j])), append(y, r.Obs)
			}
		}
	}
	return x, y
}

// usable are the rows that a mixture can be fitted to, and the number of members.
func usable(rows []Row) (out []Row, k int) {
	for _, r := range rows {
		if m, _, _ := moments(r.Members); m > 0 && !math.IsNaN(r.Obs) {
			out = append(out, r)
			k = max(k, len(r.Members))
		}
	}
	return out, k
}

// shareOut makes weights add up to one; false when all are zero.
func shareOut(weights []float64) bool {
	var sum float64
	for _, w := range weights {
		sum += w
	}
	for j := range weights {
		weights[j] /= sum
	}
	return sum > 0
}
