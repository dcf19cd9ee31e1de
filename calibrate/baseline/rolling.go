package baseline

import (
	"errors"
	"math"
)

// Rolling chooses form and training rows of the EMOS of a day, as a service would
// run it: over a short archive the latest days, all places together; over an
// archive of years, all of it with the season in the regression.
type Rolling struct {
	// Family of the distribution; "" is normal, or logistic when Censored.
	Family Family
	// Censored at zero and fitted to the square root, for precipitation.
	Censored bool
	// Days of the rolling window; 0 is 30.
	Days int
	// Years of data from which on the fit is seasonal; 0 is 2.
	Years float64
	// Limit of rows for a seasonal fit; 0 is 100,000. Of more rows every k-th is
	// used, with the least k that keeps the limit.
	Limit int
}

// Fit to the rows up to and with the day last: the latest that a forecast can know.
// A window with too few rows, or with observations that are all the same, is
// doubled until all rows are in it.
func (o Rolling) Fit(rows []Row, last int) (EMOS, error) {
	if o.Days == 0 {
		o.Days = 30
	}
	if o.Years == 0 {
		o.Years = 2
	}
	if o.Limit == 0 {
		o.Limit = 100000
	}
	form := EMOSOptions{Family: o.Family, Censored: o.Censored, Sqrt: o.Censored}
	if form.Family == "" && o.Censored {
		form.Family = FamilyLogistic
	}
	known := Window(rows, math.MinInt, last)
	first := math.MaxInt
	for _, r := range known {
		first = min(first, r.Day)
	}
	if len(known) > 0 && float64(last-first) >= o.Years*year {
		form.Harmonics, form.LogScale = 1, true
		return FitEMOS(thin(known, o.Limit), form)
	}
	for days := o.Days; ; days *= 2 {
		e, err := FitEMOS(Window(known, last-days+1, last), form)
		var few *TooFewError
		if again := errors.As(err, &few) || errors.Is(err, ErrDegenerate); !again || len(known) == 0 || last-days < first {
			return e, err
		}
	}
}

// thin keeps every k-th row.
func thin(rows []Row, limit int) []Row {
	k := (len(rows) + limit - 1) / limit
	if k <= 1 {
		return rows
	}
	out := make([]Row, 0, limit)
	for i := 0; i < len(rows); i += k {
		out = append(out, rows[i])
	}
	return out
}
