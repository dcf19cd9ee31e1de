package report

import (
	"math"
	"strings"
	"testing"
)

func TestPlume(t *testing.T) {
	f, err := exampleMembers(21).Figure()
	if err != nil {
		t.Fatal(err)
	}
	keepFigure(t, f)
	svg := svgOf(t, f)
	mustContain(t, textOf(svg), "2-m temperature at Seattle-Tacoma (KSEA)", "cycle 2004-02-01 00 UTC, valid to 2004-02-06 06 UTC", "raw members", "central 50 % and 90 %", "°C")
	// Eleven members, and one in the legend.
	if n := strings.Count(svg, "stroke:"+hex(rawColor)+";stroke-width:0.7\""); n != 11 {
		t.Errorf("%d raw members, want 11", n)
	}
	// Observations every 6 hours to 96 h, and one in the legend.
	if n := circles(svg, ink); n != 16+1 {
		t.Errorf("%d observations, want 17", n)
	}
}

func TestSingleLead(t *testing.T) {
	d := exampleMembers(1)
	d.Leads[0].Observed = 273.15 + 7.7
	f, err := d.Figure()
	if err != nil {
		t.Fatal(err)
	}
	f.Name += "-single"
	keepFigure(t, f)
	svg := svgOf(t, f)
	mustContain(t, textOf(svg), "valid 2004-02-03 00 UTC (48-h forecast)", "raw (11)", "calibrated (50)", "observed 7.7 °C", "2-m temperature (°C)")
	mustContain(t, f.Alt, "7.7 °C was observed")
	if raw, calibrated := circles(svg, rawColor), circles(svg, calColor); raw != 11 || calibrated != 50 {
		t.Errorf("%d raw and %d calibrated members drawn, want 11 and 50", raw, calibrated)
	}
}

func TestDensity(t *testing.T) {
	k := newDensity([]float64{3, 1, 2, math.NaN(), 5})
	// By hand: s = √(35/12) = 1.708, quartiles 1.25 and 4.5, whose distance over 1.34
	// is 2.425, so the width is 0.9 s 4^(-1/5).
	if want := 0.9 * math.Sqrt(35./12) * math.Pow(4, -0.2); math.Abs(k.width-want) > 1e-12 {
		t.Errorf("width %v, want %v", k.width, want)
	}
	sum := 0.
	for v := -10.; v < 20; v += 0.01 {
		sum += k.at(v) * 0.01
	}
	if math.Abs(sum-1) > 1e-6 {
		t.Errorf("integral %v", sum)
	}
	for _, members := range [][]float64{nil, {1}, {2, 2, 2}} {
		if k := newDensity(members); k.most != 0 {
			t.Errorf("%v has a density", members)
		}
	}
}
