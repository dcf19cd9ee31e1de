package main

import (
	"math"
	"path/filepath"
	"testing"
)

// series of points y = c·size^power along an axis.
func series(axis string, sizes ...int) []point {
	var out []point
	for _, n := range sizes {
		p := point{Axis: axis, size: size{Stations: 7, Members: 7, Leads: 7, Days: 7}}
		switch axis {
		case "stations":
			p.Stations = n
		case "days":
			p.Days = n
		}
		x := float64(n)
		p.Daily = usage{CPU: 3 * x, Peak: 2e6 * math.Sqrt(x)}
		p.Cold = usage{CPU: x * x, Peak: 5e6}
		out = append(out, p)
	}
	return out
}

func TestSlopes(t *testing.T) {
	points := append(series("stations", 10, 100, 1000), series("days", 90, 365)...)
	got := slopes(points)
	if len(got) != 2 || got[0].Axis != "stations" || got[1].Axis != "days" {
		t.Fatalf("slopes of %+v", got)
	}
	for _, s := range got {
		for _, c := range []struct {
			name      string
			got, want float64
		}{{"daily CPU", s.DailyCPU, 1}, {"daily memory", s.DailyPeak, 0.5}, {"cold CPU", s.ColdCPU, 2}, {"cold memory", s.ColdPeak, 0}} {
			if math.Abs(c.got-c.want) > 1e-12 {
				t.Errorf("%s: %s grows with power %g, want %g", s.Axis, c.name, c.got, c.want)
			}
		}
	}
	if err := draw(&results{Points: points, Slopes: got}, filepath.Join(t.TempDir(), "scale.png")); err != nil {
		t.Error(err)
	}
}

// Each axis varies one number, ascending.
func TestAxes(t *testing.T) {
	for _, full := range []bool{false, true} {
		for _, a := range axes(full) {
			for i := 1; i < len(a.sizes); i++ {
				before, now := point{size: a.sizes[i-1], Axis: a.name}, point{size: a.sizes[i], Axis: a.name}
				if now.along() <= before.along() {
					t.Errorf("axis %s: %s after %s", a.name, now.size, before.size)
				}
			}
		}
	}
}
