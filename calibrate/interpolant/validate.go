package interpolant

import (
	"fmt"
	"math"
)

// Validate refuses combinations that cannot work at all; the error gives the
// reason and a remedy. Whether the ends of the time grid are safe depends on the
// grid: see [Process.ValidateOn].
func (p Process) Validate() error {
	if p.Interpolant.Path == nil {
		return fmt.Errorf("no path; build the interpolant with New, for instance path linear with gamma quadratic")
	}
	if p.Heads < 0 || int(p.Heads) >= len(headNames) {
		return fmt.Errorf("unknown heads %d; known are %v", int(p.Heads), HeadNames())
	}
	i, h := p.Interpolant, p.Heads
	if i.Deterministic() {
		if !p.Diffusion.Zero() {
			return fmt.Errorf("%s with epsilon %s: without a latent there is no denoiser, so no SDE; set epsilon zero for the ODE, or choose a gamma such as quadratic", i, p.Diffusion)
		}
		if h == DriftGradLogP || h == VelocityGradLogP {
			return fmt.Errorf("%s with heads %s: without a latent the target of s is z/0; use heads v-eta", i, h)
		}
		if i.Kind() == Mirror {
			return fmt.Errorf("%s: a mirror without a latent never moves; choose a gamma such as quadratic", i)
		}
	}
	if i.Kind() != TwoSided && (h == StartEnd || h == StartDenoiser) {
		return fmt.Errorf("%s with heads %s: x0 takes no part in this path; use heads v-eta or x1-eta", i, h)
	}
	if _, ok := i.Path.(EncodingDecoding); ok && (h == StartDenoiser || h == EndDenoiser) {
		return fmt.Errorf("%s with heads %s: at t = 1/2 neither x0 nor x1 is left in x, so one cannot be found from the other; use heads v-eta", i, h)
	}
	const inside = 16
	for k := 1; k < inside; k++ {
		t := float64(k) / inside
		if e := p.Eps(t); !(e >= 0) || math.IsInf(e, 0) {
			return fmt.Errorf("%s with epsilon %s: epsilon is %g at t = %g; use epsilon gamma or constant", i, p.Diffusion, e, t)
		}
	}
	return nil
}

// ValidateOn refuses a process whose drift or ε is infinite at an end of the grid
// that a solver evaluates; first and last are the earliest and latest time evaluated.
func (p Process) ValidateOn(first, last float64) error {
	if err := p.Validate(); err != nil {
		return err
	}
	where, cut := "", ""
	switch atFirst, atLast := p.singular(first), p.singular(last); {
	case atFirst && atLast:
		where, cut = fmt.Sprintf("t = %g and t = %g", first, last), cutFirst+", "+cutLast
	case atFirst:
		where, cut = fmt.Sprintf("t = %g", first), cutFirst
	case atLast:
		where, cut = fmt.Sprintf("t = %g", last), cutLast
	default:
		return nil
	}
	advice := "set " + cut
	for _, h := range [...]Heads{VelocityDenoiser, VelocityGradLogP} {
		other := p
		if other.Heads = h; other.Validate() == nil && !other.singular(first) && !other.singular(last) {
			advice += fmt.Sprintf("; or heads %s, whose weights are finite there", h)
			break
		}
	}
	// With ε > 0 where the drift is singular it pulls without bound, and a solver that
	// keeps the fields over a step overshoots.
	// Heads of x0 and x1 have weights that grow as 1/t, which integrals do not tame.
	if !p.Heads.ends() && p.Eps(first) == 0 && p.Eps(last) == 0 {
		advice += "; or a solver that integrates the coefficients (exponential, ddim-heun)"
	}
	return fmt.Errorf("%s, heads %s, epsilon %s: the drift is singular at %s; %s", p.Interpolant, p.Heads, p.Diffusion, where, advice)
}

// How a time grid is cut in the configuration.
const (
	cutFirst = "first_time 0.001"
	cutLast  = "last_time 0.999 and last_step euler"
)

// singular tells whether the drift or ε is infinite at t.
func (p Process) singular(t float64) bool {
	m := p.Drift(t)
	for _, v := range [...]float64{m.H1, m.H2, m.X, p.Eps(t)} {
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return true
		}
	}
	return false
}

// ValidateWeights refuses a process in which the weight of a head in the drift
// grows faster than 1/t towards an end. Exact fields cancel there; the error of a
// learned one, however small, would be multiplied by a number without bound, also when
// a solver integrates the weights or the times stop close to the end. A weight that
// grows as 1/t costs the logarithm of the step and is let pass.
func (p Process) ValidateWeights() error {
	if t, steep := p.steep(6); steep { // 1/t² grows sixteenfold
		return fmt.Errorf("%s, heads %s, epsilon %s: the weight of a head grows without bound towards t = %g, and any error of a network with it; use heads v-s, whose weights are bounded, or epsilon zero",
			p.Interpolant, p.Heads, p.Diffusion, t)
	}
	return nil
}

// Caution names a weight of a head that grows as 1/t towards an end, or returns "". A
// sampler of exact fields does not suffer from it; networks' errors grow with it.
func (p Process) Caution() string {
	if t, steep := p.steep(3); steep { // 1/t grows fourfold
		return fmt.Sprintf("with heads %s and epsilon %s the weight of a head grows without bound towards t = %g, and errors of networks with it, which are not in this check; heads v-eta with epsilon zero or gamma have none that does",
			p.Heads, p.Diffusion, t)
	}
	return ""
}

// steep tells whether the weight of a head in the drift grows by more than the factor
// from 4δ to δ off an end, and which.
func (p Process) steep(factor float64) (t float64, steep bool) {
	for _, end := range [...]struct{ t, inward float64 }{{0, nearEnd}, {1, -nearEnd}} {
		near, far := p.forward(end.t+end.inward), p.forward(end.t+4*end.inward)
		for _, w := range [...][2]float64{{near.H1, far.H1}, {near.H2, far.H2}} {
			if math.Abs(w[0]) > 1 && math.Abs(w[0]) > factor*math.Abs(w[1]) {
				return end.t, true
			}
		}
	}
	return 0, false
}

// ValidateEps refuses an ε that grows as 1/t or faster towards the beginning of the
// times, where its integral, the noise added, has no bound.
func (p Process) ValidateEps(first float64) error {
	const near = 1e-9
	if first > 0 {
		return nil
	}
	if e := p.Eps(near) * near; e > 1e-3 || math.IsNaN(e) {
		return fmt.Errorf("%s with epsilon %s: it grows as 1/t towards t = 0, so the noise added has no bound; use epsilon gamma or sit-sigma, or set first_time 0.05", p.Interpolant, p.Diffusion)
	}
	return nil
}
