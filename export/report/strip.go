package report

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Strip is a table of grey images: a column a time, a line a way there.
type Strip struct {
	Name, Title, Subtitle string
	Caption, Alt          string
	Rows, Cols            int // pixels of an image
	Times                 []float64
	Lines                 []StripLine
	Group                 int // lines that belong together
}

// StripLine is one line of a strip.
type StripLine struct {
	Label  string
	Pixels [][]float64 // [time][row·Cols + column], 0 paper to 1 ink
}

// Figure draws the strip.
func (s Strip) Figure() (*Figure, error) {
	for _, l := range s.Lines {
		if len(l.Pixels) != len(s.Times) {
			return nil, fmt.Errorf("draw %s: line %q has %d images, want %d", s.Name, l.Label, len(l.Pixels), len(s.Times))
		}
		for _, p := range l.Pixels {
			if len(p) != s.Rows*s.Cols {
				return nil, fmt.Errorf("draw %s: an image of line %q has %d pixels, want %d × %d", s.Name, l.Label, len(p), s.Rows, s.Cols)
			}
		}
	}
	const cell, labels, head, between = 40, 30, 62, 7
	group := max(1, s.Group)
	gaps := (len(s.Lines) - 1) / group
	return &Figure{
		Name: s.Name, Title: s.Title, Caption: s.Caption, Alt: s.Alt,
		width:  labels + cell*vg.Length(len(s.Times)) + 2*margin,
		height: head + cell*vg.Length(len(s.Lines)) + between*vg.Length(gaps) + margin,
		paint: func(c draw.Canvas) {
			c = heading(c, s.Title, s.Subtitle, nil)
			style := aligned(letters(smallSize, soft), draw.XCenter, draw.YTop)
			for k, t := range s.Times {
				c.FillText(style, vg.Point{X: c.Min.X + labels + cell*(vg.Length(k)+0.5), Y: c.Max.Y}, "t = "+number(t, 1))
			}
			top := c.Max.Y - lineHeight
			for i, l := range s.Lines {
				upper := top - cell*vg.Length(i) - between*vg.Length(i/group)
				c.FillText(aligned(letters(textSize, ink), draw.XLeft, draw.YCenter), vg.Point{X: c.Min.X, Y: upper - cell/2}, l.Label)
				for k, p := range l.Pixels {
					left := c.Min.X + labels + cell*vg.Length(k)
					c.DrawImage(vg.Rectangle{Min: vg.Point{X: left + 1, Y: upper - cell + 1}, Max: vg.Point{X: left + cell - 1, Y: upper - 1}}, s.picture(p))
				}
			}
		},
	}, nil
}

// tones of a drawn image; more cannot be told apart.
const tones = 16

// picture is an image in ink on paper, enlarged with bilinear interpolation.
func (s Strip) picture(p []float64) image.Image {
	const enlarge = 4
	rows := make([][]float64, s.Rows)
	for r := range rows {
		rows[r] = p[r*s.Cols : (r+1)*s.Cols]
	}
	img := image.NewNRGBA(image.Rect(0, 0, enlarge*s.Cols, enlarge*s.Rows))
	for r := range enlarge * s.Rows {
		for c := range enlarge * s.Cols {
			v := bilinear(rows, (float64(r)+0.5)/enlarge-0.5, (float64(c)+0.5)/enlarge-0.5)
			v = math.Round(tones*math.Max(0, math.Min(1, v))) / tones
			mix := func(a, b uint8) uint8 { return uint8(float64(a) + v*(float64(b)-float64(a)) + 0.5) }
			img.SetNRGBA(c, r, color.NRGBA{mix(paper.r, ink.r), mix(paper.g, ink.g), mix(paper.b, ink.b), 0xff})
		}
	}
	return img
}
