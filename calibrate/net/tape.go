package net

import (
	"fmt"

	"gorgonia.org/gorgonia"
)

// tape runs a graph's operators in topological order on memory allocated once. It
// does what gorgonia.NewTapeMachine does, without allocation or goroutines in a
// run, with gradients of weights that may accumulate over parts of a batch, and
// with paired operators run as one.
type tape struct {
	kernels kernels
	ld      int
	steps   []step
	memory  map[int64][]float32 // by node

	loss      []float32
	gradients []float32 // flat, as the weights
}

type step struct {
	op    *op
	dst   []float32
	in    [][]float32
	other []float32 // result of the paired op, nil if there is none
	sum   bool      // accumulates over parts of a batch
	moves bool      // depends on the state
	add   bool      // Gorgonia's sum of two gradients, op is nil
	rows  int       // of an add
}

// newTape compiles a graph, for the loss and gradients when it is differentiated and
// else for the output. Weights are read from w, which the caller updates between runs.
func newTape(g *graph, w []float32, k kernels) (*tape, error) {
	t := &tape{
		kernels: k, ld: g.ld,
		memory:    map[int64][]float32{},
		loss:      make([]float32, 1),
		gradients: make([]float32, len(w)),
	}
	for i, n := range g.weights {
		t.memory[n.ID()] = g.spans[i].of(w)
	}
	for _, n := range g.inputs() {
		t.memory[n.ID()] = aligned(n.Shape().TotalSize())
	}
	accumulate := map[int64]bool{g.loss.ID(): true}
	results := map[int64][]float32{g.loss.ID(): t.loss}
	if g.gradients == nil {
		results = map[int64][]float32{g.output.ID(): aligned(g.output.Shape().TotalSize())}
	}
	moves := map[int64]bool{g.state.ID(): true}
	for i, n := range g.gradients {
		results[n.ID()] = g.spans[i].of(t.gradients)
		accumulate[n.ID()] = true
	}
	sorted, err := gorgonia.Sort(g.expr) // results first
	if err != nil {
		return nil, fmt.Errorf("sort the network's graph: %w", err)
	}
	needed := map[int64]bool{}
	for id := range results {
		needed[id] = true
	}
	for _, n := range sorted {
		if needed[n.ID()] {
			for it := g.expr.From(n.ID()); it.Next(); {
				needed[it.Node().ID()] = true
			}
		}
	}
	pairs := map[string]int{} // step of the first of two paired ops
	for i := len(sorted) - 1; i >= 0; i-- {
		n := sorted[i]
		if _, ok := t.memory[n.ID()]; ok || !needed[n.ID()] {
			continue
		}
		if n.Op() == nil {
			return nil, fmt.Errorf("graph node %s has no value", n.Name())
		}
		if v := n.Value(); v != nil { // a constant
			f, ok := v.Data().(float32)
			if !ok {
				return nil, fmt.Errorf("graph constant %s is %T", n.Name(), v.Data())
			}
			t.memory[n.ID()] = []float32{f}
			continue
		}
		dst := results[n.ID()]
		if dst == nil {
			dst = aligned(n.Shape().TotalSize())
		}
		t.memory[n.ID()] = dst
		s := step{dst: dst, sum: accumulate[n.ID()]}
		key := ""
		for it := g.expr.From(n.ID()); it.Next(); {
			id := it.Node().ID()
			s.in = append(s.in, t.memory[id])
			s.moves = s.moves || moves[id]
			key += fmt.Sprint(" ", id)
		}
		moves[n.ID()] = s.moves
		switch o := n.Op().(type) {
		case *op:
			s.op = o
			if o.pair != nil {
				key = o.pair.name + key
				if first, ok := pairs[key]; ok {
					t.steps[first].other = dst
					continue
				}
				pairs[key] = len(t.steps)
			}
		default:
			// Backpropagate sums the gradients of a value used twice.
			if len(s.in) != 2 || o.String() != "+ false" || s.sum {
				return nil, fmt.Errorf("graph has operator %s, which the tape does not know", o)
			}
			s.add, s.rows = true, n.Shape()[0]
		}
		t.steps = append(t.steps, s)
	}
	return t, nil
}

// at is the memory of a node.
func (t *tape) at(n *gorgonia.Node) []float32 { return t.memory[n.ID()] }

// run computes loss and gradients of the first n lanes, a multiple of group; when
// accumulating it adds them to those there are.
func (t *tape) run(n int, accumulate bool) {
	t.part(n, accumulate, false)
	t.part(n, accumulate, true)
}

// part runs the steps that depend on the state, or those that do not.
func (t *tape) part(n int, accumulate, moves bool) {
	for i := range t.steps {
		switch s := &t.steps[i]; {
		case s.moves != moves:
		case s.add:
			t.kernels.add(s.dst, s.in[0], s.in[1], t.ld, s.rows, n)
		case s.other != nil && s.op.slot == 0:
			s.op.pair.run(t.kernels, s.dst, s.other, s.in, t.ld, n)
		case s.other != nil:
			s.op.pair.run(t.kernels, s.other, s.dst, s.in, t.ld, n)
		default:
			s.op.run(t.kernels, s.dst, s.in, t.ld, n, accumulate && s.sum)
		}
	}
}
