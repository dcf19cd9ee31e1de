package baseline

import (
	"math"
	"slices"
)

// ClimatologyOptions choose what climatology pools.
type ClimatologyOptions struct {
	// HalfWidth of the window of days of the year around the valid day; 0 is 15.
	HalfWidth int
}

// Climatology is the distribution of the observations of a station at the same
// time of the year, all years before; of all its days while there is less than a
// year of them.
type Climatology struct {
	HalfWidth int
	Seasonal  bool
	Stations  map[int][]Climate // ascending by day
}

// Climate is one observation of a station.
type Climate struct {
	Day   int
	Value float64
}

// FitClimatology gathers the observations of the rows.
func FitClimatology(rows []Row, o ClimatologyOptions) (Climatology, error) {
	c := Climatology{HalfWidth: o.HalfWidth, Stations: map[int][]Climate{}}
	if c.HalfWidth == 0 {
		c.HalfWidth = 15
	}
	n, first, last := 0, math.MaxInt, math.MinInt
	for _, r := range rows {
		if math.IsNaN(r.Obs) {
			continue
		}
		n++
		first, last = min(first, r.Day), max(last, r.Day)
		c.Stations[r.Station] = append(c.Stations[r.Station], Climate{r.Day, r.Obs})
	}
	if n == 0 {
		return Climatology{}, &TooFewError{"climatology", 0, 1}
	}
	c.Seasonal = float64(last-first) >= year
	for _, s := range c.Stations {
		slices.SortStableFunc(s, func(a, b Climate) int { return a.Day - b.Day })
	}
	return c, nil
}

// Predict returns the climate of a station on a day; false when nothing was
// measured there at that time of the year.
func (c *Climatology) Predict(station, day int) (Empirical, bool) {
	var x []float64
	for _, v := range c.Stations[station] {
		if c.Seasonal {
			// The distance within the year, from -year/2 to year/2.
			d := math.Remainder(float64(day-v.Day), year)
			if math.Abs(d) > float64(c.HalfWidth)+.5 {
				continue
			}
		}
		x = append(x, v.Value)
	}
	return NewEmpirical(x), len(x) > 0
}
