package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"sipipe/calibrate/score"
)

// Members is the forecast of one cycle for one station.
type Members struct {
	Variable Variable
	Station  Station
	Cycle    time.Time
	Leads    []Ensemble // in any order; one a valid time
}

// Figure draws raw and calibrated members against the observations: a plume over
// lead time, or, for a single lead, the members and their densities on one scale.
func (d Members) Figure() (*Figure, error) {
	units, convert := d.Variable.shown()
	var leads []Ensemble
	var all [][]float64
	for _, e := range d.Leads {
		e = e.converted(convert)
		leads = append(leads, e)
		b := newBand(e.Calibrated)
		all = append(all, e.Raw, []float64{b.q05, b.q95, e.Observed})
	}
	slices.SortFunc(leads, func(a, b Ensemble) int { return a.Valid.Compare(b.Valid) })
	lower, upper := span(all...)
	if !finite(lower) {
		return nil, fmt.Errorf("draw cycle %s of station %s: no values", clock(d.Cycle), d.Station.ID)
	}
	title := fmt.Sprintf("%s at %s", d.Variable.label(), d.Station.label())
	subtitle := "cycle " + clock(d.Cycle)
	if p := d.Station.position(); p != "" {
		subtitle = p + " · " + subtitle
	}
	f := &Figure{Name: "members", Title: title}
	if len(leads) == 1 {
		e := leads[0]
		subtitle += fmt.Sprintf(", valid %s (%s forecast)", clock(e.Valid), leadText(e.Valid.Sub(d.Cycle)))
		f.Caption = title + ", " + subtitle + ". Dots are members, curves their densities, drawn equally high, and the vertical line is the observation."
		f.Alt = strings.Join([]string{title, subtitle, d.describe(e, units)}, ". ") + "."
		f.height = 240
		f.paint = func(c draw.Canvas) {
			c = heading(c, title, subtitle, nil)
			strips(e, with(d.Variable.label(), units), units).Draw(c)
		}
		return f, nil
	}
	last := leads[len(leads)-1]
	subtitle += fmt.Sprintf(", valid to %s", clock(last.Valid))
	f.Caption = title + ", " + subtitle + ". Raw members are grey lines; the calibrated forecast is shown by its median and central 50 % and 90 % intervals, observations by dots."
	f.Alt = fmt.Sprintf("%s. %s. %d lead times; at the last one %s.", title, subtitle, len(leads), d.describe(last, units))
	f.height = 300
	f.paint = func(c draw.Canvas) {
		c = heading(c, title, subtitle, []key{
			lineKey("raw members", rawColor, 0.8),
			lineKey("calibrated: median", calColor, 1.8),
			nestedKey("central 50 % and 90 %", calColor.fade(.18), calColor.fade(.36)),
			observedKey("observed"),
		})
		p := plume(leads)
		p.Y.Min, p.Y.Max = widen(lower, upper, 0.05)
		p.Draw(panelTitle(c, units))
	}
	return f, nil
}

// describe one lead time in words.
func (d Members) describe(e Ensemble, units string) string {
	raw, calibrated := newBand(e.Raw), newBand(e.Calibrated)
	s := fmt.Sprintf("raw members lie from %s to %s %s, the calibrated 90 %% interval is %s to %s %s",
		number(raw.least, 1), number(raw.most, 1), units, number(calibrated.q05, 1), number(calibrated.q95, 1), units)
	if finite(e.Observed) {
		s += fmt.Sprintf(", and %s %s was observed", number(e.Observed, 1), units)
	}
	return s
}

// plume over lead time.
func plume(leads []Ensemble) *plot.Plot {
	n := len(leads)
	at := make([]float64, n)
	bands := make([]band, n)
	members := 0
	for i, e := range leads {
		at[i] = seconds(e.Valid)
		bands[i] = newBand(e.Calibrated)
		members = max(members, len(e.Raw))
	}
	pick := func(f func(band) float64) []float64 {
		out := make([]float64, n)
		for i, b := range bands {
			out[i] = f(b)
		}
		return out
	}
	p := newPlot("valid time (UTC)")
	p.X.Min, p.X.Max = widen(at[0], at[n-1], 0.01)
	p.X.Tick.Marker = dates{12}
	verticalGrid(p)
	p.Add(layer(func(c draw.Canvas, x, y func(float64) vg.Length) {
		ribbon(c, calColor.fade(.18), at, pick(func(b band) float64 { return b.q05 }), pick(func(b band) float64 { return b.q95 }), x, y)
		ribbon(c, calColor.fade(.26), at, pick(func(b band) float64 { return b.q25 }), pick(func(b band) float64 { return b.q75 }), x, y)
		for m := range members {
			line := make([]float64, n)
			for i, e := range leads {
				line[i] = math.NaN()
				if m < len(e.Raw) {
					line[i] = e.Raw[m]
				}
			}
			curve(c, rawColor, 0.7, at, line, x, y)
		}
		curve(c, calColor, 1.8, at, pick(func(b band) float64 { return b.q50 }), x, y)
		for i, e := range leads {
			if finite(e.Observed) {
				observed(c, x(at[i]), y(e.Observed))
			}
		}
	}))
	return p
}

