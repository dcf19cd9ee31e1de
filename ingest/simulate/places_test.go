package simulate

import (
	"math"
	"math/rand/v2"
	"testing"
)

// For independent slots of unit variance both signals have unit variance and no
// covariance at every place, exactly.
func TestSignalsHaveUnitVariance(t *testing.T) {
	independent := new(martingale).correlation
	for name, s := range map[string]*places{"stations": stations(1, 200, independent), "grid": grid(200, independent)} {
		for i, at := range s.site {
			var pp, qq, pq float64
			for ring := range rings {
				for j := range at.slot {
					pp += at.p[ring][j] * at.p[ring][j]
					qq += at.q[ring][j] * at.q[ring][j]
					pq += at.p[ring][j] * at.q[ring][j]
				}
			}
			near(t, name+": variance of p", pp, 1, 1e-12)
			near(t, name+": variance of q", qq, 1, 1e-12)
			near(t, name+": covariance", pq, 0, 1e-12)
			if lat, lon := s.Latitude[i], s.Longitude[i]; lat < south || lat > north || lon < west || lon > east {
				t.Errorf("%s: place %d at %g N %g E is outside the domain", name, i, lat, lon)
			}
		}
	}
}

// Cubic convolution reproduces polynomials of second degree, and the point itself.
func TestCubicReproducesQuadratics(t *testing.T) {
	for _, f := range []float64{0, 0.25, 0.5, 0.9} {
		sum := [3]float64{}
		for j, w := range cubic(f) {
			x := float64(j - 1)
			for p := range sum {
				sum[p] += w * math.Pow(x, float64(p))
			}
		}
		for p, got := range sum {
			near(t, "moment", got, math.Pow(f, float64(p)), 1e-14)
		}
	}
}

// A grid has about the cells asked for, square ones in degrees, north first.
func TestGrid(t *testing.T) {
	g := grid(1000, new(martingale).correlation)
	if g.Grid.NY != 17 || g.Grid.NX != 59 { // sqrt(1000 * 12/40) = 17.3, 1000/17 = 58.8
		t.Errorf("grid of %d by %d, want 17 by 59", g.Grid.NY, g.Grid.NX)
	}
	if g.Latitude[0] <= g.Latitude[g.Grid.NX] || g.Longitude[0] >= g.Longitude[1] {
		t.Error("cells do not run from north to south and west to east")
	}
}

// What the field must be for neighbours to help each other: alike within 30 km,
// unlike across the domain, and of unit variance.
func TestSmoothField(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	s := newPlaces(400)
	for i := range s.Latitude {
		s.Latitude[i], s.Longitude[i] = south+12*r.Float64(), west+40*r.Float64()
		if i%2 == 1 {
			s.Latitude[i], s.Longitude[i] = s.Latitude[i-1]+0.2, s.Longitude[i-1]+0.2
		}
	}
	var square, near30, far float64
	const fields = 50
	for salt := range int64(fields) {
		f := s.smoothField(9, salt)
		for i := 1; i < len(f); i += 2 {
			square += f[i] * f[i] / (fields * 200)
			near30 += f[i] * f[i-1] / (fields * 200)
			far += f[i] * f[(i+200)%400] / (fields * 200)
		}
	}
	near(t, "variance", square, 1, 0.1)
	near(t, "covariance over 27 km", near30, 0.98, 0.1)
	near(t, "covariance across the domain", far, 0, 0.1)
	if near30 < 0.9*square {
		t.Errorf("neighbours differ: %g of %g", near30, square)
	}
}
