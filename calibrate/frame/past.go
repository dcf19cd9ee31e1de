package frame

import "math"

// pair is an observation and the mean of the raw forecast of it, in working space; NaN
// where nothing is known.
type pair struct{ Obs, Mean float32 }

func noPair() pair {
	nan := float32(math.NaN())
	return pair{nan, nan}
}

// datedPair is a pair of a valid day.
type datedPair struct {
	Day  float64
	Pair pair
}

// pastAge is the age [days] of a pair at the valid time beyond which it says nothing: what
// persists in the weather beyond the forecast is gone by then.
const pastAge = 5

const pastFeatures = 3

// features appends whether there is a pair, and the pair about centre: how far errors and
// the weather itself persist is left to the regression.
func (p pair) features(x []float64, centre float64) []float64 {
	if isNaN(p.Obs) {
		return append(x, 0, 0, 0)
	}
	return append(x, 1, float64(p.Obs)-centre, float64(p.Mean)-centre)
}

// latest returns for each case the last pair of its place that was taken in.
func (f *Frame) latest(c *Cases) []pair {
	out := make([]pair, c.Len())
	for i, k := range c.Station {
		out[i] = noPair()
		if k < len(f.Past) && c.Day-f.Past[k].Day <= pastAge {
			out[i] = f.Past[k].Pair
		}
	}
	return out
}

// remember keeps the pairs of a day for forecasts to come, gross errors cut as in training.
func (f *Frame) remember(s *Stations, c *Cases, sum []Summary, obs []float32, p *Prediction) {
	for len(f.Past) < s.Len() {
		f.Past = append(f.Past, datedPair{math.Inf(-1), noPair()})
	}
	for i, k := range c.Station {
		if sum[i].Count > 0 && !isNaN(obs[i]) {
			f.Past[k] = datedPair{c.Day, pair{float32(p.cut(i, obs[i])), float32(sum[i].Mean)}}
		}
	}
}

// past of case i as it was known when p was made.
func (p *Prediction) past(i int) pair {
	if p == nil {
		return noPair()
	}
	return p.Past[i]
}

// place effect of case i as it was known when p was made.
func (p *Prediction) place(i int) float32 {
	if p == nil {
		return 0
	}
	return p.Place[i]
}
