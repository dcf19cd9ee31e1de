package report

import (
	"fmt"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Scores are figures of one system over some cases; NaN is unknown.
type Scores struct {
	CRPS, Spread, RMSE, SpreadError, Bias float64
}

// LeadScores are those of all systems at one lead time.
type LeadScores struct {
	Lead   time.Duration
	Scores []Scores // [system]
}

// DayScores are those of all systems on one day.
type DayScores struct {
	Day   time.Time // of valid times, UTC
	Cases int
	CRPS  []float64 // [system], means over the day
}

// series is a line of a panel.
type series struct {
	system System
	values []float64
}

// linePanel draws lines over common abscissae with a reference, unless it is NaN.
func linePanel(xLabel string, at []float64, lines []series, marks bool, reference float64) *plot.Plot {
	p := newPlot(xLabel)
	p.Add(layer(func(c draw.Canvas, x, y func(float64) vg.Length) {
		if finite(reference) {
			dashed(c, ink, 0.9, vg.Point{X: c.Min.X, Y: y(reference)}, vg.Point{X: c.Max.X, Y: y(reference)})
		}
		for _, l := range lines {
			curve(c, l.system.color(), 1.6, at, l.values, x, y)
			for i, v := range l.values {
				if finite(v) && marks {
					dot(c, l.system.color(), 2.1, x(at[i]), y(v))
				}
			}
		}
	}))
	return p
}

// systemKeys are lines in the colours of the systems.
func systemKeys(systems []System) []key {
	var out []key
	for _, s := range systems {
		out = append(out, lineKey(s.label(), s.color(), 1.8))
	}
	return out
}

// ByLead draws CRPS, spread ÷ error and bias over lead time.
func ByLead(v Variable, systems []System, leads []LeadScores) (*Figure, error) {
	if len(leads) == 0 {
		return nil, fmt.Errorf("draw scores by lead time: there are none")
	}
	var at []float64
	for _, l := range leads {
		if len(l.Scores) != len(systems) {
			return nil, fmt.Errorf("draw scores by lead time: %d systems at lead %s, want %d", len(l.Scores), l.Lead, len(systems))
		}
		at = append(at, l.Lead.Hours())
	}
	units := v.differences()
	panels := []struct {
		title     string
		pick      func(Scores) float64
		reference float64 // drawn, and within the panel
	}{
		{with("CRPS", units), func(s Scores) float64 { return s.CRPS }, 0},
		{"spread ÷ error", func(s Scores) float64 { return s.SpreadError }, 1},
		{with("bias, forecast − observed", units), func(s Scores) float64 { return s.Bias }, 0},
	}
	title := v.label() + ": scores by lead time"
	var plots []*plot.Plot
	for _, panel := range panels {
		var lines []series
		all := [][]float64{{panel.reference}}
		for i, s := range systems {
			l := series{system: s}
			for _, lead := range leads {
				l.values = append(l.values, panel.pick(lead.Scores[i]))
			}
			lines, all = append(lines, l), append(all, l.values)
		}
		p := linePanel("lead time (h)", at, lines, len(leads) <= 30, panel.reference)
		p.X.Min, p.X.Max = widen(at[0], at[len(at)-1], 0.03)
		p.X.Tick.Marker = hours{6}
		least, most := span(all...)
		p.Y.Min, p.Y.Max = widen(least, most, 0.06)
		if panel.title == panels[0].title {
			p.Y.Min = 0
		}
		p.Y.Tick.Marker = numbers(5)
		plots = append(plots, p)
	}
	var alt []string
	for i, s := range systems {
		a, b := leads[0], leads[len(leads)-1]
		alt = append(alt, fmt.Sprintf("%s CRPS from %s at %s h to %s %s at %s h", s.label(),
			number(a.Scores[i].CRPS, 2), number(at[0], 0), number(b.Scores[i].CRPS, 2), units, number(at[len(at)-1], 0)))
	}
	return &Figure{
		Name:    "by-lead",
		Title:   title,
		Caption: "CRPS (lower is better), spread divided by error of the ensemble mean (reliable: 1) and bias, by lead time.",
		Alt:     title + ". " + strings.Join(alt, "; ") + ".",
		height:  235,
		paint: func(c draw.Canvas) {
			c = heading(c, title, "", append(systemKeys(systems), dashedKey("ideal", ink, 0.9)))
			for i, part := range columns(c, len(panels)) {
				plots[i].Draw(panelTitle(part, panels[i].title))
			}
		},
	}, nil
}

// hours marks multiples of 6, 12, 24 … h.
type hours struct{ most int }

// Ticks implements plot.Ticker.
func (h hours) Ticks(lower, upper float64) []plot.Tick {
	step := 1.
	for _, step = range []float64{1, 3, 6, 12, 24, 48, 72, 120, 240} {
		if (upper-lower)/step <= float64(h.most) {
			break
		}
	}
	var out []plot.Tick
	for v := float64(int(lower/step)) * step; v <= upper; v += step {
		if v >= lower {
			out = append(out, plot.Tick{Value: v, Label: number(v, 0)})
		}
	}
	return out
}

// Daily draws the mean CRPS of each day.
func Daily(v Variable, systems []System, days []DayScores) (*Figure, error) {
	if len(days) == 0 {
		return nil, fmt.Errorf("draw daily scores: there are none")
	}
	lines := make([]series, len(systems))
	var all [][]float64
	var at []float64
	wins := 0
	for _, d := range days {
		if len(d.CRPS) != len(systems) {
			return nil, fmt.Errorf("draw daily scores: %d systems on %s, want %d", len(d.CRPS), d.Day.Format(time.DateOnly), len(systems))
		}
		if len(at) > 0 && seconds(d.Day)-at[len(at)-1] > 1.5*86400 {
			// A day without cases breaks the lines.
			at = append(at, at[len(at)-1]+86400)
			for i := range lines {
				lines[i].values = append(lines[i].values, nan)
			}
		}
		at = append(at, seconds(d.Day))
		for i, s := range systems {
			lines[i].system = s
			lines[i].values = append(lines[i].values, d.CRPS[i])
		}
		if d.CRPS[len(systems)-1] < d.CRPS[0] {
			wins++
		}
	}
	for _, l := range lines {
		all = append(all, l.values)
	}
	title := v.label() + ": mean CRPS by day"
	p := linePanel("valid day (UTC)", at, lines, len(at) <= 62, nan)
	p.X.Min, p.X.Max = at[0]-43200, at[len(at)-1]+43200
	p.X.Tick.Marker = dates{16}
	_, most := span(all...)
	p.Y.Min, p.Y.Max = 0, most*1.05
	if !(most > 0) {
		p.Y.Max = 1
	}
	p.Y.Tick.Marker = numbers(5)
	return &Figure{
		Name:    "daily",
		Title:   title,
		Caption: "Mean CRPS of each valid day over all stations and lead times; lower is better.",
		Alt: fmt.Sprintf("%s. %s is below %s on %d of %d days.", title,
			systems[len(systems)-1].label(), systems[0].label(), wins, len(days)),
		height: 225,
		paint: func(c draw.Canvas) {
			c = heading(c, title, "", systemKeys(systems))
			p.Draw(panelTitle(c, with("CRPS", v.differences())))
		},
	}, nil
}
