package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"sipipe/calibrate/score"
)

// tables in Markdown, in the order of the page.
type tables struct {
	scores, events, groups, vectors, variants, unseenStations, youngArchives table
}

// table is a title, a head and rows, of which the first columns are words.
type table struct {
	title string
	words int
	head  []string
	rows  [][]string
}

func newTables() *tables {
	systems := []string{"raw", "EMOS", "EMOS with features", "BMA", "frame", "calibrated"}
	lower := []string{"lower than EMOS, %", "than with features, %", "than BMA, %", "than the frame, %"}
	head := func(parts ...[]string) []string { return slices.Concat(parts...) }
	data := []string{"data", "cases, days"}
	return &tables{
		scores: table{title: "CRPS", words: 2, head: head(data, systems, []string{"fair"}, lower, []string{"spread ÷ error", "90 % interval holds, %"})},
		events: table{title: "Brier scores", words: 1, head: head([]string{"data", "more than"}, systems, lower)},
		groups: table{title: "Reliability by season and region", words: 3, head: []string{
			"data", "season, region", "cases, days", "spread ÷ error, frame", "calibrated", "flat: p, frame", "p, calibrated",
		}},
		vectors: table{title: "Dependence", words: 3, head: []string{
			"data", "vectors", "members", "ES", "VS", "ES of calibrated lower, %", "VS lower, %", "spread ÷ error of the mean", "of differences",
		}},
		variants: table{title: "Variants", words: 3, head: []string{
			"data", "vectors", "members", "CRPS", "lower, %", "ES", "lower, %", "VS", "lower, %",
			"CRPS of means", "lower, %", "spread ÷ error", "of differences", "lower, %", "spread ÷ error",
		}},
		unseenStations: table{title: "Stations that nothing learns from", words: 2, head: head(data, systems, lower, []string{"spread ÷ error, frame", "calibrated"})},
		youngArchives:  table{title: "Young archives", words: 2, head: head(data, []string{"archive, days", "networks, % of cycles"}, systems, lower)},
	}
}

func (t *tables) write(w io.Writer) error {
	for _, one := range []*table{&t.scores, &t.events, &t.groups, &t.vectors, &t.variants, &t.unseenStations, &t.youngArchives} {
		if len(one.rows) == 0 {
			continue
		}
		var b strings.Builder
		align := strings.Repeat("---|", one.words) + strings.Repeat("---:|", len(one.head)-one.words)
		fmt.Fprintf(&b, "### %s\n\n| %s |\n|%s\n", one.title, strings.Join(one.head, " | "), align)
		for _, r := range one.rows {
			fmt.Fprintf(&b, "| %s |\n", strings.Join(r, " | "))
		}
		if _, err := fmt.Fprintln(w, b.String()); err != nil {
			return err
		}
	}
	return nil
}

var systemNames = []string{"raw", "emos", "emos_features", "bma", "frame", target}

// number with so many digits, or a dash.
func number(x float64, digits int) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return "–"
	}
	return strings.Replace(fmt.Sprintf("%.*f", digits, x), "-", "−", 1)
}

// interval is a skill in per cent with its interval.
func interval(skill score.Number, ci [2]score.Number) string {
	text := number(100*float64(skill), 1)
	if lower, upper := float64(ci[0]), float64(ci[1]); !math.IsNaN(lower) && !math.IsNaN(upper) {
		text += fmt.Sprintf(" [%s, %s]", number(100*lower, 1), number(100*upper, 1))
	}
	return text
}

// others are the systems that the target is compared with in tables.
var others = []string{"emos", "emos_features", "bma", "frame"}

// add takes the scores of an experiment, with stratified and with independent members.
func (t *tables) add(name string, stratified, independent *verified) {
	for _, variable := range slices.Sorted(maps.Keys(stratified.Variables)) {
		s, fair := stratified.Variables[variable], independent.Variables[variable].Systems[target].CRPSFair
		data := name
		if len(stratified.Variables) > 1 {
			data += ", " + variable
		}
		r := []string{data, fmt.Sprintf("%d, %d", s.Cases, s.Days)}
		for _, system := range systemNames {
			r = append(r, optional(s.Systems, system, func(f score.Figure) string { return number(float64(f.CRPS), 3) }))
		}
		r = append(r, number(float64(fair), 3))
		for _, other := range others {
			r = append(r, optional(s.Skill, target+"_vs_"+other, func(k score.Skill) string { return interval(k.CRPSS, k.CI95) }))
		}
		f := s.Systems[target]
		t.scores.rows = append(t.scores.rows, append(r, number(float64(f.SpreadError), 2), number(100*float64(f.Coverage), 0)))
		t.addEvents(data, s)
		t.addGroups(data, s.Groups)
		if s.Dependence != nil {
			t.addVectors(data, "groups of stations", s.Dependence.Stations)
			t.addVectors(data, "lead times", s.Dependence.Leads)
		}
	}
}

