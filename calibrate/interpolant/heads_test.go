package interpolant

import (
	"math"
	"testing"
)

// joint laws with and without correlation, of unequal scales.
var joints = []Gaussian{
	{M0: 0.3, S0: 0.8, M1: -0.5, S1: 1.1, R: 0},
	{M0: -1, S0: 1.3, M1: 0.4, S1: 0.6, R: 0.7},
	{M0: 0, S0: 1, M1: 0, S1: 1, R: -0.4},
}

// usable reports whether the heads can describe the process.
func usable(i Interpolant, h Heads) bool {
	d, _ := NewDiffusion("zero", 0)
	return Process{i, h, d}.Validate() == nil && !(i.Deterministic() && h >= DriftDenoiser && h != StartEnd)
}

// The closed forms satisfy the identities of the package comment for every path,
// γ and joint law: b = v + γ̇η, s = -η/γ, v = α̇η0 + β̇η1, x = αη0 + βη1 + γη.
func TestGaussianIdentities(t *testing.T) {
	for _, i := range family(t) {
		for _, g := range joints {
			for _, at := range inside() {
				c := i.At(at)
				vs, vo, es, eo := g.Affine(c)
				bs, bo := g.Drift(c)
				ss, so := g.GradLogP(c)
				s0, o0, s1, o1 := g.Conditional(c)
				for _, x := range []float64{-2, 0.1, 1.7} {
					v, eta, b, s := vs*x+vo, es*x+eo, bs*x+bo, ss*x+so
					eta0, eta1 := s0*x+o0, s1*x+o1
					if c.Gamma > 0 {
						big := math.Abs(c.GammaDot * eta)
						if !near(b, v+c.GammaDot*eta, big, 1e-12) {
							t.Errorf("%s, %+v at %g: b = %v, v + γ̇η = %v", i, g, at, b, v+c.GammaDot*eta)
						}
						if !near(s, -eta/c.Gamma, math.Abs(s), 1e-12) {
							t.Errorf("%s, %+v at %g: s = %v, -η/γ = %v", i, g, at, s, -eta/c.Gamma)
						}
					}
					if i.Kind() == TwoSided {
						if w := c.AlphaDot*eta0 + c.BetaDot*eta1; !near(v, w, 10, 1e-12) {
							t.Errorf("%s, %+v at %g: v = %v, α̇η0 + β̇η1 = %v", i, g, at, v, w)
						}
					}
					if y := c.Alpha*eta0 + c.Beta*eta1 + c.Gamma*eta; !near(x, y, 10, 1e-12) {
						t.Errorf("%s, %+v at %g: x = %v, αη0 + βη1 + γη = %v", i, g, at, x, y)
					}
				}
			}
		}
	}
}

// b is half the logarithmic derivative of the variance: dS/dt by differences.
func TestGaussianDriftMovesMoments(t *testing.T) {
	for _, i := range family(t) {
		for _, g := range joints {
			for _, at := range []float64{0.1, 0.31, 0.62, 0.9} {
				const h = 1e-5
				m0, v0 := g.Moments(i.At(at - h))
				m1, v1 := g.Moments(i.At(at + h))
				m, v := g.Moments(i.At(at))
				slope, offset := g.Drift(i.At(at))
				if got := (v1 - v0) / (2 * h) / (2 * v); !near(got, slope, 1, 1e-7) {
					t.Errorf("%s at %g: slope %v, Ṡ/2S %v", i, at, slope, got)
				}
				if got := (m1 - m0) / (2 * h); !near(got, slope*m+offset, 1, 1e-7) {
					t.Errorf("%s at %g: drift of the mean %v, μ̇ %v", i, at, slope*m+offset, got)
				}
			}
		}
	}
}

