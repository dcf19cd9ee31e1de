package calibrate

import (
	"math"
	"time"
)

// Coherence is the correlation of the latent normal variables of one member
// between two places, over horizontal distance d and difference of altitude dz,
// and between two lead times, over their difference dl:
//
//	(Regional + (1-Regional-Local) exp(-d/Range - |dz|/Height)) exp(-dl/LeadRange)
//
// and Local exp(-dl/LocalRange) more at one and the same place; with Smooth it is
// exp(-(d/Range)²) in place of exp(-d/Range). The latent variables
// are the starting noise and the Brownian increments of the interpolant, so members
// are coherent in space and time while the distribution at each place stays what the
// interpolant makes it.
type Coherence struct {
	Regional   float64 // share common to all places
	Local      float64 // share of each place's own
	Smooth     bool    // errors change slowly from place to place
	Range      float64 // km
	Height     float64 // m
	LeadRange  float64 // hours
	LocalRange float64 // hours
}

// Correlation of two places km apart with a difference of altitude in m, and of two
// lead times. Without distance or difference they are one place. Lead times are
// independent when their range is 0.
func (c Coherence) Correlation(km, height float64, apart time.Duration) float64 {
	r := (c.Regional + c.shared()*c.falling(km, height)) * kept(c.LeadRange, apart)
	if km == 0 && height == 0 {
		r += c.Local * kept(c.LocalRange, apart)
	}
	return r
}

// shared is the share that falls with distance.
func (c Coherence) shared() float64 { return math.Max(0, 1-c.Regional-c.Local) }

// falling is how far it has fallen.
func (c Coherence) falling(km, height float64) float64 {
	d := km / c.Range
	if c.Smooth {
		d *= d
	}
	return math.Exp(-d - math.Abs(height)/c.Height)
}

// kept is the correlation over lead times: exp(-|apart|/hours).
func kept(hours float64, apart time.Duration) float64 {
	switch {
	case apart == 0:
		return 1
	case hours <= 0:
		return 0
	}
	return math.Exp(-math.Abs(apart.Hours()) / hours)
}

// waves is the number of plane waves of a member's field.
const waves = 32

// waveField makes normal fields over places. A field is a sum of plane waves with
// random wave vectors, drawn once a member, and normal amplitudes, drawn for each
// use:
//
//	z(p) = sqrt(r) g + sqrt(s) sum_k (a_k cos(w_k p) + b_k sin(w_k p)) / sqrt(K) + sqrt(l) e_p
//
// with r, l and s the shares that are regional, local and neither.
// At every place z is exactly N(0, 1), given the waves; over the draw of the wave
// vectors its covariance is exactly the kernel (random Fourier features, Rahimi
// and Recht 2007: exp(-d/L) has Cauchy distributed wave vectors, exp(-d²/L²) normal
// ones). The value at a
// place depends on that place's position only, so places can be split over
// processes at will.
type waveField struct {
	coherence Coherence
	table     []float64 // [place, 2 waves + 1]
	places    int
}

// amplitudes is the number of normals that make a field.
const amplitudes = 2*waves + 1

// cartesian coordinates [km] of places on the sphere, and altitudes [m] with 0 for
// unknown: the fields are for sharing noise, not for statistics.
type positions struct{ xyz, alt []float64 }

const earthRadius = 6371.229 // km

func cartesian(lat, lon, alt []float64) positions {
	p := positions{make([]float64, 3*len(lat)), make([]float64, len(lat))}
	for i := range lat {
		sa, ca := math.Sincos(lat[i] * math.Pi / 180)
		so, co := math.Sincos(lon[i] * math.Pi / 180)
		p.xyz[3*i], p.xyz[3*i+1], p.xyz[3*i+2] = earthRadius*ca*co, earthRadius*ca*so, earthRadius*sa
		if !math.IsNaN(alt[i]) {
			p.alt[i] = alt[i]
		}
	}
	return p
}

// drawsPerWave is the number of standard normals that fix a wave vector: three
// over one make a Cauchy vector in space, one over one in altitude.
const drawsPerWave = 6

// set draws the waves of a member from normals [waves, drawsPerWave].
func (f *waveField) set(p positions, normals []float64) {
	f.places = len(p.alt)
	n := f.places * amplitudes
	if cap(f.table) < n {
		f.table = make([]float64, n)
	}
	f.table = f.table[:n]
	common := math.Sqrt(f.coherence.Regional)
	each := math.Sqrt(f.coherence.shared() / waves)
	for i := range f.places {
		row := f.table[i*amplitudes : (i+1)*amplitudes]
		row[2*waves] = common
		for k := range waves {
			g := normals[k*drawsPerWave : (k+1)*drawsPerWave]
			over := 1 / (f.coherence.Range * math.Abs(g[3]))
			if f.coherence.Smooth {
				over = math.Sqrt2 / f.coherence.Range
			}
			phase := (p.xyz[3*i]*g[0] + p.xyz[3*i+1]*g[1] + p.xyz[3*i+2]*g[2]) * over
			phase += p.alt[i] * g[4] / (f.coherence.Height * math.Abs(g[5]))
			s, c := math.Sincos(phase)
			row[2*k], row[2*k+1] = each*c, each*s
		}
	}
}

// at is the field at place i for the given amplitudes, without the local share.
func (f *waveField) at(i int, a []float64) float64 {
	row := f.table[i*amplitudes : (i+1)*amplitudes]
	a = a[:len(row)]
	var z float64
	for k, v := range row {
		z += v * a[k]
	}
	return z
}
