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
		Variable  string                   `json:"variable"`
		Variables map[string]*score.Report `json:"variables"`
	}{r.by[r.order[0]], r.order[0], r.by})
}

// print writes the tables for people.
func (r *VerifyReport) print(w io.Writer) error {
	for _, v := range r.order {
		if err := printScores(w, v, r.by[v]); err != nil {
			return err
		}
	}
	return nil
}

func printScores(w io.Writer, variable string, r *score.Report) error {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.SetTitle(fmt.Sprintf("%s, cycles %s to %s: %d cases on %d days", variable, r.From, r.To, r.Cases, r.Days))
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
		line := fmt.Sprintf("CRPS skill, %s: %+.1f %%", name, 100*float64(s.CRPSS))
		if lower, upper := float64(s.CI95[0]), float64(s.CI95[1]); math.IsNaN(lower) || math.IsNaN(upper) {
			line += " (too few days for an interval)"
		} else {
			line += fmt.Sprintf(" [%+.1f, %+.1f]", 100*lower, 100*upper)
		}
		if err := printLine(w, line); err != nil {
			return err
		}
	}
	if d := r.Dependence; d != nil {
		printVectors(w, "groups of stations", d.Stations)
		printVectors(w, "lead times of a station", d.Leads)
	}
	return nil
}

// printVectors writes the scores of dependence.
func printVectors(w io.Writer, what string, r *score.VectorReport) {
	if r == nil {
		return
	}
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.SetTitle(fmt.Sprintf("dependence, %s: %d vectors of %.0f on %d days", what, r.Cases, float64(r.Components), r.Days))
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
func systemOrder[T any](systems map[string]T) []string {
	known := []string{systemRaw, systemEMOS, systemFrame, systemCalibrated}
	return slices.SortedFunc(maps.Keys(systems), func(a, b string) int { return slices.Index(known, a) - slices.Index(known, b) })
}

func number2(n score.Number) string { return numberText(n, "%.2f") }
func number3(n score.Number) string { return numberText(n, "%.3f") }

func numberText(n score.Number, format string) string {
	if math.IsNaN(float64(n)) {
		return "–"
	}
	return fmt.Sprintf(format, float64(n))
}
