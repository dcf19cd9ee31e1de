package net

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// affineOf builds w x + bias: w [out, in], x [in, lanes], bias [out] or nil.
func (b *builder) affineOf(bias, w, x *gorgonia.Node) *gorgonia.Node {
	in := gorgonia.Nodes{w, x}
	if bias != nil {
		in = append(gorgonia.Nodes{bias}, in...)
	}
	first := len(in) - 2
	s := shapes(in)
	sw, sx := s[first], s[first+1]
	o := &op{name: "affine", inputs: s, output: tensor.Shape{sw[0], sx[1]}, kernels: b.kernels}
	o.run = func(k kernels, dst []float32, in [][]float32, ld, n int, _ bool) {
		var c []float32
		if first == 1 {
			c = in[0]
		}
		k.matmul(dst, ld, in[first], sw[1], 1, in[first+1], ld, c, sw[0], sw[1], n, false)
	}
	o.gradient = func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
		d := gorgonia.Nodes{
			b.apply(b.outer(grad.Shape(), sx), grad, in[first+1]),
			b.apply(b.transposed(sw, grad.Shape()), in[first], grad),
		}
		if first == 1 {
			d = append(gorgonia.Nodes{b.apply(b.rowSum(s[0], grad.Shape()), grad)}, d...)
		}
		return d, b.err
	}
	return b.apply(o, in...)
}

// rowSum is the gradient of an affine map with respect to its bias: the sum of g over lanes.
func (b *builder) rowSum(bias, g tensor.Shape) *op {
	return &op{
		name: "rowSum", inputs: []tensor.Shape{g}, output: bias, kernels: b.kernels,
		run: func(k kernels, dst []float32, in [][]float32, ld, n int, add bool) {
			k.rowSum(dst, in[0], ld, g[0], n, add)
		},
	}
}

// outer is the gradient with respect to its matrix: g xᵀ.
func (b *builder) outer(g, x tensor.Shape) *op {
	return &op{
		name: "outer", inputs: []tensor.Shape{g, x}, output: tensor.Shape{g[0], x[0]}, kernels: b.kernels,
		run: func(k kernels, dst []float32, in [][]float32, ld, n int, add bool) {
			k.outer(dst, in[0], ld, in[1], ld, g[0], x[0], n, add)
		},
	}
}

// transposed is the gradient with respect to its argument: wᵀ g.
func (b *builder) transposed(w, g tensor.Shape) *op {
	return &op{
		name: "transposed", inputs: []tensor.Shape{w, g}, output: tensor.Shape{w[1], g[1]}, kernels: b.kernels,
		run: func(k kernels, dst []float32, in [][]float32, ld, n int, add bool) {
			k.matmul(dst, ld, in[0], 1, w[1], in[1], ld, nil, w[1], w[0], n, add)
		},
	}
}
