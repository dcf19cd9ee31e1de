package net

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// stackOf builds [a; b], the rows of a above those of b.
func (b *builder) stackOf(upper, lower *gorgonia.Node) *gorgonia.Node {
	su, sl := upper.Shape(), lower.Shape()
	out := tensor.Shape{su[0] + sl[0], su[1]}
	o := &op{
		name: "stack", inputs: []tensor.Shape{su, sl}, output: out, kernels: b.kernels,
		run: func(_ kernels, dst []float32, in [][]float32, ld, _ int, _ bool) {
			copy(dst, in[0])
			copy(dst[su[0]*ld:], in[1])
		},
	}
	// part is the gradient with respect to one of them: rows of the whole's gradient.
	part := func(first int, s tensor.Shape) *op {
		return &op{
			name: fmt.Sprint("rows from ", first), inputs: []tensor.Shape{out}, output: s, kernels: b.kernels,
			run: func(_ kernels, dst []float32, in [][]float32, ld, _ int, _ bool) { copy(dst, in[0][first*ld:]) },
		}
	}
	o.gradient = func(_ gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
		return gorgonia.Nodes{b.apply(part(0, su), grad), b.apply(part(su[0], sl), grad)}, b.err
	}
	return b.apply(o, upper, lower)
}
