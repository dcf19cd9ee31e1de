package sde_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"sipipe/calibrate/internal/exact"
	"sipipe/calibrate/interpolant"
	"sipipe/calibrate/noise"
	"sipipe/calibrate/sde"
)

// sampler is a named choice of everything that a sampler needs.
type sampler struct {
	path, gamma string
	a           float64
	diffusion   string
	scale       float64
	method      string
	spacing     string
	steps       int
	clip        float64 // end of the grid before t = 1
	last        sde.Last
}

func (s sampler) process(t testing.TB) interpolant.Process {
	t.Helper()
	i, err := interpolant.New(s.path, s.gamma, s.a)
	if err != nil {
		t.Fatal(err)
	}
	d, err := interpolant.NewDiffusion(s.diffusion, s.scale)
	if err != nil {
		t.Fatal(err)
	}
	return interpolant.Process{Interpolant: i, Diffusion: d}
}

func (s sampler) options() sde.Options { return sde.Options{Method: s.method, Last: s.last} }
func (s sampler) grid() sde.Grid {
	return sde.Grid{Spacing: s.spacing, Steps: s.steps, Last: s.clip}
}

// The recommended samplers, first the default. Each evaluates the fields twice a step.
var recommended = []sampler{
	{"linear", "quadratic", 1, "gamma", 1, "exponential", "uniform", 8, 0, sde.LastNone},
	{"linear", "quadratic", 1, "gamma", 1, "stochastic-heun", "uniform", 8, 0, sde.LastNone},
	{"linear", "quadratic", 2, "gamma", 2, "exponential", "uniform", 8, 0, sde.LastNone},
	{"linear", "quadratic", 1, "zero", 0, "exponential", "uniform", 4, 0, sde.LastNone},
	{"linear", "quadratic", 1, "zero", 0, "heun", "uniform", 16, 0, sde.LastNone},
	{"linear", "brownian", 1, "constant", 0.5, "stochastic-heun", "quadratic", 8, 0.001, sde.LastEuler},
	{"linear", "brownian", 1, "constant", 0.5, "ddim-heun", "cosine", 16, 0, sde.LastNone},
	{"linear", "sine", 1, "gamma", 1, "stochastic-heun", "uniform", 16, 0, sde.LastNone},
	{"trigonometric", "quadratic", 2, "gamma", 1, "stochastic-heun", "uniform", 16, 0, sde.LastNone},
	{"one-sided-linear", "", 0, "zero", 0, "heun", "uniform", 8, 0, sde.LastNone},
	{"one-sided-linear", "", 0, "sit-sigma", 1, "stochastic-heun", "uniform", 8, 0, sde.LastNone},
	{"vp", "", 0, "sit-sbdm", 1, "exponential", "uniform", 16, 0, sde.LastNone},
}

// Every recommended sampler ends within 1 % of the exact standard deviation, for
// Gaussians over the range of raw spreads and for two modes ±0.95 of width 0.3,
// whose CRPS it exceeds by at most 0.1 %.
func TestRecommended(t *testing.T) {
	gaussians := []interpolant.Gaussian{
		{M0: 0.4, S0: 0.5, S1: 1, R: 0.3},
		{S0: 0.8, S1: 1},
		{M0: -0.4, S0: 1.3, S1: 1, R: 0.3},
	}
	modes := exact.Bimodal(0.8, math.Sqrt(0.91), 0.3, 0.5)
	for _, s := range recommended {
		p := s.process(t)
		if err := p.Validate(); err != nil {
			t.Error(err)
		}
		for _, g := range gaussians {
			data := exact.One(g)
			m0, v0 := data.Moments(p.Interpolant.At(0))
			m1, v1 := data.Moments(p.Interpolant.At(1))
			m, v, err := exact.Carry(context.Background(), solver(t, s.options()), exact.New(p, data), grid(t, s.grid()), m0, v0)
			if err != nil {
				t.Fatalf("%+v: %v", s, err)
			}
			tolerance := 0.01
			if s.method == "exponential" {
				tolerance = 1e-9
			}
			if ratio := math.Sqrt(v / v1); math.Abs(ratio-1) > tolerance || math.Abs(m-m1) > 0.005 {
				t.Errorf("%+v on %+v: mean off by %.4f, sd by %.2f %%", s, g, m-m1, 100*(ratio-1))
			}
		}
		report, err := exact.Check(context.Background(), s.options(), s.grid(), exact.New(p, modes), 20_000, noise.Seed(2))
		if err != nil {
			t.Fatalf("%+v: %v", s, err)
		}
		if math.Abs(report.Ratio-1) > 0.01 || math.Abs(report.Mean) > 0.03 || report.Excess > 0.001*report.Perfect {
			t.Errorf("%+v on two modes: %+v", s, report)
		}
	}
}

