package selfcheck

import (
	"math"

	"sipipe/calibrate/internal/exact"
	"sipipe/calibrate/interpolant"
)

// law is a joint law of raw and observed whose fields are known.
type law struct {
	name string
	data exact.Mixture
}

// laws are those of one start. The last two have mean 0 and variance 1, as normal
// scores have over all cases.
func laws(start float64) []law {
	gaussian := func(m1, s1, r float64) exact.Mixture {
		return exact.One(interpolant.Gaussian{S0: start, M1: m1, S1: s1, R: r})
	}
	skewed := exact.Mixture{
		{Weight: 0.8, Joint: interpolant.Gaussian{S0: start, M1: -0.4, S1: 0.6}},
		{Weight: 0.2, Joint: interpolant.Gaussian{S0: start, M1: 1.6, S1: 0.6}},
	}
	return []law{
		{"standard normal", gaussian(0, 1, 0)},
		{"shifted and sharper", gaussian(0.5, 0.7, 0)},
		{"wider, follows the raw member", gaussian(-0.3, 1.3, 0.5)},
		{"skewed", skewed},
		{"two modes", exact.Bimodal(start, math.Sqrt(0.91), 0.3, 0.5)},
	}
}
