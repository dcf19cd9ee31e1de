package selfcheck

import (
	"context"
	"math"
	"strings"
	"testing"

	"sipipe/calibrate/interpolant"
	"sipipe/calibrate/sde"
)

// sampler builds one from configuration names.
func sampler(t testing.TB, path, gamma string, a float64, heads, epsilon string, scale float64, method string, steps int) Sampler {
	t.Helper()
	i, err := interpolant.New(path, gamma, a)
	if err != nil {
		t.Fatal(err)
	}
	h, err := interpolant.ParseHeads(heads)
	if err != nil {
		t.Fatal(err)
	}
	d, err := interpolant.NewDiffusion(epsilon, scale)
	if err != nil {
		t.Fatal(err)
	}
	return Sampler{
		Process: interpolant.Process{Interpolant: i, Heads: h, Diffusion: d},
		Solver:  sde.Options{Method: method},
		Grid:    sde.Grid{Steps: steps},
		Start:   math.Hypot(1, 0.5),
	}
}

// At equal spread the excess of a shift d is that of the mean of a folded normal,
// worked by hand for d = 1, s = 1: √π (2/√π e^(-1/4) + erf(1/2)) - 2; at d = 0, s = 2 it is √(2(1 + 4)) - 3.
func TestNormalExcess(t *testing.T) {
	for _, c := range []struct{ d, s, want float64 }{
		{0, 1, 0},
		{1, 1, 2*math.Exp(-0.25) + math.Sqrt(math.Pi)*math.Erf(0.5) - 2},
		{0, 2, math.Sqrt(10) - 3},
	} {
		if got := normalExcess(c.d, c.s); math.Abs(got-c.want) > 1e-14 {
			t.Errorf("shift %g, spread %g: %v, want %v", c.d, c.s, got, c.want)
		}
	}
}

// Laws that claim to be normal scores have mean 0 and variance 1.
func TestLaws(t *testing.T) {
	s := sampler(t, "linear", "quadratic", 1, "v-eta", "gamma", 1, "exponential", 8)
	for _, l := range laws(s.Start) {
		m, v := l.data.Moments(s.Process.Interpolant.At(1))
		if len(l.data) > 1 && math.Abs(m)+math.Abs(v-1) > 1e-12 {
			t.Errorf("%s: mean %v, variance %v", l.name, m, v)
		}
		if _, v := l.data.Moments(s.Process.Interpolant.At(0)); math.Abs(v-1.25) > 1e-12 {
			t.Errorf("%s: starts with variance %v, want 1 + 0.25", l.name, v)
		}
	}
}

