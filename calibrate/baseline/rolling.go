package baseline

import "errors"

// Rolling chooses form and training rows of the baselines of a day, as a service
// would run them: over a short archive the latest days, all places together; over an
// archive of years EMOS takes all of it, with the season in the regression.
type Rolling struct {
	// Family of the distribution of EMOS; "" is normal, or logistic when Censored.
	Family Family
	// Censored at zero and fitted to the square root, for precipitation.
	Censored bool
	// Exchangeable members, see BMAOptions.
	Exchangeable bool
	// Days of the rolling window; 0 is 30 for EMOS and for BMA of precipitation (Sloughter
	// et al. 2007), and 25 for BMA of others (Raftery et al. 2005).
	Days int
	// Years of data from which on EMOS is seasonal; 0 is 2.
	Years float64
}

// The windows of services, in days.
const (
	emosDays    = 30
	bmaDays     = 25
	rainBMADays = 30
)

// EMOS is fitted to the rows up to and with the day last: the latest that a forecast
// can know. A window with too few rows, or with observations that are all the same,
// is doubled until all rows are in it.
func (o Rolling) EMOS(p *Pool, last int) (EMOS, error) {
	form := EMOSOptions{Family: o.Family, Censored: o.Censored, Sqrt: o.Censored}
	if form.Family == "" && o.Censored {
		form.Family = FamilyLogistic
	}
	if o.Years == 0 {
		o.Years = 2
	}
	if p.seen > 0 && float64(last-p.first) >= o.Years*year {
		form.Harmonics, form.LogScale = 1, true
		return FitEMOS(p.window(last-p.first+1, last), form)
	}
	return widening(p, o.window(emosDays), last, func(rows []Row) (EMOS, error) { return FitEMOS(rows, form) })
}

// Averaging predicts from members in the order of the rows that it was fitted to; false
// when no member with a weight is present.
type Averaging interface {
	Predict(members []float32) (Distribution, bool)
}

// BMA is fitted to a window like that of EMOS over a short archive, whatever the
// length of this one; when Censored it is that of precipitation.
func (o Rolling) BMA(p *Pool, last int) (Averaging, error) {
	form := BMAOptions{Exchangeable: o.Exchangeable}
	if o.Censored {
		return widening(p, o.window(rainBMADays), last, func(rows []Row) (Averaging, error) {
			b, err := FitRainBMA(thin(rows), form)
			return &b, err
		})
	}
	return widening(p, o.window(bmaDays), last, func(rows []Row) (Averaging, error) {
		b, err := FitBMA(thin(rows), form)
		return &b, err
	})
}

// bmaValues bounds the cost of a fit of BMA; values are rows times members.
const bmaValues = 150_000

// thin keeps every k-th row, so that no more values remain than the bound.
func thin(rows []Row) []Row {
	var values int
	for _, r := range rows {
		values += len(r.Members)
	}
	stride := (values + bmaValues - 1) / bmaValues
	if stride < 2 {
		return rows
	}
	var kept []Row
	for i := 0; i < len(rows); i += stride {
		kept = append(kept, rows[i])
	}
	return kept
}

func (o Rolling) window(days int) int {
	if o.Days > 0 {
		return o.Days
	}
	return days
}

// widening doubles the window of a fit until it has rows enough.
func widening[T any](p *Pool, days, last int, fit func([]Row) (T, error)) (T, error) {
	for ; ; days *= 2 {
		t, err := fit(p.window(days, last))
		var few *TooFewError
		if again := errors.As(err, &few) || errors.Is(err, ErrDegenerate); !again || p.seen == 0 || last-days < p.first {
			return t, err
		}
	}
}
