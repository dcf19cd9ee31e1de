package report

import (
	"bytes"
	"image/png"
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
)

func svgOf(t *testing.T, f *Figure) string {
	t.Helper()
	var b bytes.Buffer
	if err := f.WriteSVG(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// textOf is the text of a drawing, one element a line.
func textOf(svg string) string {
	var b strings.Builder
	for _, m := range regexp.MustCompile(`(?s)<text[^>]*>([^<]*)</text>`).FindAllStringSubmatch(svg, -1) {
		b.WriteString(m[1] + "\n")
	}
	return b.String()
}

func mustContain(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("no %q in\n%s", p, text)
		}
	}
}

// circles filled with a colour.
func circles(svg string, c rgb) int {
	return len(regexp.MustCompile(`<path d="M[^"]*A[^"]*" style="fill:`+hex(c)+`[";]`).FindAllString(svg, -1))
}

func TestCycles(t *testing.T) {
	d := exampleCycles(14)
	f, err := d.Figure()
	if err != nil {
		t.Fatal(err)
	}
	keepFigure(t, f)
	svg := svgOf(t, f)
	mustContain(t, textOf(svg),
		"2-m temperature at Seattle-Tacoma (KSEA): 48-h forecasts",
		"47.45° N 122.31° W, 131 m · 14 cycles, valid 2004-02-01 00 UTC to 2004-02-14 00 UTC",
		"raw members and their range · CRPS ", "observed\n", "°C\n", "1 Feb\n", "14\n", "valid time (UTC)")
	// One day of 14 has no observation; the legend has one mark.
	if got := circles(svg, ink); got != 13+1 {
		t.Errorf("%d observations drawn, want 14 with that of the legend", got)
	}
	// Eight raw members a day, and four in the legend, are drawn as ticks.
	ticks := regexp.MustCompile(`stroke:`+hex(rawColor)+`;stroke-width:1.1"`).FindAllString(svg, -1)
	if len(ticks) != 8*14+4 {
		t.Errorf("%d raw members drawn, want %d", len(ticks), 8*14+4)
	}
	if strings.Contains(svg, "NaN") {
		t.Error("the drawing has coordinates that are not numbers")
	}

	rand.New(rand.NewPCG(1, 1)).Shuffle(len(d.Forecasts), func(i, j int) { d.Forecasts[i], d.Forecasts[j] = d.Forecasts[j], d.Forecasts[i] })
	again, err := d.Figure()
	if err != nil {
		t.Fatal(err)
	}
	if svgOf(t, again) != svg {
		t.Error("the drawing depends on the order of the forecasts")
	}
}

func TestPNGIsTheSameEachTime(t *testing.T) {
	f, err := exampleCycles(3).Figure()
	if err != nil {
		t.Fatal(err)
	}
	var a, b bytes.Buffer
	if err := f.WritePNG(&a); err != nil {
		t.Fatal(err)
	}
	if err := f.WritePNG(&b); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two files differ")
	}
	c, err := png.DecodeConfig(&a)
	if err != nil {
		t.Fatal(err)
	}
	if w, h := f.Size(); c.Width != 1800 || c.Width != 2*w || c.Height != 2*h {
		t.Errorf("%d × %d pixels for %d × %d CSS pixels", c.Width, c.Height, w, h)
	}
}

func TestManyCyclesAreDrawnAsRanges(t *testing.T) {
	f, err := exampleCycles(90).Figure()
	if err != nil {
		t.Fatal(err)
	}
	f.Name += "-many"
	keepFigure(t, f)
	svg := svgOf(t, f)
	if strings.Contains(svg, "stroke:"+hex(rawColor)+";stroke-width:1.1\"") {
		t.Error("raw members are drawn one by one")
	}
	mustContain(t, textOf(svg), "range of the raw members · CRPS")
	if n := circles(svg, ink); n != 89+1 {
		t.Errorf("%d observations, want 90 with that of the legend", n)
	}
}

