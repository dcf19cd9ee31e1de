package report

import (
	"fmt"
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"sipipe/calibrate/score"
)

// Histogram counts observations by their rank among a system's members, or by their
// PIT.
type Histogram struct {
	System System
	Counts []int // [rank], from below all members to above all; [bin] of the PIT
	// Dependent members are one of each stratum: outer ranks are half as full.
	Dependent bool
}

// total is the number of cases.
func (h Histogram) total() int {
	n := 0
	for _, c := range h.Counts {
		n += c
	}
	return n
}

// density is each count relative to what is expected of reliable forecasts.
func (h Histogram) density() []float64 {
	out := make([]float64, len(h.Counts))
	for i, p := range score.EvenRanks(len(h.Counts), h.Dependent) {
		out[i] = float64(h.Counts[i]) / (p * float64(h.total()))
	}
	return out
}

// flatBand is where 95 % of the bars lie if all ranks are equally likely and the n
// cases independent: the quantiles of the binomial distribution, by the normal one,
// relative to the expected count n/k.
func flatBand(n, k int) (lower, upper float64) {
	p := 1 / float64(k)
	d := distuv.UnitNormal.Quantile(.975) * math.Sqrt(float64(n)*p*(1-p)) / (float64(n) * p)
	return math.Max(1-d, 0), 1 + d
}

// rankCeiling is the height, relative to a flat histogram, above which bars are cut.
const rankCeiling = 3

// RankHistograms draws the histograms side by side on one scale, each bar relative
// to that of reliable forecasts, with the band in which 95 % of bars lie if the
// forecasts are reliable.
func RankHistograms(v Variable, histograms []Histogram) (*Figure, error) {
	if len(histograms) == 0 {
		return nil, fmt.Errorf("draw rank histograms: there are none")
	}
	top := 1.6
	var alt []string
	for _, h := range histograms {
		if h.total() == 0 || len(h.Counts) < 2 {
			return nil, fmt.Errorf("draw rank histogram of %s: no cases", h.System.Name)
		}
		density := h.density()
		_, most := span(density)
		_, band := flatBand(h.total(), len(density))
		top = math.Max(top, math.Min(math.Max(most, band)*1.06, rankCeiling))
		alt = append(alt, fmt.Sprintf("%s, %d cases: %s", h.System.label(), h.total(), h.shape()))
	}
	title := v.label() + ": where the observation falls among the members"
	keys := []key{
		dashedKey("flat: reliable", ink, 0.9),
		{"95 % of bars if reliable", func(c draw.Canvas, x, y vg.Length) {
			box(c, ink.fade(.1), x, y-4, x+keyWidth, y+4)
		}},
	}
	return &Figure{
		Name:  "rank-histograms",
		Title: title,
		Caption: "Rank histograms, each bar relative to what is expected of reliable forecasts. A U shape means too little spread, a slope means bias. " +
			"The band takes cases to be independent; stations of a day are not, so bars scatter more.",
		Alt:    title + ". " + strings.Join(alt, "; ") + ".",
		height: 226,
		paint: func(c draw.Canvas) {
			c = heading(c, title, "bars: number of cases relative to that of reliable forecasts", keys)
			for i, part := range columns(c, len(histograms)) {
				h := histograms[i]
				part = panelTitle(part, fmt.Sprintf("%s, %d cases", h.System.label(), h.total()))
				h.plot(top).Draw(part)
			}
		},
	}, nil
}

// shape in words, from the outer and inner thirds of the ranks.
func (h Histogram) shape() string {
	density := h.density()
	k := len(density)
	edge := (density[0] + density[k-1]) / 2
	return fmt.Sprintf("lowest rank %s, highest %s, their mean %s times that of a flat histogram",
		number(density[0], 2), number(density[k-1], 2), number(edge, 2))
}

func (h Histogram) plot(top float64) *plot.Plot {
	label := "rank of the observation"
	if h.System.Distribution {
		label = "PIT of the observation"
	}
	p := newPlot(label)
	density := h.density()
	k := float64(len(density))
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, k, 0, top
	p.X.Tick.Color = color.Transparent
	p.X.Tick.Marker = plot.ConstantTicks{{Value: 0.5, Label: "1"}, {Value: k - 0.5, Label: number(k, 0)}}
	if h.System.Distribution {
		p.X.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: k / 2, Label: "0.5"}, {Value: k, Label: "1"}}
	}
	p.Y.Tick.Marker = numbers(4)
	lower, upper := flatBand(h.total(), len(density))
	p.Add(layer(func(c draw.Canvas, x, y func(float64) vg.Length) {
		box(c, ink.fade(.1), c.Min.X, y(lower), c.Max.X, y(math.Min(upper, top)))
		width := x(1) - x(0)
		gap := min(width*0.12, 1.2)
		for r, v := range density {
			left, right := x(float64(r))+gap, x(float64(r)+1)-gap
			box(c, h.System.color().fade(.85), left, y(0), right, y(math.Min(v, top)))
			if v > top {
				style := aligned(bold(letters(smallSize, paper)), draw.XCenter, draw.YTop)
				text := number(v, 1)
				at := (left + right) / 2
				if style.Width(text) > right-left {
					// Too wide for the bar: beside it, towards the middle.
					style.Color = ink
					style.XAlign, at = draw.XLeft, right+2
					if r >= len(density)/2 {
						style.XAlign, at = draw.XRight, left-2
					}
				}
				c.FillText(style, vg.Point{X: at, Y: y(top) - 2}, text)
			}
		}
		dashed(c, ink, 0.9, vg.Point{X: c.Min.X, Y: y(1)}, vg.Point{X: c.Max.X, Y: y(1)})
	}))
	return p
}

// columns divides a canvas into n parts side by side.
func columns(c draw.Canvas, n int) []draw.Canvas {
	const gap = 18
	width := (c.Max.X - c.Min.X - gap*vg.Length(n-1)) / vg.Length(n)
	out := make([]draw.Canvas, n)
	for i := range out {
		left := vg.Length(i) * (width + gap)
		out[i] = draw.Crop(c, left, left+width-(c.Max.X-c.Min.X), 0, 0)
	}
	return out
}