// Every parametrisation gives back the same v, η, b, s and η1, and the same drift
// for any ε, in both directions, to rounding.
func TestHeadsAgree(t *testing.T) {
	for _, i := range family(t) {
		for h := range Heads(len(headNames)) {
			if !usable(i, h) {
				continue
			}
			for _, g := range joints {
				for _, at := range inside() {
					c := i.At(at)
					vs, vo, es, eo := g.Affine(c)
					bs, bo := g.Drift(c)
					ss, so := g.GradLogP(c)
					_, _, es1, eo1 := g.Conditional(c)
					x := 0.9
					v, eta, b, s := vs*x+vo, es*x+eo, bs*x+bo, ss*x+so
					h1, h2 := h.Outputs(c, v, eta, x)
					type form struct {
						name string
						mix  Mix
						want float64
					}
					forms := []form{{"v", h.Velocity(c), v}, {"b", h.Drift(c, 0), b}}
					if !c.withoutEnd() {
						forms = append(forms, form{"η1", h.End(c), es1*x + eo1})
					}
					if c.Gamma > 0 {
						forms = append(forms, form{"η", h.Denoiser(c), eta}, form{"s", h.GradLogP(c), s},
							form{"b + 0.8 s", h.Drift(c, 0.8), b + 0.8*s}, form{"b - 0.8 s", h.Drift(c, -0.8), b - 0.8*s})
					}
					for _, f := range forms {
						// The terms may be large and cancel; rounding is relative to them, and
						// to the terms behind an output that was itself a difference over γ or αβ̇ - α̇β.
						size := math.Abs(f.mix.H1*h1) + math.Abs(f.mix.H2*h2) + math.Abs(f.mix.X*x)
						size = max(size, math.Abs(f.mix.H1)*4, math.Abs(f.mix.H2)*4)
						if got := f.mix.Of(h1, h2, x); !near(got, f.want, size, 1e-12) {
							t.Errorf("%s, heads %s at %g: %s = %v, want %v", i, h, at, f.name, got, f.want)
						}
					}
				}
			}
		}
	}
}

// The regression of each target on x_t is the field that the head stands for:
// targets are linear in (x0, x1, z), so the regression line is cov(y, x)/var(x).
func TestTargetsRegressToFields(t *testing.T) {
	for _, i := range family(t) {
		for h := range Heads(len(headNames)) {
			if !usable(i, h) {
				continue
			}
			for _, g := range joints {
				for _, at := range []float64{0.05, 0.3, 0.5, 0.77, 0.96} {
					c := i.At(at)
					// Unit responses of x and of the two targets.
					unit := [3][3]float64{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}
					var x, y1, y2 [3]float64
					for j, u := range unit {
						x[j] = c.X(u[0], u[1], u[2])
						y1[j], y2[j] = h.Targets(c, u[0], u[1], u[2])
					}
					cross := g.R * g.S0 * g.S1
					cov := [3][3]float64{{g.S0 * g.S0, cross, 0}, {cross, g.S1 * g.S1, 0}, {0, 0, 1}}
					covariance := func(p, q [3]float64) float64 {
						sum := 0.0
						for a := range 3 {
							for b := range 3 {
								sum += p[a] * cov[a][b] * q[b]
							}
						}
						return sum
					}
					vs, vo, es, eo := g.Affine(c)
					at0, bt0 := h.Outputs(c, vo, eo, 0)
					at1, bt1 := h.Outputs(c, vs+vo, es+eo, 1)
					variance := covariance(x, x)
					for _, o := range []struct {
						name       string
						got, slope float64
					}{{"first", at1 - at0, covariance(y1, x) / variance}, {"second", bt1 - bt0, covariance(y2, x) / variance}} {
						// An endpoint that takes no part in x_t is not needed and given as 0.
						if h == StartEnd && (o.name == "first" && c.withoutStart() || o.name == "second" && c.withoutEnd()) {
							continue
						}
						if !near(o.got, o.slope, math.Abs(o.slope), 1e-11) {
							t.Errorf("%s, heads %s at %g: %s output has slope %v, regression of its target %v", i, h, at, o.name, o.got, o.slope)
						}
					}
				}
			}
		}
	}
}

