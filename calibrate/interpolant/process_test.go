package interpolant

import (
	"math"
	"strings"
	"testing"
)

func process(t *testing.T, path, gamma string, a float64, heads Heads, diffusion string, scale float64) Process {
	t.Helper()
	i, err := New(path, gamma, a)
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewDiffusion(diffusion, scale)
	if err != nil {
		t.Fatal(err)
	}
	return Process{i, heads, d}
}

// ε by hand at t = ¼; γ = √(2·3/16) on the linear path with Brownian γ of amplitude 2.
func TestDiffusionValues(t *testing.T) {
	gamma := math.Sqrt(6. / 16)
	for name, want := range map[string]float64{
		"zero":                      0,
		"constant":                  3,
		"gamma":                     3 * gamma,
		"sit-constant":              1.5,
		"sit-sbdm":                  3 * 1, // γ²β̇/β - γγ̇ = a(1-t) - a(1-2t)/2 = a/2 = 1
		"sit-sigma":                 1.5 * gamma,
		"sit-linear":                1.5 * 0.75,
		"sit-decreasing":            1.5 * math.Pow((math.Sqrt2/2+1)/2, 2),
		"sit-increasing-decreasing": 1.5 * 0.5,
	} {
		if got := process(t, "linear", "brownian", 2, VelocityDenoiser, name, 3).Eps(0.25); !near(got, want, 1, 1e-14) {
			t.Errorf("%s: ε(¼) = %v, want %v", name, got, want)
		}
	}
	if len(Diffusions()) != 9 {
		t.Errorf("%d diffusions are known, 9 are tested", len(Diffusions()))
	}
	for _, bad := range []struct {
		name  string
		scale float64
	}{{"const", 1}, {"constant", -1}, {"gamma", math.NaN()}} {
		if _, err := NewDiffusion(bad.name, bad.scale); err == nil {
			t.Errorf("%s %g was accepted", bad.name, bad.scale)
		}
	}
}

// With ε = SBDM the VP path runs the reverse SDE of the diffusion
// dX = -½B X du + √B dW in u = 1-t, which is dX = (½B X + B s) dt + √B dW,
// B(u) = 0.1 + 19.9 u (Song et al. 2021, equations 6 and 11).
func TestSBDMIsTheReverseDiffusion(t *testing.T) {
	p := process(t, "vp", "", 0, VelocityGradLogP, "sit-sbdm", 1)
	g := Gaussian{M1: 0.4, S1: 0.7}
	for _, at := range []float64{0, 1e-3, 0.2, 0.5, 0.9, 0.999} {
		rate := 0.1 + 19.9*(1-at)
		if got := 2 * p.Eps(at); !near(got, rate, rate, 1e-12) {
			t.Errorf("2ε(%g) = %v, want the rate %v", at, got, rate)
		}
		c := p.Interpolant.At(at)
		vs, vo, _, _ := g.Affine(c)
		ss, so := g.GradLogP(c)
		const x = 0.8
		v, s := vs*x+vo, ss*x+so
		if got, want := p.Drift(at).Of(v, s, x), rate/2*x+rate*s; !near(got, want, rate, 1e-12) {
			t.Errorf("drift at %g: %v, want %v", at, got, want)
		}
	}
}

