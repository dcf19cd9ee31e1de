package calibrate

import (
	"fmt"

	"sipipe/calibrate/net"
)

// network is the learned part for the lanes of a tile, [case, member].
type network interface {
	correction
	// set gives case j its standardised conditions.
	set(j int, c []float32)
	// condition computes and sets the conditions of case j.
	condition(j int, members []float32, mu, sigma, day, leadDays float64)
	// ready must be called when the conditions of all cases are set.
	ready(cases int)
}

// tileNet evaluates the mean of some networks for the lanes of a tile, [case,
// member]. It serves one goroutine.
type tileNet struct {
	heads      []headNet
	conditions *conditions
	members    int
	values     []float32 // [case, conditions] standardised
}

// headNet is the program of one head or several.
type headNet struct {
	program *net.Program
	outputs int
	cond    net.Cond
	times   map[float64]net.Time // a solver asks for the same few times again and again
	scratch *net.Scratch
}

// newTileNet prepares networks, by program and fold; the outputs of the programs
// follow each other.
func newTileNet(programs [][]*net.Net, c *conditions, cases, members int) (*tileNet, error) {
	t := &tileNet{conditions: c, members: members, values: make([]float32, cases*c.len())}
	for _, nets := range programs {
		p, err := net.Compile(nets...)
		if err != nil {
			return nil, fmt.Errorf("prepare the networks: %w", err)
		}
		t.heads = append(t.heads, headNet{
			program: p, outputs: p.Config().Dout, times: map[float64]net.Time{}, scratch: p.NewScratch(),
		})
	}
	return t, nil
}

// set gives case j its standardised conditions.
func (t *tileNet) set(j int, c []float32) {
	d := t.conditions.len()
	copy(t.values[j*d:(j+1)*d], c)
}

// condition computes and sets the conditions of case j.
func (t *tileNet) condition(j int, members []float32, mu, sigma, day, leadDays float64) {
	d := t.conditions.len()
	c := t.values[j*d : (j+1)*d]
	t.conditions.raw(c, members, mu, sigma, day, leadDays)
	t.conditions.standardise(c)
}

// ready must be called when the conditions of all cases are set.
func (t *tileNet) ready(cases int) {
	for k := range t.heads {
		h := &t.heads[k]
		h.program.Cond(&h.cond, t.values[:cases*t.conditions.len()], cases)
	}
}

// timesKept bounds what is remembered for an adaptive solver, which never asks for
// the same time twice.
const timesKept = 1 << 10

// Eval implements correction.
func (t *tileNet) Eval(out []float64, at float64, x []float64) error {
	for k := range t.heads {
		h := &t.heads[k]
		time, ok := h.times[at]
		if !ok {
			if len(h.times) >= timesKept {
				clear(h.times)
			}
			time = h.program.Time(at)
			h.times[at] = time
		}
		n := h.outputs * len(x)
		h.program.Eval(out[:n], x, t.members, time, &h.cond, h.scratch)
		out = out[n:]
	}
	return nil
}