// The ODE and SDEs with any ε have the law of x_t at the end and on the way.
func TestSameMarginals(t *testing.T) {
	data := exact.Bimodal(1.2, 1, 0.4, 0.3)
	for _, c := range []struct {
		diffusion string
		scale     float64
		method    string
	}{{"zero", 0, "heun"}, {"gamma", 0.5, "stochastic-heun"}, {"gamma", 3, "stochastic-heun"}, {"sit-increasing-decreasing", 4, "stochastic-heun"}} {
		s := sampler{path: "linear", gamma: "quadratic", a: 1, diffusion: c.diffusion, scale: c.scale}
		p := exact.New(s.process(t), data)
		for _, end := range []float64{0.3, 0.7, 1} {
			const n = 8_000
			x := make([]float64, n)
			data.Start(p.Process.Interpolant.At(0), x)
			times := grid(t, sde.Grid{Steps: 24, Last: 1 - end})
			if err := solver(t, sde.Options{Method: c.method}).Solve(context.Background(), x, times, p, keyed(4)); err != nil {
				t.Fatal(err)
			}
			// Kolmogorov's distance; its 99.99 % point for independent draws is 2.2/√n.
			if d := distance(data, p.Process.Interpolant.At(end), x); d > 2.2/math.Sqrt(n) {
				t.Errorf("%s %g at %g: distance %.4f", c.diffusion, c.scale, end, d)
			}
		}
	}
}

// The solution of the SDE tends to that of the ODE as √ε, path by path.
func TestVanishingDiffusion(t *testing.T) {
	data := exact.Bimodal(1, 1, 0.4, 0.4)
	run := func(scale float64) []float64 {
		s := sampler{path: "linear", gamma: "quadratic", a: 1, diffusion: "gamma", scale: scale}
		x := make([]float64, 500)
		p := exact.New(s.process(t), data)
		data.Start(p.Process.Interpolant.At(0), x)
		if err := solver(t, sde.Options{Method: "stochastic-heun"}).Solve(context.Background(), x, grid(t, sde.Grid{Steps: 20}), p, keyed(5)); err != nil {
			t.Fatal(err)
		}
		return x
	}
	ode := run(0)
	rms := func(scale float64) float64 {
		sum := 0.0
		for i, v := range run(scale) {
			sum += (v - ode[i]) * (v - ode[i]) / float64(len(ode))
		}
		return math.Sqrt(sum)
	}
	if big, small := rms(1e-4), rms(1e-6); small > 2e-3 || math.Abs(big/small-10) > 1 {
		t.Errorf("distance from the ODE %.2g at ε = 1e-4 γ and %.2g at 1e-6 γ; expected a factor 10", big, small)
	}
}

