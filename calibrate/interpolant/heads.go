package interpolant

import (
	"fmt"
	"strings"
)

// Heads says which two fields a model predicts. All choices describe the same
// process; they differ in conditioning near t = 0 and 1. Velocity and denoiser
// have bounded targets for every γ and are the sensible default.
type Heads int

const (
	VelocityDenoiser Heads = iota // (v, η)
	DriftDenoiser                 // (b, η)
	DriftGradLogP                 // (b, s)
	VelocityGradLogP              // (v, s)
	StartEnd                      // (η0, η1)
	StartDenoiser                 // (η0, η); gives v through x, singular where β = 0
	EndDenoiser                   // (η1, η); gives v through x, singular where α = 0
)

// headNames are the configuration names, in the order of the constants.
var headNames = [...]string{"v-eta", "b-eta", "b-s", "v-s", "x0-x1", "x0-eta", "x1-eta"}

// ParseHeads finds heads by configuration name; an unknown one gives an error that lists the known.
func ParseHeads(name string) (Heads, error) {
	for i, n := range headNames {
		if n == name {
			return Heads(i), nil
		}
	}
	return 0, fmt.Errorf("unknown heads %q; known are %s", name, strings.Join(headNames[:], ", "))
}

// HeadNames lists the names that [ParseHeads] knows.
func HeadNames() []string { return append([]string(nil), headNames[:]...) }

// ends tells whether a head is x0 or x1.
func (h Heads) ends() bool { return h >= StartEnd }

// String returns the configuration name.
func (h Heads) String() string { return headNames[h] }

// Mix is the linear form H1 h1 + H2 h2 + X x in the outputs h1, h2 of the two
// heads and the position x.
type Mix struct{ H1, H2, X float64 }

// Of evaluates the form.
func (m Mix) Of(h1, h2, x float64) float64 { return m.H1*h1 + m.H2*h2 + m.X*x }

// Targets returns what each head regresses on: its conditional expectation given
// x_t is the field. For b and s with Brownian γ the targets have infinite
// variance at the ends; see [Heads.Weights].
func (h Heads) Targets(c Coefficients, x0, x1, z float64) (y1, y2 float64) {
	switch h {
	case DriftDenoiser:
		return c.Velocity(x0, x1) + c.GammaDot*z, z
	case DriftGradLogP:
		return c.Velocity(x0, x1) + c.GammaDot*z, -z / c.Gamma
	case VelocityGradLogP:
		return c.Velocity(x0, x1), -z / c.Gamma
	case StartEnd:
		return x0, x1
	case StartDenoiser:
		return x0, z
	case EndDenoiser:
		return x1, z
	default:
		return c.Velocity(x0, x1), z
	}
}

// Weights returns positive factors for the two losses that bound the variance
// contributed by z: 1/(1 + γ̇²) for b and γ² for s, else 1. A factor that depends
// on t alone does not move the minimiser.
func (h Heads) Weights(c Coefficients) (w1, w2 float64) {
	w1, w2 = 1, 1
	if h == DriftDenoiser || h == DriftGradLogP {
		w1 = 1 / (1 + c.GammaDot*c.GammaDot)
	}
	if h == DriftGradLogP || h == VelocityGradLogP {
		w2 = c.Gamma * c.Gamma
	}
	return w1, w2
}

// Outputs is the inverse of the conversions: what the heads must put out for a
// velocity v and a denoiser eta at x. It serves to state a known field, such as
// that of [Gaussian], in the terms of the heads. A head for an endpoint that takes
// no part in x_t has no such output and is given 0; its coefficient is 0 too.
func (h Heads) Outputs(c Coefficients, v, eta, x float64) (h1, h2 float64) {
	switch h {
	case DriftDenoiser:
		return v + c.GammaDot*eta, eta
	case DriftGradLogP:
		return v + c.GammaDot*eta, -eta / c.Gamma
	case VelocityGradLogP:
		return v, -eta / c.Gamma
	case StartEnd:
		return c.start(v, eta, x), c.end(v, eta, x)
	case StartDenoiser:
		return c.start(v, eta, x), eta
	case EndDenoiser:
		return c.end(v, eta, x), eta
	default:
		return v, eta
	}
}

// start is η0 = (β̇(x - γη) - βv)/(αβ̇ - α̇β), from x = αη0 + βη1 + γη and
// v = α̇η0 + β̇η1. Where there is no x1 the two equations have one unknown and their
// least-squares solution is good wherever one of α, α̇ is.
func (c Coefficients) start(v, eta, x float64) float64 {
	switch {
	case c.withoutStart():
		return 0
	case c.withoutEnd():
		return (c.Alpha*(x-c.Gamma*eta) + c.AlphaDot*v) / (c.Alpha*c.Alpha + c.AlphaDot*c.AlphaDot)
	}
	return (c.BetaDot*(x-c.Gamma*eta) - c.Beta*v) / c.wronskian()
}

// end is η1 = (αv - α̇(x - γη))/(αβ̇ - α̇β).
func (c Coefficients) end(v, eta, x float64) float64 {
	switch {
	case c.withoutEnd():
		return 0
	case c.withoutStart():
		return (c.Beta*(x-c.Gamma*eta) + c.BetaDot*v) / (c.Beta*c.Beta + c.BetaDot*c.BetaDot)
	}
	return (c.Alpha*v - c.AlphaDot*(x-c.Gamma*eta)) / c.wronskian()
}

