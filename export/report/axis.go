package report

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// newPlot is an empty plot in the common style: a line below, none at the left,
// horizontal grid lines. Its ranges must be set.
func newPlot(xLabel string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.X.Label.Text = xLabel
	p.X.Label.Padding = 3
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Padding = 0
		a.Label.TextStyle = aligned(letters(textSize, soft), draw.XCenter, draw.YBottom)
		a.Color, a.Width = soft, 0.6
		a.Tick.Color, a.Tick.Width, a.Tick.Length = soft, 0.6, 3
		label := letters(textSize, soft)
		label.XAlign, label.YAlign = a.Tick.Label.XAlign, a.Tick.Label.YAlign
		a.Tick.Label = label
		a.Tick.Marker = numbers(6)
	}
	p.Y.Width, p.Y.Tick.Length = 0, 0
	p.Y.Padding = 4
	p.Add(layer(func(c draw.Canvas, _, y func(float64) vg.Length) {
		for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
			if !t.IsMinor() {
				stroke(c, rule, 0.6, vg.Point{X: c.Min.X, Y: y(t.Value)}, vg.Point{X: c.Max.X, Y: y(t.Value)})
			}
		}
	}))
	return p
}

// verticalGrid adds grid lines at the labelled ticks of the x axis.
func verticalGrid(p *plot.Plot) {
	p.Add(layer(func(c draw.Canvas, x, _ func(float64) vg.Length) {
		for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
			if !t.IsMinor() {
				stroke(c, rule, 0.6, vg.Point{X: x(t.Value), Y: c.Min.Y}, vg.Point{X: x(t.Value), Y: c.Max.Y})
			}
		}
	}))
}

// numbers marks about n round values.
type numbers int

// Ticks implements plot.Ticker.
func (n numbers) Ticks(lower, upper float64) []plot.Tick {
	step := roundUp((upper - lower) / float64(n))
	if !(step > 0) || math.IsInf(step, 0) {
		return nil
	}
	digits := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	var out []plot.Tick
	for k := math.Ceil(lower/step - 1e-9); k*step <= upper+1e-9*step; k++ {
		out = append(out, plot.Tick{Value: k * step, Label: number(k*step, digits)})
	}
	return out
}

// roundUp to the next of 1, 2, 5 times a power of ten.
func roundUp(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, f := range []float64{1, 2, 5} {
		if v <= f*power*(1+1e-9) {
			return f * power
		}
	}
	return 10 * power
}

// number with a true minus sign, and none before zero.
func number(v float64, digits int) string {
	if !finite(v) {
		return "–"
	}
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.HasPrefix(s, "-") {
		if strings.Trim(s, "-0.") == "" {
			return s[1:]
		}
		return "−" + s[1:]
	}
	return s
}

// signed is number with a sign before positive values, too.
func signed(v float64, digits int) string {
	s := number(v, digits)
	if v > 0 && strings.Trim(s, "0.") != "" {
		return "+" + s
	}
	return s
}

// dates marks days, or hours of a short time, on an axis in seconds since 1970.
type dates struct{ most int } // labels

// Ticks implements plot.Ticker.
func (d dates) Ticks(lower, upper float64) []plot.Tick {
	const day = 86400
	from, to := time.Unix(int64(math.Ceil(lower)), 0).UTC(), time.Unix(int64(math.Floor(upper)), 0).UTC()
	if upper-lower > 300*day {
		return d.months(from, to)
	}
	step := 1
	for _, step = range []int{1, 2, 3, 7, 14, 28, 56} {
		if (upper-lower)/float64(step*day) <= float64(d.most) {
			break
		}
	}
	var out []plot.Tick
	month := time.Month(0)
	// Days are counted from 1970, so that the labels stay when the range moves.
	first := int64(math.Ceil(lower/day/float64(step))) * int64(step)
	for k := first; float64(k*day) <= upper; k += int64(step) {
		t := time.Unix(k*day, 0).UTC()
		label := t.Format("2")
		if t.Month() != month {
			label, month = t.Format("2 Jan"), t.Month()
		}
		out = append(out, plot.Tick{Value: float64(k * day), Label: label})
	}
	if step == 1 {
		out = append(out, d.hours(lower, upper)...)
		slices.SortFunc(out, func(a, b plot.Tick) int { return cmp.Compare(a.Value, b.Value) })
	}
	return out
}

// hours marks hours of the day other than 0, when there is room for 12 at least.
func (d dates) hours(lower, upper float64) []plot.Tick {
	for _, every := range []int64{1, 3, 6, 12} {
		step := float64(every * 3600)
		if (upper-lower)/step > float64(d.most) {
			continue
		}
		var out []plot.Tick
		for k := int64(math.Ceil(lower / step)); float64(k)*step <= upper; k++ {
			if hour := k * every % 24; hour != 0 {
				out = append(out, plot.Tick{Value: float64(k) * step, Label: strconv.FormatInt(hour, 10) + " h"})
			}
		}
		return out
	}
	return nil
}

// months marks first days of months, with the year in the first label and each January.
func (d dates) months(from, to time.Time) []plot.Tick {
	step := 1
	for _, step = range []int{1, 2, 3, 6, 12, 24, 60} {
		if to.Sub(from).Hours()/24/30.4/float64(step) <= float64(d.most) {
			break
		}
	}
	var out []plot.Tick
	year := 0
	for t := time.Date(from.Year(), 1, 1, 0, 0, 0, 0, time.UTC); !t.After(to); t = t.AddDate(0, step, 0) {
		if t.Before(from) {
			continue
		}
		label := t.Format("Jan")
		if t.Year() != year {
			label, year = t.Format("Jan 2006"), t.Year()
		}
		out = append(out, plot.Tick{Value: float64(t.Unix()), Label: label})
	}
	return out
}
