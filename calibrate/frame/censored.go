package frame

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
)

// censored is the frame of a variable with a point mass at zero: a logistic
// distribution of a latent variable in working space, censored at zero, location
// and log scale linear in features of the ensemble (Messner et al. 2014, Mon.
// Wea. Rev. 142, 448), fitted by minimum CRPS over archived rows.
type censored struct {
	Members  int
	Position bool
	Rows     thinned[censoredRow]
	Fresh    int // rows since the last fit
	Location []float64
	LogScale []float64
	Season   bool // the fit has seasonal features
	Places   placeMeans
}

// placeMeans has the sums of observation minus ensemble mean in working space, of each
// station, discounted over placeMemory: what its kriged mean, beyond that of all, tells of
// places is a feature of the regression. Dry days count like others.
type placeMeans struct {
	Sum, Count []float64 // [station]
	Square     float64   // of all rows
}

const placeMemory = 365.0 // days

func (m *placeMeans) discount(days float64) {
	f := decay(days, placeMemory)
	scale(m.Sum, f)
	scale(m.Count, f)
	m.Square *= f
}

func (m *placeMeans) add(station int, residual float64) {
	for len(m.Sum) <= station {
		m.Sum, m.Count = append(m.Sum, 0), append(m.Count, 0)
	}
	m.Sum[station] += residual
	m.Count[station]++
	m.Square += residual * residual
}

// kriged returns the effect of each place of the register: 0 at a single one.
func (m *placeMeans) kriged(s *Stations) ([]float64, error) {
	n, level := floats.Sum(m.Count), 0.0
	if n > 0 {
		level = floats.Sum(m.Sum) / n
	}
	mean, count := make([]float64, s.Len()), make([]float64, s.Len())
	copy(count, m.Count)
	for k, c := range m.Count {
		if c >= enough {
			mean[k] = m.Sum[k]/c - level
		}
	}
	out, _, err := krige(s, stationKernel.times(math.Max(m.Square/math.Max(n, 1)-level*level, tinyVariance)), mean, count)
	return out, err
}

const tinyVariance = 1e-6 // keeps kriging definite where forecasts are perfect

// censoredRow is an archived case: its features are computed again from the
// summary, so that they can change with the length of the archive.
type censoredRow struct {
	Day            float64
	Station        int32
	Mean, SD       float32 // of the members in working space
	Min, Max       float32
	Dry, PhysicalM float32 // share of members near zero; mean of the squares
	Observed       float32 // working space, 0 when nothing fell
	Known          known
	Place          float32 // its effect as it was known
}

// dryBelow is the square root of the amount [kg m-2] that counts as nothing.
var dryBelow = float32(math.Sqrt(0.1))

func censoredSummary(c *Cases, i int, k known, place float32) censoredRow {
	m := c.members(i)
	s := Summarise(m)
	r := censoredRow{
		Day: c.Day, Station: int32(c.Station[i]), Known: k, Place: place,
		Mean: float32(s.Mean), SD: float32(s.SD), Min: float32(s.Min), Max: float32(s.Max),
	}
	for _, v := range m {
		if isNaN(v) {
			continue
		}
		if v < dryBelow {
			r.Dry += 1 / float32(s.Count)
		}
		r.PhysicalM += v * v / float32(s.Count)
	}
	return r
}

const (
	locationBase, locationSeason, locationPosition = 11 + pastFeatures, 8, 5
	scaleBase, scaleSeason                         = 7, 2
)

func (q *censored) sizes() (location, scale int) {
	location, scale = locationBase, scaleBase
	if q.Season {
		location += locationSeason
		scale += scaleSeason
	}
	if q.Position {
		location += locationPosition
	}
	return location, scale
}

