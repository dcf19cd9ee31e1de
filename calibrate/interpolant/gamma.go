package interpolant

import "math"

// Gamma is a latent scale γ with γ(0) = γ(1) = 0.
type Gamma interface {
	// At returns γ, γ̇ and γγ̇ at t in [0, 1]; γ̇ may be infinite at the ends, γγ̇ is not.
	At(t float64) (gamma, dot, product float64)
	// Max is the largest γ.
	Max() float64
}

// gammas lists the latent scales by configuration name; a is the amplitude.
var gammas = []struct {
	name string
	make func(a float64) Gamma
}{
	{"brownian", func(a float64) Gamma { return Brownian{a} }},
	{"quadratic", func(a float64) Gamma { return Quadratic{a} }},
	{"sine", func(a float64) Gamma { return Sine{a} }},
	{"zero", func(float64) Gamma { return Zero{} }},
}

// Brownian is γ = √(a t(1-t)), the sd of a Brownian bridge of variance rate a.
type Brownian struct{ A float64 }

// At implements [Gamma]: γγ̇ = a(1-2t)/2.
func (g Brownian) At(t float64) (gamma, dot, product float64) {
	gamma = math.Sqrt(g.A * t * (1 - t))
	product = g.A * (1 - 2*t) / 2
	return gamma, product / gamma, product
}

// Max implements [Gamma].
func (g Brownian) Max() float64 { return math.Sqrt(g.A) / 2 }

// Quadratic is γ = a t(1-t), with bounded γ̇.
type Quadratic struct{ A float64 }

// At implements [Gamma].
func (g Quadratic) At(t float64) (gamma, dot, product float64) {
	gamma = g.A * t * (1 - t)
	dot = g.A * (1 - 2*t)
	return gamma, dot, gamma * dot
}

// Max implements [Gamma].
func (g Quadratic) Max() float64 { return g.A / 4 }

// Sine is γ = a sin²(πt), with γ̇ = 0 at both ends.
type Sine struct{ A float64 }

// At implements [Gamma].
func (g Sine) At(t float64) (gamma, dot, product float64) {
	s, d, _ := sinSquared(t)
	return g.A * s, g.A * d, g.A * g.A * s * d
}

// Max implements [Gamma].
func (g Sine) Max() float64 { return g.A }

// Zero is γ ≡ 0: a deterministic bridge without latent, for the ODE only.
type Zero struct{}

// At implements [Gamma].
func (Zero) At(float64) (gamma, dot, product float64) { return 0, 0, 0 }

// Max implements [Gamma].
func (Zero) Max() float64 { return 0 }
