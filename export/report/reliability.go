package report

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ReliabilityPoint is a class of forecast probabilities: their mean, how often the
// event occurred, the 90 % interval of that, and the number of cases.
type ReliabilityPoint struct {
	Forecast, Observed, Lower, Upper float64
	N                                int
}

// Event is the event that the variable is above a threshold.
type Event struct {
	Threshold float64              // in units of the variable
	Brier     []float64            // [system]
	Points    [][]ReliabilityPoint // [system]
}

// Reliability draws a reliability diagram for each of up to six events, with the
// number of forecasts of each class beneath.
func Reliability(v Variable, systems []System, events []Event) (*Figure, error) {
	const most, perRow = 6, 3
	if len(events) == 0 || len(events) > most {
		return nil, fmt.Errorf("draw reliability: %d events, want 1 … %d", len(events), most)
	}
	units, convert := v.shown()
	title := v.label() + ": reliability of probabilities"
	var alt []string
	for _, e := range events {
		if len(e.Points) != len(systems) {
			return nil, fmt.Errorf("draw reliability above %g: %d systems, want %d", e.Threshold, len(e.Points), len(systems))
		}
		var brier []string
		for i, s := range systems {
			if i < len(e.Brier) {
				brier = append(brier, s.label()+" "+number(e.Brier[i], 3))
			}
		}
		alt = append(alt, fmt.Sprintf("above %s %s, Brier score: %s", short(convert(e.Threshold)), units, strings.Join(brier, ", ")))
	}
	rows := (len(events) + perRow - 1) / perRow
	const rowHeight, below = 262, 76
	return &Figure{
		Name:    "reliability",
		Title:   title,
		Caption: "How often an event occurred, by its forecast probability; reliable forecasts lie on the diagonal. Bars are 90 % intervals of the last system. Beneath, how often each probability was forecast.",
		Alt:     title + ". " + strings.Join(alt, "; ") + ".",
		height:  vg.Length(rows)*rowHeight + 56,
		paint: func(c draw.Canvas) {
			c = heading(c, title, "", append(systemKeys(systems), dashedKey("reliable", ink, 0.9)))
			for r := range rows {
				bottom := vg.Length(rows-1-r) * (c.Max.Y - c.Min.Y) / vg.Length(rows)
				top := -vg.Length(r) * (c.Max.Y - c.Min.Y) / vg.Length(rows)
				for i, part := range columns(draw.Crop(c, 0, 0, bottom, top), perRow) {
					if k := r*perRow + i; k < len(events) {
						e := events[k]
						part = panelTitle(part, fmt.Sprintf("more than %s %s", short(convert(e.Threshold)), units))
						above, beneath := draw.Crop(part, 0, 0, below, 0), draw.Crop(part, 0, 0, 6, below-part.Max.Y+part.Min.Y)
						d, s := diagram(systems, e), sharpness(systems, e)
						d.Draw(above)
						// Probabilities stand below each other in both.
						to, from := d.DataCanvas(above), s.DataCanvas(beneath)
						s.Draw(draw.Crop(beneath, to.Min.X-from.Min.X, to.Max.X-from.Max.X, 0, 0))
					}
				}
			}
		},
	}, nil
}

// short writes a threshold with as few digits as it has.
func short(v float64) string {
	v = math.Round(v*1e6) / 1e6
	for digits := range 6 {
		if p := math.Pow10(digits); math.Round(v*p)/p == v {
			return number(v, digits)
		}
	}
	return number(v, 6)
}

func diagram(systems []System, e Event) *plot.Plot {
	p := newPlot("forecast probability")
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
	p.X.Tick.Marker, p.Y.Tick.Marker = numbers(5), numbers(5)
	p.Add(layer(func(c draw.Canvas, x, y func(float64) vg.Length) {
		dashed(c, ink, 0.9, vg.Point{X: x(0), Y: y(0)}, vg.Point{X: x(1), Y: y(1)})
		for i, points := range e.Points {
			col := systems[i].color()
			var xs, ys []float64
			for _, q := range points {
				xs, ys = append(xs, q.Forecast), append(ys, q.Observed)
				if i == len(systems)-1 && finite(q.Lower) && finite(q.Upper) {
					stroke(c, col, 0.9, vg.Point{X: x(q.Forecast), Y: y(q.Lower)}, vg.Point{X: x(q.Forecast), Y: y(q.Upper)})
				}
			}
			curve(c, col, 1.4, xs, ys, x, y)
			for k := range xs {
				if finite(ys[k]) {
					dot(c, col, 2.2, x(xs[k]), y(ys[k]))
				}
			}
		}
	}))
	return p
}

// sharpness shows how often each class was forecast, systems side by side, on a
// logarithmic scale: a class of few cases still shows.
func sharpness(systems []System, e Event) *plot.Plot {
	p := newPlot("number of forecasts (log scale)")
	most := 1.
	for _, points := range e.Points {
		for _, q := range points {
			most = math.Max(most, float64(q.N))
		}
	}
	decades := math.Ceil(math.Log10(most) + 1e-9)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, decades
	p.X.Tick.Marker = plot.ConstantTicks{}
	p.X.Label.Padding = 6
	label := "10" + superscript.Replace(number(decades, 0))
	p.Y.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "1"}, {Value: decades, Label: label}}
	p.Add(layer(func(c draw.Canvas, x, y func(float64) vg.Length) {
		class := x(0.1) - x(0)
		half := class * 0.8 / vg.Length(len(systems)) / 2
		for i, points := range e.Points {
			for _, q := range points {
				if q.N == 0 {
					continue
				}
				k := math.Min(math.Floor(q.Forecast*10+1e-9), 9)
				at := x(k/10) + class*0.1 + half*vg.Length(2*i+1)
				box(c, systems[i].color(), at-half, y(0), at+half, y(math.Max(math.Log10(float64(q.N)), 0.04)))
			}
		}
	}))
	return p
}
