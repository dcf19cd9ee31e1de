package baseline

import (
	"math"

	"gonum.org/v1/gonum/mathext"

	"sipipe/calibrate/score"
)

// Family is the shape of a location-scale distribution.
type Family string

// The families.
const (
	FamilyNormal   Family = "normal"
	FamilyLogistic Family = "logistic"
)

// Censored is the distribution of max(X, 0), or of max(X, 0)² when Squared, with
// X normal or logistic: a variable with a point mass at zero, like precipitation,
// whose square root is fitted when Squared.
type Censored struct {
	Family  Family
	Mu      float64 // location of X
	Scale   float64 // of X: sigma of the normal, s of the logistic
	Squared bool
}

func (d Censored) latent() Distribution {
	if d.Family == FamilyLogistic {
		return Logistic{d.Mu, d.Scale}
	}
	return Normal{d.Mu, d.Scale}
}

// CDF is zero below zero and jumps there to the probability of X <= 0.
func (d Censored) CDF(x float64) float64 {
	if x < 0 {
		return 0
	}
	if d.Squared {
		x = math.Sqrt(x)
	}
	return d.latent().CDF(x)
}

// Quantile is zero up to the probability of the point mass.
func (d Censored) Quantile(p float64) float64 {
	x := math.Max(d.latent().Quantile(p), 0)
	if d.Squared {
		return x * x
	}
	return x
}

// CRPS in the units of the variable, by the closed forms of package score.
func (d Censored) CRPS(y float64) float64 {
	switch {
	case d.Family == FamilyLogistic && d.Squared:
		return score.CRPSSquaredLogistic(y, d.Mu, d.Scale)
	case d.Family == FamilyLogistic:
		return score.CRPSCensoredLogistic(y, d.Mu, d.Scale)
	case d.Squared:
		return score.CRPSSquaredNormal(y, d.Mu, d.Scale)
	}
	return score.CRPSCensoredNormal(y, d.Mu, d.Scale)
}

// Mean of the censored variable.
func (d Censored) Mean() float64 {
	if d.Squared {
		return d.moment(2)
	}
	return d.moment(1)
}

// SD of the censored variable.
func (d Censored) SD() float64 {
	k := 1
	if d.Squared {
		k = 2
	}
	mean := d.moment(k)
	return math.Sqrt(math.Max(d.moment(2*k)-mean*mean, 0))
}

// moment is E max(X, 0)^k for k = 1, 2, 4.
func (d Censored) moment(k int) float64 {
	eta := d.Mu / d.Scale
	if d.Family == FamilyLogistic {
		// k ∫ x^(k-1) (1 - F) dx, a Fermi-Dirac integral: -k! s^k Li_k(-e^eta).
		switch k {
		case 1:
			return d.Scale * (math.Max(eta, 0) + math.Log1p(math.Exp(-math.Abs(eta))))
		case 2:
			return 2 * d.Scale * d.Scale * fermiDirac(eta, 2)
		}
		return 24 * math.Pow(d.Scale, 4) * fermiDirac(eta, 4)
	}
	// Partial integration: I_k = mu I_(k-1) + (k-1) sigma² I_(k-2).
	before := math.Erfc(-eta/math.Sqrt2) / 2
	last := d.Mu*before + d.Scale*math.Exp(-eta*eta/2)/math.Sqrt(2*math.Pi)
	for j := 2; j <= k; j++ {
		before, last = last, d.Mu*last+float64(j-1)*d.Scale*d.Scale*before
	}
	return last
}

// fermiDirac is -Li_k(-exp(eta)) for k = 2 and 4; positive arguments are brought
// to negative ones by the inversion formula of the polylogarithm.
func fermiDirac(eta float64, k int) float64 {
	if eta > 0 {
		e2, p2 := eta*eta, math.Pi*math.Pi
		if k == 2 {
			return e2/2 + p2/6 - fermiDirac(-eta, k)
		}
		return e2*e2/24 + p2*e2/12 + 7*p2*p2/360 - fermiDirac(-eta, k)
	}
	if k == 2 {
		return -real(mathext.Li2(complex(-math.Exp(eta), 0)))
	}
	// The alternating series, ended with half a term.
	const terms = 200
	var sum float64
	sign := 1.
	for n := 1; n <= terms; n++ {
		f := float64(n)
		term := sign * math.Exp(f*eta) / (f * f * f * f)
		if n == terms {
			term /= 2
		}
		sum += term
		sign = -sign
	}
	return sum
}
