package calibrate

import (
	"sipipe/calibrate/baseline"
	"sipipe/calibrate/frame"
	"sipipe/calibrate/score"
)

// Distribution is the frame's distribution of one place in units of the variable,
// nil when there is none.
func (w Working) Distribution(p *frame.Prediction, place int) score.Distribution {
	if !p.Ready || p.Mu[place] != p.Mu[place] {
		return nil
	}
	mu, sigma := float64(p.Mu[place]), float64(p.Sigma[place])
	family := baseline.FamilyNormal
	if p.Family == frame.Logistic {
		family = baseline.FamilyLogistic
	}
	switch {
	case p.Censored || !w.Identity():
		return baseline.Censored{Family: family, Mu: mu, Scale: sigma, Squared: !w.Identity()}
	case family == baseline.FamilyLogistic:
		return baseline.Logistic{Mu: mu, S: sigma}
	}
	return baseline.Normal{Mu: mu, Sigma: sigma}
}
