package net

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// siluOf builds silu(z), z [rows, lanes].
func (b *builder) siluOf(z *gorgonia.Node) *gorgonia.Node {
	s := z.Shape()
	o := &op{
		name: "silu", inputs: []tensor.Shape{s}, output: s, kernels: b.kernels,
		run: func(k kernels, dst []float32, in [][]float32, ld, n int, _ bool) { k.silu(dst, in[0], ld, s[0], n) },
	}
	slope := &op{
		name: "siluGrad", inputs: []tensor.Shape{s, s}, output: s, kernels: b.kernels,
		run: func(k kernels, dst []float32, in [][]float32, ld, n int, _ bool) {
			k.siluGrad(dst, in[0], in[1], ld, s[0], n)
		},
	}
	o.gradient = func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
		return gorgonia.Nodes{b.apply(slope, in[0], grad)}, b.err
	}
	return b.apply(o, z)
}

// filmOf builds silu((1 + mod[:rows]) u + mod[rows:]) plus h unless that is nil:
// u and h [rows, lanes], mod [2 rows, lanes].
func (b *builder) filmOf(u, mod, h *gorgonia.Node) *gorgonia.Node {
	in := gorgonia.Nodes{u, mod}
	if h != nil {
		in = append(in, h)
	}
	su, sm := u.Shape(), mod.Shape()
	o := &op{name: "film", inputs: shapes(in), output: su, kernels: b.kernels}
	o.run = func(k kernels, dst []float32, in [][]float32, ld, n int, _ bool) {
		var h []float32
		if len(in) == 3 {
			h = in[2]
		}
		k.film(dst, in[0], in[1], h, ld, su[0], n)
	}
	both := &pair{
		name: "filmGrad",
		run: func(k kernels, du, dmod []float32, in [][]float32, ld, n int) {
			k.filmGrad(du, dmod, in[0], in[1], in[2], ld, su[0], n)
		},
	}
	part := func(name string, slot int, out tensor.Shape) *op {
		return &op{
			name: name, inputs: []tensor.Shape{su, sm, su}, output: out, kernels: b.kernels, pair: both, slot: slot,
			run: func(k kernels, dst []float32, in [][]float32, ld, n int, _ bool) {
				var d [2][]float32
				d[slot] = dst
				both.run(k, d[0], d[1], in, ld, n)
			},
		}
	}
	o.gradient = func(in gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
		d := gorgonia.Nodes{
			b.apply(part("filmGradU", 0, su), in[0], in[1], grad),
			b.apply(part("filmGradMod", 1, sm), in[0], in[1], grad),
		}
		if len(in) == 3 {
			d = append(d, grad)
		}
		return d, b.err
	}
	return b.apply(o, in...)
}
