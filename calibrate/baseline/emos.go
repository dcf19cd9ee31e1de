package baseline

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
)

// EMOSOptions choose the form of the regression. The zero value is EMOS as in
// Gneiting et al. 2005 on ensemble mean and variance.
type EMOSOptions struct {
	// Family of the (latent) distribution; "" is normal.
	Family Family
	// Censored at zero: for precipitation and the like.
	Censored bool
	// Sqrt fits the square root of the variable, members included; only with Censored.
	Sqrt bool
	// MemberWeights gives each member a weight of its own instead of the ensemble
	// mean. The weights are not kept from being negative.
	MemberWeights bool
	// LogScale models log scale = c + d log sd instead of scale² = c + d variance.
	LogScale bool
	// Harmonics of the year in the location's intercept and slope and, with
	// LogScale, in the log scale. 1 or 2, for training sets of more than a year.
	Harmonics int
	// Features adds to the location the squares of the mean, the extremes of the members,
	// and mean and observation of Row.Past. Rows without it are left out.
	Features bool
}

// EMOS is non-homogeneous regression fitted by minimum CRPS (Gneiting et al.
// 2005, Mon. Wea. Rev. 133, 1098; censored logistic: Messner et al. 2014, Mon.
// Wea. Rev. 142, 448):
//
//	location = Location · (1, mean or members, h_1, h_1 mean, h_2, h_2 mean, …)
//	scale²   = Scale[0] + Scale[1] variance                            or
//	scale    = exp(Scale · (1, log(sd + Floor), h_1, h_2, …))          LogScale
//
// and Features, if any, in the location after the others,
// with the harmonics of the year h = sin, cos, sin 2, …, of the valid day,
// in the units of the variable, or of its square root.
type EMOS struct {
	Options  EMOSOptions
	Location []float64
	Scale    []float64
	Floor    float64 // keeps the logarithm of a vanishing spread finite
}

// minEMOSRows is the least number of rows; below, the optimum is not meaningful.
const minEMOSRows = 20

// FitEMOS minimises the mean CRPS over the rows, from a least-squares start. With
// Sqrt it is the mean CRPS of the square root.
func FitEMOS(rows []Row, o EMOSOptions) (EMOS, error) {
	if o.Family == "" {
		o.Family = FamilyNormal
	}
	f, err := o.crps()
	if err != nil {
		return EMOS{}, err
	}
	e := EMOS{Options: o}
	d := e.design(rows)
	if need := max(minEMOSRows, 3*(d.p+d.q)); d.n < need {
		return EMOS{}, &TooFewError{"EMOS", d.n, need}
	}
	if wet, need := d.wet(), max(minWet, d.p+d.q); o.Censored && wet > 0 && wet < need {
		return EMOS{}, &TooFewError{"EMOS (amounts above zero)", wet, need}
	}
	return e, e.minimise(d, f)
}

func (o EMOSOptions) crps() (crps, error) {
	if o.Sqrt && !o.Censored {
		return nil, errors.New("fit EMOS: Sqrt needs Censored")
	}
	switch {
	case o.Family == FamilyNormal && o.Censored:
		return crpsCensoredNormal, nil
	case o.Family == FamilyNormal:
		return crpsNormal, nil
	case o.Family == FamilyLogistic && o.Censored:
		return crpsCensoredLogistic, nil
	case o.Family == FamilyLogistic:
		return crpsLogistic, nil
	}
	return nil, fmt.Errorf("fit EMOS: unknown family %q; families are %q and %q", o.Family, FamilyNormal, FamilyLogistic)
}

// design holds the usable rows as regressors.
type design struct {
	n, p, q int
	x       []float64 // [n, p] of the location
	s       []float64 // [n, q] of the scale
	y       []float64 // [n]
}

func (e *EMOS) design(rows []Row) *design {
	d := &design{}
	o := e.Options
	if o.LogScale {
		// A twentieth of the usual spread.
		var sum, n float64
		for _, r := range rows {
			if m, _, v := e.moments(r.Members); m > 1 {
				sum += math.Sqrt(v)
				n++
			}
		}
		e.Floor = 0.05*sum/math.Max(n, 1) + 1e-6
	}
	for _, r := range rows {
		if math.IsNaN(r.Obs) {
			continue
		}
		x, s, ok := e.regressors(d.x, d.s, r)
		if !ok {
			continue
		}
		if d.n == 0 {
			d.p, d.q = len(x), len(s)
		}
		if len(x) != (d.n+1)*d.p {
			panic("baseline: rows with different numbers of members")
		}
		d.x, d.s = x, s
		y := r.Obs
		if o.Censored {
			y = math.Max(y, 0)
		}
		if o.Sqrt {
			y = math.Sqrt(y)
		}
		d.y = append(d.y, y)
		d.n++
	}
	return d
}

// wet is the number of observations above zero: in dry months they are few, and what is
// fitted to them alone is no forecast.
func (d *design) wet() (n int) {
	for _, y := range d.y {
		if y > 0 {
			n++
		}
	}
	return n
}

