package report

import (
	"math"
	"testing"
)

func TestHistogramDensityHoldsAllCases(t *testing.T) {
	for _, h := range exampleHistograms() {
		if h.total() != 5000 {
			t.Errorf("%s: %d cases, want 5000", h.System.Name, h.total())
		}
		sum := 0.
		for _, d := range h.density() {
			sum += d * 5000 / float64(len(h.Counts))
		}
		if math.Abs(sum-5000) > 1e-9 {
			t.Errorf("%s: bars sum to %v cases", h.System.Name, sum)
		}
	}
}

func TestFlatBand(t *testing.T) {
	// By hand: 1.959964 √(400·0.1·0.9)/40 = 0.293995.
	lower, upper := flatBand(400, 10)
	if math.Abs(lower-0.706005) > 1e-6 || math.Abs(upper-1.293995) > 1e-6 {
		t.Errorf("got %v, %v", lower, upper)
	}
	if lower, _ := flatBand(9, 9); lower != 0 {
		t.Errorf("band of a case a bin begins at %v, want 0", lower)
	}
}

func TestRankHistograms(t *testing.T) {
	f, err := RankHistograms(temperature, exampleHistograms())
	if err != nil {
		t.Fatal(err)
	}
	keepFigure(t, f)
}
