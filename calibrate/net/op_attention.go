package net

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Attention over the lanes of a tile, which are the places of one set. For each head
// with its rows of q, k and v [rows, lanes],
//
//	p[j, i] = exp(k_j·q_i / sqrt(rows) - slope apart[j, i]) / sum over j of the same
//	out_i   = sum over j of p[j, i] v_j
//
// where apart [lanes, lanes] says how far places are from each other; a negative
// number there keeps j from i. (Vaswani et al. 2017, "Attention is all you need"; a
// bias linear in distance: Press et al. 2022, "Train short, test long", ALiBi.)
// Without a place to attend to, as in lanes that only pad, out is 0.

// attentionOf builds out [rows of v, lanes].
func (b *builder) attentionOf(q, k, v, slopes, apart *gorgonia.Node) *gorgonia.Node {
	s, heads := q.Shape(), slopes.Shape()[0]
	ld := s[1]
	in := gorgonia.Nodes{q, k, slopes, apart}
	o := &op{
		name: "attend", inputs: shapes(in), output: tensor.Shape{heads * ld, ld}, kernels: b.kernels,
		wrt: []bool{true, true, true, false},
	}
	o.run = func(k kernels, dst []float32, in [][]float32, ld, n int, _ bool) {
		each := s[0] / heads
		scale := float32(1 / math.Sqrt(float64(each)))
		for h := range heads {
			q, key, p := in[0][h*each*ld:], in[1][h*each*ld:], dst[h*ld*ld:]
			k.matmul(p, ld, key, 1, ld, q, ld, nil, n, each, n, false)
			k.softmax(p, in[3], scale, in[2][h], ld, n)
		}
	}
	o.gradient = func(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
		// The slope of the softmax comes first; the rest are products with it.
		ds := b.apply(b.logitGrad(heads, ld), out, grad)
		d := gorgonia.Nodes{
			b.apply(b.keysTimes(s, heads), in[1], ds),
			b.apply(b.timesQueries(s, heads), in[0], ds),
			b.apply(b.slopeGrad(heads, ld), in[3], ds),
		}
		// Distances need no gradient; Gorgonia asks for one node an input all the same.
		return append(d, in[3]), b.err
	}
	return b.mixOf(b.apply(o, in...), v, heads)
}

// mixOf builds the sums of v [rows, lanes] over the lanes that p attends to.
func (b *builder) mixOf(p, v *gorgonia.Node, heads int) *gorgonia.Node {
	if b.err != nil {
		return nil
	}
	sp, sv := p.Shape(), v.Shape()
	each := sv[0] / heads
	o := &op{name: "mix", inputs: []tensor.Shape{sp, sv}, output: sv, kernels: b.kernels}
	o.run = func(k kernels, dst []float32, in [][]float32, ld, n int, _ bool) {
		for h := range heads {
			k.matmul(dst[h*each*ld:], ld, in[1][h*each*ld:], ld, 1, in[0][h*ld*ld:], ld, nil, each, n, n, false)
		}
	}
	dp := &op{
		name: "mixGradP", inputs: []tensor.Shape{sv, sv}, output: sp, kernels: b.kernels,
		run: func(k kernels, dst []float32, in [][]float32, ld, n int, _ bool) {
			for h := range heads {
				k.matmul(dst[h*ld*ld:], ld, in[0][h*each*ld:], 1, ld, in[1][h*each*ld:], ld, nil, n, each, n, false)
			}
		},
	}
	dv := &op{
		name: "mixGradV", inputs: []tensor.Shape{sp, sv}, output: sv, kernels: b.kernels,
		run: func(k kernels, dst []float32, in [][]float32, ld, n int, _ bool) {
			for h := range heads {
				spread(k, dst[h*each*ld:], in[1][h*each*ld:], in[0][h*ld*ld:], each, ld, n)
			}
		},
	}
	o.gradient = func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
		return gorgonia.Nodes{b.apply(dp, in[1], grad), b.apply(dv, in[0], grad)}, b.err
	}
	return b.apply(o, p, v)
}

// spread computes dst[rows, n] = g[rows, n] x[n, n]ᵀ, lane j of dst being the sum over
// lanes i of g_i x[j, i].
func spread(k kernels, dst, g, x []float32, rows, ld, n int) {
	dense := make([]float32, rows*n)
	k.outer(dense, g, ld, x, ld, rows, n, n, false)
	for r := range rows {
		copy(dst[r*ld:][:n], dense[r*n:][:n])
	}
}

// logitGrad is the gradient of the softmax with respect to its logits.
func (b *builder) logitGrad(heads, ld int) *op {
	s := tensor.Shape{heads * ld, ld}
	return &op{
		name: fmt.Sprint("logitGrad of ", heads), inputs: []tensor.Shape{s, s}, output: s, kernels: b.kernels,
		run: func(k kernels, dst []float32, in [][]float32, ld, n int, _ bool) {
			for h := range heads {
				k.softmaxGrad(dst[h*ld*ld:], in[0][h*ld*ld:], in[1][h*ld*ld:], ld, n)
			}
		},
	}
}

// keysTimes is the gradient with respect to queries.
func (b *builder) keysTimes(s tensor.Shape, heads int) *op {
	each, ld := s[0]/heads, s[1]
	return &op{
		name: "keysTimes", inputs: []tensor.Shape{s, {heads * ld, ld}}, output: s, kernels: b.kernels,
		run: func(k kernels, dst []float32, in [][]float32, ld, n int, _ bool) {
			for h := range heads {
				rows := dst[h*each*ld:]
				k.matmul(rows, ld, in[0][h*each*ld:], ld, 1, in[1][h*ld*ld:], ld, nil, each, n, n, false)
				scaled(rows, each, ld, n)
			}
		},
	}
}

// timesQueries is the gradient with respect to keys.
func (b *builder) timesQueries(s tensor.Shape, heads int) *op {
	each, ld := s[0]/heads, s[1]
	return &op{
		name: "timesQueries", inputs: []tensor.Shape{s, {heads * ld, ld}}, output: s, kernels: b.kernels,
		run: func(k kernels, dst []float32, in [][]float32, ld, n int, _ bool) {
			for h := range heads {
				rows := dst[h*each*ld:]
				spread(k, rows, in[0][h*each*ld:], in[1][h*ld*ld:], each, ld, n)
				scaled(rows, each, ld, n)
			}
		},
	}
}

// scaled divides rows by the square root of their number.
func scaled(rows []float32, each, ld, n int) {
	scale := float32(1 / math.Sqrt(float64(each)))
	for r := range each {
		for i := range rows[r*ld:][:n] {
			rows[r*ld+i] *= scale
		}
	}
}

// slopeGrad is the gradient with respect to the slopes.
func (b *builder) slopeGrad(heads, ld int) *op {
	return &op{
		name: "slopeGrad", inputs: []tensor.Shape{{ld, ld}, {heads * ld, ld}}, output: tensor.Shape{heads}, kernels: b.kernels,
		run: func(_ kernels, dst []float32, in [][]float32, ld, n int, accumulate bool) {
			for h := range heads {
				sum := 0.0
				for j := range n {
					apart, ds := in[0][j*ld:][:n], in[1][(h*ld+j)*ld:][:n]
					for i, d := range ds {
						sum -= float64(d * apart[i])
					}
				}
				if accumulate {
					sum += float64(dst[h])
				}
				dst[h] = float32(sum)
			}
		},
	}
}