// Verdicts: the default sampler is good; Euler with as many steps is not, and many
// steps of it are; the errors of the standard deviation halve from n to 2n for
// Euler's method, order 1.
func TestRun(t *testing.T) {
	ctx := context.Background()
	good, err := Run(ctx, sampler(t, "linear", "quadratic", 1, "v-eta", "gamma", 1, "exponential", 8), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !good.Enough() || !strings.HasPrefix(good.Verdict(), "8 steps are enough") {
		t.Errorf("default sampler: %s\n%+v", good.Verdict(), good.Rows)
	}
	if r := good.Rows[1]; r.Law != "standard normal" || r.Steps != 8 || math.Abs(r.SD) > 1e-9 || math.Abs(r.Mean) > 1e-9 {
		t.Errorf("the exponential solver is not exact on its reference: %+v", r)
	}

	euler := sampler(t, "linear", "quadratic", 1, "v-eta", "zero", 0, "euler", 8)
	bad, err := Run(ctx, euler, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if bad.Enough() || !strings.Contains(bad.Verdict(), "too few") || !strings.Contains(bad.Verdict(), "exponential") {
		t.Errorf("8 steps of Euler: %s", bad.Verdict())
	}
	if ratio := bad.Rows[1].SD / bad.Rows[2].SD; math.Abs(ratio-2) > 0.25 {
		t.Errorf("Euler's error falls by a factor %.2f from 8 to 16 steps, want about 2: %+v", ratio, bad.Rows[:3])
	}
	euler.Grid.Steps = 80
	if more, err := Run(ctx, euler, Options{}); err != nil || more.Enough() || !strings.Contains(more.Verdict(), "steps to 160") {
		t.Errorf("80 steps of Euler: %v, %v", more, err)
	}
}

// Sampling errors are small against the limits: with steps so many that the solver
// is exact to 1e-4, what is left of the errors is that of the sample. Independent
// noise would leave a standard deviation off by 0.6 % (skewed; kurtosis 3.1).
func TestSamplingError(t *testing.T) {
	s := sampler(t, "linear", "quadratic", 1, "v-eta", "gamma", 2, "exponential", 40)
	r, err := Run(context.Background(), s, Options{Steps: []int{40}})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range r.Rows {
		if math.Abs(row.Mean) > 5e-4 || math.Abs(row.SD) > 1e-3 || row.CRPS > 1e-5 {
			t.Errorf("%+v", row)
		}
	}
}

// Results are the same for any number of threads.
func TestThreads(t *testing.T) {
	s := sampler(t, "linear", "quadratic", 1, "v-eta", "gamma", 1, "stochastic-heun", 4)
	one, err := Run(context.Background(), s, Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	four, err := Run(context.Background(), s, Options{Threads: 4})
	if err != nil {
		t.Fatal(err)
	}
	for i := range one.Rows {
		if one.Rows[i] != four.Rows[i] {
			t.Errorf("one thread %+v, four %+v", one.Rows[i], four.Rows[i])
		}
	}
}

// What cannot work is refused with its reason and a remedy.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name, reason, remedy string
		s                    Sampler
	}{
		{"SDE without latent", "no SDE", "epsilon zero", sampler(t, "linear", "zero", 0, "v-eta", "constant", 1, "stochastic-heun", 8)},
		{"ODE solver for an SDE", "integrates an ODE", "stochastic-heun", sampler(t, "linear", "quadratic", 1, "v-eta", "gamma", 1, "heun", 8)},
		{"constant diffusion with quadratic gamma", "singular at t = 0 and t = 1", "set first_time 0.001, last_time 0.999 and last_step euler", sampler(t, "linear", "quadratic", 1, "v-eta", "constant", 1, "stochastic-heun", 8)},
		{"head of x0 at its end", "singular", "first_time 0.001", sampler(t, "linear", "quadratic", 1, "x0-eta", "gamma", 1, "stochastic-heun", 8)},
		{"x0 of a one-sided path", "takes no part", "v-eta", sampler(t, "one-sided-linear", "", 0, "x0-x1", "zero", 0, "heun", 8)},
		{"a mirror's ODE", "to itself", "set epsilon gamma", sampler(t, "mirror", "quadratic", 1, "v-eta", "zero", 0, "heun", 8)},
		{"noise without bound", "no bound", "use epsilon gamma", sampler(t, "one-sided-linear", "", 0, "v-eta", "sit-sbdm", 1, "exponential", 8)},
		{"heads of ends in an ODE", "singular", "heads v-eta, whose weights are finite", sampler(t, "linear", "quadratic", 1, "x0-x1", "zero", 0, "heun", 8)},
		{"no steps", "at least 1 step", "", sampler(t, "linear", "quadratic", 1, "v-eta", "gamma", 1, "exponential", 0)},
	} {
		err := c.s.Validate(context.Background())
		if err == nil || !strings.Contains(err.Error(), c.reason) || !strings.Contains(err.Error(), c.remedy) {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, again := Run(context.Background(), c.s, Options{}); again == nil {
			t.Errorf("%s: was run", c.name)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, sampler(t, "linear", "quadratic", 1, "v-eta", "gamma", 1, "exponential", 8), Options{}); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
}

// Where the drift is singular at an end, a grid that is cut there makes the sampler
// work, within the limits at 16 steps or fewer.
func TestCutGrid(t *testing.T) {
	for _, c := range []struct {
		s           Sampler
		first, last float64
		spacing     string
	}{
		{sampler(t, "linear", "brownian", 1, "v-eta", "constant", 0.5, "stochastic-heun", 8), 0, 0.001, "uniform"},
		{sampler(t, "linear", "quadratic", 1, "v-eta", "constant", 0.5, "stochastic-heun", 16), 0.001, 0.001, "cosine"},
		{sampler(t, "vp", "", 0, "v-eta", "zero", 0, "heun", 8), 0, 0.001, "quadratic"},
	} {
		if err := c.s.Validate(context.Background()); err == nil || !strings.Contains(err.Error(), "last_time 0.999") {
			t.Errorf("%+v: %v, want advice to cut the grid", c.s.Process, err)
		}
		c.s.Solver.Last = sde.LastEuler
		c.s.Grid.First, c.s.Grid.Last, c.s.Grid.Spacing = c.first, c.last, c.spacing
		r, err := Run(context.Background(), c.s, Options{Steps: []int{c.s.Grid.Steps}})
		if err != nil {
			t.Errorf("%+v: %v", c.s, err)
		} else if !r.Enough() {
			t.Errorf("%+v: %s", c.s, r.Verdict())
		}
	}
}

// Each last step from t = 0.9 has an effect of its own on the standard normal law.
// By hand, with x = N(0, S), S = 0.1²·1.25 + 0.9² + 0.09² at 0.9 and an exact way there:
// none leaves √S, the ODE's drift multiplies by 1 + 0.1 Ṡ/2S, E[x1 | x] = 0.9 x/S.
func TestLastSteps(t *testing.T) {
	const variance = 0.01*1.25 + 0.81 + 0.0081
	const rate = (-0.1*1.25 + 0.9 + 0.09*-0.8) / variance // Ṡ/2S
	want := map[sde.Last]float64{
		sde.LastNone:    math.Sqrt(variance),
		sde.LastEuler:   math.Sqrt(variance) * (1 + 0.1*rate),
		sde.LastMean:    math.Sqrt(variance) * (1 + 0.1*(rate-0.09/variance)), // ε s = -γ x/S
		sde.LastTweedie: 0.9 / math.Sqrt(variance),
	}
	for last, sd := range want {
		s := sampler(t, "linear", "quadratic", 1, "v-eta", "gamma", 1, "exponential", 4)
		s.Solver.Last, s.Grid.Last = last, 0.1
		r, err := Run(context.Background(), s, Options{Steps: []int{4}})
		if err != nil {
			t.Fatal(err)
		}
		if got := 1 + r.Rows[0].SD; math.Abs(got-sd) > 1e-9 {
			t.Errorf("last step %s: sd %.6f, want %.6f", last, got, sd)
		}
	}
}

// Every path that can be configured can be checked.
func TestAllPaths(t *testing.T) {
	for _, c := range []struct {
		path, gamma string
		a           float64
	}{
		{"linear", "quadratic", 1},
		{"linear", "brownian", 1},
		{"linear", "sine", 0.5},
		{"trigonometric", "quadratic", 1},
		{"encoding-decoding", "", 0},
		{"one-sided-linear", "", 0},
		{"one-sided-trigonometric", "", 0},
		{"vp", "", 0},
		{"mirror", "quadratic", 1},
	} {
		r, err := Run(context.Background(), sampler(t, c.path, c.gamma, c.a, "v-eta", "gamma", 1, "exponential", 16), Options{Steps: []int{16}})
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		if !r.Enough() {
			t.Errorf("%s %s: %s", c.path, c.gamma, r.Verdict())
		}
	}
}

// The advice of a verdict is true: followed, it brings the sampler within the limits.
func TestRemedy(t *testing.T) {
	ctx := context.Background()
	early := sampler(t, "linear", "quadratic", 1, "v-eta", "gamma", 5, "exponential", 10)
	early.Grid.Last = 0.1
	constant := sampler(t, "linear", "quadratic", 1, "v-eta", "constant", 0.5, "exponential", 10)
	cutShort := sampler(t, "one-sided-linear", "", 0, "v-eta", "gamma", 1, "exponential", 10)
	cutShort.Grid.Last = 0.05
	for _, c := range []struct {
		s      Sampler
		want   string
		follow func(*Sampler)
	}{
		{constant, "set heads v-s", func(s *Sampler) { s.Process.Heads = interpolant.VelocityGradLogP }},
		{early, "set last_time to 1", func(s *Sampler) { s.Grid.Last = 0 }},
		{sampler(t, "linear", "zero", 0, "x0-eta", "zero", 0, "ddim-heun", 10), "set heads v-eta", func(s *Sampler) { s.Process.Heads = interpolant.VelocityDenoiser }},
		{cutShort, "set last_step euler", func(s *Sampler) { s.Solver.Last = sde.LastEuler }},
		{sampler(t, "linear", "quadratic", 1, "v-eta", "zero", 0, "exponential", 1), "set steps to 8", func(s *Sampler) { s.Grid.Steps = 8 }},
		{sampler(t, "linear", "quadratic", 1, "v-eta", "zero", 0, "euler", 8), "set solver exponential", func(s *Sampler) { s.Solver.Method = "exponential" }},
	} {
		r, err := Run(ctx, c.s, Options{Steps: []int{c.s.Grid.Steps}})
		if err != nil || r.Enough() || !strings.HasSuffix(r.judgement(), c.want) {
			t.Errorf("want advice %q: %v, %v", c.want, r.Verdict(), err)
			continue
		}
		c.follow(&c.s)
		if r, err := Run(ctx, c.s, Options{Steps: []int{c.s.Grid.Steps}}); err != nil || !r.Enough() {
			t.Errorf("%s was followed: %v, %v", c.want, r.Verdict(), err)
		}
	}
}

// What a check of exact fields cannot see is said: e^-∫ε/S of the start remains of a
// mirror with S ≈ 1, and heads of the ends have weights that grow as 1/t.
func TestCaution(t *testing.T) {
	if c := sampler(t, "mirror", "zero", 0, "v-eta", "gamma", 1, "exponential", 8).caution(); !strings.Contains(c, "raw members") {
		t.Errorf("mirror: %q", c)
	}
	if c := sampler(t, "linear", "quadratic", 1, "x0-eta", "gamma", 1, "exponential", 8).caution(); !strings.Contains(c, "towards t = 0") {
		t.Errorf("x0-eta: %q", c)
	}
	for _, heads := range []string{"v-eta", "b-eta", "v-s", "b-s"} {
		if c := sampler(t, "linear", "quadratic", 1, heads, "gamma", 5, "exponential", 8).caution(); c != "" {
			t.Errorf("%s: %q", heads, c)
		}
	}
}