// At the ends the coefficient of η is its limit where there is one.
func TestLimits(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		path, gamma   string
		a             float64
		diffusion     string
		scale         float64
		first, second float64 // coefficient of η at t = 0 and 1
	}{
		{"linear", "quadratic", 0.8, "zero", 0, 0.8, -0.8},          // γ̇ = a(1-2t)
		{"linear", "quadratic", 0.8, "gamma", 0.5, 0.3, -1.3},       // γ̇ - c
		{"linear", "quadratic", 0.8, "sit-sigma", 1, 0.3, -1.3},     // c = ½
		{"linear", "quadratic", 0.8, "constant", 0.5, -inf, -inf},   // -ε/γ
		{"linear", "quadratic", 0.8, "sit-linear", 1, -inf, -1.425}, // -½(1-t)/(a t(1-t)) - a
		{"linear", "sine", 0.8, "gamma", 0.5, -0.5, -0.5},           // γ̇ = 0
		{"linear", "sine", 0.8, "sit-increasing-decreasing", 1, -0.625, -0.625},
		{"linear", "brownian", 1, "zero", 0, inf, -inf},
		{"linear", "brownian", 1, "constant", 0.5, 0, -inf}, // -√(a t/(1-t))
		{"linear", "brownian", 1, "constant", 0.6, -inf, -inf},
		{"linear", "zero", 0, "zero", 0, 0, 0},
		{"one-sided-linear", "", 0, "zero", 0, -1, -1},
		{"one-sided-linear", "", 0, "gamma", 0.5, -1.5, -1.5},
	} {
		p := process(t, c.path, c.gamma, c.a, VelocityDenoiser, c.diffusion, c.scale)
		for _, e := range []struct{ t, want float64 }{{0, c.first}, {1, c.second}} {
			got := p.Drift(e.t)
			if got.H1 != 1 || got.X != 0 || !(got.H2 == e.want || math.Abs(got.H2-e.want) < 1e-8) {
				t.Errorf("%s, diffusion %s at %g: %+v, want η times %v", p.Interpolant, p.Diffusion, e.t, got, e.want)
			}
			err := p.ValidateOn(min(e.t, 0.5), max(e.t, 0.5))
			if math.IsInf(e.want, 0) != (err != nil) {
				t.Errorf("%s, diffusion %s on a grid to %g: %v", p.Interpolant, p.Diffusion, e.t, err)
			}
			if err != nil && !strings.Contains(err.Error(), map[float64]string{0: "set first_time 0.001;", 1: "set last_time 0.999"}[e.t]) {
				t.Errorf("%s, diffusion %s on a grid to %g: no advice to cut it there: %v", p.Interpolant, p.Diffusion, e.t, err)
			}
			if err := p.ValidateOn(0.001, 0.999); err != nil {
				t.Errorf("%s, diffusion %s on a grid that is cut: %v", p.Interpolant, p.Diffusion, err)
			}
		}
	}
}

// Enter is the ODE's step from 0: x' = b integrated for a Gaussian by ten thousand
// midpoints, deviations from the mean.
func TestEnter(t *testing.T) {
	const first, n = 0.3, 10_000
	for _, i := range family(t) {
		for _, g := range joints {
			p, x := Process{Interpolant: i}, 1.0
			for k := range n {
				slope, _ := g.Drift(i.At((float64(k) + 0.5) * first / n))
				x *= math.Exp(slope * first / n)
			}
			if got := p.Enter(g, first); math.Abs(got-x) > 1e-6 {
				t.Errorf("%s, %+v: %v, integrated %v", i, g, got, x)
			}
			if got := p.Enter(g, 0); got != 1 {
				t.Errorf("%s: %v without a step, want 1", i, got)
			}
		}
	}
}

// What cannot work is refused with the reason and a remedy.
func TestValidate(t *testing.T) {
	for _, c := range []struct {
		path, gamma string
		heads       Heads
		diffusion   string
		want        string // part of the message, "" when fine
	}{
		{"linear", "quadratic", VelocityDenoiser, "gamma", ""},
		{"linear", "zero", VelocityDenoiser, "zero", ""},
		{"linear", "zero", VelocityDenoiser, "constant", "set epsilon zero"},
		{"linear", "zero", VelocityGradLogP, "zero", "use heads v-eta"},
		{"mirror", "quadratic", VelocityDenoiser, "gamma", ""},
		{"mirror", "zero", VelocityDenoiser, "zero", "never moves"},
		{"mirror", "quadratic", StartEnd, "zero", "x0 takes no part"},
		{"vp", "", StartDenoiser, "zero", "x0 takes no part"},
		{"vp", "", EndDenoiser, "sit-sbdm", ""},
		{"encoding-decoding", "", VelocityDenoiser, "gamma", ""},
		{"encoding-decoding", "", EndDenoiser, "zero", "neither x0 nor x1"},
		{"encoding-decoding", "", VelocityDenoiser, "sit-sbdm", "epsilon is"},
		{"mirror", "brownian", VelocityDenoiser, "sit-sbdm", "epsilon is"},
	} {
		err := process(t, c.path, c.gamma, 1, c.heads, c.diffusion, 1).Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %s, %s, %s: %v, want %q", c.path, c.gamma, c.heads, c.diffusion, err, c.want)
		}
	}
	if err := (Process{}).Validate(); err == nil {
		t.Error("the empty process was accepted")
	}
}

