package interpolant

import (
	"fmt"
	"math"
	"strings"
)

// Diffusion is ε(t) of the SDE dX = (b + ε s) dt + √(2ε) dW. Every ε ≥ 0 gives the
// same law of X_t; 0 is the ODE. Build it with [NewDiffusion].
type Diffusion struct {
	name  string
	scale float64
	form  func(c Coefficients) float64
}

// diffusions lists the forms of ε/scale by configuration name. Those called sit-
// follow [SiT], whose w is twice our ε. t runs from noise to data, as in the program of
// that paper; in its text t runs the other way.
var diffusions = []struct {
	name string
	form func(c Coefficients) float64
}{
	{"zero", func(Coefficients) float64 { return 0 }},
	{"constant", func(Coefficients) float64 { return 1 }},
	// ε = scale·γ keeps (γγ̇ - ε)/γ = γ̇ - scale finite wherever γ̇ is.
	{"gamma", func(c Coefficients) float64 { return c.Gamma }},
	{"sit-constant", halved(func(Coefficients) float64 { return 1 })},
	{"sit-sbdm", halved(func(c Coefficients) float64 { return 2 * (c.Gamma*c.Gamma*c.BetaDot/c.Beta - c.GammaGammaDot) })},
	{"sit-sigma", halved(func(c Coefficients) float64 { return c.Gamma })},
	{"sit-linear", halved(func(c Coefficients) float64 { return 1 - c.T })},
	{"sit-decreasing", halved(func(c Coefficients) float64 { w := math.Cos(math.Pi*c.T) + 1; return w * w / 4 })},
	{"sit-increasing-decreasing", halved(func(c Coefficients) float64 { w, _, _ := sinSquared(c.T); return w })},
}

// halved turns the w of [SiT], noise variance per unit time, into ε = w/2.
func halved(w func(c Coefficients) float64) func(c Coefficients) float64 {
	return func(c Coefficients) float64 { return w(c) / 2 }
}

// NewDiffusion builds ε(t) from its configuration name and a scale ≥ 0:
//
//	zero                       0                  sit-sigma                  ½ scale γ
//	constant                   scale              sit-linear                 ½ scale (1-t)
//	gamma                      scale γ            sit-decreasing             ½ scale ((cos πt + 1)/2)²
//	sit-constant               ½ scale            sit-increasing-decreasing  ½ scale sin²(πt)
//	sit-sbdm                   scale (γ² β̇/β - γγ̇)
//
// The sit- forms take scale to be the factor of the paper's w; the "diffusion" of
// the paper's published program is ε itself, so its norm is half our scale.
// sit-sbdm with scale 1 is the reverse SDE of score-based diffusion models; on
// the VP path it is half the diffusion's rate, on the linear path with Brownian γ
// of amplitude a the constant a/2. Unknown names give an error that lists the known ones.
func NewDiffusion(name string, scale float64) (Diffusion, error) {
	for _, d := range diffusions {
		if d.name != name {
			continue
		}
		if !(scale >= 0) || math.IsInf(scale, 0) {
			return Diffusion{}, fmt.Errorf("epsilon %q needs a scale of zero or more, not %g", name, scale)
		}
		if name == "zero" {
			scale = 0
		}
		return Diffusion{name, scale, d.form}, nil
	}
	return Diffusion{}, fmt.Errorf("unknown epsilon %q; known are %s", name, strings.Join(Diffusions(), ", "))
}

// Diffusions lists the names that [NewDiffusion] knows.
func Diffusions() []string {
	var names []string
	for _, d := range diffusions {
		names = append(names, d.name)
	}
	return names
}

// Eps returns ε at the time of c. The zero Diffusion is the ODE.
func (d Diffusion) Eps(c Coefficients) float64 {
	if d.scale == 0 {
		return 0
	}
	return d.scale * d.form(c)
}

// Zero reports whether ε ≡ 0.
func (d Diffusion) Zero() bool { return d.scale == 0 }

// String returns the name and scale.
func (d Diffusion) String() string {
	if d.Zero() {
		return "zero"
	}
	return fmt.Sprintf("%s %g", d.name, d.scale)
}