// The ODE run forward, then backward, comes back; the backward SDE carries the law
// of the observation to that of the raw forecast.
func TestReversible(t *testing.T) {
	data := exact.Bimodal(0.9, 1, 0.4, 0.35)
	s := sampler{path: "linear", gamma: "quadratic", a: 1, diffusion: "zero"}
	p := exact.New(s.process(t), data)
	x := make([]float64, 200)
	data.Start(p.Process.Interpolant.At(0), x)
	start := append([]float64(nil), x...)
	solve := solver(t, sde.Options{Method: "dopri5", Tolerance: 1e-9})
	for _, times := range [][]float64{{0, 1}, {1, 0}} {
		if err := solve.Solve(context.Background(), x, times, p, nil); err != nil {
			t.Fatal(err)
		}
	}
	for i, v := range x {
		if math.Abs(v-start[i]) > 1e-6 {
			t.Errorf("%v came back as %v", start[i], v)
		}
	}

	s.diffusion, s.scale = "gamma", 1
	for _, method := range []string{"stochastic-heun", "exponential", "ddim-heun"} {
		back := exact.New(s.process(t), data)
		back.Backward = true
		report, err := exact.Check(context.Background(), sde.Options{Method: method}, sde.Grid{Steps: 32}, back, 20_000, noise.Seed(6))
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(report.Ratio-1) > 0.015 || math.Abs(report.Mean) > 0.02 || report.Excess > 2e-4 {
			t.Errorf("%s backward: %+v", method, report)
		}
	}
}

// The exponential method converges to the mixture in second order, singular
// Brownian γ at both ends included.
func TestExponentialOrder(t *testing.T) {
	data := exact.Bimodal(0.8, 0.8, 0.5, 0.4)
	for _, gamma := range []string{"quadratic", "brownian"} {
		s := sampler{path: "linear", gamma: gamma, a: 1, diffusion: "zero"}
		p := exact.New(s.process(t), data)
		start := make([]float64, 9)
		data.Start(p.Process.Interpolant.At(0), start)
		at := func(steps int) []float64 {
			x := append([]float64(nil), start...)
			if err := solver(t, sde.Options{Method: "exponential"}).Solve(context.Background(), x, grid(t, sde.Grid{Spacing: "cosine", Steps: steps}), p, nil); err != nil {
				t.Fatal(err)
			}
			return x
		}
		truth := at(2048)
		errorAt := func(steps int) float64 {
			worst := 0.0
			for i, v := range at(steps) {
				worst = max(worst, math.Abs(v-truth[i]))
			}
			return worst
		}
		if got := order(errorAt, 64); got < 1.85 {
			t.Errorf("gamma %s: order %.2f, want 2", gamma, got)
		}
	}
}

// [EDM]'s churn keeps the law of a one-sided path, and without churn it is Heun's method.
func TestChurn(t *testing.T) {
	data := exact.Bimodal(1, math.Sqrt(0.91), 0.3, 0.5)
	s := sampler{path: "one-sided-linear", diffusion: "zero"}
	p := exact.New(s.process(t), data)
	for _, churn := range []float64{0, 2.4, 9.6} {
		report, err := exact.Check(context.Background(), sde.Options{Method: "edm", Churn: churn}, sde.Grid{Steps: 24}, p, 20_000, noise.Seed(8))
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(report.Ratio-1) > 0.01 || report.Excess > 2e-4 {
			t.Errorf("churn %g: %+v", churn, report)
		}
	}
	plain, _ := exact.Check(context.Background(), sde.Options{Method: "heun"}, sde.Grid{Steps: 8}, p, 1000, noise.Seed(8))
	edm, _ := exact.Check(context.Background(), sde.Options{Method: "edm"}, sde.Grid{Steps: 8}, p, 1000, noise.Seed(8))
	if plain != edm {
		t.Errorf("edm without churn: %+v, heun: %+v", edm, plain)
	}
	s.path, s.gamma, s.a = "linear", "quadratic", 1
	if _, err := exact.Check(context.Background(), sde.Options{Method: "edm", Churn: 0.8}, sde.Grid{Steps: 8}, exact.New(s.process(t), data), 10, noise.Seed(8)); err == nil {
		t.Error("churn on a two-sided path was accepted")
	}
}

