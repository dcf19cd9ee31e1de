package report

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"sipipe/calibrate/theory"
)

// TheorySteps draws the error of solvers against their number of steps.
func TheorySteps(panels []theory.Panel) *Figure {
	const title = "Error against number of steps"
	lower, upper := math.Inf(1), 0.0
	for _, p := range panels {
		for _, c := range p.Curves {
			l, u := span(c.Error)
			lower, upper = math.Min(lower, l), math.Max(upper, u)
		}
	}
	lower, upper = math.Pow(10, math.Floor(math.Log10(lower))), math.Min(1, math.Pow(10, math.Ceil(math.Log10(upper))))
	var plots []*plot.Plot
	var legends [][]key
	for _, panel := range panels {
		p := logPanel("steps")
		p.X.Min, p.X.Max = 1.7, 150
		p.Y.Min, p.Y.Max = lower, upper
		verticalGrid(p)
		var keys []key
		for i, s := range panel.Curves {
			line := seriesColors()[i%len(seriesColors())]
			label := s.Name
			if s.Order > 0 {
				label += fmt.Sprintf("  (slope −%.1f)", s.Order)
			}
			keys = append(keys, lineKey(label, line, 1.6))
		}
		p.Add(layer(func(c draw.Canvas, x, y func(float64) vg.Length) {
			limit := y(0.01)
			dashed(c, ink, 0.8, vg.Point{X: c.Min.X, Y: limit}, vg.Point{X: c.Max.X, Y: limit})
			for i, s := range panel.Curves {
				line := seriesColors()[i%len(seriesColors())]
				var at []float64
				errors := append([]float64(nil), s.Error...)
				for k, n := range s.Steps {
					at = append(at, float64(n))
					if errors[k] > upper {
						errors[k] = nan
					}
				}
				curve(c, line, 1.6, at, errors, x, y)
				for k, e := range errors {
					if finite(e) {
						dot(c, line, 1.9, x(at[k]), y(e))
					}
				}
			}
		}))
		plots, legends = append(plots, p), append(legends, keys)
	}
	return &Figure{
		Name:  "theory-steps",
		Title: title,
		Caption: "Wasserstein-2 distance of the final law from the exact one, in its standard deviations; linear path, γ = t(1 − t), equal steps. The dashed line is 1 %. " +
			"Twice the steps halve the error of euler, euler-maruyama and ddim, and quarter that of the others; on the left heun, ddim-heun and exponential coincide.",
		Alt:    "Three panels with logarithmic axes. Errors of Euler-type solvers fall with slope one, those of Heun-type and exponential solvers with slope two. Larger ε needs more steps.",
		height: 330,
		paint: func(c draw.Canvas) {
			c = heading(c, title, "distance of the final law from the exact one, in standard deviations; dashed: 1 %", nil)
			for i, part := range columns(c, len(plots)) {
				part = panelTitle(part, panels[i].Title)
				box := draw.Crop(part, 20, 0, 0, 0)
				keyColumn(box, legends[i])
				part.Max.Y -= 5*(lineHeight-1) + 6
				plots[i].Draw(part)
			}
		},
	}
}
