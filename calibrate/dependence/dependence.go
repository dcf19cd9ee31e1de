// Package dependence gives the members of a vector forecast an order: which value at
// one place or lead time goes with which at another. The margins stay.
//
// A vector has components (places or lead times); all slices are [component, member].
package dependence

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"sipipe/calibrate/noise"
)

// Independent is an order without relation between components.
func Independent(k noise.Key, components, members int) []float64 {
	out := make([]float64, components*members)
	for c := range components {
		k.Uniforms(out[c*members:(c+1)*members], uint32(c), 0)
	}
	return out
}

// Patterns is the order of patterns [component, pattern], such as the raw members in
// ensemble copula coupling (ECC: Schefzik, Thorarinsdottir and Gneiting 2013, Stat.
// Sci. 28, 616) or observations of past days in the Schaake shuffle (Clark et al.
// 2004, J. Hydrometeorol. 5, 243). Member i follows pattern i modulo their number;
// members with the same pattern, and patterns that agree, are in random order, as is
// a pattern that misses a component (NaN).
func Patterns(k noise.Key, patterns [][]float64, members int) []float64 {
	out := Independent(k, len(patterns), members)
	var order []int
	for c, x := range patterns {
		order = order[:0]
		for p, v := range x {
			if v == v {
				order = append(order, p)
			}
		}
		jitter := k.Text("ties")
		slices.SortFunc(order, func(a, b int) int {
			return cmp.Or(cmp.Compare(x[a], x[b]), cmp.Compare(jitter.Bits(uint32(c), a), jitter.Bits(uint32(c), b)))
		})
		row := out[c*members : (c+1)*members]
		for rank, p := range order {
			// Its members share an interval of the order; where is theirs to draw.
			for i := p; i < members; i += len(x) {
				row[i] = (float64(rank) + row[i]) / float64(len(order))
			}
		}
	}
	return out
}

// Gaussian is the order of normal vectors with the given correlation: a Gaussian
// copula.
func Gaussian(k noise.Key, components, members int, correlation func(a, b int) float64) ([]float64, error) {
	r := mat.NewSymDense(components, nil)
	for a := range components {
		for b := a; b < components; b++ {
			r.SetSym(a, b, correlation(a, b))
		}
		// Places that coincide, or nearly do under a smooth kernel, make the matrix singular.
		r.SetSym(a, a, 1+1e-6)
	}
	var chol mat.Cholesky
	if !chol.Factorize(r) {
		return nil, fmt.Errorf("gaussian copula of %d components: the correlation is not positive definite", components)
	}
	var l mat.TriDense
	chol.LTo(&l)
	z := mat.NewDense(components, members, nil)
	for c := range components {
		k.Normals(z.RawRowView(c), uint32(c), 0)
	}
	var out mat.Dense
	out.Mul(&l, z)
	return out.RawMatrix().Data, nil
}

// Arrange returns the margins, each component in the order of the template. Margins
// that are missing (NaN) go to the end.
func Arrange(template []float64, margins []float32, components int) []float32 {
	members := len(margins) / components
	out := make([]float32, len(margins))
	sorted, order := make([]float32, members), make([]int, members)
	for c := range components {
		copy(sorted, margins[c*members:(c+1)*members])
		slices.SortFunc(sorted, func(a, b float32) int { return cmp.Compare(last(a), last(b)) })
		for i := range order {
			order[i] = i
		}
		t := template[c*members : (c+1)*members]
		slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(t[a], t[b]), cmp.Compare(a, b)) })
		for rank, i := range order {
			out[c*members+i] = sorted[rank]
		}
	}
	return out
}

// last sorts NaN after all others; cmp.Compare has it first.
func last(v float32) float64 {
	if v != v {
		return math.Inf(1)
	}
	return float64(v)
}
