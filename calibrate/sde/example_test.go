package sde_test

import (
	"context"
	"fmt"
	"math"

	"sipipe/calibrate/interpolant"
	"sipipe/calibrate/noise"
	"sipipe/calibrate/sde"
)

// calibration is the problem of a model that predicts corrections to Gaussian
// fields. State i is member i mod members of case i div members.
type calibration struct {
	process interpolant.Process
	cases   []interpolant.Gaussian // one a case: its raw spread, and the standard normal it aims at
	members int
	// correct writes the corrections of velocity and denoiser at (t, x); a network in earnest.
	correct func(velocity, denoiser []float64, t float64, x []float64)

	velocity, denoiser []float64
}

func (c *calibration) Eps(t float64) float64 { return c.process.Eps(t) }

// Drift serves solvers other than exponential.
func (c *calibration) Drift(dst []float64, t float64, x []float64) error {
	mix, at := c.process.Drift(t), c.process.Interpolant.At(t)
	c.correct(c.velocity, c.denoiser, t, x)
	for k, g := range c.cases {
		vs, vo, es, eo := g.Affine(at)
		for i := k * c.members; i < (k+1)*c.members; i++ {
			dst[i] = mix.H1*(vs*x[i]+vo+c.velocity[i]) + mix.H2*(es*x[i]+eo+c.denoiser[i])
		}
	}
	return nil
}

func (c *calibration) Transition(scale, shift, sd []float64, from, to float64) error {
	for k, g := range c.cases {
		a, b, s := c.process.Transition(g, from, to)
		for i := k * c.members; i < (k+1)*c.members; i++ {
			scale[i], shift[i], sd[i] = a, b, s
		}
	}
	return nil
}

func (c *calibration) Remainder(dst []float64, t float64, x []float64, from, to float64) error {
	mix := c.process.Increment(from, to)
	c.correct(c.velocity, c.denoiser, t, x)
	for i := range dst {
		dst[i] = mix.H1*c.velocity[i] + mix.H2*c.denoiser[i]
	}
	return nil
}

// A tile of two cases with different raw spread is sampled with the default
// sampler. The corrections of this model are zero, so the members are draws of the
// standard normal whatever the number of steps.
func Example() {
	path, _ := interpolant.New("linear", "quadratic", 1)
	diffusion, _ := interpolant.NewDiffusion("gamma", 1)
	const members = 5000
	model := &calibration{
		process:  interpolant.Process{Interpolant: path, Heads: interpolant.VelocityDenoiser, Diffusion: diffusion},
		cases:    []interpolant.Gaussian{{S0: 0.5, S1: 1}, {M0: 0.2, S0: 1.3, S1: 1}},
		members:  members,
		correct:  func(velocity, denoiser []float64, _ float64, _ []float64) { clear(velocity); clear(denoiser) },
		velocity: make([]float64, 2*members), denoiser: make([]float64, 2*members),
	}
	key := noise.Seed(1).Text("t2m")
	place := func(k int, purpose string) noise.Key { return key.Text([]string{"KSEA", "KPDX"}[k]).Text(purpose) }
	x := make([]float64, 2*members)
	for k, g := range model.cases { // the raw members, here drawn
		tile := x[k*members : (k+1)*members]
		place(k, "raw").Normals(tile, 0, 0)
		for i := range tile {
			tile[i] = g.M0 + g.S0*tile[i]
		}
	}
	increments := func(dst []float64, step int) {
		for k := range model.cases {
			place(k, "increment").Normals(dst[k*members:(k+1)*members], uint32(step), 0)
		}
	}
	times, _ := sde.Grid{Steps: 8}.Times()
	solver, _ := sde.New(sde.Options{Method: "exponential"})
	if err := solver.Solve(context.Background(), x, times, model, increments); err != nil {
		fmt.Println(err)
		return
	}
	for k := range model.cases {
		var sum, square float64
		for _, v := range x[k*members : (k+1)*members] {
			sum += v / members
			square += v * v / members
		}
		fmt.Printf("case %d: mean %.1f, sd %.1f\n", k, math.Abs(sum), math.Sqrt(square-sum*sum))
	}
	// Output:
	// case 0: mean 0.0, sd 1.0
	// case 1: mean 0.0, sd 1.0
}
