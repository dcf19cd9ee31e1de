package net

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

var setConfig = Config{Dx: 1, Dc: 3, Dout: 2, Hidden: 12, Blocks: 2, Emb: 5, Fourier: 2, Attention: 3, Seed: 4}

// setBatch is a batch of sets, each with a time of its own.
func setBatch(c Config, sets ...int) *Batch {
	n := 0
	for _, s := range sets {
		n += s
	}
	b := randomBatch(c, n+5, 7)
	b.Sets, b.P = sets, make([]float32, (n+5)*Coordinates)
	rng := rand.New(rand.NewPCG(8, 8))
	for i := range b.P {
		b.P[i] = float32(2 * rng.Float64())
	}
	b.tiles(func(from, n int) {
		for i := range n {
			b.T[from+i] = b.T[from]
		}
	})
	return b
}

func setLoss(n *Net, b *Batch) float64 {
	c, sum := n.Config, 0.0
	b.tiles(func(from, k int) {
		to := from + k
		out := exactSet(n, b.X[from*c.Dx:to*c.Dx], float64(b.T[from]), b.C[from*c.Dc:to*c.Dc], b.P[from*Coordinates:to*Coordinates])
		for i, p := range out {
			for j, v := range p {
				at := (from+i)*c.Dout + j
				sum += float64(b.W[at]) * (v*v/2 - v*float64(b.Y[at]))
			}
		}
	})
	return sum / float64(b.cases()*c.Dout)
}

func setTape(t *testing.T, n *Net, b *Batch, k kernels, ld int) (*graph, *tape) {
	t.Helper()
	g, tp := blankTape(t, n, k, ld)
	l := newLoader(tp, g)
	b.tiles(func(from, n int) { tp.run(l.load(b, from, n), from > 0) })
	return g, tp
}

// Loss and gradient of sets of several sizes against the plain network in float64 and
// its finite differences, for every kernel.
func TestAttentionGradient(t *testing.T) {
	n := perturbed(t, setConfig)
	b := setBatch(n.Config, 7, 1, 19)
	for _, k := range available() {
		_, tp := setTape(t, n, b, k, 32)
		if want := setLoss(n, b); math.Abs(float64(tp.loss[0])-want) > 1e-5*(1+math.Abs(want)) {
			t.Errorf("%s: loss %g, want %g", k.name(), tp.loss[0], want)
		}
		scale := largest(tp.gradients)
		l := newLayout(n.Config)
		var at []int
		for i := 0; i < len(n.Weights); i += 17 {
			at = append(at, i)
		}
		for _, a := range l.attend { // the slopes
			at = append(at, a.slopes.offset, a.slopes.offset+2)
		}
		for _, i := range at {
			want := byDifferences(n, b, i, setLoss)
			if d := math.Abs(float64(tp.gradients[i]) - want); d > 2e-5*scale {
				t.Fatalf("%s: gradient %d is %g, by differences %g", k.name(), i, tp.gradients[i], want)
			}
		}
	}
}

// Gorgonia's own machine runs the graph with attention to the same bits as the tape.
func TestAttentionAgainstTapeMachine(t *testing.T) {
	n := perturbed(t, setConfig)
	b := setBatch(n.Config, 27)
	g, tp := setTape(t, n, b, portable{}, 32)
	let := func(p *gorgonia.Node, data []float32) {
		v := tensor.New(tensor.WithShape(p.Shape()...), tensor.WithBacking(slices.Clone(data)))
		if err := gorgonia.Let(p, v); err != nil {
			t.Fatal(err)
		}
	}
	for i, p := range g.weights {
		let(p, g.spans[i].of(n.Weights))
	}
	for _, p := range g.inputs() {
		let(p, tp.at(p))
	}
	m := gorgonia.NewTapeMachine(g.expr)
	defer m.Close()
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
	for i, d := range g.gradients {
		if got, want := g.spans[i].of(tp.gradients), d.Value().Data().([]float32); !slices.Equal(got, want) {
			t.Fatalf("gradient of %s is %v, by Gorgonia's machine %v", g.spans[i].name, got, want)
		}
	}
}

// evalSet is one state of a set.
func evalSet(t *testing.T, k kernels, n *Net, x []float64, at float64, c, p []float32) []float64 {
	t.Helper()
	s, err := newSets(k, 40, n, n)
	if err != nil {
		t.Fatal(err)
	}
	s.Places(p, c)
	out := make([]float64, 2*len(x))
	s.Eval(out, x, at)
	return out
}

