package frame

import "math"

// Spec describes an expert: a ridge regression with a memory, and two layers of
// station bias on top.
type Spec struct {
	Name string
	// Memory is the e-folding age [days] of the regression's rows; 0 never forgets.
	Memory float64
	// Penalty of the ridge, in days (see moments.solve).
	Penalty float64
	// Season adds the seasonal features.
	Season bool
	// Past adds the latest observation of the place and Before the forecast of the day
	// before (see known).
	Past, Before bool
	// BiasMemory [days] of the station's mean residual; 0 never forgets.
	BiasMemory float64
	Bias       Kernel
	// RecentMemory [days] of a second layer, of the archived residuals of the last
	// few days; 0 leaves it out.
	RecentMemory float64
	Recent       Kernel
	// Smooth adds a layer, see smooth.
	Smooth bool
	// Archive is the length [days] an archive must have before the expert speaks.
	Archive float64
}

// expert is the state of one Spec at one lead time.
type expert struct {
	Spec    Spec
	Design  design
	Moments moments
	// Discounted sums of each station: rows, features [station, P] and target.
	Count, X, Y []float64
	// Discounted sums of archived residuals of each station.
	RecentCount, RecentSum []float64
	// Regret is the discounted sum of how far the expert's errors were below the
	// frame's, in units of the usual error; its weight grows with it.
	Regret float64
	Spoke  bool
	Smooth *smooth // nil without

	fit  coefficients // of the present cycle
	bias []float64    // [station]
	// unknown is the variance of what is not known of the bias, less its mean over
	// stations with history, whose archived residuals have it in them: [station].
	unknown []float64
	recent  []float64 // [station]
}

// Position features need places enough to tell position from what each place has of its
// own: the sample they are learned from is that of places, however many the days.
const positionPlaces = 100

func (e *expert) grow(stations int) {
	for len(e.Count) < stations {
		e.Count = append(e.Count, 0)
		e.Y = append(e.Y, 0)
		e.X = append(e.X, make([]float64, e.Design.len())...)
		e.RecentCount = append(e.RecentCount, 0)
		e.RecentSum = append(e.RecentSum, 0)
	}
}

func decay(days, memory float64) float64 {
	if memory == 0 {
		return 1
	}
	return math.Exp(-days / memory)
}

// age discounts what the expert knows by the days that have passed.
func (e *expert) age(days float64) {
	if days <= 0 {
		return
	}
	e.Moments.discount(decay(days, e.Spec.Memory))
	scale(e.Count, decay(days, e.Spec.BiasMemory))
	scale(e.X, decay(days, e.Spec.BiasMemory))
	scale(e.Y, decay(days, e.Spec.BiasMemory))
	if e.Spec.RecentMemory > 0 {
		scale(e.RecentCount, decay(days, e.Spec.RecentMemory))
		scale(e.RecentSum, decay(days, e.Spec.RecentMemory))
	}
}

func scale(x []float64, f float64) {
	if f == 1 {
		return
	}
	for i := range x {
		x[i] *= f
	}
}

// prepare solves for the coefficients and the biases of a cycle that starts idle
// days after the last observation taken in: what is known of a station fades.
func (e *expert) prepare(s *Stations, idle float64) error {
	var err error
	if e.fit, err = e.Moments.solve(e.Spec.Penalty); err != nil {
		return err
	}
	e.grow(s.Len())
	p := e.Design.len()
	mean := make([]float64, s.Len())
	for i, n := range e.Count {
		if n >= enough {
			mean[i] = (e.Y[i] - n*e.fit.Intercept) / n
			for j, b := range e.fit.Slope {
				mean[i] -= b * e.X[i*p+j] / n
			}
		}
	}
	count := faded(e.Count, decay(idle, e.Spec.BiasMemory))
	if e.bias, e.unknown, err = krige(s, e.Spec.Bias.times(e.fit.Variance), mean, count); err != nil {
		return err
	}
	var usual, days float64
	for i, n := range count {
		if n >= enough {
			usual += n * e.unknown[i]
			days += n
		}
	}
	for i := range e.unknown {
		e.unknown[i] = math.Max(e.unknown[i]-usual/math.Max(days, enough), 0)
	}
	if err := e.smoothen(); err != nil {
		return err
	}
	e.recent = nil
	if e.Spec.RecentMemory > 0 {
		for i, n := range e.RecentCount {
			mean[i] = 0
			if n >= enough {
				mean[i] = e.RecentSum[i] / n
			}
		}
		e.recent, _, err = krige(s, e.Spec.Recent.times(e.fit.Variance), mean, faded(e.RecentCount, decay(idle, e.Spec.RecentMemory)))
	}
	return err
}

// smoothen fits the smooth layer, if there is one, to what the rest of the expert leaves.
func (e *expert) smoothen() error {
	if e.Smooth == nil || !e.Smooth.due() {
		return nil
	}
	return e.Smooth.fit(func(x []float64, station int) float64 { return e.fit.at(x) + e.bias[station] })
}

// expectedVariance is that of the error of forecasts from n rows: the variance of the
// residuals in the sample, which P coefficients have made too small by 1 - P/n, and
// whose own error adds P/n. The penalty has them say less, so the first is bounded.
func (e *expert) expectedVariance() float64 {
	share := float64(e.Design.len()) / e.Moments.rows()
	return e.fit.Variance * (1 + share) / math.Max(1-share, 0.5)
}

func faded(count []float64, f float64) []float64 {
	out := make([]float64, len(count))
	for i, n := range count {
		out[i] = n * f
	}
	return out
}

func (k Kernel) times(v float64) Kernel {
	k.Spatial *= v
	k.Local *= v
	k.Noise *= v
	return k
}

// at predicts one case from its features, without (base) and with (full) the
// recent layer.
func (e *expert) at(x []float64, station int) (base, full float64) {
	base = e.fit.at(x) + e.bias[station] + e.Smooth.at(x)
	full = base
	if e.recent != nil {
		full += e.recent[station]
	}
	return base, full
}
