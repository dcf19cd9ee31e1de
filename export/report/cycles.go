package report

import (
	"fmt"
	"slices"
	"time"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Cycles is one station's forecasts at one lead time from many cycles.
type Cycles struct {
	Variable  Variable
	Station   Station
	Lead      time.Duration
	Forecasts []Ensemble // in any order; one a valid time
	Dependent bool       // calibrated members are no independent draws, see score.Options
}

// detailed is the number of cycles up to which each one's members are drawn; more
// are drawn as ranges.
const detailed = 45

// Figure draws, for each valid time, the raw members and their range, the central
// 50 % and 90 % intervals and the members of the calibrated forecast, and the
// observation.
func (d Cycles) Figure() (*Figure, error) {
	units, convert := d.Variable.shown()
	var es []Ensemble
	for _, e := range d.Forecasts {
		es = append(es, e.converted(convert))
	}
	slices.SortFunc(es, func(a, b Ensemble) int { return a.Valid.Compare(b.Valid) })
	var all [][]float64
	for _, e := range es {
		all = append(all, e.Raw, e.Calibrated, []float64{e.Observed})
	}
	lower, upper := span(all...)
	if !finite(lower) {
		return nil, fmt.Errorf("draw forecasts of station %s: no values", d.Station.ID)
	}
	interval := interval(es)

	raw, calibrated, scored := meanCRPS(es, d.Dependent)
	rawLabel, calLabel := "raw members and their range", "calibrated, central 50 % and 90 %, and members"
	marks := []vg.Length{-5, -1, 2, 5}
	reading := "left, the raw members; right, the calibrated forecast as central 50 % and 90 % intervals with its members; the line and dot are the observation"
	if len(es) > detailed {
		rawLabel, calLabel, marks = "range of the raw members", "calibrated, central 50 % and 90 %", nil
		reading = "left, the range of the raw members; right, the calibrated forecast as median and central 50 % and 90 % intervals; the dot is the observation"
	}
	if scored > 0 {
		rawLabel += fmt.Sprintf(" · CRPS %s %s", number(raw, 2), d.Variable.differences())
		calLabel += fmt.Sprintf(" · CRPS %s %s", number(calibrated, 2), d.Variable.differences())
	}
	title := fmt.Sprintf("%s at %s: %s forecasts", d.Variable.label(), d.Station.label(), leadText(d.Lead))
	first, last := es[0], es[len(es)-1]
	subtitle := fmt.Sprintf("%d cycles, valid %s to %s", len(es), clock(first.Valid), clock(last.Valid))
	if len(es) == 1 {
		subtitle = "valid " + clock(first.Valid)
	}
	if p := d.Station.position(); p != "" {
		subtitle = p + " · " + subtitle
	}
	keys := []key{
		{rawLabel, func(c draw.Canvas, x, y vg.Length) {
			stroke(c, rawColor, 0.8, vg.Point{X: x + keyWidth/2, Y: y - 5}, vg.Point{X: x + keyWidth/2, Y: y + 5})
			for _, dy := range marks {
				stroke(c, rawColor, 1.1, vg.Point{X: x + 3, Y: y + dy}, vg.Point{X: x + keyWidth - 3, Y: y + dy})
			}
		}},
		nestedKey(calLabel, calColor.fade(.2), calColor.fade(.45)),
		observedKey("observed"),
	}

	p := newPlot("valid time (UTC)")
	p.X.Min, p.X.Max = seconds(first.Valid)-interval/2, seconds(last.Valid)+interval/2
	p.Y.Min, p.Y.Max = widen(lower, upper, 0.04)
	p.X.Tick.Marker = dates{16}
	p.Add(layer(func(c draw.Canvas, x, y func(float64) vg.Length) {
		slot := x(p.X.Min+interval) - x(p.X.Min)
		slot = min(slot, 26)
		for _, e := range es {
			at := x(seconds(e.Valid))
			drawRaw(c, at-0.24*slot, 0.15*slot, e.Raw, len(es) <= detailed, y)
			drawCalibrated(c, at+0.2*slot, 0.24*slot, e.Calibrated, len(es) <= detailed, y)
		}
		for _, e := range es {
			if finite(e.Observed) {
				at := x(seconds(e.Valid))
				if len(es) > detailed {
					dot(c, ink, 1.3, at, y(e.Observed))
					continue
				}
				stroke(c, ink, 0.9, vg.Point{X: at - 0.42*slot, Y: y(e.Observed)}, vg.Point{X: at + 0.46*slot, Y: y(e.Observed)})
				observed(c, at, y(e.Observed))
			}
		}
	}))
	inside := coverage(es)
	return &Figure{
		Name:    "cycles",
		Title:   title,
		Caption: title + ". For each valid time: " + reading + ".",
		Alt: fmt.Sprintf("%s. %s. Mean CRPS over %d observed cycles: raw %s %s, calibrated %s %s. The calibrated 90 %% interval holds the observation %d times.",
			title, subtitle, scored, number(raw, 2), d.Variable.differences(), number(calibrated, 2), d.Variable.differences(), inside),
		height: 300,
		paint: func(c draw.Canvas) {
			c = heading(c, title, subtitle, keys)
			p.Draw(panelTitle(c, units))
		},
	}, nil
}

// coverage counts observations within the calibrated central 90 % interval.
func coverage(es []Ensemble) int {
	n := 0
	for _, e := range es {
		if b := newBand(e.Calibrated); b.q05 <= e.Observed && e.Observed <= b.q95 {
			n++
		}
	}
	return n
}

// interval is the least time between two valid times, in seconds; a day when there
// is only one.
func interval(es []Ensemble) float64 {
	least := 86400.
	for i := 1; i < len(es); i++ {
		if d := seconds(es[i].Valid) - seconds(es[i-1].Valid); d > 0 {
			least = min(least, d)
		}
	}
	return least
}

func seconds(t time.Time) float64 { return float64(t.Unix()) }

// drawRaw draws members as ticks on a vertical line over their range.
func drawRaw(c draw.Canvas, at, half vg.Length, members []float64, each bool, y func(float64) vg.Length) {
	b := newBand(members)
	if !finite(b.least) {
		return
	}
	stroke(c, rawColor, max(0.8, half/3), vg.Point{X: at, Y: y(b.least)}, vg.Point{X: at, Y: y(b.most)})
	if !each {
		return
	}
	for _, m := range members {
		if finite(m) {
			stroke(c, rawColor, 1.1, vg.Point{X: at - half, Y: y(m)}, vg.Point{X: at + half, Y: y(m)})
		}
	}
}

// drawCalibrated draws central intervals, the median and the members.
func drawCalibrated(c draw.Canvas, at, half vg.Length, members []float64, each bool, y func(float64) vg.Length) {
	b := newBand(members)
	if !finite(b.least) {
		return
	}
	box(c, calColor.fade(.2), at-half, y(b.q05), at+half, y(b.q95))
	box(c, calColor.fade(.3), at-half, y(b.q25), at+half, y(b.q75))
	if each {
		for _, m := range members {
			if finite(m) {
				stroke(c, calColor.fade(.55), 0.35, vg.Point{X: at - half, Y: y(m)}, vg.Point{X: at + half, Y: y(m)})
			}
		}
	}
	stroke(c, calColor, 1.6, vg.Point{X: at - half, Y: y(b.q50)}, vg.Point{X: at + half, Y: y(b.q50)})
}
