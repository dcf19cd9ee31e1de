package exact

import (
	"math"

	"sipipe/calibrate/interpolant"
)

// Component is one part of a [Mixture]: with probability Weight the pair (x0, x1)
// has the joint law Joint.
type Component struct {
	Weight float64
	Joint  interpolant.Gaussian
}

// Mixture is a joint law of (x0, x1) whose marginals at every t are Gaussian
// mixtures. Weights sum to 1.
type Mixture []Component

// One is the mixture of a single component.
func One(g interpolant.Gaussian) Mixture { return Mixture{{1, g}} }

// Bimodal is a start N(0, s0²) with, independent of it, an end of two modes at
// -m and m with standard deviation s and the given weight of the upper mode.
func Bimodal(s0, m, s, upper float64) Mixture {
	return Mixture{
		{1 - upper, interpolant.Gaussian{S0: s0, M1: -m, S1: s}},
		{upper, interpolant.Gaussian{S0: s0, M1: m, S1: s}},
	}
}

// Fields returns the velocity and denoiser at x,
//
//	v = Σ p_k v_k,  η = Σ p_k η_k,  p_k ∝ w_k N(x; μ_k, S_k)
//
// with the posterior weights p_k of the components.
func (m Mixture) Fields(c interpolant.Coefficients, x float64) (v, eta float64) {
	// One pass: whenever a larger exponent is met, the sums so far are scaled to it,
	// so that the largest weight is 1 and nothing overflows or vanishes.
	top, sum := math.Inf(-1), 0.0
	for _, k := range m {
		e := math.Log(k.Weight) + k.Joint.LogDensity(c, x)
		p := 1.0
		if e <= top {
			p = math.Exp(e - top)
		} else {
			shrink := math.Exp(top - e)
			sum, v, eta, top = sum*shrink, v*shrink, eta*shrink, e
		}
		vs, vo, es, eo := k.Joint.Affine(c)
		sum += p
		v += p * (vs*x + vo)
		eta += p * (es*x + eo)
	}
	return v / sum, eta / sum
}

// LogDensity returns log ρ_t(x).
func (m Mixture) LogDensity(c interpolant.Coefficients, x float64) float64 {
	sum := 0.0
	for _, k := range m {
		sum += k.Weight * math.Exp(k.Joint.LogDensity(c, x))
	}
	return math.Log(sum)
}

// CDF returns P(x_t ≤ x).
func (m Mixture) CDF(c interpolant.Coefficients, x float64) float64 {
	sum := 0.0
	for _, k := range m {
		mean, variance := k.Joint.Moments(c)
		sum += k.Weight * 0.5 * math.Erfc((mean-x)/math.Sqrt(2*variance))
	}
	return sum
}

// Moments returns the mean and variance of x_t.
func (m Mixture) Moments(c interpolant.Coefficients) (mean, variance float64) {
	square := 0.0
	for _, k := range m {
		mu, s := k.Joint.Moments(c)
		mean += k.Weight * mu
		square += k.Weight * (s + mu*mu)
	}
	return mean, square - mean*mean
}

// Match returns the Gaussian joint law with the mixture's means, variances and
// correlation of x0 and x1.
func (m Mixture) Match() interpolant.Gaussian {
	var g interpolant.Gaussian
	var c00, c11, c01 float64
	for _, k := range m {
		j := k.Joint
		g.M0 += k.Weight * j.M0
		g.M1 += k.Weight * j.M1
		c00 += k.Weight * (j.S0*j.S0 + j.M0*j.M0)
		c11 += k.Weight * (j.S1*j.S1 + j.M1*j.M1)
		c01 += k.Weight * (j.R*j.S0*j.S1 + j.M0*j.M1)
	}
	g.S0, g.S1 = math.Sqrt(c00-g.M0*g.M0), math.Sqrt(c11-g.M1*g.M1)
	if g.S0 > 0 && g.S1 > 0 {
		g.R = (c01 - g.M0*g.M1) / (g.S0 * g.S1)
	}
	return g
}

// Excess returns the CRPS that a forecast with the empirical law of the sorted
// sample costs over the true law of x_t, ∫ (F_sample - F)² dx, which is free of
// the observation's own uncertainty. Independent draws of the truth have E = CRPS(F, F)/n.
func (m Mixture) Excess(c interpolant.Coefficients, sorted []float64) float64 {
	mean, variance := m.Moments(c)
	sd := math.Sqrt(variance)
	const cells = 4000
	lo := math.Min(sorted[0], mean-8*sd)
	hi := math.Max(sorted[len(sorted)-1], mean+8*sd)
	width := (hi - lo) / cells
	sum, j := 0.0, 0
	for i := range cells {
		x := lo + (float64(i)+0.5)*width
		for j < len(sorted) && sorted[j] <= x {
			j++
		}
		d := float64(j)/float64(len(sorted)) - m.CDF(c, x)
		sum += d * d * width
	}
	return sum
}
