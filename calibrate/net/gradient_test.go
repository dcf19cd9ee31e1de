package net

import (
	"math"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// blankTape is the graph of a network, with its gradient, and a tape that has not run;
// ld is their leading dimension.
func blankTape(t testing.TB, n *Net, k kernels, ld int) (*graph, *tape) {
	t.Helper()
	g, err := newGraph(n.Config, ld, k)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.differentiate(); err != nil {
		t.Fatal(err)
	}
	tp, err := newTape(g, n.Weights, k)
	if err != nil {
		t.Fatal(err)
	}
	return g, tp
}

// tapeOf runs the tape on one batch of at most tileLanes cases.
func tapeOf(t testing.TB, n *Net, b *Batch, k kernels) (*graph, *tape) {
	t.Helper()
	g, tp := blankTape(t, n, k, tileStride)
	tp.run(newLoader(tp, g).load(b, 0, len(b.T)), false)
	return g, tp
}

// ownGradient builds the network of Gorgonia's own operators and differentiates it
// by gorgonia.Grad: no fused operator and no kernel of ours takes part.
func ownGradient(t *testing.T, net *Net, b *Batch) (loss float32, gradient []float32) {
	t.Helper()
	c, n := net.Config, len(b.T)
	l := newLayout(c)
	g := gorgonia.NewGraph()
	input := func(data []float32, rows, cols int) *gorgonia.Node {
		return gorgonia.NewMatrix(g, tensor.Float32, gorgonia.WithShape(rows, cols), gorgonia.WithName(string(rune('A'+len(g.AllNodes())))),
			gorgonia.WithValue(tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(data))))
	}
	phi := make([]float32, n*c.features())
	for i, v := range b.T {
		Features(phi[i*c.features():(i+1)*c.features()], 1, float64(v))
	}
	x, f, cond := input(b.X, n, c.Dx), input(phi, n, c.features()), input(b.C, n, c.Dc)
	y, w := input(b.Y, n, c.Dout), input(b.W, n, c.Dout)
	var params gorgonia.Nodes
	var spans []span
	param := func(s span) *gorgonia.Node {
		p := input(append([]float32(nil), s.of(net.Weights)...), s.rows, s.cols)
		params, spans = append(params, p), append(spans, s)
		return p
	}
	ones := func(rows, cols int) *gorgonia.Node {
		v := make([]float32, rows*cols)
		for i := range v {
			v[i] = 1
		}
		return input(v, rows, cols)
	}
	must := gorgonia.Must
	mulT := func(x, w *gorgonia.Node) *gorgonia.Node { return must(gorgonia.Mul(x, must(gorgonia.Transpose(w)))) }
	column := ones(n, 1)
	linear := func(a affine, x *gorgonia.Node) *gorgonia.Node {
		return must(gorgonia.Add(mulT(x, param(a.w)), mulT(column, param(a.b))))
	}
	act := func(z *gorgonia.Node) *gorgonia.Node {
		return must(gorgonia.HadamardProd(z, must(gorgonia.Sigmoid(z))))
	}
	e := must(gorgonia.Concat(1, act(linear(l.time[1], act(linear(l.time[0], f)))), act(linear(l.cond[1], act(linear(l.cond[0], cond))))))
	film := func(i int, u *gorgonia.Node) *gorgonia.Node {
		w := param(l.film[i])
		half := func(from int) *gorgonia.Node {
			return mulT(e, must(gorgonia.Slice(w, gorgonia.S(from, from+c.Hidden))))
		}
		scale := must(gorgonia.Add(ones(n, c.Hidden), half(0)))
		return act(must(gorgonia.Add(must(gorgonia.HadamardProd(scale, u)), half(c.Hidden))))
	}
	h := film(0, linear(l.in, x))
	for i, a := range l.blocks {
		h = must(gorgonia.Add(h, film(i+1, linear(a, h))))
	}
	p := linear(l.out, h)
	half := gorgonia.NewConstant(float32(0.5))
	inner := must(gorgonia.Sub(must(gorgonia.Mul(half, must(gorgonia.Square(p)))), must(gorgonia.HadamardProd(p, y))))
	cost := must(gorgonia.Mean(must(gorgonia.HadamardProd(w, inner))))
	grads, err := gorgonia.Grad(cost, params...)
	if err != nil {
		t.Fatal(err)
	}
	var v gorgonia.Value
	gorgonia.Read(cost, &v)
	m := gorgonia.NewTapeMachine(g)
	defer m.Close()
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
	gradient = make([]float32, len(net.Weights))
	for i, d := range grads {
		copy(spans[i].of(gradient), d.Value().Data().([]float32))
	}
	return v.Data().(float32), gradient
}