// Increments by hand: heads (v, η) give h, γ(to) - γ(from) - ∫ε/γ, and for Brownian
// γ and constant ε the last integral is 2ε/√a (asin √to - asin √from).
func TestIncrement(t *testing.T) {
	for _, c := range []struct{ from, to float64 }{{0, 1}, {0, 0.125}, {0.3, 0.4}, {0.875, 1}, {1, 0.5}} {
		angle := math.Asin(math.Sqrt(c.to)) - math.Asin(math.Sqrt(c.from))
		for _, p := range []struct {
			Process
			ratio float64 // ∫ ε/γ
		}{
			{process(t, "linear", "brownian", 0.9, VelocityDenoiser, "zero", 0), 0},
			{process(t, "linear", "brownian", 0.9, VelocityDenoiser, "constant", 0.45), 0.9 / math.Sqrt(0.9) * angle},
			{process(t, "linear", "quadratic", 0.9, VelocityDenoiser, "gamma", 0.6), 0.6 * (c.to - c.from)},
			{process(t, "trigonometric", "sine", 0.9, VelocityDenoiser, "gamma", 0.6), 0.6 * (c.to - c.from)},
		} {
			i := p.Interpolant
			want := Mix{H1: c.to - c.from, H2: i.At(c.to).Gamma - i.At(c.from).Gamma - p.ratio}
			got := p.Increment(c.from, c.to)
			if !near(got.H1, want.H1, 1, 1e-12) || !near(got.H2, want.H2, 1, 1e-12) || got.X != 0 {
				t.Errorf("%s, %s over %v: %+v, want %+v", i, p.Diffusion, c, got, want)
			}
			back := p.BackwardIncrement(c.from, c.to)
			if !near(back.H2, want.H2+2*p.ratio, 1, 1e-12) {
				t.Errorf("%s, %s backward over %v: %+v", i, p.Diffusion, c, back)
			}
		}
	}
	p := process(t, "linear", "brownian", 0.9, VelocityDenoiser, "constant", 0.45)
	if got := p.Spread(0.75, 0.25); !near(got, 0.45, 1, 1e-12) { // 2ε·½
		t.Errorf("spread %v, want 0.45", got)
	}
}

// With heads (η1, η) the increment of a one-sided path is the step of DDIM (Song,
// Meng and Ermon 2021, equation 12 without noise): x' = β' η1 + γ' η, η = (x - βη1)/γ.
func TestIncrementIsDDIM(t *testing.T) {
	for _, path := range []string{"one-sided-linear", "one-sided-trigonometric", "vp"} {
		p := process(t, path, "", 0, EndDenoiser, "zero", 0)
		for k := range 8 {
			from, to := float64(k)/8, float64(k+1)/8
			c, d := p.Interpolant.At(from), p.Interpolant.At(to)
			const x, end = 0.7, -0.4
			eta := (x - c.Beta*end) / c.Gamma
			want := d.Beta*end + d.Gamma*eta
			if got := x + p.Increment(from, to).Of(end, eta, x); !near(got, want, 1, 2e-11) { // of the quadrature
				t.Errorf("%s from %g: %v, DDIM %v", path, from, got, want)
			}
		}
	}
}

// The exact step carries the moments exactly, forward and backward, and its
// derivative at a vanishing step is drift and noise of the SDE.
func TestTransition(t *testing.T) {
	for _, i := range family(t) {
		for _, name := range []string{"zero", "constant", "gamma"} {
			d, _ := NewDiffusion(name, 0.5)
			p := Process{i, VelocityDenoiser, d}
			if p.Validate() != nil {
				continue
			}
			for _, g := range joints {
				for _, c := range []struct{ from, to float64 }{{0, 1}, {1, 0}, {0.2, 0.7}, {0.9, 0.4}} {
					m0, v0 := g.Moments(i.At(c.from))
					m1, v1 := g.Moments(i.At(c.to))
					scale, shift, sd := p.Transition(g, c.from, c.to)
					if m, v := scale*m0+shift, scale*scale*v0+sd*sd; !near(m, m1, 1, 1e-12) || !near(v, v1, v1, 1e-12) {
						t.Errorf("%s, %s over %v: moments %v, %v, want %v, %v", i, d, c, m, v, m1, v1)
					}
				}
				const at, h = 0.4, 1e-7
				scale, shift, sd := p.Transition(g, at, at+h)
				c := i.At(at)
				bs, bo := g.Drift(c)
				ss, so := g.GradLogP(c)
				eps := p.Eps(at)
				if got, want := (scale-1)/h, bs+eps*ss; !near(got, want, 10, 1e-5) {
					t.Errorf("%s, %s: slope of the drift %v, want %v", i, d, got, want)
				}
				if got, want := shift/h, bo+eps*so; !near(got, want, 10, 1e-5) {
					t.Errorf("%s, %s: offset of the drift %v, want %v", i, d, got, want)
				}
				if got := sd * sd / h; !near(got, 2*eps, 10, 1e-5) {
					t.Errorf("%s, %s: noise %v, want %v", i, d, got, 2*eps)
				}
			}
		}
	}
}

