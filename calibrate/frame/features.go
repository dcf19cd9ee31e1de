package frame

import "math"

// Cases are the raw forecasts of one cycle and lead time in the working space
// of the variable: n places of m members each.
type Cases struct {
	Day     float64   // valid time, days since 1970-01-01
	Cycle   float64   // forecast reference time, days since 1970-01-01
	Station []int     // [n] numbers in the register
	Members int       // m
	Values  []float32 // [n, m]; NaN = missing
}

// Len is the number of places.
func (c *Cases) Len() int { return len(c.Station) }

func (c *Cases) members(i int) []float32 { return c.Values[i*c.Members : (i+1)*c.Members] }

// Summary is what the frame looks at of one raw ensemble.
type Summary struct {
	Mean, SD, Min, Max float64
	Count              int // members that are not missing
}

// Summarise computes the summary; SD has divisor Count-1 and is 0 for a single member.
func Summarise(members []float32) Summary {
	s := Summary{Min: math.Inf(1), Max: math.Inf(-1)}
	for _, v := range members {
		x := float64(v)
		if x != x {
			continue
		}
		s.Count++
		s.Mean += x
		s.Min = math.Min(s.Min, x)
		s.Max = math.Max(s.Max, x)
	}
	if s.Count == 0 {
		return Summary{Mean: math.NaN(), SD: math.NaN(), Min: math.NaN(), Max: math.NaN()}
	}
	s.Mean /= float64(s.Count)
	if s.Count > 1 {
		for _, v := range members {
			if x := float64(v); x == x {
				s.SD += (x - s.Mean) * (x - s.Mean)
			}
		}
		s.SD = math.Sqrt(s.SD / float64(s.Count-1))
	}
	return s
}

// design says which features a ridge regression has.
type design struct {
	// Each: every member has a coefficient of its own, for members that are not
	// exchangeable; otherwise mean, lowest and highest stand for them.
	Each     bool
	Members  int
	Position bool // latitude, longitude, altitude
	Season   bool // two harmonics of the year, in the intercept and in the slope on the mean; a squared mean
	Past     bool // the latest observation that was known of the place
	Before   bool // the forecast of the day before
}

func (d design) len() int {
	n := 2 // mean, sd
	switch {
	case d.Each:
		n = d.Members + 1
	case d.Members > 4:
		n += 2
	}
	if d.Position {
		n += 6
	}
	if d.Season {
		n += 9
	}
	if d.Past {
		n += pastFeatures
	}
	if d.Before {
		n += beforeFeatures
	}
	return n
}

// Offsets and scales only keep the sums well conditioned; the penalty acts on
// standardised features.
const (
	kilometre = 1000.0
	year      = 365.2425 // days
)

// fill writes the features of case i to x, of length len, and returns it; centre is
// the reference about which a frame's values are counted, k what was known.
func (d design) fill(x []float64, c *Cases, i int, s Summary, centre float64, st *Stations, k known) []float64 {
	x = x[:0]
	mean := s.Mean - centre
	if d.Each {
		for _, v := range c.members(i) {
			f := float64(v) - centre
			if f != f {
				f = mean // a missing member is replaced by the mean of the others
			}
			x = append(x, f)
		}
		x = append(x, s.SD)
	} else {
		x = append(x, mean, s.SD)
		if d.Members > 4 {
			x = append(x, s.Min-centre, s.Max-centre)
		}
	}
	if d.Position {
		p := c.Station[i]
		lat, lon, alt := st.Latitude[p]/10, st.Longitude[p]/10, st.Altitude[p]/kilometre
		missing := 0.0
		if math.IsNaN(alt) {
			alt, missing = 0, 1
		}
		x = append(x, lat, lon, alt, missing, alt*alt, lat*lon)
	}
	if d.Season {
		s1, c1 := math.Sincos(2 * math.Pi * c.Day / year)
		s2, c2 := 2*s1*c1, c1*c1-s1*s1
		x = append(x, s1, c1, s2, c2, mean*s1, mean*c1, mean*s2, mean*c2, mean*mean/10)
	}
	if d.Past {
		x = k.past(x, centre, false)
	}
	if d.Before {
		x = k.before(x, centre)
	}
	return x
}
