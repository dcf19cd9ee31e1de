package calibrate

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Over many members the covariance of the fields is the kernel, and each place
// is standard normal.
func TestWaveFieldCovariance(t *testing.T) {
	for _, smooth := range []bool{false, true} {
		waveFieldCovariance(t, Coherence{Regional: 0.1, Range: 127, Height: 874, Smooth: smooth})
	}
}

func waveFieldCovariance(t *testing.T, c Coherence) {
	lat := []float64{46, 46, 46, 47, 60}
	lon := []float64{-121, -121, -120.5, -121, 10}
	alt := []float64{100, 900, 100, 100, 100}
	p := cartesian(lat, lon, alt)
	rng := rand.New(rand.NewPCG(3, 3))
	const n = 20000
	f := waveField{coherence: c}
	var cov [5][5]float64
	normals, a := make([]float64, waves*drawsPerWave), make([]float64, amplitudes)
	for range n {
		for i := range normals {
			normals[i] = rng.NormFloat64()
		}
		for i := range a {
			a[i] = rng.NormFloat64()
		}
		f.set(p, normals)
		for i := range lat {
			for j := range lat {
				cov[i][j] += f.at(i, a) * f.at(j, a) / n
			}
		}
	}
	for i := range lat {
		for j := range lat {
			var d float64
			for k := range 3 {
				d += math.Pow(p.xyz[3*i+k]-p.xyz[3*j+k], 2)
			}
			want := c.Correlation(math.Sqrt(d), alt[i]-alt[j], 0)
			// The standard error of a covariance of standard normals is at most sqrt(2/n) = 0.01.
			if math.Abs(cov[i][j]-want) > 0.04 {
				t.Errorf("places %d and %d: covariance %.3f, want %.3f", i, j, cov[i][j], want)
			}
		}
	}
}

func TestNormalScoresInvert(t *testing.T) {
	for _, z := range []float64{-20, -4, -1, -1e-3, 0, 0.7, 3, 12} {
		x := logisticToNormal(z)
		if math.Abs(x) < 7.9 {
			if got := normalToLogistic(x); math.Abs(got-z) > 1e-6*(1+math.Abs(z)) {
				t.Errorf("logistic %v: back %v", z, got)
			}
		}
		if want := 1 / (1 + math.Exp(-z)); math.Abs(normalCDF(x)-want) > 1e-9 {
			t.Errorf("logistic %v: Phi(score) %v, want %v", z, normalCDF(x), want)
		}
	}
}
