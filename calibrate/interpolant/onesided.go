package interpolant

import "math"

// OneSidedLinear is x_t = (1-t) z + t x1: flow matching from noise.
type OneSidedLinear struct{}

// At implements [Path].
func (OneSidedLinear) At(t float64) Coefficients {
	return Coefficients{T: t, Beta: t, BetaDot: 1, Gamma: 1 - t, GammaDot: -1, GammaGammaDot: t - 1}
}

// Kind implements [Path].
func (OneSidedLinear) Kind() Kind { return OneSided }

// OneSidedTrigonometric is x_t = cos(πt/2) z + sin(πt/2) x1.
type OneSidedTrigonometric struct{}

// At implements [Path].
func (OneSidedTrigonometric) At(t float64) Coefficients {
	cos, sin := quarter(t)
	return Coefficients{
		T: t, Beta: sin, BetaDot: math.Pi / 2 * cos,
		Gamma: cos, GammaDot: -math.Pi / 2 * sin, GammaGammaDot: -math.Pi / 2 * sin * cos,
	}
}

// Kind implements [Path].
func (OneSidedTrigonometric) Kind() Kind { return OneSided }

// Rates of the variance-preserving schedule ([SiT] section 2.3, after Song et al. 2021, appendix C).
const (
	vpMin = 0.1
	vpMax = 20
)

// VariancePreserving is the one-sided path of the VP diffusion run from noise to
// data, γ² + β² = 1. With u = 1-t the time of the diffusion,
//
//	log β = -u² (vpMax - vpMin)/4 - u vpMin/2
//
// The diffusion never quite forgets its data: β(0) = 0.0066 instead of 0.
type VariancePreserving struct{}

// logBeta returns log β and its derivative, half the rate of the diffusion.
func (VariancePreserving) logBeta(t float64) (value, dot float64) {
	u := 1 - t
	return -u * (u*(vpMax-vpMin)/4 + vpMin/2), u*(vpMax-vpMin)/2 + vpMin/2
}

// At implements [Path].
func (p VariancePreserving) At(t float64) Coefficients {
	l, dot := p.logBeta(t)
	c := Coefficients{T: t, Beta: math.Exp(l), Gamma: math.Sqrt(-math.Expm1(2 * l))}
	c.BetaDot = c.Beta * dot
	c.GammaGammaDot = -c.Beta * c.BetaDot
	c.GammaDot = c.GammaGammaDot / c.Gamma
	return c
}

// Kind implements [Path].
func (VariancePreserving) Kind() Kind { return OneSided }
