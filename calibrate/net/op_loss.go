package net

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// lossOf builds the weighted regression loss of the interpolant,
//
//	sum over rows and lanes of w (p²/2 - p y),
//
// which is half the squared error less y²/2. p, y and w are [rows, lanes]; the mean
// is in w. (Albergo, Boffi and Vanden-Eijnden 2023, "Stochastic interpolants",
// equation 2.13.)
func (b *builder) lossOf(p, y, w *gorgonia.Node) *gorgonia.Node {
	s := p.Shape()
	o := &op{
		name: "loss", inputs: []tensor.Shape{s, s, s}, wrt: []bool{true, false, false}, kernels: b.kernels,
		run: func(_ kernels, dst []float32, in [][]float32, ld, n int, accumulate bool) {
			sum := 0.0
			for r := range s[0] {
				p, y, w := in[0][r*ld:][:n], in[1][r*ld:][:n], in[2][r*ld:][:n]
				for i, v := range p {
					sum += float64(w[i] * v * (v/2 - y[i]))
				}
			}
			if accumulate {
				sum += float64(dst[0])
			}
			dst[0] = float32(sum)
		},
	}
	slope := &op{
		name: "lossGrad", inputs: []tensor.Shape{tensor.ScalarShape(), s, s, s}, output: s, kernels: b.kernels,
		run: func(_ kernels, dst []float32, in [][]float32, ld, n int, _ bool) {
			g := in[0][0]
			for r := range s[0] {
				p, y, w, d := in[1][r*ld:][:n], in[2][r*ld:][:n], in[3][r*ld:][:n], dst[r*ld:][:n]
				for i, v := range p {
					d[i] = g * w[i] * (v - y[i])
				}
			}
		},
	}
	o.gradient = func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
		// The data need no gradient; Gorgonia asks for one node an input all the same.
		d := b.apply(slope, grad, in[0], in[1], in[2])
		return gorgonia.Nodes{d, d, d}, b.err
	}
	return b.apply(o, p, y, w)
}
