package report

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"sipipe/calibrate/theory"
)

// TheoryPaths draws paths under the ODE and under SDEs of several ε on the density
// that they share, with the law of a larger sample at the end.
func TheoryPaths(bundles []theory.Bundle, density theory.Density) *Figure {
	const title = "One law, many dynamics"
	ground := shade(density)
	var plots []*plot.Plot
	var names []string
	for _, b := range bundles {
		p := newPlot("t")
		p.X.Min, p.X.Max = 0, 1.3 // what is beyond 1 holds the histogram
		p.Y.Min, p.Y.Max = density.X[0], density.X[len(density.X)-1]
		p.X.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: 0.5, Label: "0.5"}, {Value: 1, Label: "1"}}
		p.Y.Tick.Marker = numbers(6)
		p.Add(layer(func(c draw.Canvas, x, y func(float64) vg.Length) {
			c.DrawImage(vg.Rectangle{Min: vg.Point{X: x(0), Y: c.Min.Y}, Max: vg.Point{X: x(1), Y: c.Max.Y}}, ground)
			for i, path := range b.Paths {
				line := calColor
				if i < len(b.Paths)/2 {
					line = emosColor
				}
				curve(c, line, 0.8, b.Times, path, x, y)
			}
			finalLaw(c, b.Final, density, x, y)
		}))
		plots = append(plots, p)
		names = append(names, dynamics(b.Scale))
	}
	return &Figure{
		Name:  "theory-paths",
		Title: title,
		Caption: "Fourteen starts from two modes (left) under the ODE and under SDEs with growing ε. Grey: the density of x_t, which is the same in all panels. " +
			"Right of t = 1: where 3,000 states end (bars) and the exact law (line).",
		Alt:    "Four panels. Under the ODE paths do not cross and each start leads to one end. With growing ε paths become rough and change between the modes, but the final histograms all agree with the exact law.",
		height: 235,
		paint: func(c draw.Canvas) {
			c = heading(c, title, "x between two modes of raw (t = 0) and two of observed (t = 1)", []key{
				lineKey("starts below", emosColor, 1.4), lineKey("starts above", calColor, 1.4),
				nestedKey("density of x", rawColor), nestedKey("sample at t = 1", frameColor.fade(0.45)), lineKey("exact law at t = 1", ink, 1.2),
			})
			for i, part := range columns(c, len(plots)) {
				plots[i].Draw(panelTitle(part, names[i]))
			}
		},
	}
}

// finalLaw draws, right of t = 1, a histogram of the sample and the exact density.
func finalLaw(c draw.Canvas, sample []float64, density theory.Density, x, y func(float64) vg.Length) {
	const left, width, bins = 1.02, 0.28, 56
	exact := density.P[len(density.P)-1]
	peak := 0.0
	for _, p := range exact {
		peak = math.Max(peak, p)
	}
	scale := func(p float64) vg.Length { return x(left + width*0.85*p/peak) }
	lower, upper := density.X[0], density.X[len(density.X)-1]
	cell := (upper - lower) / bins
	count := make([]float64, bins)
	for _, v := range sample {
		if k := int((v - lower) / cell); k >= 0 && k < bins {
			count[k]++
		}
	}
	for k, n := range count {
		if n > 0 {
			p := n / float64(len(sample)) / cell
			box(c, frameColor.fade(0.45), x(left), y(lower+float64(k)*cell), scale(p), y(lower+float64(k+1)*cell))
		}
	}
	var points []vg.Point
	for i, p := range exact {
		points = append(points, vg.Point{X: scale(p), Y: y(density.X[i])})
	}
	stroke(c, ink, 0.9, points...)
}

func dynamics(scale float64) string {
	switch scale {
	case 0:
		return "ODE, ε = 0"
	case 1:
		return "SDE, ε = γ"
	}
	return fmt.Sprintf("SDE, ε = %g γ", scale)
}
