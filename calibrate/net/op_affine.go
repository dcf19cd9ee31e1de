package net

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// affineOf builds b + w1 x1 + w2 x2 + …: terms are w [out, in], x [in, lanes]
// alternating; b [out] may be nil.
func (b *builder) affineOf(bias *gorgonia.Node, terms ...*gorgonia.Node) *gorgonia.Node {
	in := gorgonia.Nodes(terms)
	first := 0
	if bias != nil {
		in, first = append(gorgonia.Nodes{bias}, terms...), 1
	}
	s := shapes(in)
	o := &op{
		name: "affine", inputs: s, kernels: b.kernels,
		output: tensor.Shape{s[first][0], s[first+1][1]},
	}
	o.run = func(k kernels, dst []float32, in [][]float32, ld, n int, _ bool) {
		var c []float32
		if first == 1 {
			c = in[0]
		}
		for i := first; i < len(in); i += 2 {
			out, width := s[i][0], s[i][1]
			k.matmul(dst, ld, in[i], width, 1, in[i+1], ld, c, out, width, n, i > first)
		}
	}
	o.gradient = func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
		var d gorgonia.Nodes
		if first == 1 {
			d = append(d, b.apply(b.rowSum(s[0], grad.Shape()), grad))
		}
		for i := first; i < len(in); i += 2 {
			d = append(d,
				b.apply(b.outer(grad.Shape(), s[i+1]), grad, in[i+1]),
				b.apply(b.transposed(s[i], grad.Shape()), in[i], grad))
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
