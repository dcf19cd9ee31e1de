package report

import (
	"math"
	"time"

	"sipipe/calibrate/score"
)

// Ensemble is the forecast of one station at one valid time, in the units of its
// variable. NaN is missing.
type Ensemble struct {
	Cycle, Valid    time.Time
	Raw, Calibrated []float64 // members
	Observed        float64
}

// band holds the quantiles of a system that pictures show.
type band struct {
	q05, q25, q50, q75, q95 float64
	least, most             float64
}

// newBand of the members; all NaN when there are none. Quantiles are those of
// score.Sample.
func newBand(members []float64) band {
	s := score.Sorted(nil, members)
	if len(s) == 0 {
		n := math.NaN()
		return band{n, n, n, n, n, n, n}
	}
	return band{
		q05: s.Quantile(.05), q25: s.Quantile(.25), q50: s.Quantile(.5), q75: s.Quantile(.75), q95: s.Quantile(.95),
		least: s[0], most: s[len(s)-1],
	}
}

// converted is a copy with each value in other units.
func converted(values []float64, convert func(float64) float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = convert(v)
	}
	return out
}

func (e Ensemble) converted(convert func(float64) float64) Ensemble {
	e.Raw, e.Calibrated = converted(e.Raw, convert), converted(e.Calibrated, convert)
	e.Observed = convert(e.Observed)
	return e
}

// meanCRPS of raw and calibrated members over the forecasts that have both and an
// observation, and their number. It is the fair CRPS, so that ensembles of different
// size compare, except for calibrated members that are not independent draws.
func meanCRPS(es []Ensemble, dependent bool) (raw, calibrated float64, n int) {
	estimator := score.Fair
	if dependent {
		estimator = score.Empirical
	}
	for _, e := range es {
		a, b := score.CRPS(e.Observed, e.Raw, score.Fair), score.CRPS(e.Observed, e.Calibrated, estimator)
		if finite(a) && finite(b) {
			raw, calibrated, n = raw+a, calibrated+b, n+1
		}
	}
	return raw / float64(n), calibrated / float64(n), n
}