// The density along the ODE is the mixture's, by exact divergence, and the PIT its
// distribution function; from a grid that the ODE integrates to 1e-4.
func TestDensity(t *testing.T) {
	data := exact.Bimodal(0.9, 1, 0.4, 0.35)
	s := sampler{path: "linear", gamma: "quadratic", a: 1, diffusion: "zero"}
	p := exact.New(s.process(t), data)
	first, end := p.Process.Interpolant.At(0), p.Process.Interpolant.At(1)
	x := []float64{-1.5, -1, -0.3, 0, 0.4, 1.1, 1.9}
	observed := append([]float64(nil), x...)
	got := make([]float64, len(x))
	var d sde.Density
	if err := d.LogRatio(context.Background(), got, x, grid(t, sde.Grid{Steps: 200, Backward: true}), p); err != nil {
		t.Fatal(err)
	}
	for i, y := range observed {
		if density, want := got[i]+data.LogDensity(first, x[i]), data.LogDensity(end, y); math.Abs(density-want) > 1e-3 {
			t.Errorf("log density at %g: %.5f, want %.5f", y, density, want)
		}
		if pit, want := data.CDF(first, x[i]), data.CDF(end, y); math.Abs(pit-want) > 1e-4 {
			t.Errorf("PIT of %g: %.5f, want %.5f", y, pit, want)
		}
	}
	s.diffusion, s.scale = "gamma", 1
	if err := d.LogRatio(context.Background(), got, x, []float64{1, 0}, exact.New(s.process(t), data)); err == nil {
		t.Error("the density along an SDE was computed")
	}
}

// rotation is x' = A x for pairs, A = [[-1, 2], [-3, 0.5]], of divergence -½.
type rotation struct{}

func (rotation) Eps(float64) float64 { return 0 }
func (rotation) Drift(dst []float64, _ float64, x []float64) error {
	for i := 0; i < len(x); i += 2 {
		dst[i], dst[i+1] = -x[i]+2*x[i+1], -3*x[i]+0.5*x[i+1]
	}
	return nil
}

// For vectors the sum over directions is the trace, and Hutchinson's estimate has
// it as mean over the four sign vectors: e = (1, 1) gives -1.5, e = (1, -1) 0.5.
func TestHutchinson(t *testing.T) {
	for _, c := range []struct {
		name   string
		probes []float64
		want   float64
	}{{"all directions", nil, -0.5}, {"one probe", []float64{1, 1}, -1.5}, {"other probe", []float64{1, -1}, 0.5}, {"both", []float64{1, 1, 1, -1}, -0.5}} {
		d := sde.Density{Size: 2, Probes: c.probes}
		x, got := []float64{1, 2, -0.5, 0.3}, make([]float64, 2)
		if err := d.LogRatio(context.Background(), got, x, []float64{0, 0.5, 1}, rotation{}); err != nil {
			t.Fatal(err)
		}
		for i, v := range got {
			if math.Abs(v-c.want) > 1e-8 {
				t.Errorf("%s, state %d: %v, want %v", c.name, i, v, c.want)
			}
		}
	}
}

func keyed(seed uint64) sde.Noise {
	return func(dst []float64, step int) { noise.Seed(seed).Normals(dst, uint32(step), 0) }
}

func BenchmarkSolve(b *testing.B) {
	const n = 4096
	for _, method := range []string{"stochastic-heun", "exponential"} {
		b.Run(method, func(b *testing.B) {
			s, err := sde.New(sde.Options{Method: method})
			if err != nil {
				b.Fatal(err)
			}
			p := linearised{equation{func(_, x float64) float64 { return -x }, func(float64) float64 { return 1 }}, 1}
			times, _ := sde.Grid{Steps: 8}.Times()
			x := make([]float64, n)
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Solve(context.Background(), x, times, p, keyed(1)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n*8), "ns/component·step")
		})
	}
}

// distance is Kolmogorov's, between the sample and the law of x_t.
func distance(m exact.Mixture, c interpolant.Coefficients, x []float64) float64 {
	slices.Sort(x)
	worst := 0.0
	for i, v := range x {
		f := m.CDF(c, v)
		worst = max(worst, math.Abs(f-float64(i)/float64(len(x))), math.Abs(f-float64(i+1)/float64(len(x))))
	}
	return worst
}