// The fused operators against Gorgonia's own symbolic differentiation.
func TestGradientAgainstGorgonia(t *testing.T) {
	n := perturbed(t, smallConfig)
	b := randomBatch(n.Config, 53, 2)
	loss, want := ownGradient(t, n, b)
	scale := largest(want)
	for _, k := range available() {
		_, tp := tapeOf(t, n, b, k)
		if d := math.Abs(float64(tp.loss[0] - loss)); d > 1e-5*(1+math.Abs(float64(loss))) {
			t.Errorf("%s: loss %g, Gorgonia's own %g", k.name(), tp.loss[0], loss)
		}
		for i, v := range tp.gradients {
			if d := math.Abs(float64(v - want[i])); d > 1e-5*scale {
				t.Fatalf("%s: gradient %d is %g, Gorgonia's own %g", k.name(), i, v, want[i])
			}
		}
	}
}

func largest(s []float32) float64 {
	m := 0.0
	for _, v := range s {
		m = math.Max(m, math.Abs(float64(v)))
	}
	return m
}

// Against finite differences of the plain float64 network: central ones of step
// 1e-3 are good to about 1e-6 of the gradient's scale, weights being stored in float32.
func TestGradientAgainstDifferences(t *testing.T) {
	for _, c := range []Config{
		smallConfig,
		{Dx: 1, Dout: 2, Hidden: 8, Blocks: 1, Emb: 4, Seed: 3},                       // no conditions
		{Dx: 1, Dc: 2, Dout: 1, Hidden: 5, Blocks: -1, Emb: 3, Fourier: -1, Seed: 3},  // no blocks
		{Dx: 3, Dc: 17, Dout: 6, Hidden: 16, Blocks: 3, Emb: 16, Fourier: 2, Seed: 5}, // whole vectors
	} {
		n := perturbed(t, c)
		b := randomBatch(n.Config, 37, 3)
		for _, k := range available() {
			_, tp := tapeOf(t, n, b, k)
			if want := exactLoss(n, b); math.Abs(float64(tp.loss[0])-want) > 2e-6*(1+math.Abs(want)) {
				t.Errorf("%s: loss %g, want %g", k.name(), tp.loss[0], want)
			}
			scale := largest(tp.gradients)
			for i := 0; i < len(n.Weights); i += 1 + len(n.Weights)/50 {
				want := byDifferences(n, b, i, exactLoss)
				if d := math.Abs(float64(tp.gradients[i]) - want); d > 1e-5*scale {
					t.Fatalf("%s, %+v: gradient %d is %g, by differences %g", k.name(), c, i, tp.gradients[i], want)
				}
			}
		}
	}
}

// Gorgonia's own machine runs the same graph to the same bits as the tape.
func TestTapeAgainstTapeMachine(t *testing.T) {
	n := perturbed(t, smallConfig)
	b := randomBatch(n.Config, tileLanes, 2)
	for _, k := range available() {
		g, tp := tapeOf(t, n, b, k)
		// Every lane of the tile counts for Gorgonia: the ones beyond the batch are
		// zero, without weight.
		tp.run(tileStride, false)
		for i, p := range g.weights {
			s := g.spans[i]
			v := tensor.New(tensor.WithShape(p.Shape()...), tensor.WithBacking(append([]float32(nil), s.of(n.Weights)...)))
			if err := gorgonia.Let(p, v); err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range (gorgonia.Nodes{g.state, g.features, g.conditions, g.target, g.weight}) {
			v := tensor.New(tensor.WithShape(p.Shape()...), tensor.WithBacking(append([]float32(nil), tp.at(p)...)))
			if err := gorgonia.Let(p, v); err != nil {
				t.Fatal(err)
			}
		}
		m := gorgonia.NewTapeMachine(g.expr)
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		for i, d := range g.gradients {
			got, want := g.spans[i].of(tp.gradients), d.Value().Data().([]float32)
			for j := range got {
				if got[j] != want[j] {
					t.Fatalf("%s: gradient of %s [%d] is %g, by Gorgonia's machine %g", k.name(), g.spans[i].name, j, got[j], want[j])
				}
			}
		}
		m.Close()
	}
}

// byDifferences is the derivative of a loss by weight i, as a central difference.
func byDifferences(n *Net, b *Batch, i int, loss func(*Net, *Batch) float64) float64 {
	w := n.Weights[i]
	defer func() { n.Weights[i] = w }()
	up, down := w+1e-3, w-1e-3
	n.Weights[i] = up
	hi := loss(n, b)
	n.Weights[i] = down
	lo := loss(n, b)
	return (hi - lo) / (float64(up) - float64(down))
}
