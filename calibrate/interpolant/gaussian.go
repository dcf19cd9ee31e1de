package interpolant

import "math"

// Gaussian describes scalar endpoints that are jointly Gaussian, x0 ~ N(M0, S0²)
// and x1 ~ N(M1, S1²) with correlation R, for which every field is affine in x.
// On one-sided and mirror paths M0, S0 and R drop out, since α ≡ 0.
type Gaussian struct {
	M0, S0 float64
	M1, S1 float64
	R      float64
}

// Moments returns the mean and variance of x_t,
//
//	μ = α m0 + β m1,   S = α² s0² + β² s1² + 2αβ r s0 s1 + γ²
func (g Gaussian) Moments(c Coefficients) (mean, variance float64) {
	p, q := c.Alpha*g.S0, c.Beta*g.S1
	return c.Alpha*g.M0 + c.Beta*g.M1, p*p + q*q + 2*g.R*p*q + c.Gamma*c.Gamma
}

// Affine returns the velocity and denoiser as affine functions of x:
//
//	v = vOffset + vSlope x = μ̇ + (αα̇ s0² + ββ̇ s1² + (αβ̇ + α̇β) r s0 s1)/S (x - μ)
//	η = etaOffset + etaSlope x = γ/S (x - μ)
func (g Gaussian) Affine(c Coefficients) (vSlope, vOffset, etaSlope, etaOffset float64) {
	mean, variance := g.Moments(c)
	vSlope = g.covariance(c) / variance
	vOffset = c.AlphaDot*g.M0 + c.BetaDot*g.M1 - vSlope*mean
	etaSlope = c.Gamma / variance
	return vSlope, vOffset, etaSlope, -etaSlope * mean
}

// covariance is cov(İ, x_t) = ½ d/dt (S - γ²).
func (g Gaussian) covariance(c Coefficients) float64 {
	return c.Alpha*c.AlphaDot*g.S0*g.S0 + c.Beta*c.BetaDot*g.S1*g.S1 +
		(c.Alpha*c.BetaDot+c.AlphaDot*c.Beta)*g.R*g.S0*g.S1
}

// Drift returns b = μ̇ + Ṡ/(2S) (x - μ) as an affine function of x. It is finite
// at the ends, where γ̇ is not.
func (g Gaussian) Drift(c Coefficients) (slope, offset float64) {
	mean, variance := g.Moments(c)
	slope = (g.covariance(c) + c.GammaGammaDot) / variance
	return slope, c.AlphaDot*g.M0 + c.BetaDot*g.M1 - slope*mean
}

// GradLogP returns s = -(x - μ)/S as an affine function of x.
func (g Gaussian) GradLogP(c Coefficients) (slope, offset float64) {
	mean, variance := g.Moments(c)
	return -1 / variance, mean / variance
}

// Conditional returns the affine functions E[x0 | x_t] and E[x1 | x_t].
func (g Gaussian) Conditional(c Coefficients) (startSlope, startOffset, endSlope, endOffset float64) {
	mean, variance := g.Moments(c)
	cross := g.R * g.S0 * g.S1
	startSlope = (c.Alpha*g.S0*g.S0 + c.Beta*cross) / variance
	endSlope = (c.Beta*g.S1*g.S1 + c.Alpha*cross) / variance
	return startSlope, g.M0 - startSlope*mean, endSlope, g.M1 - endSlope*mean
}

// LogDensity returns log ρ_t(x).
func (g Gaussian) LogDensity(c Coefficients, x float64) float64 {
	mean, variance := g.Moments(c)
	d := x - mean
	return -0.5 * (d*d/variance + math.Log(2*math.Pi*variance))
}
