package calibrate

import (
	"math"
	"time"
)

// Coherence is the correlation of the latent normal variables of one member
// between two places, over horizontal distance d and difference of altitude dz,
// and between two lead times, over their difference dl:
//
//	(Regional + (1-Regional) exp(-d/Range - |dz|/Height)) exp(-dl/LeadRange)
//
// The latent variables are the starting noise and the Brownian increments of the
// interpolant, so members are coherent in space and time while the distribution
// at each place stays what the interpolant makes it.
type Coherence struct {
	Regional  float64 // share common to all places
	Range     float64 // km
	Height    float64 // m
	LeadRange float64 // hours
}

// Correlation of two places km apart with a difference of altitude in m, and of two
// lead times. Lead times are independent when LeadRange is 0.
func (c Coherence) Correlation(km, height float64, apart time.Duration) float64 {
	r := c.Regional + (1-c.Regional)*math.Exp(-km/c.Range-math.Abs(height)/c.Height)
	if hours := math.Abs(apart.Hours()); hours > 0 {
		if c.LeadRange <= 0 {
			return 0
		}
		r *= math.Exp(-hours / c.LeadRange)
	}
	return r
}

// waves is the number of plane waves of a member's field.
const waves = 32

// waveField makes normal fields over places. A field is a sum of plane waves with
// random wave vectors, drawn once a member, and normal amplitudes, drawn for each
// use:
//
//	z(p) = sqrt(r) g + sqrt(1-r) sum_k (a_k cos(w_k p) + b_k sin(w_k p)) / sqrt(K)
//
// At every place z is exactly N(0, 1), given the waves; over the draw of the wave
// vectors its covariance is exactly the kernel (random Fourier features, Rahimi
// and Recht 2007: exp(-d/L) has Cauchy distributed wave vectors). The value at a
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
	each := math.Sqrt((1 - f.coherence.Regional) / waves)
	for i := range f.places {
		row := f.table[i*amplitudes : (i+1)*amplitudes]
		row[2*waves] = common
		for k := range waves {
			g := normals[k*drawsPerWave : (k+1)*drawsPerWave]
			over := 1 / (f.coherence.Range * math.Abs(g[3]))
			phase := (p.xyz[3*i]*g[0] + p.xyz[3*i+1]*g[1] + p.xyz[3*i+2]*g[2]) * over
			phase += p.alt[i] * g[4] / (f.coherence.Height * math.Abs(g[5]))
			s, c := math.Sincos(phase)
			row[2*k], row[2*k+1] = each*c, each*s
		}
	}
}

// at is the field at place i for the given amplitudes.
func (f *waveField) at(i int, a []float64) float64 {
	row := f.table[i*amplitudes : (i+1)*amplitudes]
	a = a[:len(row)]
	var z float64
	for k, v := range row {
		z += v * a[k]
	}
	return z
}
