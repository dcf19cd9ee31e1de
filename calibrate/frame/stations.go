package frame

import "math"

// Stations is the register of places seen so far, in order of first appearance,
// which is the order of the state vectors of every expert.
type Stations struct {
	ID                            []string
	Latitude, Longitude, Altitude []float64 // degrees, degrees, m (NaN unknown); the latest position seen: ships move

	index map[string]int
	near  map[shape]*correlation
	local *neighbourhood
}

// Lookup returns the register's numbers of places, adding those not seen before.
func (s *Stations) Lookup(id []string, lat, lon, alt []float64) []int {
	if s.index == nil {
		s.index = make(map[string]int, len(s.ID))
		for i, v := range s.ID {
			s.index[v] = i
		}
	}
	at := make([]int, len(id))
	for i, v := range id {
		k, ok := s.index[v]
		if !ok {
			k = len(s.ID)
			s.index[v] = k
			s.ID = append(s.ID, v)
			s.Latitude = append(s.Latitude, 0)
			s.Longitude = append(s.Longitude, 0)
			s.Altitude = append(s.Altitude, math.NaN())
		}
		s.Latitude[k], s.Longitude[k], s.Altitude[k] = lat[i], lon[i], alt[i]
		at[i] = k
	}
	return at
}

// Len is the number of places in the register.
func (s *Stations) Len() int { return len(s.ID) }

// Differences of altitude [m] assumed in the kriging kernel where one or both
// altitudes are unknown: typical differences in mixed terrain.
const (
	oneAltitudeUnknown   = 400
	bothAltitudesUnknown = 150
)

// kmPerDegree is the length of a degree of latitude [km].
const kmPerDegree = 111.195

// distances returns the horizontal distance [km] and the difference of altitude
// [m] between two places of the register. The plane approximation, with the
// cosine of the mean latitude, is within 1 % up to the few hundred kilometres
// over which biases are related.
func (s *Stations) distances(i, j int) (km, m float64) {
	if i == j {
		return 0, 0
	}
	dlat := s.Latitude[i] - s.Latitude[j]
	dlon := math.Mod(s.Longitude[i]-s.Longitude[j]+540, 360) - 180
	dlon *= math.Cos((s.Latitude[i] + s.Latitude[j]) / 2 * math.Pi / 180)
	km = kmPerDegree * math.Hypot(dlat, dlon)
	a, b := s.Altitude[i], s.Altitude[j]
	switch {
	case math.IsNaN(a) && math.IsNaN(b):
		m = bothAltitudesUnknown
	case math.IsNaN(a) || math.IsNaN(b):
		m = oneAltitudeUnknown
	default:
		m = math.Abs(a - b)
	}
	return km, m
}

// shape of a kernel's spatial correlation exp(-distance/Range - |dz|/Height).
type shape struct{ Range, Height float64 }

// correlation is the matrix of a shape over the register, [n, n]. Stations are
// many and move seldom: only the rows of those that did are computed again.
type correlation struct {
	n             int
	data          []float64
	lat, lon, alt []float64 // for which data holds
}

// Prepare brings the correlation matrices that experts share up to date. It must
// be called after Lookup and before frames predict, which read them, possibly at
// the same time.
func (s *Stations) Prepare(specs []Spec) {
	if s.Len() > denseKriging {
		s.near = nil
		s.prepareNear(specs)
		return
	}
	if s.near == nil {
		s.near = map[shape]*correlation{}
	}
	for _, spec := range specs {
		s.correlate(shape{spec.Bias.Range, spec.Bias.Height})
		if spec.RecentMemory > 0 {
			s.correlate(shape{spec.Recent.Range, spec.Recent.Height})
		}
	}
}

func (s *Stations) correlate(sh shape) {
	c := s.near[sh]
	n := s.Len()
	if c == nil || c.n < n {
		grown := &correlation{n: n, data: make([]float64, n*n), lat: make([]float64, n), lon: make([]float64, n), alt: make([]float64, n)}
		for i := range n {
			grown.lat[i] = math.NaN() // not computed yet
			if c != nil && i < c.n {
				copy(grown.data[i*n:], c.data[i*c.n:(i+1)*c.n])
				grown.lat[i], grown.lon[i], grown.alt[i] = c.lat[i], c.lon[i], c.alt[i]
			}
		}
		s.near[sh], c = grown, grown
	}
	same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
	for i := range n {
		if c.lat[i] == s.Latitude[i] && c.lon[i] == s.Longitude[i] && same(c.alt[i], s.Altitude[i]) {
			continue
		}
		for j := range n {
			km, m := s.distances(i, j)
			v := math.Exp(-km/sh.Range - m/sh.Height)
			c.data[i*n+j], c.data[j*n+i] = v, v
		}
		c.lat[i], c.lon[i], c.alt[i] = s.Latitude[i], s.Longitude[i], s.Altitude[i]
	}
}
