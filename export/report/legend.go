package report

import (
	"image/color"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// key is an entry of a legend; draw paints its mark into a box of keyWidth.
type key struct {
	label string
	draw  func(c draw.Canvas, x, y vg.Length) // left end and middle
}

const keyWidth = 14

func lineKey(label string, line color.Color, width vg.Length) key {
	return key{label, func(c draw.Canvas, x, y vg.Length) {
		stroke(c, line, width, vg.Point{X: x, Y: y}, vg.Point{X: x + keyWidth, Y: y})
	}}
}

func dashedKey(label string, line color.Color, width vg.Length) key {
	return key{label, func(c draw.Canvas, x, y vg.Length) {
		dashed(c, line, width, vg.Point{X: x, Y: y}, vg.Point{X: x + keyWidth, Y: y})
	}}
}

func observedKey(label string) key {
	return key{label, func(c draw.Canvas, x, y vg.Length) { observed(c, x+keyWidth/2, y) }}
}

// nestedKey stands for intervals drawn over each other, widest first.
func nestedKey(label string, fills ...color.Color) key {
	return key{label, func(c draw.Canvas, x, y vg.Length) {
		for i, f := range fills {
			d := vg.Length(2.6 * float64(i))
			box(c, f, x+d, y-4, x+keyWidth-d, y+4)
		}
	}}
}

// drawLegend writes the keys in rows that begin at the top left of the canvas, and
// returns the height used.
func drawLegend(c draw.Canvas, keys []key) vg.Length {
	style := aligned(letters(textSize, ink), draw.XLeft, draw.YCenter)
	x, y := c.Min.X, c.Max.Y-lineHeight/2
	for _, k := range keys {
		w := keyWidth + 5 + style.Width(k.label)
		if x > c.Min.X && x+w > c.Max.X {
			x, y = c.Min.X, y-lineHeight-2
		}
		k.draw(c, x, y)
		c.FillText(style, vg.Point{X: x + keyWidth + 5, Y: y + 0.5}, k.label)
		x += w + 16
	}
	return c.Max.Y - y + lineHeight/2
}

// heading writes title, subtitle and legend at the top of a figure and returns what
// is left of the canvas, with margins taken off.
func heading(c draw.Canvas, title, subtitle string, keys []key) draw.Canvas {
	c = draw.Crop(c, margin, -margin, margin, -margin)
	c.FillText(bold(letters(titleSize, ink)), vg.Point{X: c.Min.X, Y: c.Max.Y}, title)
	c.Max.Y -= titleSize + 5
	if subtitle != "" {
		c.FillText(letters(textSize, soft), vg.Point{X: c.Min.X, Y: c.Max.Y}, subtitle)
		c.Max.Y -= lineHeight
	}
	if len(keys) > 0 {
		c.Max.Y -= 4
		c.Max.Y -= drawLegend(c, keys)
	}
	c.Max.Y -= 6
	return c
}

// panelTitle writes what a panel's vertical axis shows above it, and returns the rest.
func panelTitle(c draw.Canvas, title string) draw.Canvas {
	c.FillText(letters(textSize, ink), vg.Point{X: c.Min.X, Y: c.Max.Y}, title)
	c.Max.Y -= lineHeight + 2
	return c
}
