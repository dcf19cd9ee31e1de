package net

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// evaluate runs a program on cases [Dc] × members with states x [Dx, case, member].
func evaluate(p *Program, x []float64, c []float32, cases, members int, t float64) []float64 {
	var cond Cond
	p.Cond(&cond, c, cases)
	dst := make([]float64, p.Config().Dout*cases*members)
	p.Eval(dst, x, members, p.Time(t), &cond, p.NewScratch())
	return dst
}

func TestEvalAgainstPlainNetwork(t *testing.T) {
	for _, c := range []Config{
		smallConfig,
		{Dx: 1, Dc: 9, Dout: 2, Seed: 3},
		{Dx: 1, Dout: 2, Hidden: 7, Blocks: 1, Emb: 4, Seed: 3},
		{Dx: 1, Dc: 2, Dout: 1, Hidden: 5, Blocks: -1, Emb: 3, Fourier: -1, Seed: 3},
	} {
		nets := []*Net{perturbed(t, c)}
		c.Seed += 10
		nets = append(nets, perturbed(t, c))
		for _, k := range available() {
			for _, size := range [][2]int{{1, 1}, {3, 50}, {16, 3}, {37, 6}} {
				cases, members := size[0], size[1]
				t.Run(fmt.Sprintf("%s/%d×%d", k.name(), cases, members), func(t *testing.T) {
					rng := rand.New(rand.NewPCG(8, uint64(cases)))
					x := make([]float64, c.Dx*cases*members)
					for i := range x {
						x[i] = float64(float32(2 * rng.NormFloat64()))
					}
					cond := make([]float32, cases*c.Dc)
					for i := range cond {
						cond[i] = float32(rng.NormFloat64())
					}
					tau := 0.3
					p, err := compile(k, nets...)
					if err != nil {
						t.Fatal(err)
					}
					got := evaluate(p, x, cond, cases, members, tau)
					one := make([]float32, c.Dx)
					for lane := range cases * members {
						for d := range one {
							one[d] = float32(x[d*cases*members+lane])
						}
						at := lane / members * c.Dc
						a := exactOutput(nets[0], one, tau, cond[at:at+c.Dc])
						b := exactOutput(nets[1], one, tau, cond[at:at+c.Dc])
						for d := range a {
							want := (a[d] + b[d]) / 2
							if v := got[d*cases*members+lane]; math.Abs(v-want) > 5e-5*(1+math.Abs(want)) {
								t.Fatalf("lane %d output %d: %g, want %g", lane, d, v, want)
							}
						}
					}
				})
			}
		}
	}
}

// A lane's result must not depend on the tile.
func TestEvalIgnoresTiles(t *testing.T) {
	c := Config{Dx: 1, Dc: 3, Dout: 2, Hidden: 12, Seed: 3}
	n := perturbed(t, c)
	const cases, members = 21, 11
	rng := rand.New(rand.NewPCG(8, 8))
	x := make([]float64, cases*members)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	cond := make([]float32, cases*c.Dc)
	for i := range cond {
		cond[i] = float32(rng.NormFloat64())
	}
	for _, k := range available() {
		p, err := compile(k, n)
		if err != nil {
			t.Fatal(err)
		}
		whole := evaluate(p, x, cond, cases, members, 0.6)
		for first := 0; first < cases; first += 5 {
			here := min(5, cases-first)
			for _, mm := range [][2]int{{0, 4}, {4, 5}, {5, 11}} {
				m0, m1 := mm[0], mm[1]
				part := make([]float64, 0, here*(m1-m0))
				for i := range here {
					part = append(part, x[(first+i)*members+m0:(first+i)*members+m1]...)
				}
				got := evaluate(p, part, cond[first*c.Dc:(first+here)*c.Dc], here, m1-m0, 0.6)
				for d := range 2 {
					for i := range here {
						for m := range m1 - m0 {
							a := got[(d*here+i)*(m1-m0)+m]
							b := whole[(d*cases+first+i)*members+m0+m]
							if a != b {
								t.Fatalf("%s: case %d member %d head %d: %v in a small tile, %v in a large one", k.name(), first+i, m0+m, d, a, b)
							}
						}
					}
				}
			}
		}
	}
}

// Training's forward pass and the program are the same function.
func TestEvalAgainstGraph(t *testing.T) {
	n := perturbed(t, smallConfig)
	c := n.Config
	b := randomBatch(c, 48, 4)
	for i := range b.T {
		b.T[i] = 0.35
	}
	for _, k := range available() {
		g, tp := tapeOf(t, n, b, k)
		p, err := compile(k, n)
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float64, c.Dx*48)
		for i := range 48 {
			for d := range c.Dx {
				x[d*48+i] = float64(b.X[i*c.Dx+d])
			}
		}
		got := evaluate(p, x, b.C, 48, 1, float64(b.T[0]))
		want := tp.at(g.output)
		for d := range c.Dout {
			for i := range 48 {
				a, b := got[d*48+i], float64(want[d*tileStride+i])
				if math.Abs(a-b) > 1e-5*(1+math.Abs(b)) {
					t.Fatalf("%s: lane %d output %d: program %g, graph %g", k.name(), i, d, a, b)
				}
			}
		}
	}
}

func TestEvalDoesNotAllocate(t *testing.T) {
	n := perturbed(t, Config{Dx: 1, Dc: 3, Dout: 2})
	p, err := Compile(n)
	if err != nil {
		t.Fatal(err)
	}
	var cond Cond
	c := make([]float32, 32*3)
	p.Cond(&cond, c, 32)
	x, dst, s, tm := make([]float64, 32*5), make([]float64, 64*5), p.NewScratch(), p.Time(0.5)
	if a := testing.AllocsPerRun(20, func() {
		p.Cond(&cond, c, 32)
		p.Eval(dst, x, 5, tm, &cond, s)
	}); a != 0 {
		t.Errorf("%v allocations", a)
	}
}

func TestCompileRefuses(t *testing.T) {
	a, b := perturbed(t, smallConfig), perturbed(t, Config{Dx: 1, Dout: 2})
	if _, err := Compile(); err == nil {
		t.Error("no networks pass")
	}
	if _, err := Compile(a, b); err == nil {
		t.Error("networks of different forms pass")
	}
	b.Weights = b.Weights[:4]
	if _, err := Compile(b); err == nil {
		t.Error("a network with too few weights passes")
	}
}
