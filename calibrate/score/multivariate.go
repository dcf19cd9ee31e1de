package score

import (
	"errors"
	"math"
)

// Vectors are the complete part of a vector forecast: the components that were
// observed and the members that have all of them.
type Vectors struct {
	Y []float64   // [component]
	X [][]float64 // [member][component]
}

// NewVectors takes the observation y [component] and the ensemble x
// [component, member]. Components whose observation is NaN or that no member has
// are left out, then members that miss one of the others.
func NewVectors[T Float](y []float64, x []T) (*Vectors, error) {
	d := len(y)
	if d == 0 || len(x)%d != 0 {
		return nil, errors.New("vector score: ensemble is not a whole number of members per component")
	}
	m := len(x) / d
	var used []int
	for i, v := range y {
		if math.IsNaN(v) {
			continue
		}
		for _, w := range x[i*m : (i+1)*m] {
			if !math.IsNaN(float64(w)) {
				used = append(used, i)
				break
			}
		}
	}
	v := &Vectors{Y: make([]float64, len(used))}
	for c, i := range used {
		v.Y[c] = y[i]
	}
members:
	for j := range m {
		row := make([]float64, len(used))
		for c, i := range used {
			row[c] = float64(x[i*m+j])
			if math.IsNaN(row[c]) {
				continue members
			}
		}
		v.X = append(v.X, row)
	}
	return v, nil
}

// Energy score (Gneiting and Raftery 2007, eq. 22), with Euclidean norms:
//
//	(1/M) sum_i ‖x_i - y‖ - (1/2M²) sum_ij ‖x_i - x_j‖
//
// or, when fair, with M(M-1) in place of M². It is the CRPS for one component.
// Components should have like units. O(M² components).
func (v *Vectors) Energy(e Estimator) float64 {
	m := len(v.X)
	if m == 0 || len(v.Y) == 0 || e == Fair && m < 2 {
		return math.NaN()
	}
	var distance, self float64
	for i, a := range v.X {
		distance += euclid(a, v.Y)
		for _, b := range v.X[:i] {
			self += euclid(a, b)
		}
	}
	return distance/float64(m) - self/e.pairs(m)
}

func euclid(a, b []float64) float64 {
	var s float64
	for i, x := range a {
		s += (x - b[i]) * (x - b[i])
	}
	return math.Sqrt(s)
}

// Variogram score of order p, usually 0.5, over all pairs i < j of components
// (Scheuerer and Hamill 2015; half of a sum over ordered pairs):
//
//	sum_i<j w_ij (|y_i - y_j|^p - (1/M) sum_k |x_ki - x_kj|^p)²
//
// weight is called with indices into Y; nil is 1 for all pairs.
func (v *Vectors) Variogram(p float64, weight func(i, j int) float64) float64 {
	if len(v.X) == 0 || len(v.Y) < 2 {
		return math.NaN()
	}
	power := func(d float64) float64 { return math.Pow(math.Abs(d), p) }
	if p == 0.5 {
		power = func(d float64) float64 { return math.Sqrt(math.Abs(d)) }
	}
	var sum float64
	for i := range v.Y {
		for j := range i {
			var mean float64
			for _, x := range v.X {
				mean += power(x[i] - x[j])
			}
			d := power(v.Y[i]-v.Y[j]) - mean/float64(len(v.X))
			if weight != nil {
				d *= d * weight(i, j)
			} else {
				d *= d
			}
			sum += d
		}
	}
	return sum
}