// Velocity returns v as a form in the heads.
func (h Heads) Velocity(c Coefficients) Mix {
	switch h {
	case DriftDenoiser:
		return Mix{H1: 1, H2: -c.GammaDot}
	case DriftGradLogP:
		return Mix{H1: 1, H2: c.GammaGammaDot}
	case StartEnd:
		return Mix{H1: c.AlphaDot, H2: c.BetaDot}
	case StartDenoiser:
		if c.withoutEnd() {
			return Mix{H1: c.AlphaDot}
		}
		return Mix{H1: -c.wronskian() / c.Beta, H2: -c.Gamma * c.BetaDot / c.Beta, X: c.BetaDot / c.Beta}
	case EndDenoiser:
		if c.withoutStart() {
			return Mix{H1: c.BetaDot}
		}
		return Mix{H1: c.wronskian() / c.Alpha, H2: -c.Gamma * c.AlphaDot / c.Alpha, X: c.AlphaDot / c.Alpha}
	default:
		return Mix{H1: 1}
	}
}

// Denoiser returns η as a form in the heads.
func (h Heads) Denoiser(c Coefficients) Mix {
	switch h {
	case DriftGradLogP, VelocityGradLogP:
		return Mix{H2: -c.Gamma}
	case StartEnd:
		return Mix{H1: -c.Alpha / c.Gamma, H2: -c.Beta / c.Gamma, X: 1 / c.Gamma}
	default:
		return Mix{H2: 1}
	}
}

// Drift returns b + eps·s as a form in the heads; eps < 0 gives b - |eps| s, the
// drift of the SDE that runs backward in time. Each coefficient is one quotient in
// which γγ̇ appears in closed form, so that nothing large is subtracted from
// something large; it is finite for t inside (0, 1). For γ ≡ 0 eps must be 0.
func (h Heads) Drift(c Coefficients, eps float64) Mix {
	if c.Gamma == 0 && c.GammaGammaDot == 0 && eps == 0 {
		return h.Velocity(c) // γγ̇ = 0 = γ: there is no latent here
	}
	// b + εs = v + (γγ̇ - ε)/γ η
	k := c.GammaGammaDot - eps
	switch h {
	case DriftDenoiser:
		return Mix{H1: 1, H2: -eps / c.Gamma}
	case DriftGradLogP:
		return Mix{H1: 1, H2: eps}
	case VelocityGradLogP:
		return Mix{H1: 1, H2: -k}
	case StartEnd:
		k /= c.Gamma * c.Gamma
		return Mix{H1: c.AlphaDot - k*c.Alpha, H2: c.BetaDot - k*c.Beta, X: k}
	case StartDenoiser:
		if c.withoutEnd() {
			return Mix{H1: c.AlphaDot, H2: k / c.Gamma}
		}
		return Mix{H1: -c.wronskian() / c.Beta, H2: (k - c.Gamma*c.Gamma*c.BetaDot/c.Beta) / c.Gamma, X: c.BetaDot / c.Beta}
	case EndDenoiser:
		if c.withoutStart() {
			return Mix{H1: c.BetaDot, H2: k / c.Gamma}
		}
		return Mix{H1: c.wronskian() / c.Alpha, H2: (k - c.Gamma*c.Gamma*c.AlphaDot/c.Alpha) / c.Gamma, X: c.AlphaDot / c.Alpha}
	default:
		return Mix{H1: 1, H2: k / c.Gamma}
	}
}

// GradLogP returns s = -η/γ as a form in the heads.
func (h Heads) GradLogP(c Coefficients) Mix {
	switch h {
	case DriftGradLogP, VelocityGradLogP:
		return Mix{H2: 1}
	case StartEnd:
		g := c.Gamma * c.Gamma
		return Mix{H1: c.Alpha / g, H2: c.Beta / g, X: -1 / g}
	default:
		return Mix{H2: -1 / c.Gamma}
	}
}

// End returns η1 = E[x1 | x_t] as a form in the heads, the full denoising used by
// Tweedie's last step. It is NaN where x1 takes no part in x_t, on the first half
// of the encoding-decoding path.
func (h Heads) End(c Coefficients) Mix {
	switch h {
	case StartEnd:
		return Mix{H2: 1}
	case EndDenoiser:
		return Mix{H1: 1}
	}
	v, eta := h.Velocity(c), h.Denoiser(c)
	if c.withoutStart() {
		return v.combine(c.BetaDot, eta, -c.Beta*c.Gamma, c.Beta, c.Beta*c.Beta+c.BetaDot*c.BetaDot)
	}
	return v.combine(c.Alpha, eta, c.AlphaDot*c.Gamma, -c.AlphaDot, c.wronskian())
}

// combine returns, for m the form of v, (p v + q eta + r x)/d.
func (m Mix) combine(p float64, eta Mix, q, r, d float64) Mix {
	return Mix{(p*m.H1 + q*eta.H1) / d, (p*m.H2 + q*eta.H2) / d, (p*m.X + q*eta.X + r) / d}
}
