package calibrate

import (
	"math"
	"strings"

	"sipipe/ingest"
)

// Working is the space in which a variable is calibrated: a transform that makes
// its distribution closer to normal, and its physical bounds.
type Working struct {
	Name string // of the transform: "identity", "sqrt"
	// Lower and Upper bound the variable in physical units; infinite when there is none.
	Lower, Upper float64 `json:"-"` // follow from the name of the variable; JSON has no infinity
	// Censored: values at Lower stand for all of a latent variable below it, as dry
	// days do of precipitation.
	Censored bool
	// Observed values outside of these are no observations: wrong units, or a fault.
	least, most float64
}

// WorkingSpace chooses by CF standard name.
func WorkingSpace(v ingest.Variable) Working {
	w := Working{Name: "identity", Lower: math.Inf(-1), Upper: math.Inf(1)}
	w.least, w.most = ingest.Limits(v)
	switch n := v.StandardName; {
	case strings.Contains(n, "precipitation"), strings.Contains(n, "rainfall"), strings.Contains(n, "snowfall"):
		w.Name, w.Lower, w.Censored = "sqrt", 0, true
	case strings.Contains(n, "wind_speed"):
		w.Name, w.Lower = "sqrt", 0
	case strings.Contains(n, "temperature"):
		w.Lower = 0 // K
	case n == "relative_humidity", n == "cloud_area_fraction":
		w.Lower, w.Upper = 0, 1
	}
	return w
}

// Plausible tells whether a value can have been observed.
func (w Working) Plausible(v float32) bool { return float64(v) >= w.least && float64(v) <= w.most }

// Identity tells whether working and physical values are the same but for bounds.
func (w Working) Identity() bool { return w.Name == "identity" || w.Name == "" }

// Forward transforms a physical value.
func (w Working) Forward(v float32) float32 {
	if w.Name == "sqrt" {
		return float32(math.Sqrt(math.Max(float64(v), 0)))
	}
	return v
}

// Back transforms a working value to the physical one and enforces the bounds.
// It is monotonic, so quantiles stay quantiles.
func (w Working) Back(x float64) float64 {
	if w.Name == "sqrt" {
		x = math.Max(x, 0)
		x *= x
	}
	return math.Min(math.Max(x, w.Lower), w.Upper)
}