// features of location a and log scale b.
func (q *censored) features(a, b []float64, r *censoredRow, s *Stations) {
	m, sd, dry, place := float64(r.Mean), float64(r.SD), float64(r.Dry), float64(r.Place)
	logSD, logMean := math.Log(sd+0.1), math.Log(float64(r.PhysicalM)+0.1)
	a = append(a[:0], 1, m, dry, m*m/4, sd, float64(r.Max), float64(r.Min), logMean, m*dry, place, m*place)
	a = r.Known.past(a, 0, true)
	b = append(b[:0], 1, sd, m, dry, logSD, logMean, place)
	if q.Season {
		s1, c1 := math.Sincos(2 * math.Pi * r.Day / year)
		a = append(a, s1, c1, 2*s1*c1, c1*c1-s1*s1, m*s1, m*c1, dry*s1, dry*c1)
		b = append(b, s1, c1)
	}
	if q.Position {
		k := r.Station
		alt := s.Altitude[k] / kilometre
		if math.IsNaN(alt) {
			alt = 0
		}
		a = append(a, s.Latitude[k]/10, s.Longitude[k]/10, alt, alt*alt, m*alt)
	}
	_, _ = a, b
}

func (f *Frame) updateCensored(s *Stations, c *Cases, obs []float32, p *Prediction, gap float64) {
	q := f.Censored
	q.Places.discount(gap)
	for i := range obs {
		r := censoredSummary(c, i, p.known(i), p.place(i))
		if isNaN(r.Mean) || isNaN(obs[i]) {
			continue
		}
		r.Observed = max(obs[i], 0)
		q.Places.add(c.Station[i], float64(r.Observed-r.Mean))
		q.Rows.add(c.Day, c.Station[i], r)
		q.Fresh++
	}
	q.Rows.thin(f.Options.ScaleRows)
	q.Position = q.Position || s.Len() >= positionPlaces
}

// The first fit waits for so many rows, with an observation above zero in so many.
const (
	censoredRows    = 20
	censoredWet     = 8
	censoredGrown   = 80
	censoredPenalty = 30 // rows, on standardised features
)

// penalty of coefficient j of the location and then the scale, of na and more, in a fit
// to n rows; the first of each is the intercept. Few rows have to do with the mean in
// the location and the spread in the scale, which are then hardly held back: other
// coefficients are kept small there.
func penalty(j, na, n int) float64 {
	few := 1 / (1 + math.Pow(float64(n)/250, 4))
	switch j {
	case 0, na:
		return 0
	case 1, na + 1:
		return censoredPenalty*(1-few) + 1*few
	}
	return censoredPenalty*(1-few) + 100*few
}

func (f *Frame) predictCensored(s *Stations, c *Cases) (*Prediction, error) {
	q, p := f.Censored, &Prediction{Family: Logistic, Censored: true, Known: f.known(c), Place: make([]float32, c.Len())}
	places, err := q.Places.kriged(s)
	if err != nil {
		return nil, err
	}
	for i, k := range c.Station {
		p.Place[i] = float32(places[k])
	}
	wet := 0
	for i := range q.Rows.Kept {
		if q.Rows.Kept[i].Row.Observed > 0 {
			wet++
		}
	}
	if q.Rows.Seen < censoredRows || wet < censoredWet {
		return p, nil
	}
	if q.Location == nil || q.Fresh*50 >= q.Rows.Seen || q.Season != f.seasonal(c.Day) {
		q.Season = f.seasonal(c.Day)
		if err := q.fit(s); err != nil {
			return nil, err
		}
		q.Fresh = 0
	}
	n := c.Len()
	p.Mu, p.Sigma = make([]float32, n), make([]float32, n)
	p.StationLog, p.SpreadLog = make([]float32, n), make([]float32, n)
	na, nb := q.sizes()
	a, b := make([]float64, na), make([]float64, nb)
	for i := range n {
		r := censoredSummary(c, i, p.Known[i], p.Place[i])
		if isNaN(r.Mean) {
			p.Mu[i], p.Sigma[i] = r.Mean, r.Mean
			continue
		}
		q.features(a, b, &r, s)
		p.Mu[i] = float32(dot(q.Location, a))
		p.Sigma[i] = float32(math.Exp(dot(q.LogScale, b)))
		p.SpreadLog[i] = float32(math.Log(float64(r.SD) + 0.1))
	}
	p.Ready, p.Days, p.Grown = true, f.Days, q.Rows.Seen >= censoredGrown
	return p, nil
}

func dot(a, b []float64) float64 {
	var s float64
	for i, v := range a {
		s += v * b[i]
	}
	return s
}

