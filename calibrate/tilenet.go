package calibrate

import (
	"fmt"

	"sipipe/calibrate/net"
)

// tileNet evaluates the mean of some networks for the lanes of a tile, [case,
// member]. It serves one goroutine.
type tileNet struct {
	program    *net.Program
	conditions *conditions
	members    int
	values     []float32 // [case, conditions] standardised
	cond       net.Cond
	times      map[float64]net.Time // a solver asks for the same few times again and again
	scratch    *net.Scratch
}

func newTileNet(nets []*net.Net, c *conditions, cases, members int) (*tileNet, error) {
	p, err := net.Compile(nets...)
	if err != nil {
		return nil, fmt.Errorf("prepare the networks: %w", err)
	}
	return &tileNet{
		program: p, conditions: c, members: members,
		values: make([]float32, cases*c.len()), times: map[float64]net.Time{}, scratch: p.NewScratch(),
	}, nil
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
	t.program.Cond(&t.cond, t.values[:cases*t.conditions.len()], cases)
}

// Eval implements correction.
func (t *tileNet) Eval(out []float64, at float64, x []float64) error {
	time, ok := t.times[at]
	if !ok {
		time = t.program.Time(at)
		t.times[at] = time
	}
	t.program.Eval(out, x, t.members, time, &t.cond, t.scratch)
	return nil
}