// strips shows a single lead: for each of raw and calibrated a row with the density
// above and the members beneath.
func strips(e Ensemble, label, units string) *plot.Plot {
	p := newPlot(label)
	p.Y.Padding = 8
	p.Y.Tick.Marker = plot.ConstantTicks{
		{Value: 1.15, Label: fmt.Sprintf("raw (%d)", len(score.Sorted(nil, e.Raw)))},
		{Value: 0.15, Label: fmt.Sprintf("calibrated (%d)", len(score.Sorted(nil, e.Calibrated)))},
	}
	p.Y.Tick.Label.Color = ink
	p.Y.Min, p.Y.Max = -0.12, 2.12
	rows := []struct {
		members []float64
		color   rgb
		base    float64
	}{{e.Raw, rawColor, 1.15}, {e.Calibrated, calColor, 0.15}}
	lower, upper := span(e.Raw, e.Calibrated, []float64{e.Observed})
	densities := make([]density, len(rows))
	for i, r := range rows {
		densities[i] = newDensity(r.members)
		if k := densities[i]; k.width > 0 {
			a, b := span(r.members)
			lower, upper = math.Min(lower, a-3*k.width), math.Max(upper, b+3*k.width)
		}
	}
	p.X.Min, p.X.Max = widen(lower, upper, 0.02)
	p.X.Tick.Marker = numbers(10)
	verticalGrid(p)
	p.Add(layer(func(c draw.Canvas, x, y func(float64) vg.Length) {
		for i, r := range rows {
			if k := densities[i]; k.most > 0 {
				a, b := span(r.members)
				var xs, zero, height []float64
				for j := range 201 {
					v := a - 3*k.width + float64(j)/200*(b-a+6*k.width)
					xs, zero, height = append(xs, v), append(zero, r.base), append(height, r.base+0.8*k.at(v)/k.most)
				}
				ribbon(c, r.color.fade(.25), xs, zero, height, x, y)
				curve(c, r.color, 1.2, xs, height, x, y)
			}
			for _, m := range r.members {
				if finite(m) {
					dot(c, r.color.fade(.75), 2.3, x(m), y(r.base)-6)
				}
			}
		}
		if finite(e.Observed) {
			at := x(e.Observed)
			stroke(c, ink, 1.4, vg.Point{X: at, Y: c.Min.Y}, vg.Point{X: at, Y: c.Max.Y})
			style := letters(textSize, ink)
			text, where := "observed "+number(e.Observed, 1)+" "+units, at+4
			if where+style.Width(text) > c.Max.X {
				style.XAlign, where = draw.XRight, at-4
			}
			c.FillText(style, vg.Point{X: where, Y: c.Max.Y - 1}, text)
		}
	}))
	return p
}

// density is a Gaussian kernel estimate with Silverman's width,
//
//	0.9 min(s, (q75 - q25)/1.34) M^(-1/5)
//
// (Silverman 1986, eq. 3.31). The zero value is that of less than two distinct
// members, which have none.
type density struct {
	members []float64
	width   float64
	most    float64 // highest value at a member
}

func newDensity(members []float64) density {
	s := score.Sorted(nil, members)
	if len(s) < 2 || s[0] == s[len(s)-1] {
		return density{}
	}
	scale := stat.StdDev(s, nil)
	if iqr := s.Quantile(.75) - s.Quantile(.25); iqr > 0 {
		scale = math.Min(scale, iqr/1.34)
	}
	k := density{members: s, width: 0.9 * scale * math.Pow(float64(len(s)), -0.2)}
	for _, m := range s {
		k.most = math.Max(k.most, k.at(m))
	}
	return k
}

func (k density) at(v float64) float64 {
	sum := 0.
	for _, m := range k.members {
		sum += distuv.Normal{Mu: m, Sigma: k.width}.Prob(v)
	}
	return sum / float64(len(k.members))
}