// fit minimises the mean CRPS in working space of the logistic distribution
// censored at zero. With z = (y-m)/s, l = -m/s (derived by integrating
// (F - 1{x >= y})² from 0):
//
//	CRPS = s ( -z + 2 log(1+e^z) - 1 - log(1+e^l) + 1/(1+e^-l) )
func (q *censored) fit(s *Stations) error {
	rows := q.Rows.Kept
	n := len(rows)
	na, nb := q.sizes()
	a, b := mat.NewDense(n, na, nil), mat.NewDense(n, nb, nil)
	for i := range rows {
		q.features(a.RawRowView(i), b.RawRowView(i), &rows[i].Row, s)
	}
	meanA, sdA := standardise(a)
	meanB, sdB := standardise(b)
	var level float64
	for i := range rows {
		level += float64(rows[i].Row.Observed) / float64(n)
	}
	value := func(th, grad []float64) float64 {
		var f float64
		clear(grad)
		ga, gb := grad[:na], grad[na:]
		for i := range rows {
			xa, xb := a.RawRowView(i), b.RawRowView(i)
			m, ls := dot(th[:na], xa), dot(th[na:], xb)
			sc := math.Exp(math.Min(math.Max(ls, -5), 5))
			z, l := (float64(rows[i].Row.Observed)-m)/sc, -m/sc
			fz, fl := logistic(z), logistic(l)
			c := sc * (-z + 2*softplus(z) - 1 - softplus(l) + fl)
			f += c
			dz, dl := -1+2*fz, -fl+fl*(1-fl)
			gm := -(dz + dl)
			gl := c - sc*(dz*z+dl*l)
			for j, v := range xa {
				ga[j] += gm * v
			}
			for j, v := range xb {
				gb[j] += gl * v
			}
		}
		f /= float64(n)
		for j := range grad {
			grad[j] /= float64(n)
			w := penalty(j, na, n) / float64(n)
			f += w * th[j] * th[j]
			grad[j] += 2 * w * th[j]
		}
		return f
	}
	scratch := make([]float64, na+nb)
	problem := optimize.Problem{
		Func: func(th []float64) float64 { return value(th, scratch) },
		Grad: func(g, th []float64) { value(th, g) },
	}
	start := make([]float64, na+nb)
	res, err := optimize.Minimize(problem, start, &optimize.Settings{GradientThreshold: 1e-6 * math.Max(level, 1e-3), MajorIterations: 200}, &optimize.BFGS{})
	if res == nil || !finite(res.X) || res.F > value(start, scratch) {
		return fmt.Errorf("frame: the censored regression over %d rows has no minimum: %w", n, err)
	}
	q.Location = unstandardise(res.X[:na], meanA, sdA)
	q.LogScale = unstandardise(res.X[na:], meanB, sdB)
	return nil
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// softplus is log(1+e^x).
func softplus(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// standardise centres and scales all columns but the first, the intercept.
func standardise(x *mat.Dense) (mean, sd []float64) {
	n, p := x.Dims()
	mean, sd = make([]float64, p), make([]float64, p)
	sd[0] = 1
	for j := 1; j < p; j++ {
		for i := range n {
			mean[j] += x.At(i, j) / float64(n)
		}
		for i := range n {
			d := x.At(i, j) - mean[j]
			sd[j] += d * d / float64(n)
		}
		sd[j] = math.Sqrt(sd[j])
		for i := range n {
			x.Set(i, j, standardised(x.At(i, j), mean[j], sd[j]))
		}
	}
	return mean, sd
}

// standardised is 0 for a feature that does not vary.
func standardised(v, mean, sd float64) float64 {
	if sd <= 1e-9*(1+math.Abs(mean)) {
		return 0
	}
	return (v - mean) / sd
}

// unstandardise returns the coefficients that belong to the features as they are.
func unstandardise(th, mean, sd []float64) []float64 {
	out := make([]float64, len(th))
	out[0] = th[0]
	for j := 1; j < len(th); j++ {
		if sd[j] > 1e-9*(1+math.Abs(mean[j])) {
			out[j] = th[j] / sd[j]
			out[0] -= out[j] * mean[j]
		}
	}
	return out
}
