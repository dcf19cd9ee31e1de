package theory

import (
	"context"
	"math"

	"sipipe/calibrate/internal/exact"
	"sipipe/calibrate/interpolant"
	"sipipe/calibrate/noise"
	"sipipe/calibrate/sde"
)

// Bundle is what one choice of ε makes of the same starts.
type Bundle struct {
	Scale float64     // ε = Scale γ; 0 is the ODE
	Times []float64   // of the paths, from 0 to 1
	Paths [][]float64 // [path, time]; the starts ascend
	Final []float64   // where a larger sample ends
}

// Density is the density of x_t on a grid.
type Density struct {
	X, Times []float64
	P        [][]float64 // [time, x]
}

func densityOf(m exact.Mixture, i interpolant.Interpolant, x, times []float64) Density {
	d := Density{X: x, Times: times}
	for _, t := range times {
		row := make([]float64, len(x))
		for j, v := range x {
			row[j] = math.Exp(m.LogDensity(i.At(t), v))
		}
		d.P = append(d.P, row)
	}
	return d
}

// Paths follows states from one two-mode law to another under the ODE and SDEs of
// several ε, and gives the density that all of them share.
func Paths(ctx context.Context) ([]Bundle, Density, error) {
	const shown, sample, steps = 14, 3000, 128
	law := twoToTwo()
	var out []Bundle
	var density Density
	for _, scale := range []float64{0, 0.5, 2, 8} {
		p, err := linear("quadratic", 1, scale)
		if err != nil {
			return nil, Density{}, err
		}
		times, err := sde.Grid{Steps: steps}.Times()
		if err != nil {
			return nil, Density{}, err
		}
		density = densityOf(law, p.Interpolant, even(-2.8, 2.8, 141), even(0, 1, 101))
		b := Bundle{Scale: scale, Times: times, Final: make([]float64, sample)}
		problem := exact.New(p, law)
		key := noise.Seed(1).Text("paths")
		starts := make([]float64, shown)
		law.Start(p.Interpolant.At(0), starts)
		if b.Paths, err = follow(ctx, problem, times, starts, key.Text("shown")); err != nil {
			return nil, Density{}, err
		}
		law.Start(p.Interpolant.At(0), b.Final)
		solver, err := sde.New(sde.Options{Method: "stochastic-heun"})
		if err != nil {
			return nil, Density{}, err
		}
		if err := solver.Solve(ctx, b.Final, times, problem, normals(key.Text("sample"), 0)); err != nil {
			return nil, Density{}, err
		}
		out = append(out, b)
	}
	return out, density, nil
}

// follow records the paths from the given starts.
func follow(ctx context.Context, p sde.Problem, times, starts []float64, key noise.Key) ([][]float64, error) {
	solver, err := sde.New(sde.Options{Method: "stochastic-heun"})
	if err != nil {
		return nil, err
	}
	x := append([]float64(nil), starts...)
	paths := make([][]float64, len(x))
	record := func() {
		for i, v := range x {
			paths[i] = append(paths[i], v)
		}
	}
	record()
	for k := range len(times) - 1 {
		if err := solver.Solve(ctx, x, times[k:k+2], p, normals(key, k)); err != nil {
			return nil, err
		}
		record()
	}
	return paths, nil
}

// normals is the noise of a key, whose steps count from first.
func normals(key noise.Key, first int) sde.Noise {
	return func(dst []float64, step int) { key.Normals(dst, uint32(first+step), 0) }
}
