package report

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// layer draws into the data area of a plot; x and y turn data into positions.
type layer func(c draw.Canvas, x, y func(float64) vg.Length)

// Plot implements plot.Plotter.
func (l layer) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	l(c, x, y)
}

func box(c draw.Canvas, fill color.Color, x0, y0, x1, y1 vg.Length) {
	c.FillPolygon(fill, []vg.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}})
}

func stroke(c draw.Canvas, line color.Color, width vg.Length, points ...vg.Point) {
	c.StrokeLines(draw.LineStyle{Color: line, Width: width}, points)
}

func dashed(c draw.Canvas, line color.Color, width vg.Length, points ...vg.Point) {
	c.StrokeLines(draw.LineStyle{Color: line, Width: width, Dashes: []vg.Length{4, 3}}, points)
}

func dot(c draw.Canvas, fill color.Color, radius, x, y vg.Length) {
	c.DrawGlyphNoClip(draw.GlyphStyle{Color: fill, Radius: radius, Shape: draw.CircleGlyph{}}, vg.Point{X: x, Y: y})
}

// observed is the mark of an observation: a dot with a halo that keeps it visible
// on any ground.
func observed(c draw.Canvas, x, y vg.Length) {
	dot(c, paper, 3.3, x, y)
	dot(c, ink, 2.4, x, y)
}

// curve draws a line through the points and breaks it where y is not a number.
func curve(c draw.Canvas, line color.Color, width vg.Length, xs, ys []float64, x, y func(float64) vg.Length) {
	var run []vg.Point
	for i := range ys {
		if !finite(ys[i]) {
			if len(run) > 1 {
				stroke(c, line, width, run...)
			}
			run = nil
			continue
		}
		run = append(run, vg.Point{X: x(xs[i]), Y: y(ys[i])})
	}
	if len(run) > 1 {
		stroke(c, line, width, run...)
	}
}

// ribbon fills between two curves, piece by piece where both are numbers.
func ribbon(c draw.Canvas, fill color.Color, xs, lower, upper []float64, x, y func(float64) vg.Length) {
	for i := 0; i < len(xs); {
		j := i
		for j < len(xs) && finite(lower[j]) && finite(upper[j]) {
			j++
		}
		if j-i > 1 {
			var outline []vg.Point
			for k := i; k < j; k++ {
				outline = append(outline, vg.Point{X: x(xs[k]), Y: y(upper[k])})
			}
			for k := j - 1; k >= i; k-- {
				outline = append(outline, vg.Point{X: x(xs[k]), Y: y(lower[k])})
			}
			c.FillPolygon(fill, outline)
		}
		i = j + 1
	}
}

var nan = math.NaN()

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// span is the range of the finite values; NaN, NaN when there are none.
func span(series ...[]float64) (lower, upper float64) {
	lower, upper = math.NaN(), math.NaN()
	for _, s := range series {
		for _, v := range s {
			if !finite(v) {
				continue
			}
			if !(lower <= v) {
				lower = v
			}
			if !(upper >= v) {
				upper = v
			}
		}
	}
	return lower, upper
}

// widen a range by a share of its width on either side; one of no width is given 1.
func widen(lower, upper, share float64) (float64, float64) {
	w := upper - lower
	if !(w > 0) {
		w, share = 1, 0.5
		if math.IsNaN(lower) {
			lower, upper = 0, 0
		}
	}
	return lower - share*w, upper + share*w
}
