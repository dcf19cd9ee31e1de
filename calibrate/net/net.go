package net

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Net is a network: its form and its weights. It is a plain value for gob.
type Net struct {
	Config  Config    // with defaults filled in
	Weights []float32 // all tensors one after another, see layout
}

// New makes an untrained network, whose output is exactly 0. Weights are functions
// of c alone.
func New(c Config) (*Net, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	l := newLayout(c)
	n := &Net{Config: c, Weights: make([]float32, l.size)}
	rng := rand.New(rand.NewPCG(c.Seed, 0x6e6574)) // the second word only keeps this stream apart from others
	for _, s := range l.all {
		if s.bias || s.offset == l.out.w.offset {
			continue
		}
		// Variance 1/fan-in keeps the variance of a layer's input.
		sd := 1 / math.Sqrt(float64(s.cols))
		for i := range s.of(n.Weights) {
			s.of(n.Weights)[i] = float32(sd * rng.NormFloat64())
		}
	}
	// Units of the first layer bend at different places of the state's axis.
	for i := range l.in.b.of(n.Weights) {
		l.in.b.of(n.Weights)[i] = float32(2*rng.Float64() - 1)
	}
	// An untrained block does not see other places: it learns to. Heads begin with
	// different reach, the first without limit.
	for i, a := range l.attend {
		block := l.blocks[i].w
		for r := range block.rows {
			clear(block.of(n.Weights)[r*block.cols+c.Hidden : (r+1)*block.cols])
		}
		for h := range a.slopes.of(n.Weights) {
			if h > 0 {
				a.slopes.of(n.Weights)[h] = float32(math.Ldexp(1, h-2))
			}
		}
	}
	return n, nil
}

// Validate tells whether the weights fit the form and are finite, for networks that
// were read from a file.
func (n *Net) Validate() error {
	if err := n.Config.Validate(); err != nil {
		return err
	}
	if want := newLayout(n.Config.withDefaults()).size; len(n.Weights) != want {
		return fmt.Errorf("network: %d weights, its form needs %d", len(n.Weights), want)
	}
	for i, w := range n.Weights {
		if f := float64(w); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("network: weight %d is %v", i, w)
		}
	}
	return nil
}

func (n *Net) clone() *Net {
	return &Net{Config: n.Config, Weights: append([]float32(nil), n.Weights...)}
}