// Rewinding raises γ/β by the growth and has the law of the earlier time.
func TestRewind(t *testing.T) {
	p := process(t, "one-sided-linear", "", 0, VelocityDenoiser, "zero", 0)
	g := Gaussian{M1: 0.5, S1: 0.3}
	back, scale, sd, err := p.Rewind(0.6, 0.25)
	if err != nil {
		t.Fatal(err)
	}
	// γ/β = ⅔ · 1.25 = 5/6 at t = 6/11.
	if !near(back, 6./11, 1, 1e-12) {
		t.Errorf("went back to %v, want 6/11", back)
	}
	m0, v0 := g.Moments(p.Interpolant.At(0.6))
	m1, v1 := g.Moments(p.Interpolant.At(back))
	if m, v := scale*m0, scale*scale*v0+sd*sd; !near(m, m1, 1, 1e-12) || !near(v, v1, 1, 1e-12) {
		t.Errorf("moments %v, %v, want %v, %v", m, v, m1, v1)
	}
	if back, scale, sd, err = p.Rewind(0, 0.25); err != nil || back != 0 || scale != 1 || sd != 0 {
		t.Errorf("at t = 0: %v, %v, %v, %v; want no change", back, scale, sd, err)
	}
	if _, _, _, err = process(t, "linear", "quadratic", 1, VelocityDenoiser, "zero", 0).Rewind(0.5, 0.1); err == nil {
		t.Error("a two-sided path was rewound")
	}
}

// Times follow their density: u ↦ t is the inverse of the cut distribution
// function, and weights undo the density, so that weighted means are those of uniform times.
func TestTimes(t *testing.T) {
	const delta, n = 0.01, 200_000
	for _, name := range []string{"uniform", "ends", "middle"} {
		d, err := NewTimes(name, delta)
		if err != nil {
			t.Fatal(err)
		}
		var weight, first, second float64
		last := -1.0
		for k := range n {
			at, w := d.At((float64(k) + 0.5) / n)
			if at <= last || at < delta || at > 1-delta || w <= 0 {
				t.Fatalf("%s: time %v after %v, weight %v", name, at, last, w)
			}
			last = at
			weight += w / n
			first += w * at / n
			second += w * at * at / n
		}
		// Uniform on [0.01, 0.99]: mean ½, mean square (0.99³ - 0.01³)/(3·0.98).
		if square := (math.Pow(0.99, 3) - 1e-6) / 2.94; math.Abs(weight-1) > 1e-4 || math.Abs(first-0.5) > 1e-4 || math.Abs(second-square) > 1e-4 {
			t.Errorf("%s: weighted moments %v, %v, %v; want 1, 0.5, %v", name, weight, first, second, square)
		}
	}
	for _, bad := range []struct {
		name  string
		delta float64
	}{{"beta", 0.1}, {"uniform", 0.5}, {"ends", 0}, {"middle", -0.1}} {
		if _, err := NewTimes(bad.name, bad.delta); err == nil {
			t.Errorf("%s with delta %g was accepted", bad.name, bad.delta)
		}
	}
}

// What runs for each case or step of a forecast does not allocate.
func TestNoAllocation(t *testing.T) {
	p := process(t, "linear", "brownian", 1, VelocityDenoiser, "constant", 0.5)
	g := joints[1]
	var sink float64
	for name, f := range map[string]func(){
		"Affine":     func() { a, b, c, d := g.Affine(p.Interpolant.At(0.3)); sink += a + b + c + d },
		"Drift":      func() { sink += p.Drift(0).H2 + p.Drift(0.4).H2 },
		"Increment":  func() { sink += p.Increment(0, 0.1).H2 },
		"Transition": func() { a, b, c := p.Transition(g, 0, 0.1); sink += a + b + c },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func BenchmarkAffine(b *testing.B) {
	i, _ := New("linear", "brownian", 1)
	c, g, sink := i.At(0.3), joints[1], 0.0
	for b.Loop() {
		vs, vo, es, eo := g.Affine(c)
		sink += vs + vo + es + eo
	}
}

func BenchmarkTransition(b *testing.B) {
	i, _ := New("linear", "brownian", 1)
	d, _ := NewDiffusion("constant", 0.5)
	p, sink := Process{i, VelocityDenoiser, d}, 0.0
	for b.Loop() {
		scale, shift, sd := p.Transition(joints[1], 0.2, 0.3)
		sink += scale + shift + sd
	}
}
