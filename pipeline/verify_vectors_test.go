package pipeline

import (
	"math"
	"slices"
	"testing"
	"time"

	"sipipe/calibrate/dependence"
	"sipipe/calibrate/noise"
	"sipipe/ingest"
)

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		n, m int
		want []int
	}{
		{0, 4, nil}, {1, 4, []int{0}}, {3, 4, []int{0, 1, 2}}, {8, 4, []int{0, 2, 4, 7}}, {9, 1, []int{0}},
	} {
		if got := spread(c.n, c.m); !slices.Equal(got, c.want) {
			t.Errorf("%d of %d: %v, want %v", c.m, c.n, got, c.want)
		}
	}
}

// Stations of unknown altitude among others leave the correlation positive definite.
func TestCorrelationOfUnknownAltitudes(t *testing.T) {
	w := &workspace{session: &session{Loaded: &Loaded{Config: DefaultConfig()}}}
	v := &vectors{verification: &verification{workspace: w}, coherence: w.Calibrate.coherence()}
	p := &ingest.Places{}
	var cs []component
	for i := range 40 {
		z := 100 * float64(i%17)
		if i%3 == 0 {
			z = math.NaN()
		}
		p.Latitude, p.Longitude, p.Altitude = append(p.Latitude, 45+0.02*float64(i%7)), append(p.Longitude, 10+0.02*float64(i/7)), append(p.Altitude, z)
		cs = append(cs, component{place: i})
	}
	raw := &ingest.Ensemble{Places: p, Leads: []time.Duration{0}}
	if _, err := dependence.Gaussian(noise.Seed(1), len(cs), 5, func(a, b int) float64 { return v.correlation(raw, cs[a], cs[b]) }); err != nil {
		t.Error(err)
	}
}

// A degree of latitude is 111.2 km; a station has its nearest neighbour within 100 km,
// and one that is alone has none.
func TestNearest(t *testing.T) {
	p := &ingest.Places{Latitude: []float64{50, 50.1, 50.15, 52}, Longitude: []float64{10, 10, 10, 10}}
	if d := distance(p, 0, 3); math.Abs(d-222.39) > 0.01 {
		t.Errorf("two degrees are %.2f km", d)
	}
	all := []component{{place: 3}, {place: 2}, {place: 0}, {place: 1}}
	for i, want := range []int{-1, 3, 3, 1} {
		if got := nearest(p, all, i); got != want {
			t.Errorf("neighbour of component %d: %d, want %d", i, got, want)
		}
	}
}
