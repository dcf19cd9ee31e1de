package interpolant

import (
	"math"
	"strings"
	"testing"
)

// family is every path with every latent scale.
func family(t *testing.T) []Interpolant {
	t.Helper()
	var all []Interpolant
	for _, p := range paths {
		scales := Gammas()
		if p.ownScale {
			scales = []string{""}
		}
		for _, g := range scales {
			i, err := New(p.name, g, 0.7)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, i)
		}
	}
	return all
}

// inside are times from 1e-6 of one end to 1e-6 of the other.
func inside() []float64 {
	ts := []float64{1e-6, 1e-5, 1e-4, 1e-3, 0.5, 1 - 1e-3, 1 - 1e-4, 1 - 1e-5, 1 - 1e-6}
	for k := 1; k < 50; k++ {
		ts = append(ts, float64(k)/50+0.003)
	}
	return ts
}

// near reports whether a and b agree to tol of the larger of scale and 1.
func near(a, b, scale, tol float64) bool { return math.Abs(a-b) <= tol*max(1, scale) }

// At the ends a path is x0 (or z, or x1 on a mirror) and x1, exactly. VP keeps
// β(0) = exp(-19.9/4 - 0.05), worked by hand.
func TestEnds(t *testing.T) {
	for _, i := range family(t) {
		first := Coefficients{Alpha: 1}
		switch {
		case i.String() == "vp":
			first = Coefficients{Beta: math.Exp(-5.025), Gamma: math.Sqrt(1 - math.Exp(-10.05))}
		case i.Kind() == OneSided:
			first = Coefficients{Gamma: 1}
		case i.Kind() == Mirror:
			first = Coefficients{Beta: 1}
		}
		for _, c := range []struct {
			t    float64
			want Coefficients
		}{{0, first}, {1, Coefficients{Beta: 1}}} {
			got := i.At(c.t)
			if !near(got.Alpha, c.want.Alpha, 1, 1e-15) || !near(got.Beta, c.want.Beta, 1, 1e-15) || !near(got.Gamma, c.want.Gamma, 1, 1e-15) {
				t.Errorf("%s at %g: α, β, γ = %v, %v, %v", i, c.t, got.Alpha, got.Beta, got.Gamma)
			}
			if v := got.GammaGammaDot; math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%s at %g: γγ̇ = %v", i, c.t, v)
			}
		}
		if i.At(1).Alpha != 0 || i.At(1).Gamma != 0 {
			t.Errorf("%s: something of x0 or z is left at t = 1", i)
		}
	}
}

// Derivatives agree with central differences, and γγ̇ with the product, at all
// times where the difference is meaningful.
func TestDerivatives(t *testing.T) {
	for _, i := range family(t) {
		for _, at := range inside() {
			h := 1e-4 * min(at, 1-at)
			if math.Abs(at-0.5) < h { // the encoding-decoding path has a kink in α̈ there
				continue
			}
			a, b, c := i.At(at-h), i.At(at+h), i.At(at)
			for _, d := range []struct {
				name                 string
				before, after, slope float64
			}{
				{"α", a.Alpha, b.Alpha, c.AlphaDot},
				{"β", a.Beta, b.Beta, c.BetaDot},
				{"γ", a.Gamma, b.Gamma, c.GammaDot},
				{"γ²/2", a.Gamma * a.Gamma / 2, b.Gamma * b.Gamma / 2, c.GammaGammaDot},
			} {
				// Truncation 1e-8 of the local scale, rounding 1e-16/h.
				tol := 1e-6*(1+math.Abs(d.slope)) + 1e-15/h
				if got := (d.after - d.before) / (2 * h); math.Abs(got-d.slope) > tol {
					t.Errorf("%s at %g: d%s/dt = %v, difference quotient %v", i, at, d.name, d.slope, got)
				}
			}
			if !near(c.GammaGammaDot, c.Gamma*c.GammaDot, math.Abs(c.GammaGammaDot), 1e-12) {
				t.Errorf("%s at %g: γγ̇ = %v, product %v", i, at, c.GammaGammaDot, c.Gamma*c.GammaDot)
			}
		}
	}
}

// Values worked by hand at t = ¼.
func TestValues(t *testing.T) {
	for _, c := range []struct {
		path, gamma         string
		a                   float64
		alpha, beta, gamma_ float64
	}{
		{"linear", "brownian", 2, 0.75, 0.25, math.Sqrt(2 * 3. / 16)},
		{"linear", "quadratic", 2, 0.75, 0.25, 2 * 3. / 16},
		{"linear", "sine", 0.5, 0.75, 0.25, 0.25},
		{"linear", "zero", 0, 0.75, 0.25, 0},
		{"trigonometric", "sine", 0.5, math.Sqrt(15./16) * math.Cos(math.Pi/8), math.Sqrt(15./16) * math.Sin(math.Pi/8), 0.25},
		{"encoding-decoding", "", 0, 0.5, 0, 0.5},
		{"one-sided-linear", "", 0, 0, 0.25, 0.75},
		{"one-sided-trigonometric", "", 0, 0, math.Sin(math.Pi / 8), math.Cos(math.Pi / 8)},
		{"vp", "", 0, 0, math.Exp(-0.5625*19.9/4 - 0.0375), math.Sqrt(1 - math.Exp(-0.5625*19.9/2-0.075))},
		{"mirror", "quadratic", 1, 0, 1, 3. / 16},
	} {
		i, err := New(c.path, c.gamma, c.a)
		if err != nil {
			t.Fatal(err)
		}
		got := i.At(0.25)
		if !near(got.Alpha, c.alpha, 1, 1e-14) || !near(got.Beta, c.beta, 1, 1e-14) || !near(got.Gamma, c.gamma_, 1, 1e-14) {
			t.Errorf("%s: α, β, γ = %v, %v, %v, want %v, %v, %v", i, got.Alpha, got.Beta, got.Gamma, c.alpha, c.beta, c.gamma_)
		}
		if x := i.X(0.25, 2, -3, 0.5); !near(x, 2*c.alpha-3*c.beta+0.5*c.gamma_, 1, 1e-14) {
			t.Errorf("%s: x_t = %v", i, x)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		path, gamma string
		a           float64
		want        []string // words of the message
	}{
		{"linaer", "zero", 0, []string{`"linaer"`, "linear", "mirror", "vp"}},
		{"linear", "brown", 1, []string{`"brown"`, "brownian", "quadratic", "sine", "zero"}},
		{"linear", "brownian", 0, []string{"positive amplitude", "zero"}},
		{"linear", "quadratic", math.NaN(), []string{"positive amplitude"}},
		{"trigonometric", "brownian", 4, []string{"gamma < 1", "smaller amplitude"}},
		{"vp", "brownian", 1, []string{"own latent scale", "set gamma none"}},
	} {
		_, err := New(c.path, c.gamma, c.a)
		if err == nil {
			t.Errorf("%s, %s, %g: accepted", c.path, c.gamma, c.a)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s, %s, %g: %q does not say %q", c.path, c.gamma, c.a, err, w)
			}
		}
	}
}
