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
			return fmt.Errorf("%s with diffusion %s: without a latent there is no denoiser, so no SDE; set diffusion zero for the ODE, or choose a gamma such as quadratic", i, p.Diffusion)
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
			return fmt.Errorf("%s with diffusion %s: epsilon is %g at t = %g; use diffusion gamma or constant", i, p.Diffusion, e, t)
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
	for _, t := range [...]float64{first, last} {
		m := p.Drift(t)
		for _, v := range [...]float64{m.H1, m.H2, m.X, p.Eps(t)} {
			if math.IsInf(v, 0) || math.IsNaN(v) {
				return fmt.Errorf("%s, heads %s, diffusion %s: the drift is singular at t = %g; clip the time grid, use diffusion gamma with gamma quadratic, or a solver that integrates the coefficients (ddim, exponential)",
					p.Interpolant, p.Heads, p.Diffusion, t)
			}
		}
	}
	return nil
}
