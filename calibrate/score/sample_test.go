package score

import (
	"math"
	"slices"
	"testing"
)

func TestSample(t *testing.T) {
	memory := make(Sample, 0, 8)
	s := Sorted(memory, []float32{3, float32(math.NaN()), 1, 2, 2})
	if !slices.Equal(s, Sample{1, 2, 2, 3}) {
		t.Fatalf("sorted: %v", s)
	}
	if &s[0] != &memory[:1][0] {
		t.Error("scratch was not used")
	}
	near(t, "mean", s.Mean(), 2, 0)
	near(t, "variance", s.Variance(), 2./3, 1e-15)
	if !math.IsNaN(s[:1].Variance()) || !math.IsNaN(s[:0].Mean()) || !math.IsNaN(s[:0].Quantile(.5)) {
		t.Error("moments of too few members are not NaN")
	}
	for _, c := range []struct{ p, want float64 }{{.1, 1}, {.2, 1}, {.3, 1.5}, {.5, 2}, {.8, 3}, {.95, 3}} {
		near(t, "quantile", s.Quantile(c.p), c.want, 1e-14)
	}
	for _, c := range []struct {
		y                   float64
		below, ties, exceed int
	}{{0, 0, 0, 4}, {1, 0, 1, 3}, {2, 1, 2, 1}, {2.5, 3, 0, 1}, {3, 3, 1, 0}, {9, 4, 0, 0}} {
		below, ties := s.Rank(c.y)
		if below != c.below || ties != c.ties || s.Exceed(c.y) != c.exceed {
			t.Errorf("at %g: %d below, %d equal, %d above", c.y, below, ties, s.Exceed(c.y))
		}
	}
}
