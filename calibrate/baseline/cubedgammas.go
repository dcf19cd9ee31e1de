package baseline

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/mathext"
)

// CubedGammas is a mixture of laws that are zero with probability Zero[k] and
// otherwise the cube of a gamma variable with Shape[k] and Rate[k]. The weights add
// up to one and are not negative.
type CubedGammas struct{ Weight, Zero, Shape, Rate []float64 }

// CDF is zero below zero and jumps there to the probability of no rain.
func (d CubedGammas) CDF(x float64) float64 {
	if x < 0 {
		return 0
	}
	return d.root(math.Cbrt(x))
}

// root is the CDF of the cube root.
func (d CubedGammas) root(z float64) float64 {
	var f float64
	for k, w := range d.Weight {
		f += w * (d.Zero[k] + (1-d.Zero[k])*mathext.GammaIncReg(d.Shape[k], d.Rate[k]*z))
	}
	return f
}

// Quantile is zero up to the probability of no rain.
func (d CubedGammas) Quantile(p float64) float64 {
	if p <= d.root(0) {
		return 0
	}
	z := inverse(d.root, p, 0, d.above(1-p))
	return z * z * z
}

// above is a cube root that is exceeded with less than the probability p.
func (d CubedGammas) above(p float64) float64 {
	hi := 1.
	for k, shape := range d.Shape {
		hi = max(hi, 2*shape/d.Rate[k])
	}
	for 1-d.root(hi) >= p && !math.IsInf(hi, 1) {
		hi *= 1.5
	}
	return hi
}

// CRPS is ∫ (F - [x >= y])² dx by Gauss-Legendre quadrature over the cube root of x, in
// panels on both sides of y.
func (d CubedGammas) CRPS(y float64) float64 {
	const panels, nodes, tail = 2, 16, 1e-7
	integral := func(from, to, step float64) float64 {
		var sum float64
		width := (to - from) / panels
		for i := range panels {
			sum += quad.Fixed(func(z float64) float64 {
				f := d.root(z) - step
				return f * f * 3 * z * z
			}, from+float64(i)*width, from+float64(i+1)*width, nodes, quad.Legendre{}, 1)
		}
		return sum
	}
	if y < 0 {
		return d.CRPS(0) - y
	}
	at := math.Cbrt(y)
	return integral(0, at, 0) + integral(at, max(d.above(tail), at), 1)
}

// Mean of the mixture.
func (d CubedGammas) Mean() float64 { return d.moment(1) }

// SD of the mixture.
func (d CubedGammas) SD() float64 {
	mean := d.moment(1)
	return math.Sqrt(max(d.moment(2)-mean*mean, 0))
}

// moment is the mean of the m-th power, the 3m-th moment of the gamma variables.
func (d CubedGammas) moment(m int) float64 {
	var sum float64
	for k, w := range d.Weight {
		v := w * (1 - d.Zero[k])
		for i := range 3 * m {
			v *= (d.Shape[k] + float64(i)) / d.Rate[k]
		}
		sum += v
	}
	return sum
}
