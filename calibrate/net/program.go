package net

import (
	"errors"
	"fmt"
	"math"
	"unsafe"
)

// Program evaluates the mean of one or several networks of the same form. It is
// read-only: goroutines share it, each with Conds and a Scratch of its own.
//
// Work is done for a tile of cases × members lanes at a time. What depends on time
// or on the case alone is computed beforehand:
//
//	times[s] = p.Time(t)                        once a solver step, for all tiles
//	p.Cond(&cond, c, cases)                     once a tile
//	p.Eval(heads, x, members, times[s], &cond, scratch)   each step
//
// Each lane's result is a function of that lane's x, t and c, to the bit: it does
// not depend on the tile, on the lane's place in it or on the number of threads.
// Cases are taken sixteen at a time; a tile of a multiple of sixteen cases wastes
// nothing, members can be any number. Eval and Cond, once its memory is large
// enough, do not allocate.
type Program struct {
	kernels kernels
	config  Config
	layout  *layout
	nets    []*Net
	shape   programShape
	trunks  []float32 // [net, trunk]
}

// Compile makes the program of the mean of nets, which have the same form but for
// the seed.
func Compile(nets ...*Net) (*Program, error) { return compile(fastest(), nets...) }

func compile(k kernels, nets ...*Net) (*Program, error) {
	if len(nets) == 0 {
		return nil, errors.New("compile: no networks")
	}
	form := func(n *Net) Config {
		c := n.Config.withDefaults()
		c.Seed = 0
		return c
	}
	p := &Program{kernels: k, config: form(nets[0])}
	if p.config.Attention > 0 {
		return nil, errors.New("compile: networks with attention are evaluated by sets of places; use NewSets")
	}
	p.layout = newLayout(p.config)
	for i, n := range nets {
		if err := n.Validate(); err != nil {
			return nil, fmt.Errorf("compile network %d: %w", i, err)
		}
		if form(n) != p.config {
			return nil, fmt.Errorf("compile: network %d has another form than the first", i)
		}
		n = n.clone()
		p.nets = append(p.nets, n)
		p.trunks = append(p.trunks, n.Weights[:p.layout.trunk]...)
	}
	c := p.config
	p.shape = programShape{
		nets: int32(len(nets)), dx: int32(c.Dx), dout: int32(c.Dout),
		hidden: int32(c.Hidden), blocks: int32(c.blocks()),
		film: int32(2 * c.Hidden * (c.blocks() + 1)), stride: int32(p.layout.trunk),
	}
	return p, nil
}

// Config is the form of the networks.
func (p *Program) Config() Config { return p.config }

// Time is FiLM's term of one interpolant time, [net, block, (scale, shift), Hidden].
type Time []float32

// Time computes the term of t.
func (p *Program) Time(t float64) Time {
	c, l := p.config, p.layout
	out := make(Time, 0, len(p.nets)*int(p.shape.film))
	phi := make([]float32, c.features())
	Features(phi, 1, t)
	for _, n := range p.nets {
		e := make([]float64, len(phi))
		for i, v := range phi {
			e[i] = float64(v)
		}
		for _, a := range l.time {
			w, b := a.w.of(n.Weights), a.b.of(n.Weights)
			next := make([]float64, a.w.rows)
			for i := range next {
				z := float64(b[i]) + dot(w[i*a.w.cols:], e)
				next[i] = z / (1 + math.Exp(-z))
			}
			e = next
		}
		for _, s := range l.film {
			w := s.of(n.Weights)
			for i := range s.rows {
				v := dot(w[i*s.cols:], e)
				if i < c.Hidden {
					v++ // scale is 1 + …
				}
				out = append(out, float32(v))
			}
		}
	}
	return out
}

func dot(w []float32, x []float64) float64 {
	s := 0.0
	for j, v := range x {
		s += float64(w[j]) * v
	}
	return s
}

// Cond is FiLM's term of the cases of a tile. The zero value is ready for
// [Program.Cond].
type Cond struct {
	cases int
	film  []float32 // [group of 16 cases, net, block, (scale, shift), Hidden, 16]
	work  []float32 // a group's conditions and embeddings
}

// Cond computes the terms of some cases, c being [cases, Dc].
func (p *Program) Cond(dst *Cond, c []float32, cases int) {
	dc, emb, hidden, rows := p.config.Dc, p.config.Emb, p.config.Hidden, int(p.shape.film)
	if len(c) != cases*dc {
		panic("net: conditions differ in length from cases")
	}
	dst.cases = cases
	dst.film = resized(dst.film, lanesOf(cases)*len(p.nets)*rows)
	if dc == 0 {
		clear(dst.film)
		return
	}
	dst.work = resized(dst.work, (dc+2*emb)*group)
	x, a, b := dst.work[:dc*group], dst.work[dc*group:(dc+emb)*group], dst.work[(dc+emb)*group:]
	k, film := p.kernels, dst.film
	for first := 0; first < cases; first += group {
		n := min(group, cases-first)
		for j := range dc {
			for i := range n {
				x[j*group+i] = c[(first+i)*dc+j]
			}
			clear(x[j*group+n : (j+1)*group])
		}
		for _, net := range p.nets {
			w, l := net.Weights, p.layout.cond
			k.matmul(a, group, l[0].w.of(w), dc, 1, x, group, l[0].b.of(w), emb, dc, group, false)
			k.silu(a, a, group, emb, group)
			k.matmul(b, group, l[1].w.of(w), emb, 1, a, group, l[1].b.of(w), emb, emb, group, false)
			k.silu(b, b, group, emb, group)
			for _, s := range p.layout.film {
				// The columns of the conditions follow those of time.
				k.matmul(film, group, s.of(w)[emb:], 2*emb, 1, b, group, nil, 2*hidden, emb, group, false)
				film = film[2*hidden*group:]
			}
		}
	}
}

// Scratch is the work memory of Eval for one goroutine.
type Scratch struct{ data []float32 }

// widest is the most lanes that a kernel's eval handles together.
const widest = 64

// NewScratch makes work memory for p.
func (p *Program) NewScratch() *Scratch {
	c, s := p.config, p.shape
	return &Scratch{aligned(int(s.nets*s.film)*group + (c.Dx+c.Dout+2*c.Hidden)*widest)}
}

// Eval writes the outputs of all lanes of a tile at one time: x is
// [Dx, case, member], dst is [Dout, case, member].
func (p *Program) Eval(dst, x []float64, members int, t Time, c *Cond, s *Scratch) {
	lanes := c.cases * members
	if len(x) != p.config.Dx*lanes || len(dst) != p.config.Dout*lanes {
		panic("net: lanes differ in length from cases times members")
	}
	if len(t) != int(p.shape.nets*p.shape.film) || len(c.film) != lanesOf(c.cases)*len(t) {
		panic("net: time or conditions are of another program")
	}
	if lanes == 0 {
		return
	}
	p.kernels.eval(dst, x, p.trunks, t, c.film, s.data, &p.shape, c.cases, members)
}

// resized returns memory of n elements, s itself when that is large enough.
func resized(s []float32, n int) []float32 {
	if cap(s) < n {
		return aligned(n)
	}
	return s[:n]
}

// aligned allocates n elements that start at a cache line, so that vector loads do
// not straddle two.
func aligned(n int) []float32 {
	const line = 64 / 4
	s := make([]float32, n+line)
	skip := 0
	if off := int(uintptr(unsafe.Pointer(&s[0])) / 4 % line); off != 0 {
		skip = line - off
	}
	return s[skip : skip+n : skip+n]
}
