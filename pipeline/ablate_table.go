package pipeline

import (
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// print writes the rows as a table, or as one in Markdown, and below it the reasons
// of those that have no figures.
func (a *ablation) print(w io.Writer, markdown bool) error {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	title := fmt.Sprintf("%s [%s], trained on what was there on %s: %d cases on %d days", a.Variable, a.Units, formatDay(a.Anchor), a.Cases, a.Days)
	header := table.Row{"", "frame CRPS", "gain at weight 1", "weight", "gain there", "CRPS", "dispersion", "training, s", "calls", "µs a member"}
	if a.Later != nil {
		title += fmt.Sprintf("; on the right %d cycles from %s to %s", a.Later.Cycles, formatCycle(a.Later.From), formatCycle(a.Later.To))
		header = append(header, "CRPS later", "fair CRPS", "spread ÷ error")
	}
	t.AppendHeader(header)
	var notes []string
	group := ""
	for _, r := range a.Rows {
		if r.Group != group {
			if group = r.Group; group != "" {
				row := make(table.Row, len(header))
				row[0] = group
				t.AppendRow(row)
			}
		}
		row := table.Row{r.Name}
		if r.Refused != "" {
			notes = append(notes, r.Name+": "+r.Refused)
			for range 9 {
				row = append(row, "–")
			}
		} else {
			if r.Note != "" {
				notes = append(notes, r.Name+": "+r.Note)
			}
			row = append(row, fmt.Sprintf("%.4f", r.Frame), r.Unit.text(), fmt.Sprintf("%g", r.Chosen.Weight), r.Chosen.text(),
				fmt.Sprintf("%.4f", r.Frame-r.Chosen.Gain), fmt.Sprintf("%.3f", r.Dispersion), fmt.Sprintf("%.1f", r.TrainSeconds),
				fmt.Sprintf("%.3g", r.Calls), fmt.Sprintf("%.1f", r.Micros))
		}
		switch {
		case a.Later == nil:
		case r.Later == nil:
			row = append(row, "–", "–", "–")
		default:
			row = append(row, numberText(r.Later.CRPS, "%.4f"), numberText(r.Later.Fair, "%.4f"), numberText(r.Later.SpreadError, "%.3f"))
		}
		t.AppendRow(row)
	}
	lines := notes
	if markdown {
		lines = append([]string{title, "", t.RenderMarkdown(), ""}, notes...)
	} else {
		t.SetTitle(title)
		lines = append([]string{t.Render()}, notes...)
	}
	for _, l := range lines {
		if err := printLine(w, l); err != nil {
			return err
		}
	}
	return nil
}

func (g ablationGain) text() string { return fmt.Sprintf("%+.4f ± %.4f", g.Gain, g.Error) }
