package net

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// graph is the network's loss and gradients as Gorgonia's expression graph, for
// batches of ld lanes.
type graph struct {
	expr   *gorgonia.ExprGraph
	config Config
	ld     int

	// data, [rows, ld]; conditions is nil without any, apart [ld, ld] without attention
	state, features, conditions, target, weight, apart *gorgonia.Node

	spans   []span // of the weights, parallel to weights and gradients
	weights gorgonia.Nodes
	output  *gorgonia.Node // [Dout, ld]
	loss    *gorgonia.Node // scalar

	gradients gorgonia.Nodes
}

// builder adds operators to a graph and keeps the first error.
type builder struct {
	kernels kernels
	err     error
}

func (b *builder) apply(o *op, in ...*gorgonia.Node) *gorgonia.Node {
	if b.err != nil {
		return nil
	}
	n, err := gorgonia.ApplyOp(o, in...)
	if err != nil {
		b.err = fmt.Errorf("operator %s: %w", o.name, err)
	}
	return n
}

// newGraph builds the graph of a configuration with defaults filled in.
func newGraph(c Config, ld int, k kernels) (*graph, error) {
	g := &graph{expr: gorgonia.NewGraph(), config: c, ld: ld}
	b := &builder{kernels: k}
	matrix := func(name string, rows, cols int) *gorgonia.Node {
		return gorgonia.NewMatrix(g.expr, tensor.Float32, gorgonia.WithShape(rows, cols), gorgonia.WithName(name))
	}
	g.state = matrix("state", c.Dx, ld)
	g.features = matrix("features", c.features(), ld)
	if c.Dc > 0 {
		g.conditions = matrix("conditions", c.Dc, ld)
	}
	if c.Attention > 0 {
		g.apart = matrix("apart", ld, ld)
	}
	g.target = matrix("target", c.Dout, ld)
	g.weight = matrix("weight", c.Dout, ld)

	l := newLayout(c)
	weight := func(s span) *gorgonia.Node {
		name := fmt.Sprintf("%s@%d", s.name, s.offset)
		var n *gorgonia.Node
		if s.bias {
			n = gorgonia.NewVector(g.expr, tensor.Float32, gorgonia.WithShape(s.rows), gorgonia.WithName(name))
		} else {
			n = matrix(name, s.rows, s.cols)
		}
		g.spans, g.weights = append(g.spans, s), append(g.weights, n)
		return n
	}
	linear := func(a affine, x *gorgonia.Node) *gorgonia.Node {
		w := weight(a.w)
		return b.affineOf(weight(a.b), w, x)
	}
	embed := func(a [2]affine, x *gorgonia.Node) *gorgonia.Node {
		return b.siluOf(linear(a[1], b.siluOf(linear(a[0], x))))
	}
	embedding := embed(l.time, g.features)
	if c.Dc > 0 {
		embedding = b.stackOf(embedding, embed(l.cond, g.conditions))
	}
	film := func(i int) *gorgonia.Node { return b.affineOf(nil, weight(l.film[i]), embedding) }
	if b.err != nil {
		return nil, b.err
	}
	h := b.filmOf(linear(l.in, g.state), film(0), nil)
	for i, a := range l.blocks {
		in := h
		if c.Attention > 0 {
			s := l.attend[i]
			project := func(w span) *gorgonia.Node { return b.affineOf(nil, weight(w), h) }
			in = b.stackOf(h, b.attentionOf(project(s.q), project(s.k), project(s.v), weight(s.slopes), g.apart))
		}
		h = b.filmOf(linear(a, in), film(i+1), h)
	}
	g.output = linear(l.out, h)
	g.loss = b.lossOf(g.output, g.target, g.weight)
	if b.err != nil {
		return nil, fmt.Errorf("build the network's graph: %w", b.err)
	}
	return g, nil
}

// inputs are the nodes that hold data.
func (g *graph) inputs() gorgonia.Nodes {
	in := gorgonia.Nodes{g.state, g.features, g.target, g.weight}
	for _, n := range (gorgonia.Nodes{g.conditions, g.apart}) {
		if n != nil {
			in = append(in, n)
		}
	}
	return in
}

// differentiate adds the gradients' graph.
func (g *graph) differentiate() error {
	// A constant of its own: the one that gorgonia.Grad uses is shared by all graphs
	// of the process, which several trainings at once would race for.
	one := g.expr.AddNode(gorgonia.NewConstant(float32(1), gorgonia.WithName("seed of the gradient")))
	var err error
	g.gradients, err = gorgonia.Backpropagate(gorgonia.Nodes{g.loss}, gorgonia.Nodes{one}, g.weights)
	if err != nil {
		return fmt.Errorf("differentiate the network's graph: %w", err)
	}
	return nil
}
