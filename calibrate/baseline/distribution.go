package baseline

import (
	"encoding/gob"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"sipipe/calibrate/score"
)

// Distribution is a predictive distribution in the units of the variable: CDF,
// Quantile (the smallest x with CDF(x) >= p, 0 < p < 1), CRPS, Mean and SD.
type Distribution = score.Distribution

// Register makes the distributions known to gob as values of a Distribution.
func Register() {
	for _, d := range []Distribution{Normal{}, Logistic{}, Censored{}, Mixture{}, CubedGammas{}, Empirical{}} {
		gob.Register(d)
	}
}

// Normal is N(Mu, Sigma²).
type Normal struct{ Mu, Sigma float64 }

// CDF of the normal.
func (d Normal) CDF(x float64) float64 { return math.Erfc((d.Mu-x)/(d.Sigma*math.Sqrt2)) / 2 }

// Quantile of the normal.
func (d Normal) Quantile(p float64) float64 { return d.Mu + d.Sigma*distuv.UnitNormal.Quantile(p) }

// CRPS by score.CRPSNormal.
func (d Normal) CRPS(y float64) float64 { return score.CRPSNormal(y, d.Mu, d.Sigma) }

// Mean is Mu.
func (d Normal) Mean() float64 { return d.Mu }

// SD is Sigma.
func (d Normal) SD() float64 { return d.Sigma }

// Logistic has location Mu and scale S: F(x) = 1/(1 + exp(-(x-Mu)/S)).
type Logistic struct{ Mu, S float64 }

// CDF of the logistic distribution.
func (d Logistic) CDF(x float64) float64 { return 1 / (1 + math.Exp((d.Mu-x)/d.S)) }

// Quantile is Mu + S log(p/(1-p)).
func (d Logistic) Quantile(p float64) float64 { return d.Mu + d.S*(math.Log(p)-math.Log1p(-p)) }

// CRPS by score.CRPSLogistic.
func (d Logistic) CRPS(y float64) float64 { return score.CRPSLogistic(y, d.Mu, d.S) }

// Mean is Mu.
func (d Logistic) Mean() float64 { return d.Mu }

// SD is S π/√3.
func (d Logistic) SD() float64 { return d.S * math.Pi / math.Sqrt(3) }