// The outputs are those of the plain network; they follow the places into another
// order, and an untrained network says nothing.
func TestSets(t *testing.T) {
	n := perturbed(t, setConfig)
	b := setBatch(n.Config, 21)
	x := make([]float64, 21)
	for i := range x {
		x[i] = float64(b.X[i])
	}
	c, p := b.C[:21*3], b.P[:21*Coordinates]
	want := exactSet(n, b.X[:21], 0.3, c, p)
	order := rand.New(rand.NewPCG(1, 2)).Perm(21)
	x2, c2, p2 := make([]float64, 21), make([]float32, len(c)), make([]float32, len(p))
	for to, from := range order {
		x2[to] = x[from]
		copy(c2[3*to:3*to+3], c[3*from:])
		copy(p2[Coordinates*to:Coordinates*(to+1)], p[Coordinates*from:])
	}
	fresh, err := New(setConfig)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range available() {
		got, moved := evalSet(t, k, n, x, 0.3, c, p), evalSet(t, k, n, x2, 0.3, c2, p2)
		for to, from := range order {
			for d := range 2 {
				if w := want[from][d]; math.Abs(got[d*21+from]-w) > 1e-5*(1+math.Abs(w)) || math.Abs(moved[d*21+to]-w) > 1e-5*(1+math.Abs(w)) {
					t.Errorf("%s: place %d gives %g, in another order %g, want %g", k.name(), from, got[d*21+from], moved[d*21+to], w)
				}
			}
		}
		for _, v := range evalSet(t, k, fresh, x, 0.3, c, p) {
			if v != 0 {
				t.Fatalf("%s: an untrained network gives %g", k.name(), v)
			}
		}
	}
}

// A set of places that are alike has a mean in common, which only attention can find.
func TestAttentionLearns(t *testing.T) {
	c := Config{Dx: 1, Dout: 1, Hidden: 16, Blocks: 2, Emb: 4, Attention: 2, Seed: 1}
	const set, sets = 12, 20
	fill := SourceFunc(func(step int, b *Batch) error {
		rng := rand.New(rand.NewPCG(uint64(step), 5))
		b.Sets = b.Sets[:0]
		for s := range sets {
			common := rng.NormFloat64()
			for i := range set {
				j := s*set + i
				b.X[j] = float32(common + rng.NormFloat64())
				b.Y[j], b.W[j], b.T[j] = float32(common), 1, 0.5
				clear(b.P[j*Coordinates : (j+1)*Coordinates])
			}
			b.Sets = append(b.Sets, set)
		}
		return nil
	})
	_, report, err := Train(context.Background(), c, TrainOptions{Steps: 400, Batch: set * sets, Set: set, Rate: 5e-3}, fill)
	if err != nil {
		t.Fatal(err)
	}
	// The best that a place alone can do is -1/4, all together -12/26.
	if report.Loss > -0.4 {
		t.Errorf("loss %.3f, want about -0.46", report.Loss)
	}
}

func TestSetsRefuse(t *testing.T) {
	n := perturbed(t, setConfig)
	if _, err := Compile(n); err == nil {
		t.Error("a network with attention is compiled for single cases")
	}
	if _, err := NewSets(10, perturbed(t, smallConfig)); err == nil {
		t.Error("a network without attention is taken for sets")
	}
	if _, err := NewSets(0, n); err == nil {
		t.Error("sets of no places")
	}
	bad := setConfig
	bad.Attention = 5
	if bad.Validate() == nil {
		t.Error("5 heads divide 12 units")
	}
	_, _, err := Train(context.Background(), setConfig, TrainOptions{Steps: 1, Batch: 8, Set: 4}, SourceFunc(func(_ int, b *Batch) error {
		b.Sets = []int{5}
		return nil
	}))
	if err == nil {
		t.Error("a set larger than was said is trained on")
	}
}

func BenchmarkTrainSets(b *testing.B) {
	c := Config{Dx: 1, Dc: 5, Dout: 2, Hidden: 32, Blocks: 2, Emb: 16, Attention: 4, Seed: 1}
	sets := []int{64, 64, 64, 64, 64, 64, 64, 64}
	batch := setBatch(c, sets...)
	n := perturbed(b, c)
	g, err := newGraph(n.Config, 64, fastest())
	if err != nil {
		b.Fatal(err)
	}
	if err := g.differentiate(); err != nil {
		b.Fatal(err)
	}
	tp, err := newTape(g, n.Weights, fastest())
	if err != nil {
		b.Fatal(err)
	}
	l := newLoader(tp, g)
	for b.Loop() {
		batch.tiles(func(from, n int) { tp.run(l.load(batch, from, n), from > 0) })
	}
	b.ReportMetric(float64(b.N*512)/b.Elapsed().Seconds(), "places/s")
}
