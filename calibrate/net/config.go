package net

import "fmt"

// Config is the form of a network. Zero values of the last four mean the defaults.
type Config struct {
	Dx   int // components of the state, at least 1
	Dc   int // conditions, 0 for none
	Dout int // outputs, the number of heads times Dx

	Hidden  int // width of the trunk, default 32
	Blocks  int // residual blocks after the first layer, default 2; negative for none
	Emb     int // width of the embeddings of time and conditions, default 16
	Fourier int // frequencies of time, default 4; negative for none

	// Attention is the number of heads with which the places of a set see each other;
	// 0: each for itself. It divides Hidden.
	Attention int

	Seed uint64 // of the first weights
}

// largest sizes that are taken for intent rather than for a mistake; they bound
// memory and keep offsets within 32 bits.
const (
	maxWidth  = 1 << 12
	maxBlocks = 1 << 6
)

// withDefaults replaces zero values by the defaults; doing it twice changes nothing.
func (c Config) withDefaults() Config {
	set := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	set(&c.Hidden, 32)
	set(&c.Blocks, 2)
	set(&c.Emb, 16)
	set(&c.Fourier, 4)
	c.Blocks, c.Fourier = max(c.Blocks, -1), max(c.Fourier, -1)
	return c
}

// Validate tells what is wrong with c.
func (c Config) Validate() error {
	d := c.withDefaults()
	for _, v := range []struct {
		name          string
		value, lo, hi int
	}{
		{"Dx", d.Dx, 1, maxWidth},
		{"Dc", d.Dc, 0, maxWidth},
		{"Dout", d.Dout, 1, maxWidth},
		{"Hidden", d.Hidden, 1, maxWidth},
		{"Blocks", d.blocks(), 0, maxBlocks},
		{"Emb", d.Emb, 1, maxWidth},
		{"Fourier", d.frequencies(), 0, maxWidth},
	} {
		if v.value < v.lo || v.value > v.hi {
			return fmt.Errorf("network: %s is %d, valid are %d to %d", v.name, v.value, v.lo, v.hi)
		}
	}
	if c.Attention < 0 || c.Attention > 0 && d.Hidden%c.Attention != 0 {
		return fmt.Errorf("network: %d attention heads do not divide the width %d", c.Attention, d.Hidden)
	}
	return nil
}

// blocks is the number of residual blocks of a configuration with defaults filled in.
func (c Config) blocks() int { return max(c.Blocks, 0) }

// frequencies is the number of frequencies of time.
func (c Config) frequencies() int { return max(c.Fourier, 0) }

// features is the length of phi(t).
func (c Config) features() int { return 1 + 2*c.frequencies() }
