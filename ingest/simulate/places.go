package simulate

import (
	"fmt"
	"math"
	"math/rand/v2"

	"sipipe/ingest"
)

// The domain, degrees. It covers half of the rings, which have a slot each 10
// degrees of longitude, so that information enters it from outside.
const (
	south, north = 44.0, 56.0
	west, east   = -5.0, 35.0
	ringOrigin   = -25.0
	slotDegrees  = 10.0
)

// places are where the forecasts are made for, and how the rings reach them.
type places struct {
	ingest.Places
	site []site
}

// site is the part of the atmosphere that one place sees.
type site struct {
	slot [4]int            // slots of a ring that it is interpolated from
	p, q [rings][4]float64 // weights of the two signals; unit variance
}

// stations scatters n stations over the domain. Station i is the same for all n.
func stations(seed uint64, n int, correlation func(int) float64) *places {
	s := newPlaces(n)
	for i := range n {
		r := source(seed, forPlace, int64(i))
		s.ID[i] = fmt.Sprintf("S%07d", i+1)
		s.Latitude[i] = south + (north-south)*r.Float64()
		s.Longitude[i] = west + (east-west)*r.Float64()
		model, terrain := orography(s.Latitude[i], s.Longitude[i])
		s.ModelAltitude[i] = model
		// Stations stand more often in valleys than on summits.
		s.Altitude[i] = max(1, math.Round(terrain-60*r.ExpFloat64()+80*r.Float64()))
	}
	s.reach(correlation)
	return s
}

// grid covers the domain with about n cells on a regular grid, north to south.
func grid(n int, correlation func(int) float64) *places {
	aspect := (east - west) / (north - south)
	ny := max(1, int(math.Round(math.Sqrt(float64(n)/aspect))))
	nx := max(1, int(math.Round(float64(n)/float64(ny))))
	g := newPlaces(ny * nx)
	g.Grid = &ingest.Grid{NY: ny, NX: nx, YName: "latitude", XName: "longitude"}
	for y := range ny {
		for x := range nx {
			i := y*nx + x
			g.ID[i] = fmt.Sprintf("%d,%d", y, x)
			g.Latitude[i] = north - (float64(y)+0.5)*(north-south)/float64(ny)
			g.Longitude[i] = west + (float64(x)+0.5)*(east-west)/float64(nx)
			model, terrain := orography(g.Latitude[i], g.Longitude[i])
			g.ModelAltitude[i], g.Altitude[i] = model, math.Round(terrain)
		}
	}
	g.reach(correlation)
	return g
}

func newPlaces(n int) *places {
	return &places{
		Places: ingest.Places{
			ID:            make([]string, n),
			Latitude:      make([]float64, n),
			Longitude:     make([]float64, n),
			Altitude:      make([]float64, n),
			ModelAltitude: make([]float64, n),
		},
		site: make([]site, n),
	}
}

// orography is the model's and the true height of the ground, m: a broad range
// of mountains in the south that the model has, ridges and valleys that it has not.
func orography(lat, lon float64) (model, terrain float64) {
	dy, dx := (lat-46.5)/1.5, (lon-11)/6
	model = math.Round(150 + 1500*math.Exp(-(dy*dy+dx*dx)/2))
	ridges := math.Sin(lat*9.1+lon*1.7) * math.Sin(lon*5.3-lat*2.9)
	return model, max(1, model*(1+0.35*ridges)+40*ridges)
}

// reach sets the weights of every site. With w the weights of the cubic
// convolution (Keys 1981, a = -1/2), p has weights cos(a) w / n on ring A and
// sin(a) w / n on ring B, where n^2 = sum_ij w_i w_j correlation(i-j).
func (s *places) reach(correlation func(int) float64) {
	for i := range s.site {
		u := (s.Longitude[i] - ringOrigin) / slotDegrees
		first := math.Floor(u)
		w := cubic(u - first)
		variance := 0.0
		for j := range w {
			s.site[i].slot[j] = (int(first) - 1 + j + slots) % slots
			for k := range w {
				variance += w[j] * w[k] * correlation(max(j-k, k-j))
			}
		}
		sin, cos := math.Sincos(math.Pi / 2 * (s.Latitude[i] - south) / (north - south))
		for j := range w {
			v := w[j] / math.Sqrt(variance)
			s.site[i].p[0][j], s.site[i].p[1][j] = cos*v, sin*v
			s.site[i].q[0][j], s.site[i].q[1][j] = -sin*v, cos*v
		}
	}
}

// cubic gives the weights of the points at -1, 0, 1, 2 for a value at f in [0, 1).
func cubic(f float64) [4]float64 {
	return [4]float64{
		((-0.5*f+1)*f - 0.5) * f,
		(1.5*f-2.5)*f*f + 1,
		((-1.5*f+2)*f + 0.5) * f,
		(0.5*f - 0.5) * f * f,
	}
}

// signal holds p and q at all places.
type signal struct{ p, q []float64 }

func newSignal(n int) *signal { return &signal{p: make([]float64, n), q: make([]float64, n)} }

// see writes the signals of a state at all places to dst.
func (s *places) see(dst *signal, a *state) {
	for i := range s.site {
		at := &s.site[i]
		var p, q float64
		for j, k := range at.slot {
			p += at.p[0][j]*a[0][k] + at.p[1][j]*a[1][k]
			q += at.q[0][j]*a[0][k] + at.q[1][j]*a[1][k]
		}
		dst.p[i], dst.q[i] = p, q
	}
}

// smoothField is a random field of mean 0 and variance 1 over the domain, a sum
// of plane waves of 4 to 12 degrees (300 to 1300 km); salt tells fields apart.
func (s *places) smoothField(seed uint64, salt int64) []float64 {
	const waves = 12
	r := source(seed, forField, salt)
	field := make([]float64, len(s.site))
	for range waves {
		length := 4 + 8*r.Float64()
		sin, cos := math.Sincos(2 * math.Pi * r.Float64())
		phase := 2 * math.Pi * r.Float64()
		for i := range field {
			// A degree of longitude is 0.64 degrees of latitude long at 50 N.
			along := 0.64*cos*s.Longitude[i] + sin*s.Latitude[i]
			field[i] += math.Sqrt(2.0/waves) * math.Cos(2*math.Pi*along/length+phase)
		}
	}
	return field
}

// placeSource is a random stream of one place, for constants of a variable.
func placeSource(seed uint64, i int, salt int64) *rand.Rand {
	return source(seed, forPlace, int64(i), salt)
}
