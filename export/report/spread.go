package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// SpreadBin holds cases of similar spread: the square root of their mean variance,
// the root mean square error of the ensemble mean, and their number.
type SpreadBin struct {
	Spread, RMSE float64
	N            int
}

// SpreadError is one case: variance of its members, with divisor M-1 and inflated
// by (M+1)/M, and error of their mean.
type SpreadError struct{ Variance, Error float64 }

// SpreadBins sorts the cases by spread into n bins of equal number. Cases that are
// not numbers are left out; there are fewer bins than n when there are fewer cases.
func SpreadBins(cases []SpreadError, n int) []SpreadBin {
	sorted := slices.DeleteFunc(slices.Clone(cases), func(c SpreadError) bool { return !finite(c.Variance) || !finite(c.Error) })
	slices.SortStableFunc(sorted, func(a, b SpreadError) int {
		switch {
		case a.Variance < b.Variance:
			return -1
		case a.Variance > b.Variance:
			return 1
		}
		return 0
	})
	n = min(n, len(sorted))
	var out []SpreadBin
	for k := range n {
		part := sorted[k*len(sorted)/n : (k+1)*len(sorted)/n]
		var variance, square float64
		for _, c := range part {
			variance += c.Variance
			square += c.Error * c.Error
		}
		m := float64(len(part))
		out = append(out, SpreadBin{math.Sqrt(variance / m), math.Sqrt(square / m), len(part)})
	}
	return out
}

// SpreadSkill draws error against spread; bins is by system. Reliable forecasts lie
// on the diagonal, and a flat line means that spread says nothing about error.
func SpreadSkill(v Variable, systems []System, bins [][]SpreadBin) (*Figure, error) {
	if len(bins) != len(systems) || len(bins) == 0 {
		return nil, fmt.Errorf("draw spread and error: %d systems, want %d", len(bins), len(systems))
	}
	most := 0.
	var alt []string
	for i, s := range systems {
		if len(bins[i]) == 0 {
			continue
		}
		for _, b := range bins[i] {
			most = math.Max(most, math.Max(b.Spread, b.RMSE))
		}
		a, z := bins[i][0], bins[i][len(bins[i])-1]
		alt = append(alt, fmt.Sprintf("%s: error %s at spread %s, %s at %s", s.label(),
			number(a.RMSE, 2), number(a.Spread, 2), number(z.RMSE, 2), number(z.Spread, 2)))
	}
	if !(most > 0) {
		return nil, fmt.Errorf("draw spread and error: no cases")
	}
	title := v.label() + ": error by spread"
	p := newPlot(with("spread", v.differences()))
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, most*1.05, 0, most*1.05
	verticalGrid(p)
	p.Add(layer(func(c draw.Canvas, x, y func(float64) vg.Length) {
		dashed(c, ink, 0.9, vg.Point{X: x(0), Y: y(0)}, vg.Point{X: x(p.X.Max), Y: y(p.X.Max)})
		for i, s := range systems {
			var xs, ys []float64
			for _, b := range bins[i] {
				xs, ys = append(xs, b.Spread), append(ys, b.RMSE)
			}
			curve(c, s.color(), 1.4, xs, ys, x, y)
			for k := range xs {
				dot(c, s.color(), 2.4, x(xs[k]), y(ys[k]))
			}
		}
	}))
	return &Figure{
		Name:    "spread-skill",
		Title:   title,
		Caption: "Root mean square error of the ensemble mean by spread, in bins of equal number of cases; reliable forecasts lie on the diagonal.",
		Alt:     title + ". " + strings.Join(alt, "; ") + ".",
		width:   400,
		height:  330,
		paint: func(c draw.Canvas) {
			c = heading(c, title, "", append(systemKeys(systems), dashedKey("reliable", ink, 0.9)))
			p.Draw(panelTitle(c, with("RMSE of the mean", v.differences())))
		},
	}, nil
}
