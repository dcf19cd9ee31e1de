package report

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestByLead(t *testing.T) {
	f, err := ByLead(temperature, systems, exampleLeads())
	if err != nil {
		t.Fatal(err)
	}
	keepFigure(t, f)
	svg := svgOf(t, f)
	mustContain(t, textOf(svg), "CRPS (K)", "spread ÷ error", "bias, forecast − observed (K)", "lead time (h)", "raw ensemble", "EMOS", "kriged ridge", "calibrated", "120\n")
	for _, s := range systems {
		// Twenty lead times in three panels.
		if n := circles(svg, s.color()); n != 60 {
			t.Errorf("%s: %d points, want 60", s.Name, n)
		}
	}
	// From exampleLeads: 0.98 + 0.82·6/120 and 0.98 + 0.82.
	mustContain(t, f.Alt, "calibrated CRPS from 1.02 at 6 h to 1.80 K at 120 h")
}

func TestDaily(t *testing.T) {
	days := exampleDays(30)
	f, err := Daily(temperature, systems, days)
	if err != nil {
		t.Fatal(err)
	}
	keepFigure(t, f)
	svg := svgOf(t, f)
	wins := 0
	for _, d := range days {
		if d.CRPS[3] < d.CRPS[0] {
			wins++
		}
	}
	mustContain(t, f.Alt, "calibrated is below raw ensemble on "+number(float64(wins), 0)+" of 29 days")
	for _, s := range systems {
		if n := circles(svg, s.color()); n != 29 {
			t.Errorf("%s: %d points, want 29", s.Name, n)
		}
		// The legend, and two pieces: the fifth day has no cases.
		if n := strings.Count(svg, "stroke:"+hex(s.color())); n != 3 {
			t.Errorf("%s: %d lines, want 3", s.Name, n)
		}
	}
}

func TestStationMap(t *testing.T) {
	stations := exampleStations(400)
	f, err := StationMap(temperature, systems[3], systems[1], stations)
	if err != nil {
		t.Fatal(err)
	}
	keepFigure(t, f)
	svg := svgOf(t, f)
	gain, placed := 0, 0
	for _, s := range stations {
		if finite(s.Station.Latitude) {
			placed++
			if s.CRPSS > 0 {
				gain++
			}
		}
	}
	if placed != 390 {
		t.Fatalf("%d stations with a place", placed)
	}
	mustContain(t, textOf(svg), number(float64(gain), 0)+" of 390 stations gain", "longitude (°E)", "latitude (°N)", "number of stations", "■ loss", "● gain")
	mustContain(t, f.Caption, "10 stations without coordinates or score are not shown")
	drawn := 0
	for _, c := range skillColors {
		drawn += circles(svg, c)
	}
	if drawn != gain {
		t.Errorf("%d circles, want %d", drawn, gain)
	}
	// Edges of squares: paths of four sides that are not filled.
	if squares := strings.Count(svg, "stroke:"+hex(ink)+";stroke-width:0.45"); squares != placed-gain {
		t.Errorf("%d squares, want %d", squares, placed-gain)
	}
}

func TestSkillClasses(t *testing.T) {
	for _, c := range []struct {
		skill float64
		want  int
	}{{-1, 0}, {-0.4, 0}, {-0.31, 0}, {-0.29, 1}, {-1e-9, 3}, {0, 4}, {0.05, 4}, {0.11, 5}, {0.4, 7}, {3, 7}} {
		if got := skillClass(c.skill, 0.4); got != c.want {
			t.Errorf("skill %v is in class %d, want %d", c.skill, got, c.want)
		}
	}
	var s []StationSkill
	for k := range 10 {
		s = append(s, StationSkill{CRPSS: -0.01 * float64(k)})
	}
	if got := skillLimit(s); got != 0.2 { // the largest is 0.09
		t.Errorf("limit %v, want 0.2", got)
	}
}

func TestReliability(t *testing.T) {
	rain := Variable{Name: "tp", LongName: "12-h precipitation", Units: "kg m-2"}
	f, err := Reliability(rain, systems, exampleEvents())
	if err != nil {
		t.Fatal(err)
	}
	keepFigure(t, f)
	svg := svgOf(t, f)
	mustContain(t, textOf(svg), "more than 0.1 mm", "more than 5 mm", "more than 20 mm", "forecast probability", "10⁴")
	mustContain(t, f.Alt, "above 0.1 mm, Brier score: raw ensemble 0.220, EMOS 0.200, kriged ridge 0.180, calibrated 0.160")
	for _, s := range systems {
		if n := circles(svg, s.color()); n != 30 {
			t.Errorf("%s: %d points, want 30", s.Name, n)
		}
		if n := len(bars(t, svg, s.color())); n != 30 {
			t.Errorf("%s: %d bars, want 30", s.Name, n)
		}
	}
}

func TestSpreadBins(t *testing.T) {
	cases := []SpreadError{{9, -3}, {1, 1}, {math.NaN(), 1}, {4, 2}, {1, -1}, {16, 5}, {4, 0}}
	// By hand: sorted variances 1, 1, 4, 4, 9, 16 in pairs.
	want := []SpreadBin{{1, 1, 2}, {2, math.Sqrt(2), 2}, {math.Sqrt(12.5), math.Sqrt(17), 2}}
	if got := SpreadBins(cases, 3); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if !math.IsNaN(cases[2].Variance) || cases[0].Error != -3 {
		t.Error("the cases were changed")
	}
	if got := SpreadBins(cases[:2], 10); len(got) != 2 {
		t.Errorf("%d bins of two cases", len(got))
	}
	if got := SpreadBins(nil, 10); got != nil {
		t.Errorf("bins of no cases: %v", got)
	}
}

func TestSpreadSkill(t *testing.T) {
	f, err := SpreadSkill(temperature, systems, exampleSpread())
	if err != nil {
		t.Fatal(err)
	}
	keepFigure(t, f)
	svg := svgOf(t, f)
	mustContain(t, textOf(svg), "spread (K)", "RMSE of the mean (K)", "reliable")
	for _, s := range systems {
		if n := circles(svg, s.color()); n != 10 {
			t.Errorf("%s: %d points, want 10", s.Name, n)
		}
	}
}
