package report

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"sipipe/calibrate/theory"
)

// TheoryLatents draws, for several γ, the coefficients of the path and the density
// on the way.
func TheoryLatents(latents []theory.Latent) *Figure {
	const title = "What the latent scale γ does on the way"
	var curves, ridges []*plot.Plot
	for _, l := range latents {
		p := newPlot("t")
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1.05
		p.X.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: 0.5, Label: "0.5"}, {Value: 1, Label: "1"}}
		p.Y.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: 0.5, Label: "0.5"}, {Value: 1, Label: "1"}}
		p.Add(layer(func(c draw.Canvas, x, y func(float64) vg.Length) {
			curve(c, rawColor, 1.4, l.Times, l.Alpha, x, y)
			curve(c, ink, 1.4, l.Times, l.Beta, x, y)
			curve(c, thirdColor, 1.8, l.Times, l.Gamma, x, y)
		}))
		curves = append(curves, p)

		r := newPlot("x")
		r.X.Min, r.X.Max = l.Density.X[0], l.Density.X[len(l.Density.X)-1]
		r.X.Tick.Marker = numbers(4)
		r.Y.Min, r.Y.Max = -0.05, float64(len(l.Density.Times))
		r.Y.Tick.Marker = rows(l.Density.Times)
		r.Add(layer(func(c draw.Canvas, x, y func(float64) vg.Length) {
			for k, row := range l.Density.P {
				ridge(c, float64(len(l.Density.P)-1-k), l.Density.X, row, x, y)
			}
		}))
		ridges = append(ridges, r)
	}
	return &Figure{
		Name:  "theory-gamma",
		Title: title,
		Caption: "Linear path between two laws of two modes each, independent of each other. Above: α, β and γ. Below: the density of x_t from t = 0 (top) to 1. " +
			"Without γ the law half-way has a mode for each pair of modes; noise of scale γ fills the gaps and makes the fields smoother.",
		Alt:    "Four columns, one for each gamma. Without gamma the density at one half has four separate modes; with sine-squared gamma it has one broad mode. Densities at both ends are the same in all columns.",
		height: 400,
		paint: func(c draw.Canvas) {
			c = heading(c, title, "", []key{lineKey("α", rawColor, 1.4), lineKey("β", ink, 1.4), lineKey("γ", thirdColor, 1.8), nestedKey("density of x at t", calColor.fade(0.35))})
			const split = 105
			for i, part := range columns(c, len(latents)) {
				part = panelTitle(part, latents[i].Name)
				curves[i].Draw(draw.Crop(part, 0, 0, part.Max.Y-part.Min.Y-split+8, 0))
				ridges[i].Draw(draw.Crop(part, 0, 0, 0, -split))
			}
		},
	}
}

// rows marks the times of ridges, the first at the top.
func rows(times []float64) plot.ConstantTicks {
	var out plot.ConstantTicks
	for k, t := range times {
		out = append(out, plot.Tick{Value: float64(len(times) - 1 - k), Label: fmt.Sprintf("t = %g", t)})
	}
	return out
}

// ridge draws a density standing on a base. Heights are square roots of the density
// so that wide laws can be seen beside narrow ones.
func ridge(c draw.Canvas, base float64, xs, density []float64, x, y func(float64) vg.Length) {
	const tallest = 0.85
	var line []vg.Point
	for i, p := range density {
		line = append(line, vg.Point{X: x(xs[i]), Y: y(base + tallest*math.Min(1, math.Sqrt(p/1.4)))})
	}
	outline := append([]vg.Point{{X: x(xs[0]), Y: y(base)}}, line...)
	outline = append(outline, vg.Point{X: x(xs[len(xs)-1]), Y: y(base)})
	c.FillPolygon(calColor.fade(0.35), outline)
	stroke(c, calColor, 1, line...)
}
