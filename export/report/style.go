package report

import (
	"fmt"
	"image/color"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// rgb is an opaque colour.
type rgb struct{ r, g, b uint8 }

// The palette. The page replaces these colours by its theme's, so each has a value
// of its own.
var (
	ink        = rgb{0x1b, 0x1f, 0x24} // text and observations
	soft       = rgb{0x5b, 0x64, 0x70} // secondary text
	rule       = rgb{0xdc, 0xe0, 0xe6} // grid
	paper      = rgb{0xff, 0xff, 0xff}
	rawColor   = rgb{0x8c, 0x92, 0x9b}
	emosColor  = rgb{0xe0, 0x87, 0x00}
	frameColor = rgb{0x12, 0x9e, 0x86}
	calColor   = rgb{0x1f, 0x4f, 0x9e}
	thirdColor = rgb{0xa8, 0x3a, 0x7c}
	otherColor = rgb{0x6d, 0x55, 0x36}
)

// RGBA implements color.Color.
func (c rgb) RGBA() (r, g, b, a uint32) {
	return color.NRGBA{c.r, c.g, c.b, 0xff}.RGBA()
}

// fade is the colour with opacity alpha.
func (c rgb) fade(alpha float64) color.Color { return faded{c, alpha} }

// faded is a translucent colour. Its premultiplied values are rounded up: vgsvg
// divides and truncates, and an SVG must have the colours of the palette exactly.
type faded struct {
	rgb
	alpha float64
}

// RGBA implements color.Color.
func (c faded) RGBA() (r, g, b, a uint32) {
	a = uint32(c.alpha*0xffff + 0.5)
	scale := func(v uint8) uint32 { return min((uint32(v)*a+254)/255+1, a) }
	return scale(c.r), scale(c.g), scale(c.b), a
}

func hex(c rgb) string { return fmt.Sprintf("#%02X%02X%02X", c.r, c.g, c.b) }

// System is a forecast method.
type System struct {
	Name         string // in the verification; "raw", "emos", "frame", "calibrated" … have their own colours
	Label        string // shown; "" shows Name
	Distribution bool   // no members: its histogram is one of the PIT
}

func (s System) label() string {
	if s.Label != "" {
		return s.Label
	}
	return s.Name
}

// color of a system; those without a colour of their own share two.
func (s System) color() rgb {
	switch s.Name {
	case "raw":
		return rawColor
	case "emos":
		return emosColor
	case "frame", "baseline":
		return frameColor
	case "calibrated":
		return calColor
	case "climatology", "emos_features":
		return otherColor
	}
	return thirdColor
}

// Sizes in points.
const (
	titleSize  = 11
	textSize   = 8.5
	smallSize  = 7.5
	lineHeight = 12
	margin     = 12
)

// letters is a text style.
func letters(size vg.Length, c color.Color) text.Style {
	return text.Style{
		Color:   c,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
		XAlign:  draw.XLeft,
		YAlign:  draw.YTop,
		Handler: plot.DefaultTextHandler,
	}
}

func bold(s text.Style) text.Style {
	s.Font.Weight = xfont.WeightBold
	return s
}

func aligned(s text.Style, x text.XAlignment, y text.YAlignment) text.Style {
	s.XAlign, s.YAlign = x, y
	return s
}
