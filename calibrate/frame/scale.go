package frame

import (
	"math"

	"gonum.org/v1/gonum/optimize"
)

// scaleRow is an archived case from which the scale is learned.
type scaleRow struct {
	Day      float64
	Residual float32 // archived, observed minus mu
	Station  float32 // log of the station's scale as it was known then
	Spread   float32 // log of the raw spread, plus a small constant
}

// scaleModel is log sigma = a0 + a1 log s_station + a2 (log spread - centre) + season.
type scaleModel struct {
	A      []float64 // 3, or 7 with two harmonics of the year
	Centre float64   // mean log spread of the rows fitted
	Season bool
}

// spreadFloor keeps the log of a vanishing raw spread finite; it is a fraction of
// the residual's scale.
const spreadFloor = 0.05

func (m *scaleModel) features(x []float64, station, spread, day float64) {
	x[0], x[1], x[2] = 1, station, spread-m.Centre
	if m.Season {
		s1, c1 := math.Sincos(2 * math.Pi * day / year)
		x[3], x[4], x[5], x[6] = s1, c1, 2*s1*c1, c1*c1-s1*s1
	}
}

func (m *scaleModel) at(station, spread, day float64) float64 {
	var x [7]float64
	m.features(x[:], station, spread, day)
	var l float64
	for j, a := range m.A {
		l += a * x[j]
	}
	return math.Exp(l)
}

// Prior of the scale model: sigma is the station's scale, whatever the spread.
// The penalty is in days, like that of the ridge.
const scalePenalty = 0.15

func scalePrior(n int) []float64 {
	a := make([]float64, n)
	a[1] = 1
	return a
}

// fitScale minimises the discounted mean CRPS of N(0, sigma²) over archived
// residuals (Gneiting et al. 2005), with a quadratic penalty towards the prior.
// memory is in days; 0 weighs all days alike.
func fitScale(archive *thinned[scaleRow], now, memory float64, season bool) scaleModel {
	m := scaleModel{Season: season}
	n := 3
	if season {
		n = 7
	}
	m.A = scalePrior(n)
	var total, mean, days float64
	last := math.Inf(-1)
	rows := archive.Kept
	weight := make([]float64, len(rows))
	for i := range rows {
		r := &rows[i].Row
		d := decay(now-r.Day, memory)
		w := d * archive.weight(i)
		weight[i] = w
		total += w
		mean += w * float64(r.Spread)
		if r.Day != last {
			days += d
			last = r.Day
		}
	}
	if total == 0 || days < 3 {
		return m
	}
	m.Centre = mean / total
	x := make([]float64, n*len(rows))
	var level float64
	for i := range rows {
		r := &rows[i].Row
		m.features(x[i*n:(i+1)*n:(i+1)*n], float64(r.Station), float64(r.Spread), r.Day)
		level += weight[i] * math.Abs(float64(r.Residual)) / total
	}
	if level == 0 {
		return m
	}
	prior := scalePrior(n)
	penalty := scalePenalty * level / days
	value := func(a, grad []float64) float64 {
		var f float64
		clear(grad)
		for i := range rows {
			var l float64
			xi := x[i*n : (i+1)*n]
			for j, v := range xi {
				l += a[j] * v
			}
			s := math.Exp(math.Min(math.Max(l, -30), 30))
			z := float64(rows[i].Row.Residual) / s
			pdf := math.Exp(-z*z/2) / math.Sqrt(2*math.Pi)
			f += weight[i] * s * (z*math.Erf(z/math.Sqrt2) + 2*pdf - 1/math.Sqrt(math.Pi))
			// d CRPS / d sigma = 2 phi(z) - 1/sqrt(pi); d sigma / d l = sigma.
			g := weight[i] * s * (2*pdf - 1/math.Sqrt(math.Pi))
			for j, v := range xi {
				grad[j] += g * v
			}
		}
		f /= total
		for j := range grad {
			grad[j] /= total
			d := a[j] - prior[j]
			f += penalty * d * d
			grad[j] += 2 * penalty * d
		}
		return f
	}
	grad := make([]float64, n)
	problem := optimize.Problem{
		Func: func(a []float64) float64 { return value(a, grad) },
		Grad: func(g, a []float64) { value(a, g) },
	}
	settings := &optimize.Settings{GradientThreshold: 1e-6 * level, MajorIterations: 60}
	// A line search that stalls at rounding level still leaves a usable minimum.
	res, err := optimize.Minimize(problem, prior, settings, &optimize.BFGS{})
	if res != nil && (err == nil || res.F < value(prior, grad)) && finite(res.X) {
		m.A = res.X
	}
	return m
}

func finite(x []float64) bool {
	for _, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}
