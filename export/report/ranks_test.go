package report

import (
	"math"
	"regexp"
	"strconv"
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

// bars returns the heights of the filled rectangles of a colour, left to right.
func bars(t *testing.T, svg string, c rgb) []float64 {
	t.Helper()
	var out []float64
	re := regexp.MustCompile(`<path d="M[^",]*,([^"L]*)L[^",]*,[^"L]*L[^",]*,([^"L]*)L[^"]*Z" style="fill:` + hex(c))
	for _, m := range re.FindAllStringSubmatch(svg, -1) {
		from, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		to, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, to-from)
	}
	return out
}

func TestRankHistograms(t *testing.T) {
	histograms := exampleHistograms()
	f, err := RankHistograms(temperature, histograms)
	if err != nil {
		t.Fatal(err)
	}
	keepFigure(t, f)
	svg := svgOf(t, f)
	mustContain(t, textOf(svg), "raw ensemble, 5000 cases", "EMOS, 5000 cases", "calibrated, 5000 cases", "flat: reliable",
		"PIT of the observation", "rank of the observation", "51\n", number(histograms[0].density()[8], 1)+"\n")
	// The unit of height is that of the panel: find it from one bar, check all.
	unit := 0.
	for _, h := range histograms {
		heights, density := bars(t, svg, h.System.color()), h.density()
		if len(heights) != len(density) {
			t.Fatalf("%s: %d bars, want %d", h.System.Name, len(heights), len(density))
		}
		if unit == 0 {
			unit = heights[0] / density[0]
		}
		for r, got := range heights {
			want := unit * math.Min(density[r], rankCeiling)
			if math.Abs(got-want) > 0.02 {
				t.Errorf("%s rank %d: height %v, want %v", h.System.Name, r, got, want)
			}
		}
	}
}
