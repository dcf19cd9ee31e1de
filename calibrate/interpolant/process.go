package interpolant

import (
	"fmt"
	"math"
)

// Process is what a sampler integrates: an interpolant, the heads of the model
// that predicts its fields, and a diffusion.
type Process struct {
	Interpolant Interpolant
	Heads       Heads
	Diffusion   Diffusion
}

// Eps returns ε(t).
func (p Process) Eps(t float64) float64 { return p.Diffusion.Eps(p.Interpolant.At(t)) }

// Drift returns b + ε s at t in [0, 1] as a form in the heads. At t = 0 and 1
// exactly it is the limit, ±Inf where there is none; [Process.Validate] tells.
func (p Process) Drift(t float64) Mix { return p.atEnds(t, p.forward) }

// Backward returns b - ε s, the drift of the SDE that runs from t = 1 to 0.
func (p Process) Backward(t float64) Mix { return p.atEnds(t, p.backward) }

// ODE returns b, the drift of the probability-flow ODE.
func (p Process) ODE(t float64) Mix { return p.atEnds(t, p.flow) }

// End returns E[x1 | x_t] as a form in the heads.
func (p Process) End(t float64) Mix { return p.Heads.End(p.Interpolant.At(t)) }

func (p Process) forward(t float64) Mix {
	c := p.Interpolant.At(t)
	return p.Heads.Drift(c, p.Diffusion.Eps(c))
}

func (p Process) backward(t float64) Mix {
	c := p.Interpolant.At(t)
	return p.Heads.Drift(c, -p.Diffusion.Eps(c))
}

func (p Process) flow(t float64) Mix { return p.Heads.Drift(p.Interpolant.At(t), 0) }

// nearEnd is the distance from an end at which limits are taken: small against
// every step, large against rounding.
const nearEnd = 0x1p-40

// Inside moves t = 0 and 1 inward by next to nothing: where an output of a head
// is 0/0, as -η/γ is for γ = 0, the output there is its limit.
func Inside(t float64) float64 { return min(max(t, nearEnd), 1-nearEnd) }

// atEnds evaluates f, replacing the quotients 0/0 at t = 0 and 1 by their limits.
func (p Process) atEnds(t float64, f func(t float64) Mix) Mix {
	if t != 0 && t != 1 {
		return f(t)
	}
	inward := nearEnd
	if t == 1 {
		inward = -nearEnd
	}
	near, far := f(t+inward), f(t+4*inward)
	return Mix{limit(near.H1, far.H1), limit(near.H2, far.H2), limit(near.X, far.X)}
}

// limit extrapolates values at distances d and 4d from an end. Terms that diverge
// as d^-½ or faster at least double and have grown beyond 1; those that converge,
// as √d or faster, are extrapolated to within 2d.
func limit(near, far float64) float64 {
	if math.Abs(near) > 1 && math.Abs(near) > 1.5*math.Abs(far) {
		return math.Copysign(math.Inf(1), near)
	}
	return 2*near - far
}

// Increment returns the integrals of the coefficients of [Process.Drift] over
// [from, to]: the weights with which a solver advances x when the heads hardly
// change within the step. They are finite up to the ends whenever the coefficients
// grow no faster than t^-½ and (1-t)^-½, as all do with Brownian γ and heads
// (v, η). With zero diffusion and heads (v, η) they are (h, γ(to) - γ(from), 0):
// on the linear path the step is that of DDIM (Song, Meng and Ermon 2021, eq. 12).
func (p Process) Increment(from, to float64) Mix { return integrate(from, to, p.forward) }

// BackwardIncrement is [Process.Increment] for the SDE that runs backward; to < from.
func (p Process) BackwardIncrement(from, to float64) Mix { return integrate(from, to, p.backward) }

// Spread returns ∫ 2ε dt over [from, to] in either direction, the variance of the
// noise that the step adds.
func (p Process) Spread(from, to float64) float64 {
	return 2 * math.Abs(integrate(from, to, func(t float64) Mix { return Mix{X: p.Eps(t)} }).X)
}

// Transition returns the exact step of the process over [from, to] when x0 and x1
// have the joint law g: given x at from, the state at to is
//
//	scale·x + shift + sd·ξ,  ξ ~ N(0, 1)
//
// With y = (x - μ)/√S the SDE is dy = -(ε/S) y dt + √(2ε/S) dW, so with τ = ∫ ε/S dt
// scale = e^-τ √(S(to)/S(from)) and sd² = S(to)(1 - e^-2τ). It holds in both
// directions of time and has no singularity, whatever γ and ε.
func (p Process) Transition(g Gaussian, from, to float64) (scale, shift, sd float64) {
	mean0, variance0 := g.Moments(p.Interpolant.At(from))
	mean1, variance1 := g.Moments(p.Interpolant.At(to))
	tau := 0.0
	if !p.Diffusion.Zero() {
		tau = math.Abs(integrate(from, to, func(t float64) Mix {
			c := p.Interpolant.At(t)
			_, variance := g.Moments(c)
			return Mix{X: p.Diffusion.Eps(c) / variance}
		}).X)
	}
	scale = math.Exp(-tau) * math.Sqrt(variance1/variance0)
	return scale, mean1 - scale*mean0, math.Sqrt(variance1 * -math.Expm1(-2*tau))
}

// Enter returns the factor by which the ODE has multiplied deviations from the mean
// when it comes from 0 to the time first, if x0 and x1 have the joint law g: where a
// grid begins that leaves out a singular t = 0.
func (p Process) Enter(g Gaussian, first float64) float64 {
	_, variance0 := g.Moments(p.Interpolant.At(0))
	_, variance1 := g.Moments(p.Interpolant.At(first))
	return math.Sqrt(variance1 / variance0)
}

// Rewind returns a step back in time that only adds noise, for [EDM]'s churn
// (Karras et al. 2022, algorithm 2, arXiv 2206.00364): the earlier time back at
// which γ/β is 1 + growth times that at t, and the map
//
//	x at back = scale·x + sd·ξ,  ξ ~ N(0, 1)
//
// that has the law of x_back exactly. Only one-sided paths have one: noise alone
// cannot bring x0 back. At t = 0, or when γ/β cannot grow so far, it stays at t.
func (p Process) Rewind(t, growth float64) (back, scale, sd float64, err error) {
	if p.Interpolant.Kind() != OneSided {
		return 0, 0, 0, fmt.Errorf("%s: churn needs a one-sided path; set churn 0, or path one-sided-linear and gamma none", p.Interpolant)
	}
	c := p.Interpolant.At(t)
	first := p.Interpolant.At(0)
	// γ/β falls with t; compare products, since β may be 0.
	noisier := func(d Coefficients) bool { return d.Gamma*c.Beta >= (1+growth)*c.Gamma*d.Beta }
	if growth <= 0 || t <= 0 || !noisier(first) || c.Gamma == 0 {
		return t, 1, 0, nil
	}
	lo, hi := 0.0, t
	for range 60 { // bisection to rounding
		if mid := (lo + hi) / 2; noisier(p.Interpolant.At(mid)) {
			lo = mid
		} else {
			hi = mid
		}
	}
	d := p.Interpolant.At(lo)
	scale = d.Beta / c.Beta
	return lo, scale, math.Sqrt(max(0, d.Gamma*d.Gamma-scale*scale*c.Gamma*c.Gamma)), nil
}