// Coefficients of drift, denoising and their ends stay finite on a grid down to
// 1e-6 from both ends, for every process that Validate accepts.
func TestFiniteInside(t *testing.T) {
	for _, i := range family(t) {
		for h := range Heads(len(headNames)) {
			for _, name := range Diffusions() {
				d, err := NewDiffusion(name, 0.5)
				if err != nil {
					t.Fatal(err)
				}
				p := Process{i, h, d}
				if p.Validate() != nil {
					continue
				}
				for _, at := range inside() {
					forms := []Mix{p.Drift(at), p.Backward(at), p.ODE(at), {X: p.Eps(at)}}
					if !i.At(at).withoutEnd() {
						forms = append(forms, p.End(at))
					}
					for _, m := range forms {
						if v := m.H1 + m.H2 + m.X; v-v != 0 {
							t.Errorf("%s, heads %s, diffusion %s at %g: %+v", i, h, d, at, m)
						}
					}
				}
			}
		}
	}
}

func TestParseHeads(t *testing.T) {
	for i, n := range HeadNames() {
		if h, err := ParseHeads(n); err != nil || h != Heads(i) || h.String() != n {
			t.Errorf("%s: %v, %v", n, h, err)
		}
	}
	if _, err := ParseHeads("v-z"); err == nil {
		t.Error("v-z was accepted")
	}
}

// The loss is least at the target and its antithetic mean keeps a finite variance
// where single targets diverge: Brownian γ close to t = 0, a drift head that is
// smooth in x.
func TestLosses(t *testing.T) {
	const y, h = 1.3, 1e-6
	if slope := (Loss(0.4+h, y) - Loss(0.4-h, y)) / (2 * h); math.Abs(slope-(0.4-y)) > 1e-9 {
		t.Errorf("gradient %v, want ĥ - y = %v", slope, 0.4-y)
	}
	i, err := New("linear", "brownian", 1)
	if err != nil {
		t.Fatal(err)
	}
	b := func(x float64) float64 { return 0.2 + 0.7*x }
	size := func(at float64, pair bool) float64 {
		c := i.At(at)
		const x0, x1, z = 0.5, -0.3, 1.2
		plus, minus := c.Pair(x0, x1, z)
		yp, _ := DriftDenoiser.Targets(c, x0, x1, z)
		ym, _ := DriftDenoiser.Targets(c, x0, x1, -z)
		if pair {
			return math.Abs(PairLoss(b(plus), yp, b(minus), ym))
		}
		return math.Abs(Loss(b(plus), yp))
	}
	if single := size(1e-10, false); single < 1e4 {
		t.Errorf("the single loss is %v; expected to diverge like γ̇", single)
	}
	if pair := size(1e-10, true); pair > 2 {
		t.Errorf("the antithetic loss is %v; expected to stay bounded", pair)
	}
}

// Weighted by Weights the latent's part of each target has a variance of at most
// 1 at any t: γ̇²/(1 + γ̇²) for b and γ²/γ² for s; other heads are left alone.
func TestWeights(t *testing.T) {
	for _, i := range family(t) {
		for h := range Heads(len(headNames)) {
			if !usable(i, h) || i.Deterministic() {
				continue
			}
			for _, at := range inside() {
				c := i.At(at)
				w1, w2 := h.Weights(c)
				y1, y2 := h.Targets(c, 0, 0, 1)
				if w1 <= 0 || w2 <= 0 || w1*y1*y1 > 1+1e-12 || w2*y2*y2 > 1+1e-12 {
					t.Errorf("%s, heads %s at %g: weights %v, %v on targets %v, %v", i, h, at, w1, w2, y1, y2)
				}
				if h == VelocityDenoiser && (w1 != 1 || w2 != 1) {
					t.Errorf("heads %s: weights %v, %v, want 1", h, w1, w2)
				}
			}
		}
	}
}

// Sampling starts from x0 on two-sided paths and from γ(0) z on one-sided ones.
func TestStart(t *testing.T) {
	for _, i := range family(t) {
		want := 2.0
		if i.Kind() == OneSided {
			want = 3 * i.At(0).Gamma
		}
		if got := i.Start(2, 3); got != want {
			t.Errorf("%s: starts from %v, want %v", i, got, want)
		}
	}
}
