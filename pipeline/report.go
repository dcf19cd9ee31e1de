package pipeline

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"sipipe/calibrate/score"
	"sipipe/export/report"
)

// VerifyReport is the result of sipipe verify. Its JSON is an interface: names stay.
// The figures of the first variable are those of the whole object, all variables
// are below "variables".
type VerifyReport struct {
	From, To string
	Coverage Coverage
	order    []string
	by       map[string]*score.Report
	pages    map[string]report.Verification

	command, config, version string // for the page
}

func (r *VerifyReport) add(variable string, s *score.Report, p report.Verification) {
	if r.by == nil {
		r.by, r.pages = map[string]*score.Report{}, map[string]report.Verification{}
	}
	r.order = append(r.order, variable)
	r.by[variable], r.pages[variable] = s, p
}

// MarshalJSON writes the object described in docs/reference.
func (r *VerifyReport) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		*score.Report
		Coverage  Coverage                 `json:"coverage"`
		Variable  string                   `json:"variable"`
		Variables map[string]*score.Report `json:"variables"`
	}{r.by[r.order[0]], r.Coverage, r.order[0], r.by})
}

// print writes the tables for people.
func (r *VerifyReport) print(w io.Writer) error {
	if err := printLine(w, r.Coverage.text()); err != nil {
		return err
	}
	for _, v := range r.order {
		if err := printScores(w, v, r.by[v]); err != nil {
			return err
		}
	}
	return nil
}

func printScores(w io.Writer, variable string, r *score.Report) error {
	t := newTable(w, "%s, cycles %s to %s: %d cases on %d days", variable, r.From, r.To, r.Cases, r.Days)
	t.AppendHeader(table.Row{"", "CRPS", "fair CRPS", "spread", "error", "spread ÷ error", "bias", "90 % coverage"})
	for _, name := range systemOrder(r.Systems) {
		s := r.Systems[name]
		t.AppendRow(table.Row{
			name, number3(s.CRPS), number3(s.CRPSFair), number3(s.Spread), number3(s.RMSE),
			number2(s.SpreadError), number3(s.Bias), number2(s.Coverage),
		})
	}
	t.Render()
	for _, name := range slices.Sorted(maps.Keys(r.Skill)) {
		s := r.Skill[name]
		if err := printLine(w, fmt.Sprintf("CRPS skill, %s: %s", name, skillText(s.CRPSS, s.CI95))); err != nil {
			return err
		}
	}
	printEvents(w, r)
	printGroups(w, r.Groups)
	if d := r.Dependence; d != nil {
		printVectors(w, "groups of stations", d.Stations)
		printVectors(w, "lead times of a station", d.Leads)
	}
	return nil
}

// skillText is a skill in per cent with its interval.
func skillText(skill score.Number, interval [2]score.Number) string {
	text := numberText(100*skill, "%+.1f %%")
	if lower, upper := float64(interval[0]), float64(interval[1]); math.IsNaN(lower) || math.IsNaN(upper) {
		return text + " (too few days for an interval)"
	}
	return text + fmt.Sprintf(" [%+.1f, %+.1f]", 100*interval[0], 100*interval[1])
}

// leastOccurred is how often an event must have come about, and not, to be shown.
const leastOccurred = 5

// printEvents writes the Brier scores of events.
func printEvents(w io.Writer, r *score.Report) {
	t := newTable(w, "Brier scores, and skill of calibrated")
	names := systemOrder(r.Systems)
	head := table.Row{"more than"}
	for _, name := range names {
		head = append(head, name)
	}
	others := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == systemCalibrated })
	for _, name := range others {
		head = append(head, "against "+name)
	}
	t.AppendHeader(head)
	for _, e := range r.Events {
		if u := float64(e.Systems[systemCalibrated].Uncertainty) * float64(r.Cases); !(u >= leastOccurred) {
			continue // a frequency f has the uncertainty f (1 - f)
		}
		row := table.Row{e.Threshold}
		for _, name := range names {
			row = append(row, numberText(e.Systems[name].Brier, "%.4f"))
		}
		for _, name := range others {
			s := e.Skill[systemCalibrated+"_vs_"+name]
			row = append(row, skillText(s.BSS, s.CI95))
		}
		t.AppendRow(row)
	}
	if t.Length() > 0 {
		t.Render()
	}
}

// printGroups writes how reliable forecasts are by season and region.
func printGroups(w io.Writer, g *score.Groups) {
	if g == nil {
		return
	}
	t := newTable(w, "by season and region: spread ÷ error, and probability of a PIT histogram as uneven as this")
	t.AppendHeader(table.Row{"season", "region", "cases", "days", "frame", "calibrated", "p, frame", "p, calibrated"})
	for _, e := range g.List {
		f, c := e.Systems[systemFrame], e.Systems[systemCalibrated]
		t.AppendRow(table.Row{e.Season, e.Region, e.Cases, e.Days, number2(f.SpreadError), number2(c.SpreadError), number3(f.FlatP), number3(c.FlatP)})
	}
	if n := g.Tests[systemCalibrated]; n.Tested > 0 {
		t.AppendFooter(table.Row{"", "", "", "", "", fmt.Sprintf("below 0.05 (%.1f of %d by chance)", float64(n.Chance), n.Tested), g.Tests[systemFrame].Rejected, n.Rejected})
	}
	t.Style().Format.Footer = text.FormatDefault
	t.Render()
}

// newTable in the style of the tables for people.
func newTable(w io.Writer, title string, args ...any) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.SetTitle(fmt.Sprintf(title, args...))
	return t
}

// printVectors writes the scores of dependence.
func printVectors(w io.Writer, what string, r *score.VectorReport) {
	if r == nil {
		return
	}
	t := newTable(w, "dependence, %s: %d vectors of %.0f on %d days", what, r.Cases, float64(r.Components), r.Days)
	t.AppendHeader(table.Row{"", "energy score", "variogram score", "CRPS of mean", "spread ÷ error", "CRPS of differences", "spread ÷ error"})
	for _, s := range vectorSystems(false) {
		f := r.Systems[s.Name]
		row := table.Row{s.Name, number3(f.Energy), number2(f.Variogram), number3(f.Mean.CRPS), number2(f.Mean.SpreadError), "–", "–"}
		if f.Difference != nil {
			row[5], row[6] = number3(f.Difference.CRPS), number2(f.Difference.SpreadError)
		}
		t.AppendRow(row)
	}
	t.Render()
}

// systemOrder is from the least to the most processed.
func systemOrder[T any](of map[string]T) []string {
	known := systems()
	return slices.SortedFunc(maps.Keys(of), func(a, b string) int { return slices.Index(known, a) - slices.Index(known, b) })
}

func number2(n score.Number) string { return numberText(n, "%.2f") }
func number3(n score.Number) string { return numberText(n, "%.3f") }

func numberText(n score.Number, format string) string {
	if math.IsNaN(float64(n)) {
		return "–"
	}
	return fmt.Sprintf(format, float64(n))
}
