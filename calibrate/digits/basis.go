package digits

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// basis maps images to whitened principal components and back.
type basis struct {
	mean   []float64
	axes   [][]float64 // [component][pixel], orthonormal
	scale  []float64   // [component] standard deviation along the axis
	shares float64     // of the variance that the components hold
}

// newBasis finds the components of some images with the largest variance.
func newBasis(images [][]float64, components int) (*basis, error) {
	n, d := len(images), len(images[0])
	if components < 1 || components > min(n-1, d) {
		return nil, fmt.Errorf("%d principal components of %d images of %d pixels; use 1 to %d", components, n, d, min(n-1, d))
	}
	b := &basis{mean: make([]float64, d)}
	for _, p := range images {
		floats.AddScaled(b.mean, 1/float64(n), p)
	}
	covariance := mat.NewSymDense(d, nil)
	centred := make([]float64, d)
	for _, p := range images {
		floats.SubTo(centred, p, b.mean)
		covariance.SymRankOne(covariance, 1/float64(n), mat.NewVecDense(d, centred))
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(covariance, true) {
		return nil, fmt.Errorf("the covariance of the images has no eigenvectors that can be found")
	}
	values := eigen.Values(nil) // ascending
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	held := 0.0
	for k := d - 1; k >= d-components; k-- {
		if !(values[k] > 1e-12) {
			return nil, fmt.Errorf("the images have only %d independent components; use fewer", d-1-k)
		}
		axis := mat.Col(nil, k, &vectors)
		// The sign of an eigenvector is arbitrary; fix it.
		if axis[floats.MaxIdx(absolute(axis))] < 0 {
			floats.Scale(-1, axis)
		}
		b.axes = append(b.axes, axis)
		b.scale = append(b.scale, math.Sqrt(values[k]))
		held += values[k]
	}
	b.shares = held / floats.Sum(values)
	return b, nil
}

func absolute(v []float64) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = math.Abs(x)
	}
	return out
}

// encode returns the coordinates of an image.
func (b *basis) encode(pixels []float64) []float64 {
	x := make([]float64, len(b.axes))
	centred := make([]float64, len(pixels))
	floats.SubTo(centred, pixels, b.mean)
	for k, axis := range b.axes {
		x[k] = floats.Dot(axis, centred) / b.scale[k]
	}
	return x
}

// encodeAll returns the coordinates of all images.
func (b *basis) encodeAll(s *Images) [][]float64 {
	out := make([][]float64, len(s.Pixels))
	for i, p := range s.Pixels {
		out[i] = b.encode(p)
	}
	return out
}

// decode returns the image at coordinates, within [0, 1].
func (b *basis) decode(x []float64) []float64 {
	p := append([]float64(nil), b.mean...)
	for k, axis := range b.axes {
		floats.AddScaled(p, x[k]*b.scale[k], axis)
	}
	for i, v := range p {
		p[i] = math.Max(0, math.Min(1, v))
	}
	return p
}
