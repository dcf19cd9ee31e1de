package score

import "math"

// Distribution is a forecast given as a distribution, in units of the variable.
type Distribution interface {
	CDF(x float64) float64
	Quantile(p float64) float64
	CRPS(y float64) float64
	Mean() float64
	SD() float64
}

// PIT is the probability integral transform of y, randomised where F jumps:
// F(y-) + u (F(y) - F(y-)) with u in [0, 1). Uniform when y is drawn from F and u
// is uniform, point masses included (Czado et al. 2009, Biometrics 65, 1254).
func PIT(d Distribution, y, u float64) float64 {
	below := d.CDF(math.Nextafter(y, math.Inf(-1)))
	return below + u*(d.CDF(y)-below)
}
