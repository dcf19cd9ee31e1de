package net

import (
	"errors"
	"fmt"
)

// maxSet is the most places that can see each other: memory grows with the square.
const maxSet = 1 << 12

// Sets evaluates the mean of some networks with attention, of the same form but for
// the seed, for the places of a set. It serves one goroutine. Terms of time and of the
// places are kept: a state costs the trunk alone.
type Sets struct {
	nets   []setNet
	config Config
	time   float64
	places int
	timed  bool // the tapes have the terms of time
}

type setNet struct {
	tape   *tape
	loader *loader
	output []float32
}

// NewSets prepares networks for sets of up to most places.
func NewSets(most int, nets ...*Net) (*Sets, error) { return newSets(fastest(), most, nets...) }

func newSets(k kernels, most int, nets ...*Net) (*Sets, error) {
	if len(nets) == 0 || most < 1 || most > maxSet {
		return nil, fmt.Errorf("prepare %d networks for sets of %d places: valid are 1 to %d", len(nets), most, maxSet)
	}
	s := &Sets{}
	for i, n := range nets {
		if err := n.Validate(); err != nil {
			return nil, fmt.Errorf("prepare network %d: %w", i, err)
		}
		c := n.Config.withDefaults()
		c.Seed = 0
		if i > 0 && c != s.config || c.Attention == 0 {
			return nil, errors.New("prepare networks: they differ in form or have no attention")
		}
		s.config = c
		g, err := newGraph(c, lanesOf(most), k)
		if err != nil {
			return nil, err
		}
		t, err := newTape(g, n.Weights, k)
		if err != nil {
			return nil, err
		}
		s.nets = append(s.nets, setNet{t, newLoader(t, g), t.at(g.output)})
	}
	return s, nil
}

// Places sets the places that follow: p [n, Coordinates] and conditions c [n, Dc].
func (s *Sets) Places(p, c []float32) {
	s.places, s.timed = len(p)/Coordinates, false
	if len(c) != s.places*s.config.Dc {
		panic("net: conditions differ in length from places")
	}
	for _, n := range s.nets {
		n.loader.transpose(n.loader.conditions, c, s.config.Dc, 0, s.places)
		separate(n.loader.apart, p, n.loader.ld, s.places)
	}
}

// Eval writes the outputs of one state x [Dx, place] at time t to dst [Dout, place].
func (s *Sets) Eval(dst, x []float64, t float64) {
	n, lanes := s.places, lanesOf(s.places)
	if !s.timed || t != s.time {
		for _, net := range s.nets {
			l := net.loader
			clear(l.features)
			for i := range n {
				Features(l.features[i:], l.ld, t)
			}
			net.tape.part(lanes, false, false)
		}
		s.time, s.timed = t, true
	}
	share := 1 / float64(len(s.nets))
	for k, net := range s.nets {
		l := net.loader
		for d := range s.config.Dx {
			row := l.state[d*l.ld:][:lanes]
			clear(row[n:])
			for i := range n {
				row[i] = float32(x[d*n+i])
			}
		}
		net.tape.part(lanes, false, true)
		for d := range s.config.Dout {
			for i, v := range net.output[d*l.ld:][:n] {
				at := &dst[d*n+i]
				if k == 0 {
					*at = 0
				}
				*at += share * float64(v)
			}
		}
	}
}