// moments in the space of the regression.
func (e *EMOS) moments(members []float32) (m int, mean, variance float64) {
	if !e.Options.Sqrt {
		return moments(members)
	}
	root := make([]float32, len(members))
	for i, v := range members {
		root[i] = sqrt(v)
	}
	return moments(root)
}

func sqrt(v float32) float32 { return float32(math.Sqrt(math.Max(float64(v), 0))) }

// regressors appends those of one row to x and s; false when no member is present, or
// not what features need.
func (e *EMOS) regressors(x, s []float64, r Row) ([]float64, []float64, bool) {
	o := e.Options
	m, mean, variance := e.moments(r.Members)
	if m == 0 || o.Features && r.Past == nil {
		return x, s, false
	}
	x = append(x, 1)
	if o.MemberWeights {
		for _, v := range r.Members {
			if o.Sqrt {
				v = sqrt(v)
			}
			if math.IsNaN(float64(v)) {
				x = append(x, mean) // the others speak for a missing one
			} else {
				x = append(x, float64(v))
			}
		}
	} else {
		x = append(x, mean)
	}
	for _, h := range harmonics(nil, r.Day, o.Harmonics) {
		x = append(x, h, h*mean)
	}
	if o.Features {
		x = e.features(x, r, mean)
	}
	s = append(s, 1)
	if o.LogScale {
		s = append(s, math.Log(math.Sqrt(variance)+e.Floor))
		s = harmonics(s, r.Day, o.Harmonics)
	} else {
		s = append(s, variance)
	}
	return x, s, true
}

// features appends those of Features.
func (e *EMOS) features(x []float64, r Row, mean float64) []float64 {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range r.Members {
		if !math.IsNaN(float64(v)) {
			low, high = min(low, float64(v)), max(high, float64(v))
		}
	}
	past := *r.Past
	if e.Options.Sqrt {
		for _, v := range []*float64{&low, &high, &past.Obs, &past.Mean} {
			*v = math.Sqrt(max(*v, 0))
		}
	}
	return append(x, mean*mean, low-mean, high-mean, past.Obs, past.Mean)
}

// minimise finds the coefficients, in coordinates in which they are of order one
// and nearly independent of each other (whiten).
func (e *EMOS) minimise(d *design, f crps) error {
	u, w, err := whiten(d.x, d.n, d.p)
	if err != nil {
		return fmt.Errorf("fit EMOS to %d rows: %w", d.n, err)
	}
	a, rms := leastSquares(u, d.y, d.p)
	// Ridge and rounding of float32 members leave a little of an exact relation.
	if rms <= 1e-5*stat.PopStdDev(d.y, nil) {
		return fmt.Errorf("fit EMOS to %d rows: %w", d.n, ErrDegenerate)
	}
	link := newScaleLink(d, rms, e.Options)
	p := d.p
	value := func(grad, theta []float64) float64 {
		clear(grad)
		var sum float64
		a, c := theta[:p], theta[p:]
		for i, y := range d.y {
			ui, si := u[i*p:(i+1)*p], d.s[i*d.q:(i+1)*d.q]
			var mu float64
			for j, v := range ui {
				mu += a[j] * v
			}
			v, dmu, ds := f(y, mu, link.scale(c, si))
			sum += v
			for j, v := range ui {
				grad[j] += dmu * v
			}
			link.gradient(grad[p:], ds, c, si)
		}
		for j := range grad {
			grad[j] /= float64(d.n)
		}
		return sum / float64(d.n)
	}
	best, err := bfgs(value, append(a, link.start()...), 1e-5*rms, 1e-8)
	if err != nil {
		return fmt.Errorf("fit EMOS to %d rows: %w", d.n, err)
	}
	e.Location = w.back(best[:p])
	e.Scale = link.back(best[p:])
	return nil
}

// Predict returns the distribution for an ensemble; its members are those of the
// rows, in their order. day is that of the valid time. False when no member is
// present.
func (e *EMOS) Predict(members []float32, day int) (Distribution, bool) {
	return e.PredictRow(Row{Members: members, Day: day})
}

// PredictRow is Predict of a row, without its observation: what EMOS with features
// takes, and false when the row has no past.
func (e *EMOS) PredictRow(r Row) (Distribution, bool) {
	x, s, ok := e.regressors(nil, nil, r)
	if !ok {
		return nil, false
	}
	if len(x) != len(e.Location) {
		panic("baseline: EMOS with member weights was fitted to another number of members")
	}
	var mu float64
	for j, v := range x {
		mu += e.Location[j] * v
	}
	var scale float64
	for j, v := range s {
		scale += e.Scale[j] * v
	}
	if e.Options.LogScale {
		scale = math.Exp(scale)
	} else {
		scale = math.Sqrt(scale)
	}
	switch o := e.Options; {
	case o.Censored:
		return Censored{o.Family, mu, scale, o.Sqrt}, true
	case o.Family == FamilyLogistic:
		return Logistic{mu, scale}, true
	}
	return Normal{mu, scale}, true
}
