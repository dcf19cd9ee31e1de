package interpolant

import (
	"fmt"
	"math"
)

// Path gives the coefficients of an interpolant at each time.
type Path interface {
	// At returns the coefficients at t in [0, 1].
	At(t float64) Coefficients
	// Kind says which of x0, x1 and z take part.
	Kind() Kind
}

// Kind says which variables a path joins.
type Kind int

const (
	TwoSided Kind = iota // from x0 to x1, with or without latent z
	OneSided             // from z to x1: α ≡ 0, γ(0) = 1 ([SI] section 3.2)
	Mirror               // from x1 to x1: α ≡ 0, β ≡ 1 ([SI] section 3.3)
)

// paths lists the paths by configuration name. Those with own scale ignore a
// separate γ and must be given none.
var paths = []struct {
	name     string
	ownScale bool
	make     func(g Gamma) (Path, error)
}{
	{"linear", false, func(g Gamma) (Path, error) { return Linear{g}, nil }},
	{"trigonometric", false, newTrigonometric},
	{"encoding-decoding", true, func(Gamma) (Path, error) { return EncodingDecoding{}, nil }},
	{"one-sided-linear", true, func(Gamma) (Path, error) { return OneSidedLinear{}, nil }},
	{"one-sided-trigonometric", true, func(Gamma) (Path, error) { return OneSidedTrigonometric{}, nil }},
	{"vp", true, func(Gamma) (Path, error) { return VariancePreserving{}, nil }},
	{"mirror", false, func(g Gamma) (Path, error) { return Reflection{g}, nil }},
}

// Linear is α = 1-t, β = t.
type Linear struct{ Latent Gamma }

// At implements [Path].
func (p Linear) At(t float64) Coefficients {
	c := Coefficients{T: t, Alpha: 1 - t, Beta: t, AlphaDot: -1, BetaDot: 1}
	c.Gamma, c.GammaDot, c.GammaGammaDot = p.Latent.At(t)
	return c
}

// Kind implements [Path].
func (Linear) Kind() Kind { return TwoSided }

// Trigonometric is α = √(1-γ²) cos(πt/2), β = √(1-γ²) sin(πt/2), so that
// α² + β² + γ² = 1 ([SI] section 4.2). It needs γ < 1.
type Trigonometric struct{ Latent Gamma }

func newTrigonometric(g Gamma) (Path, error) {
	if m := g.Max(); m >= 1 {
		return nil, fmt.Errorf("the trigonometric path needs gamma < 1 everywhere, but it reaches %.3g; choose a smaller amplitude", m)
	}
	return Trigonometric{g}, nil
}

// At implements [Path].
func (p Trigonometric) At(t float64) Coefficients {
	cos, sin := quarter(t)
	c := Coefficients{T: t}
	c.Gamma, c.GammaDot, c.GammaGammaDot = p.Latent.At(t)
	k := math.Sqrt(1 - c.Gamma*c.Gamma)
	kDot := -c.GammaGammaDot / k
	c.Alpha, c.Beta = k*cos, k*sin
	c.AlphaDot = kDot*cos - k*math.Pi/2*sin
	c.BetaDot = kDot*sin + k*math.Pi/2*cos
	return c
}

// Kind implements [Path].
func (Trigonometric) Kind() Kind { return TwoSided }

// EncodingDecoding is γ = sin²(πt), with α = cos²(πt) up to t = ½ and β = cos²(πt)
// from there on: x0 is turned into noise, then the noise into x1 ([SI] section 4.2).
// At t = ½ nothing is left of x0, so the pairing of x0 and x1 is lost.
type EncodingDecoding struct{}

// At implements [Path].
func (EncodingDecoding) At(t float64) Coefficients {
	c := Coefficients{T: t}
	s, dot, rest := sinSquared(t)
	c.Gamma, c.GammaDot, c.GammaGammaDot = s, dot, s*dot
	if t <= 0.5 {
		c.Alpha, c.AlphaDot = rest, -dot
	} else {
		c.Beta, c.BetaDot = rest, -dot
	}
	return c
}

// Kind implements [Path].
func (EncodingDecoding) Kind() Kind { return TwoSided }

// Reflection is the mirror path x_t = x1 + γ(t) z, whose start and end have the
// same law; b = γ̇ η, so only the denoiser is learned.
type Reflection struct{ Latent Gamma }

// At implements [Path].
func (p Reflection) At(t float64) Coefficients {
	c := Coefficients{T: t, Beta: 1}
	c.Gamma, c.GammaDot, c.GammaGammaDot = p.Latent.At(t)
	return c
}

// Kind implements [Path].
func (Reflection) Kind() Kind { return Mirror }
