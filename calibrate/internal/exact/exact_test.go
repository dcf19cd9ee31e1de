package exact

import (
	"math"
	"testing"

	"sipipe/calibrate/interpolant"
)

func path(t *testing.T) interpolant.Interpolant {
	t.Helper()
	i, err := interpolant.New("linear", "quadratic", 1.5)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

var mixture = Mixture{
	{0.3, interpolant.Gaussian{M0: 0.5, S0: 0.6, M1: -1, S1: 0.4, R: 0.5}},
	{0.7, interpolant.Gaussian{M0: -0.2, S0: 1.1, M1: 0.9, S1: 0.7, R: -0.2}},
}

// The fields of a mixture satisfy the equation of continuity of its density,
// ∂ρ/∂t + ∂(bρ)/∂x = 0, and -η/γ is its gradient; by central differences.
func TestFieldsMoveTheDensity(t *testing.T) {
	i := path(t)
	const h = 1e-4
	flux := func(at, x float64) float64 {
		c := i.At(at)
		v, eta := mixture.Fields(c, x)
		return (v + c.GammaDot*eta) * math.Exp(mixture.LogDensity(c, x))
	}
	for _, at := range []float64{0.1, 0.35, 0.5, 0.8} {
		for _, x := range []float64{-2, -0.7, 0, 0.4, 1.5} {
			c := i.At(at)
			rate := (math.Exp(mixture.LogDensity(i.At(at+h), x)) - math.Exp(mixture.LogDensity(i.At(at-h), x))) / (2 * h)
			if out := (flux(at, x+h) - flux(at, x-h)) / (2 * h); math.Abs(rate+out) > 1e-6 {
				t.Errorf("t = %g, x = %g: ∂ρ/∂t = %v, ∂(bρ)/∂x = %v", at, x, rate, out)
			}
			_, eta := mixture.Fields(c, x)
			gradient := (mixture.LogDensity(c, x+h) - mixture.LogDensity(c, x-h)) / (2 * h)
			if math.Abs(gradient+eta/c.Gamma) > 1e-6 {
				t.Errorf("t = %g, x = %g: gradient %v, -η/γ = %v", at, x, gradient, -eta/c.Gamma)
			}
			if p := (mixture.CDF(c, x+h) - mixture.CDF(c, x-h)) / (2 * h); math.Abs(p-math.Exp(mixture.LogDensity(c, x))) > 1e-6 {
				t.Errorf("t = %g, x = %g: the density is not the derivative of the distribution function", at, x)
			}
		}
	}
	// Far out, where all densities vanish, the fields stay finite.
	if v, eta := mixture.Fields(i.At(0.5), 1e4); v-v != 0 || eta-eta != 0 {
		t.Errorf("fields far out: %v, %v", v, eta)
	}
}

// The matching Gaussian has the moments of x_t at every t.
func TestMatch(t *testing.T) {
	i, g := path(t), mixture.Match()
	for _, at := range []float64{0, 0.3, 0.5, 1} {
		m0, v0 := mixture.Moments(i.At(at))
		m1, v1 := g.Moments(i.At(at))
		if math.Abs(m0-m1) > 1e-14 || math.Abs(v0-v1) > 1e-14 {
			t.Errorf("t = %g: moments %v, %v and %v, %v", at, m0, v0, m1, v1)
		}
	}
}

// Stratified starts are quantiles; one value of a standard normal, its median 0,
// has the excess ∫ (1{x ≥ 0} - Φ)² dx = (√2 - 1)/√π, worked by hand, and the CRPS
// of the normal itself is 1/√π.
func TestExcess(t *testing.T) {
	c := path(t).At(0)
	normal := One(interpolant.Gaussian{S0: 1, S1: 1})
	x := []float64{math.NaN()}
	normal.Start(c, x)
	if math.Abs(x[0]) > 1e-12 {
		t.Errorf("the median is %v, want 0", x[0])
	}
	if got, want := normal.Excess(c, x), (math.Sqrt2-1)/math.Sqrt(math.Pi); math.Abs(got-want) > 1e-5 {
		t.Errorf("excess %v, want %v", got, want)
	}
	if got, want := normal.crps(c), 1/math.Sqrt(math.Pi); math.Abs(got-want) > 1e-5 {
		t.Errorf("CRPS of the normal %v, want %v", got, want)
	}
	many := make([]float64, 1000)
	normal.Start(c, many)
	if got := normal.Excess(c, many); got > 1e-5 {
		t.Errorf("1000 quantiles have the excess %v", got)
	}
}
