package frame

import (
	"math"
	"slices"
)

// known is what was known of a place when its forecast was made, in working space: its
// latest observation and the mean of the raw forecast of that, and the mean of the raw
// forecast of the day before, whose observation may not have been there. NaN: nothing.
type known struct {
	Obs, Mean float32
	Age       float32 // days from the observation to the valid time
	Before    float32
}

func nothingKnown() known {
	nan := float32(math.NaN())
	return known{nan, nan, nan, nan}
}

// What persists in the weather beyond the forecast fades. Of temperature an observation
// counts less with its age [days]; of precipitation beyond pastAge not at all.
const (
	pastAge   = 5
	pastFades = 8
)

// Numbers of features.
const (
	pastFeatures   = 3
	beforeFeatures = 2
)

// past appends whether there is an observation, and it and its forecast about centre: how
// far errors and the weather itself persist is left to the regression.
func (k known) past(x []float64, centre float64, censored bool) []float64 {
	w := 0.0
	switch {
	case isNaN(k.Obs):
	case !censored:
		w = decay(float64(k.Age), pastFades)
	case k.Age <= pastAge:
		w = 1
	}
	if w == 0 {
		return append(x, 0, 0, 0)
	}
	return append(x, w, w*(float64(k.Obs)-centre), w*(float64(k.Mean)-centre))
}

// before appends whether there is a forecast of the day before, and that about centre.
func (k known) before(x []float64, centre float64) []float64 {
	if isNaN(k.Before) {
		return append(x, 0, 0)
	}
	return append(x, 1, float64(k.Before)-centre)
}

// datedPair is an observation of a valid day and the mean of the raw forecast of it.
type datedPair struct {
	Day       float64
	Obs, Mean float32
}

// issued are the means of the raw forecasts of a valid day.
type issued struct {
	Day  float64
	Mean []float32 // [station]; NaN = none
}

// known of each case when its forecast is made.
func (f *Frame) known(c *Cases) []known {
	before := slices.IndexFunc(f.Issued, func(d issued) bool { return sameDay(d.Day, c.Day-1) })
	out := make([]known, c.Len())
	for i, k := range c.Station {
		out[i] = nothingKnown()
		if k < len(f.Past) && !isNaN(f.Past[k].Obs) {
			p := f.Past[k]
			out[i].Obs, out[i].Mean, out[i].Age = p.Obs, p.Mean, float32(c.Day-p.Day)
		}
		if before >= 0 && k < len(f.Issued[before].Mean) {
			out[i].Before = f.Issued[before].Mean[k]
		}
	}
	return out
}

const minute = 1. / (24 * 60) // days

func sameDay(a, b float64) bool { return math.Abs(a-b) < minute }

// Note keeps the means of forecasts that have been predicted, for those of the next day. A
// censored frame makes no use of them.
func (f *Frame) Note(s *Stations, c *Cases) {
	if f.Censored != nil {
		return
	}
	f.Issued = slices.DeleteFunc(f.Issued, func(d issued) bool { return d.Day < c.Day-1+minute || sameDay(d.Day, c.Day) })
	d := issued{c.Day, make([]float32, s.Len())}
	for k := range d.Mean {
		d.Mean[k] = float32(math.NaN())
	}
	for i, k := range c.Station {
		d.Mean[k] = float32(Summarise(c.members(i)).Mean)
	}
	f.Issued = append(f.Issued, d)
}

// remember keeps the observations of a day for forecasts to come, gross errors cut as in
// training.
func (f *Frame) remember(s *Stations, c *Cases, sum []Summary, obs []float32, p *Prediction) {
	for len(f.Past) < s.Len() {
		nan := float32(math.NaN())
		f.Past = append(f.Past, datedPair{math.Inf(-1), nan, nan})
	}
	for i, k := range c.Station {
		if sum[i].Count > 0 && !isNaN(obs[i]) {
			f.Past[k] = datedPair{c.Day, float32(p.cut(i, obs[i])), float32(sum[i].Mean)}
		}
	}
}

// known of case i when p was made.
func (p *Prediction) known(i int) known {
	if p == nil {
		return nothingKnown()
	}
	return p.Known[i]
}

// place effect of case i as it was known when p was made.
func (p *Prediction) place(i int) float32 {
	if p == nil {
		return 0
	}
	return p.Place[i]
}
