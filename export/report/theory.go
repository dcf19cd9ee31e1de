package report

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"sipipe/calibrate/theory"
)

// shade is an image of a density, time to the right and x upwards: white where there
// is none, soft grey at the peak. The square root keeps thin parts visible; eight
// tones suffice for a ground and keep files small.
func shade(d theory.Density) image.Image {
	const tones = 8
	peak := 0.0
	for _, row := range d.P {
		for _, p := range row {
			peak = math.Max(peak, p)
		}
	}
	palette := make(color.Palette, tones+1)
	for i := range palette {
		f := float64(i) / tones
		mix := func(a, b uint8) uint8 { return uint8(float64(a) + f*(float64(b)-float64(a)) + 0.5) }
		palette[i] = color.NRGBA{mix(paper.r, rawColor.r), mix(paper.g, rawColor.g), mix(paper.b, rawColor.b), 0xff}
	}
	const enlarge = 4 // canvases repeat pixels when they scale an image
	w, h := enlarge*len(d.Times), enlarge*len(d.X)
	img := image.NewPaletted(image.Rect(0, 0, w, h), palette)
	for i := range w {
		for j := range h {
			p := bilinear(d.P, (float64(i)+0.5)/enlarge-0.5, (float64(j)+0.5)/enlarge-0.5)
			img.SetColorIndex(i, h-1-j, uint8(tones*math.Sqrt(p/peak)+0.5))
		}
	}
	return img
}

// bilinear interpolates between the elements of rows; beyond the edge it is constant.
func bilinear(rows [][]float64, i, j float64) float64 {
	i = math.Max(0, math.Min(i, float64(len(rows)-1)))
	j = math.Max(0, math.Min(j, float64(len(rows[0])-1)))
	i0, j0 := int(i), int(j)
	i1, j1 := min(i0+1, len(rows)-1), min(j0+1, len(rows[0])-1)
	a, b := i-float64(i0), j-float64(j0)
	return (1-a)*((1-b)*rows[i0][j0]+b*rows[i0][j1]) + a*((1-b)*rows[i1][j0]+b*rows[i1][j1])
}

// powers marks the powers of its base on a logarithmic axis.
type powers struct{ base int }

// Ticks implements plot.Ticker.
func (p powers) Ticks(lower, upper float64) []plot.Tick {
	var out []plot.Tick
	log := math.Log(float64(p.base))
	for k := math.Ceil(math.Log(lower)/log - 1e-9); k <= math.Log(upper)/log+1e-9; k++ {
		v := math.Pow(float64(p.base), k)
		label := strconv.FormatFloat(v, 'g', -1, 64)
		if p.base == 10 && k < -2 {
			label = fmt.Sprintf("1e−%d", -int(k)) // the font has no superior minus
		}
		out = append(out, plot.Tick{Value: v, Label: label})
	}
	return out
}

// seriesColors are for series that are no systems.
func seriesColors() []rgb { return []rgb{emosColor, thirdColor, calColor, frameColor, ink} }

// logPanel is a plot with two logarithmic axes.
func logPanel(xLabel string) *plot.Plot {
	p := newPlot(xLabel)
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = powers{2}, powers{10}
	return p
}

// keyColumn writes the keys below each other at the top left of a canvas.
func keyColumn(c draw.Canvas, keys []key) {
	style := aligned(letters(smallSize, ink), draw.XLeft, draw.YCenter)
	y := c.Max.Y - lineHeight/2
	for _, k := range keys {
		k.draw(c, c.Min.X, y)
		c.FillText(style, vg.Point{X: c.Min.X + keyWidth + 5, Y: y + 0.5}, k.label)
		y -= lineHeight - 1
	}
}
