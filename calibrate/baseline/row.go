package baseline

import (
	"errors"
	"fmt"
	"math"
)

// Row is one forecast and its observation, for training.
type Row struct {
	Members []float32 // [member], in the order of the file; NaN = missing
	Obs     float64   // same units; NaN = missing
	Day     int       // of the valid time, days since 1970-01-01
	Station int       // any numbering; used by climatology
	Past    *Past     // used by EMOS with features; nil: nothing was known
}

// TooFewError is returned by fits that have not enough rows to estimate from.
type TooFewError struct {
	Method     string
	Rows, Need int // usable rows, and how many it takes
}

func (e *TooFewError) Error() string {
	return fmt.Sprintf("fit %s: %d usable forecast-observation pairs, at least %d are needed; use a longer training window", e.Method, e.Rows, e.Need)
}

// ErrDegenerate is returned by fits when there is no error to learn a scale from:
// observations that are all the same, like a month without rain, or that are an
// exact function of the forecasts.
var ErrDegenerate = errors.New("the observations do not vary, or are an exact function of the forecasts; use a longer training window, or check that forecasts and observations are not the same data")

// Window returns the rows with first <= day <= last.
func Window(rows []Row, first, last int) []Row {
	var out []Row
	for _, r := range rows {
		if first <= r.Day && r.Day <= last {
			out = append(out, r)
		}
	}
	return out
}

// moments of the members that are present: their number, mean and variance
// (divisor M-1, zero for one member).
func moments(members []float32) (m int, mean, variance float64) {
	// The first member as origin keeps the digits of temperatures in K.
	var origin, sum, square float64
	for _, v := range members {
		x := float64(v)
		if math.IsNaN(x) {
			continue
		}
		if m == 0 {
			origin = x
		}
		m++
		sum += x - origin
		square += (x - origin) * (x - origin)
	}
	if m == 0 {
		return 0, math.NaN(), math.NaN()
	}
	mean = sum / float64(m)
	if m > 1 {
		variance = math.Max(square-sum*mean, 0) / float64(m-1)
	}
	return m, origin + mean, variance
}

// year in days, for harmonics of the season.
const year = 365.2425

// harmonics appends sin and cos of the first k harmonics of the year.
func harmonics(x []float64, day, k int) []float64 {
	for i := 1; i <= k; i++ {
		s, c := math.Sincos(2 * math.Pi * float64(i) * float64(day) / year)
		x = append(x, s, c)
	}
	return x
}
