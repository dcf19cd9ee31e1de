package main

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// row of the picture: a quantity of both runs.
type row struct {
	label       string
	daily, cold func(*point) float64
	power       func(*slope) (daily, cold float64)
}

func rows() []row {
	return []row{
		{
			"processor time [s]",
			func(p *point) float64 { return p.Daily.CPU },
			func(p *point) float64 { return p.Cold.CPU },
			func(s *slope) (float64, float64) { return s.DailyCPU, s.ColdCPU },
		},
		{
			"peak memory [MB]",
			func(p *point) float64 { return p.Daily.Peak / 1e6 },
			func(p *point) float64 { return p.Cold.Peak / 1e6 },
			func(s *slope) (float64, float64) { return s.DailyPeak, s.ColdPeak },
		},
	}
}

// draw shows time and memory against size, one column an axis, on log axes.
func draw(r *results, path string) (err error) {
	rows := rows()
	panels := make([][]*plot.Plot, len(rows))
	for i, row := range rows {
		for _, s := range r.Slopes {
			p, err := panel(r.Points, &s, row)
			if err != nil {
				return err
			}
			panels[i] = append(panels[i], p)
		}
	}
	c := vgimg.New(vg.Length(len(r.Slopes))*7*vg.Centimeter, vg.Length(len(rows))*6*vg.Centimeter)
	tiles := vgdraw.Tiles{
		Rows: len(rows), Cols: len(r.Slopes), PadX: 4 * vg.Millimeter, PadY: 4 * vg.Millimeter,
		PadTop: 2 * vg.Millimeter, PadBottom: 2 * vg.Millimeter, PadLeft: 2 * vg.Millimeter, PadRight: 4 * vg.Millimeter,
	}
	for i, line := range plot.Align(panels, tiles, vgdraw.New(c)) {
		for j, at := range line {
			panels[i][j].Draw(at)
		}
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = vgimg.PngCanvas{Canvas: c}.WriteTo(f)
	return err
}

// panel shows one quantity along one axis.
func panel(points []point, s *slope, r row) (*plot.Plot, error) {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = s.Axis, r.label
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.LogTicks{Prec: -1}, plot.LogTicks{Prec: -1}
	p.Legend.Left, p.Legend.Top = true, true
	daily, cold := r.power(s)
	// Colours that are apart also for the colour-blind (Okabe and Ito).
	for _, line := range []struct {
		name   string
		power  float64
		value  func(*point) float64
		colour color.RGBA
	}{
		{"first run", cold, r.cold, color.RGBA{R: 213, G: 94, A: 255}},
		{"daily run", daily, r.daily, color.RGBA{G: 114, B: 178, A: 255}},
	} {
		var xy plotter.XYs
		for i := range points {
			if points[i].Axis == s.Axis {
				xy = append(xy, plotter.XY{X: points[i].along(), Y: line.value(&points[i])})
			}
		}
		l, marks, err := plotter.NewLinePoints(xy)
		if err != nil {
			return nil, fmt.Errorf("draw %s against %s: %w", r.label, s.Axis, err)
		}
		l.Color, marks.Color, marks.Shape = line.colour, line.colour, vgdraw.CircleGlyph{}
		p.Add(l, marks)
		p.Legend.Add(fmt.Sprintf("%s, slope %.2f", line.name, line.power), l, marks)
	}
	// Room for the legend above, and whole decades so that slopes compare by eye.
	p.Y.Min, p.Y.Max = math.Pow(10, math.Floor(math.Log10(p.Y.Min))), math.Pow(10, math.Ceil(math.Log10(p.Y.Max)+0.5))
	return p, nil
}
