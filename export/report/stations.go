package report

import (
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// StationSkill is the CRPS skill score of one station, 1 - CRPS/CRPS of the
// reference.
type StationSkill struct {
	Station Station
	Cases   int
	CRPSS   float64
}

// skillColors are the classes of negative to positive skill: from brown over near
// white to blue, apart for colour-blind readers.
var skillColors = []rgb{
	{0x8c, 0x51, 0x0a},
	{0xbf, 0x81, 0x2d},
	{0xdf, 0xc2, 0x7d},
	{0xf3, 0xe6, 0xc8},
	{0xd6, 0xe6, 0xf4},
	{0x9e, 0xc5, 0xe3},
	{0x4a, 0x90, 0xc8},
	{0x14, 0x4f, 0x93},
}

// skillClass is the class of a skill score on a scale from -limit to limit.
func skillClass(v, limit float64) int {
	n := float64(len(skillColors))
	k := int(math.Floor((v + limit) / (2 * limit) * n))
	return min(max(k, 0), len(skillColors)-1)
}

// skillLimit is the end of a colour scale of round numbers that holds nine tenths
// of the scores.
func skillLimit(stations []StationSkill) float64 {
	var size []float64
	for _, s := range stations {
		size = append(size, math.Abs(s.CRPSS))
	}
	slices.Sort(size)
	v := size[min(len(size)-1, len(size)*9/10)]
	for _, limit := range []float64{0.08, 0.2, 0.4, 0.8} {
		if v <= limit {
			return limit
		}
	}
	return 0.8
}

// StationMap draws the skill of each station at its place: circles where it is
// positive, squares where it is not. Stations without coordinates or skill are left
// out and counted in the caption.
func StationMap(v Variable, system, reference System, stations []StationSkill) (*Figure, error) {
	var shown []StationSkill
	var lon, lat []float64
	positive := 0
	for _, s := range stations {
		if !finite(s.Station.Longitude) || !finite(s.Station.Latitude) || !finite(s.CRPSS) {
			continue
		}
		shown = append(shown, s)
		lon, lat = append(lon, s.Station.Longitude), append(lat, s.Station.Latitude)
		if s.CRPSS > 0 {
			positive++
		}
	}
	if len(shown) == 0 {
		return nil, fmt.Errorf("draw a map of stations: none has coordinates and a score")
	}
	// Large gains first, so that losses lie on top.
	slices.SortStableFunc(shown, func(a, b StationSkill) int {
		if a.CRPSS > b.CRPSS {
			return -1
		} else if a.CRPSS < b.CRPSS {
			return 1
		}
		return 0
	})
	limit := skillLimit(shown)
	west, east := span(lon)
	south, north := span(lat)
	west, east = widen(west, east, 0.04)
	south, north = widen(south, north, 0.04)
	// A degree of longitude is shorter than one of latitude by the cosine of latitude.
	shrink := math.Max(math.Cos((south+north)/2*math.Pi/180), 0.2)
	aspect := (east - west) * shrink / (north - south)

	title := fmt.Sprintf("%s: CRPS skill of %s against %s, by station", v.label(), system.label(), reference.label())
	subtitle := fmt.Sprintf("%d of %d stations gain", positive, len(shown))
	f := &Figure{
		Name:  "stations-" + reference.Name,
		Title: title,
		Caption: fmt.Sprintf("CRPS skill score of %s against %s at each station: circles gain, squares lose.",
			system.label(), reference.label()),
		Alt: fmt.Sprintf("%s. %s; skill is from %s to %s %%.", title, subtitle,
			signed(100*shown[len(shown)-1].CRPSS, 0), signed(100*shown[0].CRPSS, 0)),
	}
	if left := len(stations) - len(shown); left > 0 {
		f.Caption += fmt.Sprintf(" %d stations without coordinates or score are not shown.", left)
	}
	// The map takes up to two thirds of the width, the distribution the rest.
	const gap, barHeight = 26, 40
	inner := float64(pageWidth) - 2*margin
	mapWidth := math.Min(math.Max(300*aspect+34, 0.4*inner), 0.66*inner)
	mapHeight := math.Min(math.Max((mapWidth-34)/aspect, 190), 310)
	f.height = vg.Length(mapHeight) + 110 + barHeight
	f.paint = func(c draw.Canvas) {
		c = heading(c, title, subtitle, nil)
		skillBar(c, limit)
		c.Max.Y -= barHeight
		right := draw.Crop(c, vg.Length(mapWidth)+gap, 0, 0, 0)
		left := panelTitle(draw.Crop(c, 0, vg.Length(mapWidth-inner), 0, 0), "latitude (°N)")
		p := newPlot("longitude (°E)")
		p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = west, east, south, north
		trueToScale(p, left, shrink)
		verticalGrid(p)
		radius := vg.Length(math.Min(math.Max(60/math.Sqrt(float64(len(shown))), 2.4), 5))
		p.Add(layer(func(c draw.Canvas, x, y func(float64) vg.Length) {
			for _, s := range shown {
				stationMark(c, s.CRPSS, limit, radius, x(s.Station.Longitude), y(s.Station.Latitude))
			}
		}))
		p.Draw(left)
		skillCounts(shown, limit).Draw(panelTitle(right, "number of stations"))
	}
	return f, nil
}

// skillCounts is the distribution of the stations over halves of the colour classes;
// scores beyond the scale are in the outermost bars.
func skillCounts(stations []StationSkill, limit float64) *plot.Plot {
	n := 2 * len(skillColors)
	counts := make([]float64, n)
	for _, s := range stations {
		k := int(math.Floor((s.CRPSS + limit) / (2 * limit) * float64(n)))
		counts[min(max(k, 0), n-1)]++
	}
	p := newPlot("CRPS skill (%)")
	p.X.Min, p.X.Max, p.Y.Min = -100*limit, 100*limit, 0
	_, most := span(counts, []float64{4})
	p.Y.Max = 1.05 * most
	p.X.Tick.Marker = plot.TickerFunc(func(lower, upper float64) []plot.Tick {
		ticks := numbers(4).Ticks(lower, upper)
		for i := range ticks {
			ticks[i].Label = signed(ticks[i].Value, 0)
		}
		return ticks
	})
	p.Y.Tick.Marker = numbers(4)
	p.Add(layer(func(c draw.Canvas, x, y func(float64) vg.Length) {
		width := 200 * limit / float64(n)
		for k, v := range counts {
			at := p.X.Min + float64(k)*width
			box(c, skillColors[k/2], x(at)+0.4, y(0), x(at+width)-0.4, y(v))
		}
		stroke(c, ink, 0.9, vg.Point{X: x(0), Y: c.Min.Y}, vg.Point{X: x(0), Y: c.Max.Y})
	}))
	return p
}

// trueToScale widens one range of a map, so that it fills the canvas true to scale.
func trueToScale(p *plot.Plot, c draw.Canvas, shrink float64) {
	d := p.DataCanvas(c)
	size := d.Size()
	lonPerPoint := (p.X.Max - p.X.Min) * shrink / float64(size.X)
	latPerPoint := (p.Y.Max - p.Y.Min) / float64(size.Y)
	if lonPerPoint < latPerPoint {
		extra := (p.X.Max - p.X.Min) * (latPerPoint/lonPerPoint - 1) / 2
		p.X.Min, p.X.Max = p.X.Min-extra, p.X.Max+extra
		return
	}
	extra := (p.Y.Max - p.Y.Min) * (lonPerPoint/latPerPoint - 1) / 2
	p.Y.Min, p.Y.Max = p.Y.Min-extra, p.Y.Max+extra
}

func stationMark(c draw.Canvas, skill, limit float64, radius, x, y vg.Length) {
	fill := skillColors[skillClass(skill, limit)]
	edge := draw.LineStyle{Color: soft.fade(.8), Width: 0.45}
	if skill > 0 {
		dot(c, fill, radius, x, y)
		c.SetLineStyle(edge)
		var p vg.Path
		p.Move(vg.Point{X: x + radius, Y: y})
		p.Arc(vg.Point{X: x, Y: y}, radius, 0, 2*math.Pi)
		c.Stroke(p)
		return
	}
	box(c, fill, x-radius, y-radius, x+radius, y+radius)
	edge.Color = ink
	c.StrokeLines(edge, []vg.Point{
		{X: x - radius, Y: y - radius},
		{X: x + radius, Y: y - radius},
		{X: x + radius, Y: y + radius},
		{X: x - radius, Y: y + radius},
		{X: x - radius, Y: y - radius},
	})
}

// skillBar is the legend: one box a class, with its limits beneath.
func skillBar(c draw.Canvas, limit float64) {
	const w, h = 44, 9
	left, y := c.Min.X+64, c.Max.Y-h-2
	n := len(skillColors)
	side := letters(textSize, ink)
	c.FillText(aligned(side, draw.XRight, draw.YCenter), vg.Point{X: left - 8, Y: y + h/2}, "■ loss")
	for k, col := range skillColors {
		x := left + vg.Length(k)*w
		box(c, color.Color(col), x, y, x+w, y+h)
	}
	for k := 0; k <= n; k++ {
		v := -limit + 2*limit*float64(k)/float64(n)
		x := left + vg.Length(k)*w
		stroke(c, soft, 0.5, vg.Point{X: x, Y: y - 2}, vg.Point{X: x, Y: y})
		text := signed(100*v, 0)
		if k == 0 || k == n {
			text += " %"
		}
		c.FillText(aligned(letters(smallSize, soft), draw.XCenter, draw.YTop), vg.Point{X: x, Y: y - 3}, text)
	}
	c.FillText(aligned(side, draw.XLeft, draw.YCenter), vg.Point{X: left + vg.Length(n)*w + 8, Y: y + h/2}, "● gain")
}
