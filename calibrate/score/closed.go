package score

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// The closed forms below are those of Jordan et al. 2019, or follow from
//
//	CRPS(F, y) = ∫ (F(x) - 1{x >= y})² dx
//
// by partial integration. A scale of zero is a point forecast: |y - mu|.

const invSqrtPi = 1 / math.SqrtPi

func phi(z float64) float64    { return math.Exp(-z*z/2) / (math.Sqrt2 * math.SqrtPi) }
func bigPhi(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }

// logistic is 1/(1+exp(-z)).
func logistic(z float64) float64 {
	if z < 0 {
		e := math.Exp(z)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(-z))
}

// softplus is log(1+exp(z)), the integral of logistic.
func softplus(z float64) float64 {
	return math.Max(z, 0) + math.Log1p(math.Exp(-math.Abs(z)))
}

// CRPSNormal of N(mu, sigma²):
//
//	sigma [ z (2Φ(z) - 1) + 2φ(z) - 1/√π ],  z = (y - mu)/sigma
func CRPSNormal(y, mu, sigma float64) float64 {
	if sigma == 0 {
		return math.Abs(y - mu)
	}
	z := (y - mu) / sigma
	return sigma * (z*math.Erf(z/math.Sqrt2) + 2*phi(z) - invSqrtPi)
}

// CRPSLogistic of the logistic distribution with location mu and scale s, whose
// standard deviation is s π/√3:
//
//	s [ z - 2 log F(z) - 1 ] = s [ |z| + 2 log(1 + exp(-|z|)) - 1 ]
func CRPSLogistic(y, mu, s float64) float64 {
	if s == 0 {
		return math.Abs(y - mu)
	}
	z := math.Abs(y-mu) / s
	return s * (z + 2*math.Log1p(math.Exp(-z)) - 1)
}

// belowCensored is the part of the score of an observation below the point mass
// at zero, where F is 0 up to the point mass.
func belowCensored(y float64) (at, extra float64) {
	if y < 0 {
		return 0, -y
	}
	return y, 0
}

// CRPSCensoredNormal of max(X, 0), X ~ N(mu, sigma²). The part of the normal
// score that lies below zero is taken off (c = -mu/sigma):
//
//	∫_{-∞}^c Φ² = c Φ(c)² + 2 φ(c) Φ(c) - Φ(√2 c)/√π
func CRPSCensoredNormal(y, mu, sigma float64) float64 {
	y, extra := belowCensored(y)
	if sigma == 0 {
		return extra + math.Abs(y-math.Max(mu, 0))
	}
	c := -mu / sigma
	p := bigPhi(c)
	below := c*p*p + 2*phi(c)*p - invSqrtPi*bigPhi(math.Sqrt2*c)
	return extra + CRPSNormal(y, mu, sigma) - sigma*below
}

// CRPSCensoredLogistic of max(X, 0), X logistic with location mu and scale s. As
// F² = F - F', the part below zero is ∫_{-∞}^c F² = log(1 + exp(c)) - F(c).
func CRPSCensoredLogistic(y, mu, s float64) float64 {
	y, extra := belowCensored(y)
	if s == 0 {
		return extra + math.Abs(y-math.Max(mu, 0))
	}
	c := -mu / s
	return extra + CRPSLogistic(y, mu, s) - s*(softplus(c)-logistic(c))
}

// CRPSSquaredNormal of max(X, 0)², X ~ N(mu, sigma²), the distribution of a
// variable whose square root is a censored normal. With x = mu + sigma t,
//
//	∫_0^√y 2x F² dx + ∫_√y^∞ 2x (1-F)² dx
//
// and the antiderivatives of Φ² and tΦ²: see CRPSCensoredNormal, and
//
//	∫ t Φ² dt = (t² - 1) Φ²/2 + t φ Φ + φ²/2
func CRPSSquaredNormal(y, mu, sigma float64) float64 {
	y, extra := belowCensored(y)
	if sigma == 0 {
		m := math.Max(mu, 0)
		return extra + math.Abs(y-m*m)
	}
	// The upper part is the lower one of the mirrored variable: 1 - Φ(t) = Φ(-t).
	integral := func(t, mu float64) float64 { // of 2 sigma (mu + sigma u) Φ(u)², u = -∞ … t
		f, p := phi(t), bigPhi(t)
		first := t*p*p + 2*f*p - invSqrtPi*bigPhi(math.Sqrt2*t)
		second := (t*t-1)*p*p/2 + t*f*p + f*f/2
		return 2 * sigma * (mu*first + sigma*second)
	}
	z := (math.Sqrt(y) - mu) / sigma
	c := -mu / sigma
	return extra + integral(z, mu) - integral(c, mu) - integral(-z, -mu)
}

// CRPSSquaredLogistic of max(X, 0)², X logistic with location mu and scale s: as
// CRPSSquaredNormal, with the dilogarithm for
//
//	∫_{-∞}^t u F(u) du = t log(1 + exp(t)) + Li₂(-exp(t))
func CRPSSquaredLogistic(y, mu, s float64) float64 {
	y, extra := belowCensored(y)
	if s == 0 {
		m := math.Max(mu, 0)
		return extra + math.Abs(y-m*m)
	}
	integral := func(t, mu float64) float64 { // of 2 s (mu + s u) F(u)², u = -∞ … t
		l, f := softplus(t), logistic(t)
		first := l - f                          // F² = F - F'
		second := t*l + dilogExp(t) - (t*f - l) // ∫ u F' = t F - ∫ F
		return 2 * s * (mu*first + s*second)
	}
	z := (math.Sqrt(y) - mu) / s
	c := -mu / s
	return extra + integral(z, mu) - integral(c, mu) - integral(-z, -mu)
}

// dilogExp is Li₂(-exp(t)). For large t the inversion formula keeps the argument
// within the unit circle: Li₂(-e^t) = -π²/6 - t²/2 - Li₂(-e^-t).
func dilogExp(t float64) float64 {
	if t > 0 {
		return -math.Pi*math.Pi/6 - t*t/2 - dilogExp(-t)
	}
	return real(mathext.Li2(complex(-math.Exp(t), 0)))
}

// CRPSNormalMixture of sum_k w_k N(mu_k, sigma_k²), the weights adding up to one
// (Grimit et al. 2006, Q. J. R. Meteorol. Soc. 132, 2925):
//
//	sum_k w_k A(y - mu_k, sigma_k²) - ½ sum_kl w_k w_l A(mu_k - mu_l, sigma_k² + sigma_l²)
//	A(m, s²) = E|N(m, s²)| = m (2Φ(m/s) - 1) + 2 s φ(m/s)
//
// The three slices have one entry a component. O(K²).
func CRPSNormalMixture(y float64, weight, mu, sigma []float64) float64 {
	if len(weight) != len(mu) || len(mu) != len(sigma) {
		panic("score: mixture with slices of different lengths")
	}
	var distance, self float64
	for k, w := range weight {
		distance += w * absNormal(y-mu[k], sigma[k])
		self += w * w * absNormal(0, math.Sqrt2*sigma[k])
		for l := range k {
			self += 2 * w * weight[l] * absNormal(mu[k]-mu[l], math.Hypot(sigma[k], sigma[l]))
		}
	}
	return distance - self/2
}

// absNormal is E|X| of X ~ N(m, s²).
func absNormal(m, s float64) float64 {
	if s == 0 {
		return math.Abs(m)
	}
	z := m / s
	return m*math.Erf(z/math.Sqrt2) + 2*s*phi(z)
}
