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
	// Years of data from which on EMOS and BMA are seasonal; 0 is 2.
	Years float64
}

// The windows of services, in days, and those of the season on both sides of a day of
// the year, which were chosen at Innsbruck before the years of any test.
const (
	emosDays    = 30
	bmaDays     = 25
	rainBMADays = 30

	seasonDays     = 30
	seasonRainDays = 60
)

// EMOS is fitted to the rows up to and with the day last: the latest that a forecast
// can know. A window with too few rows, or with observations that are all the same,
// is doubled until all rows are in it.
func (o Rolling) EMOS(p *Pool, last int) (EMOS, error) {
	return o.emos(p, last, EMOSOptions{Harmonics: 1})
}

// FeaturedEMOS is EMOS with features, of the same rows. Of temperature a second harmonic
// of the season lowered the CRPS of Innsbruck 2004-2008, of precipitation it did not.
func (o Rolling) FeaturedEMOS(p *Pool, last int) (EMOS, error) {
	form := EMOSOptions{Harmonics: 2, Features: true}
	if o.Censored {
		form.Harmonics = 1
	}
	return o.emos(p, last, form)
}

// emos fits a form, without season where the archive is short.
func (o Rolling) emos(p *Pool, last int, form EMOSOptions) (EMOS, error) {
	form.Family, form.Censored, form.Sqrt = o.Family, o.Censored, o.Censored
	if form.Family == "" && o.Censored {
		form.Family = FamilyLogistic
	}
	fit := func(rows []Row) (EMOS, error) {
		if form.Features {
			rows = thin(rows, featuredRows) // more regressors cost more, and less is left to gain
		}
		return FitEMOS(rows, form)
	}
	if o.years(p, last) {
		form.LogScale = true
		return fit(p.window(last-p.first+1, last))
	}
	form.Harmonics = 0
	return widening(p, o.window(emosDays), last, fit)
}

// Averaging predicts from members in the order of the rows that it was fitted to; false
// when no member with a weight is present.
type Averaging interface {
	Predict(members []float32) (Distribution, bool)
}

// BMA is fitted to a window like that of EMOS over a short archive, and over one of years
// to the days of the same season in all of them. When Censored it is that of precipitation.
func (o Rolling) BMA(p *Pool, last int) (Averaging, error) {
	form := BMAOptions{Exchangeable: o.Exchangeable}
	days, half := o.window(bmaDays), seasonDays
	fit := func(rows []Row) (Averaging, error) {
		b, err := FitBMA(thinned(rows), form)
		return &b, err
	}
	if o.Censored {
		days, half = o.window(rainBMADays), seasonRainDays
		fit = func(rows []Row) (Averaging, error) {
			b, err := FitRainBMA(thinned(rows), form)
			return &b, err
		}
	}
	if o.years(p, last) {
		if b, err := fit(p.season(last, half)); !TooLittle(err) {
			return b, err
		}
	}
	return widening(p, days, last, fit)
}

// years tells whether an archive is long enough for the season.
func (o Rolling) years(p *Pool, last int) bool {
	if o.Years == 0 {
		o.Years = 2
	}
	return p.seen > 0 && float64(last-p.first) >= o.Years*year
}

// Bounds of the cost of a fit; values are rows times members.
const (
	bmaValues    = 150_000
	featuredRows = 20_000
)

// thin keeps every k-th row, so that no more remain than the most.
func thin(rows []Row, most int) []Row {
	stride := (len(rows) + most - 1) / most
	if stride < 2 {
		return rows
	}
	var kept []Row
	for i := 0; i < len(rows); i += stride {
		kept = append(kept, rows[i])
	}
	return kept
}

// thinned keeps values within the bound of BMA.
func thinned(rows []Row) []Row {
	members := 1
	for _, r := range rows {
		members = max(members, len(r.Members))
	}
	return thin(rows, max(bmaValues/members, 1))
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
		if !TooLittle(err) || p.seen == 0 || last-days < p.first {
			return t, err
		}
	}
}

// TooLittle tells whether there was too little to fit to: more rows might be enough.
func TooLittle(err error) bool {
	var few *TooFewError
	return errors.As(err, &few) || errors.Is(err, ErrDegenerate)
}
