package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sipipe/calibrate/score"
)

// dependenceTable shows the scores of vectors, the lowest energy score first.
func (v *Verification) dependenceTable(what string, r *score.VectorReport) table {
	if r == nil {
		return table{}
	}
	target, units := v.target(), v.Variable.differences()
	t := table{
		Caption: fmt.Sprintf("Dependence, %s: %s vectors of %s on %d days", what, grouped(r.Cases), number(float64(r.Components), 0), r.Days),
		Head: []string{
			"members", with("energy score", units), "variogram score",
			"energy score of " + target.label() + ": % lower", "variogram score: % lower",
			"spread ÷ error of the mean", "of differences of neighbours",
		},
	}
	names := slices.SortedFunc(maps.Keys(r.Systems), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.Systems[a].Energy, r.Systems[b].Energy), cmp.Compare(a, b))
	})
	for _, name := range names {
		f := r.Systems[name]
		cells := []string{strings.ReplaceAll(name, "_", ", "), number(float64(f.Energy), 3), number(float64(f.Variogram), 2), "", "", number(float64(f.Mean.SpreadError), 2), ""}
		if k, ok := r.Skill[target.Name+"_vs_"+name]; ok {
			cells[3], cells[4] = skillText(k.Energy), skillText(k.Variogram)
		}
		if f.Difference != nil {
			cells[6] = number(float64(f.Difference.SpreadError), 2)
		}
		t.Rows = append(t.Rows, row{"", cells})
	}
	return t
}

// skillText is a skill in per cent with its interval, if it has one.
func skillText(k score.Skill) string {
	text := signed(100*float64(k.CRPSS), 1)
	if lower, upper := float64(k.CI95[0]), float64(k.CI95[1]); finite(lower) && finite(upper) {
		text += fmt.Sprintf(" (%s to %s)", signed(100*lower, 1), signed(100*upper, 1))
	}
	return text
}