func TestBandOfMembers(t *testing.T) {
	// score.Sample puts the p-quantile at rank p (M+1): 0.05·22 = 1.1 for 1 … 21.
	var members []float64
	for i := 21; i >= 1; i-- {
		members = append(members, float64(i))
	}
	want := band{1.1, 5.5, 11, 16.5, 20.9, 1, 21}
	got := newBand(append(members, math.NaN()))
	for i, pair := range [][2]float64{
		{got.q05, want.q05},
		{got.q25, want.q25},
		{got.q50, want.q50},
		{got.q75, want.q75},
		{got.q95, want.q95},
		{got.least, want.least},
		{got.most, want.most},
	} {
		if math.Abs(pair[0]-pair[1]) > 1e-12 {
			t.Errorf("value %d: got %+v, want %+v", i, got, want)
		}
	}
	if got := newBand(nil); finite(got.q50) || finite(got.least) {
		t.Errorf("band of no members: %+v", got)
	}
}

func TestMeanCRPS(t *testing.T) {
	es := []Ensemble{
		// By hand: members 0, 1 and observation 0: mean distance 1/2, fair gini 1/2,
		// empirical gini 1/4. Observation 2: mean distance 3/2.
		{Raw: []float64{0, 1}, Calibrated: []float64{0, 1}, Observed: 0},
		{Raw: []float64{0, 1}, Calibrated: []float64{0, 1}, Observed: 2},
		{Raw: []float64{0, 1}, Calibrated: []float64{0, 1}, Observed: math.NaN()},
		{Raw: []float64{5}, Calibrated: []float64{0, 1}, Observed: 3}, // no fair CRPS of one member
	}
	for _, c := range []struct {
		dependent       bool
		raw, calibrated float64
	}{{false, 0.5, 0.5}, {true, 0.5, 0.75}} {
		raw, calibrated, n := meanCRPS(es, c.dependent)
		if raw != c.raw || calibrated != c.calibrated || n != 2 {
			t.Errorf("dependent %v: %v and %v over %d, want %v and %v over 2", c.dependent, raw, calibrated, n, c.raw, c.calibrated)
		}
	}
}

func TestNothingToDraw(t *testing.T) {
	empty := Ensemble{Valid: firstValid, Raw: []float64{math.NaN()}, Observed: math.NaN()}
	for name, draw := range map[string]func() (*Figure, error){
		"cycles, none":       Cycles{}.Figure,
		"cycles, no values":  Cycles{Forecasts: []Ensemble{empty}}.Figure,
		"members, none":      Members{}.Figure,
		"members, no values": Members{Leads: []Ensemble{empty}}.Figure,
		"ranks, none":        func() (*Figure, error) { return RankHistograms(temperature, nil) },
		"ranks, no cases": func() (*Figure, error) {
			return RankHistograms(temperature, []Histogram{{Counts: make([]int, 9)}})
		},
		"leads, none":            func() (*Figure, error) { return ByLead(temperature, systems, nil) },
		"leads, another number":  func() (*Figure, error) { return ByLead(temperature, systems, []LeadScores{{}}) },
		"days, none":             func() (*Figure, error) { return Daily(temperature, systems, nil) },
		"days, another number":   func() (*Figure, error) { return Daily(temperature, systems, []DayScores{{}}) },
		"stations, none":         func() (*Figure, error) { return StationMap(temperature, systems[3], systems[0], nil) },
		"events, none":           func() (*Figure, error) { return Reliability(temperature, systems, nil) },
		"events, another number": func() (*Figure, error) { return Reliability(temperature, systems, []Event{{}}) },
		"spread, none":           func() (*Figure, error) { return SpreadSkill(temperature, nil, nil) },
		"spread, no cases":       func() (*Figure, error) { return SpreadSkill(temperature, systems, make([][]SpreadBin, 4)) },
	} {
		if f, err := draw(); err == nil || f != nil {
			t.Errorf("%s: drawn", name)
		}
	}
}

// A single member, equal members, one cycle: ranges of no width must still be drawn.
func TestDegenerateForecasts(t *testing.T) {
	one := Ensemble{Cycle: firstValid, Valid: firstValid.Add(6 * time.Hour), Raw: []float64{280, 280}, Calibrated: []float64{280}, Observed: 280}
	for name, draw := range map[string]func() (*Figure, error){
		"cycles":  Cycles{Variable: temperature, Station: seattle, Lead: 6 * time.Hour, Forecasts: []Ensemble{one}}.Figure,
		"members": Members{Variable: temperature, Station: seattle, Cycle: firstValid, Leads: []Ensemble{one}}.Figure,
	} {
		f, err := draw()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		svg := svgOf(t, f)
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("%s: coordinates that are not numbers", name)
		}
		mustContain(t, textOf(svg), "6.8\n") // 280 K is 6.85 °C
	}
}