// optional shows an entry of a map, or a dash.
func optional[T any](m map[string]T, key string, show func(T) string) string {
	if v, ok := m[key]; ok {
		return show(v)
	}
	return "–"
}

// leastOccurred is how often an event must have come about, and not, to be shown.
const leastOccurred = 5

func (t *tables) addEvents(data string, s *score.Report) {
	for _, e := range s.Events {
		if float64(e.Systems[target].Uncertainty)*float64(s.Cases) < leastOccurred {
			continue
		}
		r := []string{data, fmt.Sprint(e.Threshold)}
		for _, system := range systemNames {
			r = append(r, optional(e.Systems, system, func(f score.EventFigure) string { return number(float64(f.Brier), 4) }))
		}
		for _, other := range others {
			r = append(r, optional(e.Skill, target+"_vs_"+other, func(k score.EventSkill) string { return interval(k.BSS, k.CI95) }))
		}
		t.events.rows = append(t.events.rows, r)
	}
}

func (t *tables) addGroups(data string, g *score.Groups) {
	if g == nil {
		return
	}
	for _, e := range g.List {
		f, c := e.Systems["frame"], e.Systems[target]
		t.groups.rows = append(t.groups.rows, []string{
			data, e.Season + ", " + e.Region, fmt.Sprintf("%d, %d", e.Cases, e.Days),
			number(float64(f.SpreadError), 2), number(float64(c.SpreadError), 2), number(float64(f.FlatP), 3), number(float64(c.FlatP), 3),
		})
	}
	if n := g.Tests[target]; n.Tested > 0 {
		t.groups.rows = append(t.groups.rows, []string{
			data, fmt.Sprintf("p below 0.05, of %d groups (by chance: %.1f)", n.Tested, float64(n.Chance)), "", "", "",
			fmt.Sprint(g.Tests["frame"].Rejected), fmt.Sprint(n.Rejected),
		})
	}
}

func (t *tables) addVectors(data, what string, v *score.VectorReport) {
	if v == nil {
		return
	}
	for _, system := range []string{
		"raw", "emos", "emos_ecc", "calibrated_independent", "calibrated_ecc", "calibrated_schaake", "calibrated_copula", target,
	} {
		f, ok := v.Systems[system]
		if !ok {
			continue
		}
		r := []string{data, what, system, number(float64(f.Energy), 3), number(float64(f.Variogram), 2), "–", "–", number(float64(f.Mean.SpreadError), 2), "–"}
		if k, ok := v.Skill[target+"_vs_"+system]; ok {
			r[5], r[6] = interval(k.Energy.CRPSS, k.Energy.CI95), interval(k.Variogram.CRPSS, k.Variogram.CI95)
		}
		if f.Difference != nil {
			r[8] = number(float64(f.Difference.SpreadError), 2)
		}
		t.vectors.rows = append(t.vectors.rows, r)
	}
}

// unseen takes the scores at withheld stations.
func (t *tables) unseen(name string, folds []*verified) {
	for data, p := range each(name, folds) {
		r := append([]string{data, fmt.Sprintf("%d, %d", p.cases, len(p.days))}, p.figures()...)
		t.unseenStations.rows = append(t.unseenStations.rows, append(r, number(p.spreadError["frame"], 2), number(p.spreadError[target], 2)))
	}
}

// young takes the scores of archives of so many days.
func (t *tables) young(name string, days int, starts []*verified) {
	for data, p := range each(name, starts) {
		r := []string{
			data, fmt.Sprintf("%d, %d", p.cases, len(p.days)),
			fmt.Sprint(days), number(100*float64(p.networks)/float64(p.cycles), 0),
		}
		t.youngArchives.rows = append(t.youngArchives.rows, append(r, p.figures()...))
	}
}

// figures are the CRPS of all systems and the skill of the target.
func (p *pooled) figures() []string {
	var r []string
	for _, system := range systemNames {
		r = append(r, optional(p.crps, system, func(x float64) string { return number(x, 3) }))
	}
	for _, other := range others {
		text := "–"
		if k, ok := p.skill(other); ok {
			text = interval(k.CRPSS, k.CI95)
		}
		r = append(r, text)
	}
	return r
}

// each yields the variables of verifications by name.
func each(name string, parts []*verified) func(func(string, *pooled) bool) {
	return func(yield func(string, *pooled) bool) {
		if len(parts) == 0 {
			return
		}
		for _, variable := range slices.Sorted(maps.Keys(parts[0].Variables)) {
			data := name
			if len(parts[0].Variables) > 1 {
				data += ", " + variable
			}
			if !yield(data, pool(variable, parts)) {
				return
			}
		}
	}
}
