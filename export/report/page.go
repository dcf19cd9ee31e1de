package report

import (
	"cmp"
	_ "embed" // the template
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"sipipe/calibrate/score"
)

// Page is a verification report.
type Page struct {
	Title         string // "" is "Forecast verification"
	Verifications []Verification
	Command       string    // that makes this page again
	ConfigSHA256  string    // hex
	Version       string    // of the program
	Created       time.Time // written unless zero
	Notes         []string  // what a reader should know, one paragraph each
}

//go:embed page.html.tmpl
var pageTemplate string

// Write writes the page as one HTML file that needs no other: figures are inline
// SVG, there are no scripts, and the colours follow the reader's light or dark theme.
func (p *Page) Write(w io.Writer) error {
	if len(p.Verifications) == 0 {
		return fmt.Errorf("write report: nothing was verified")
	}
	view := pageView{Page: p, Title: cmp.Or(p.Title, "Forecast verification"), Style: stylesheet()}
	for i := range p.Verifications {
		v, err := p.Verifications[i].view(i)
		if err != nil {
			return err
		}
		view.Variables = append(view.Variables, v)
	}
	if !p.Created.IsZero() {
		view.Created = clock(p.Created)
	}
	t, err := template.New("page").Parse(pageTemplate)
	if err == nil {
		err = t.Execute(w, view)
	}
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// pageView is what the template shows.
type pageView struct {
	*Page
	Title, Created string
	Style          template.CSS
	Variables      []variableView
}

type variableView struct {
	ID, Name         string // of the section
	Verification     *Verification
	From, To         string
	Cases            string
	Findings         []string
	Summary          table
	Skill            table
	Leads            table
	Events           table
	Parts            table // by season and region
	Groups           table // dependence between stations
	Vectors          table // between lead times
	Worst            table
	Figures          []figureView
	Incomplete, Days int
}

type figureView struct {
	Caption string
	SVG     template.HTML
}

// table is a caption, a head and rows whose first cell is a heading.
type table struct {
	Caption string
	Head    []string
	Rows    []row
}

type row struct {
	System string // its colour stands before the heading, unless ""
	Cells  []string
}

func (v *Verification) view(index int) (variableView, error) {
	figures, err := v.Figures()
	if err != nil {
		return variableView{}, err
	}
	out := variableView{
		ID: fmt.Sprintf("v%d", index), Name: v.Variable.label(), Verification: v,
		From: v.Scores.From, To: v.Scores.To, Cases: grouped(v.Scores.Cases),
		Incomplete: v.Scores.Incomplete, Days: v.Scores.Days,
		Summary: v.summary(), Skill: v.skillTable(), Leads: v.leadTable(), Events: v.eventTable(),
		Parts: v.partTable(), Worst: v.worst(10),
	}
	if d := v.Scores.Dependence; d != nil {
		out.Groups = v.dependenceTable("groups of stations", d.Stations)
		out.Vectors = v.dependenceTable("lead times of a station", d.Leads)
	}
	for _, f := range v.findings() {
		out.Findings = append(out.Findings, unbroken(f))
	}
	for i, f := range figures {
		body, err := f.svg()
		if err != nil {
			return variableView{}, fmt.Errorf("draw figure %s: %w", f.Name, err)
		}
		id := fmt.Sprintf("%s-%d-%s", out.ID, i, f.Name)
		// The text of the drawing was escaped when it was drawn.
		out.Figures = append(out.Figures, figureView{unbroken(f.Caption), template.HTML(f.svgHead(id) + themed(body))})
	}
	return out, nil
}

// findings says in words what matters most.
func (v *Verification) findings() []string {
	target, units := v.target(), v.Variable.differences()
	s := v.Scores.Systems[target.Name]
	out := []string{fmt.Sprintf("CRPS of %s: %s %s as delivered, %s %[3]s fair.", target.label(), number(float64(s.CRPS), 3), units, number(float64(s.CRPSFair), 3))}
	for _, other := range v.Systems[:len(v.Systems)-1] {
		k, ok := v.Scores.Skill[target.Name+"_vs_"+other.Name]
		if !ok {
			continue
		}
		value, lower, upper := 100*float64(k.CRPSS), 100*float64(k.CI95[0]), 100*float64(k.CI95[1])
		word := "lower"
		if value < 0 {
			word, value, lower, upper = "higher", -value, -upper, -lower
		}
		text := fmt.Sprintf("%s: %s %% %s than %s", v.skillScore(), number(value, 1), word, other.label())
		if finite(lower) && finite(upper) {
			text += fmt.Sprintf(" (95 %% interval %s to %s %%)", number(lower, 1), number(upper, 1))
			if lower <= 0 && upper >= 0 {
				text += ", which may be chance"
			}
		}
		out = append(out, strings.ToUpper(text[:1])+text[1:]+".")
	}
	return append(out, fmt.Sprintf("Spread divided by error: %s, reliable is 1; %s %% of observations lie in the central interval that should hold %s %%.",
		number(float64(s.SpreadError), 2), number(100*float64(s.Coverage), 1), number(100*float64(s.Nominal), 1)))
}

func (v *Verification) summary() table {
	units := v.Variable.differences()
	t := table{
		Caption: "Scores over all cases",
		Head: []string{
			"system", with("CRPS", units), with("fair CRPS", units), with("spread", units), with("RMSE", units),
			"spread ÷ error", with("bias", units), with("MAE", units), "coverage (should be)", with("width", units),
		},
	}
	for _, s := range v.Systems {
		f := v.Scores.Systems[s.Name]
		t.Rows = append(t.Rows, row{s.Name, []string{
			s.label(), number(float64(f.CRPS), 3), number(float64(f.CRPSFair), 3), number(float64(f.Spread), 3), number(float64(f.RMSE), 3),
			number(float64(f.SpreadError), 3), signed(float64(f.Bias), 3), number(float64(f.MAE), 3),
			fmt.Sprintf("%s %% (%s %%)", number(100*float64(f.Coverage), 1), number(100*float64(f.Nominal), 1)), number(float64(f.Width), 2),
		}})
	}
	return t
}

func (v *Verification) skillTable() table {
	t := table{
		Caption: fmt.Sprintf("Skill of %s: how much lower its %s is", v.target().label(), v.skillScore()),
		Head:    []string{"against", "skill", "95 % interval", "p"},
	}
	for _, s := range v.Systems[:len(v.Systems)-1] {
		k, ok := v.Scores.Skill[v.target().Name+"_vs_"+s.Name]
		if !ok {
			continue
		}
		t.Rows = append(t.Rows, row{s.Name, []string{
			s.label(), percent(k.CRPSS), percent(k.CI95[0]) + " to " + percent(k.CI95[1]), probability(float64(k.P)),
		}})
	}
	return t
}

func (v *Verification) leadTable() table {
	t := table{Caption: with("CRPS by lead time", v.Variable.differences())}
	if len(v.Scores.ByLead) < 2 {
		return t
	}
	t.Head = []string{"lead time", "cases"}
	for _, s := range v.Systems {
		t.Head = append(t.Head, s.label())
	}
	for _, s := range v.Systems[:len(v.Systems)-1] {
		t.Head = append(t.Head, "skill against "+s.label())
	}
	for _, l := range v.Scores.ByLead {
		cells := []string{number(l.LeadHours, 0) + " h", grouped(l.Cases)}
		for _, s := range v.Systems {
			cells = append(cells, number(float64(l.Systems[s.Name].CRPS), 3))
		}
		for _, s := range v.Systems[:len(v.Systems)-1] {
			cells = append(cells, percent(l.Skill[v.target().Name+"_vs_"+s.Name].CRPSS))
		}
		t.Rows = append(t.Rows, row{"", cells})
	}
	return t
}

func (v *Verification) eventTable() table {
	units, convert := v.Variable.shown()
	t := table{Caption: "Brier scores of events", Head: []string{"event"}}
	for _, s := range v.Systems {
		t.Head = append(t.Head, s.label())
	}
	for _, e := range v.Scores.Events {
		cells := []string{strings.TrimSpace("more than " + short(convert(e.Threshold)) + " " + units)}
		for _, s := range v.Systems {
			cells = append(cells, number(float64(e.Systems[s.Name].Brier), 4))
		}
		t.Rows = append(t.Rows, row{"", cells})
	}
	return t
}

// partTable is about reliability by season and region.
func (v *Verification) partTable() table {
	t := table{Caption: "Spread ÷ error by season and region, and probability of PIT as uneven as this if forecasts are reliable"}
	g := v.Scores.Groups
	if g == nil {
		return t
	}
	t.Head = []string{"season", "region", "cases", "days"}
	for _, s := range v.Systems {
		t.Head = append(t.Head, s.label())
	}
	t.Head = append(t.Head, "p, "+v.target().label())
	for _, e := range g.List {
		cells := []string{e.Season, e.Region, grouped(e.Cases), grouped(e.Days)}
		for _, s := range v.Systems {
			cells = append(cells, number(float64(e.Systems[s.Name].SpreadError), 2))
		}
		t.Rows = append(t.Rows, row{"", append(cells, probability(float64(e.Systems[v.target().Name].FlatP)))})
	}
	return t
}

// worst n stations by the target's CRPS.
func (v *Verification) worst(n int) table {
	units, target := v.Variable.differences(), v.target().Name
	t := table{Caption: fmt.Sprintf("The %d stations of highest CRPS", n), Head: []string{"station", "position", "cases"}}
	for _, s := range v.Systems {
		t.Head = append(t.Head, with("CRPS "+s.label(), units))
	}
	t.Head = append(t.Head, "skill against "+v.Systems[0].label(), with("bias", units), "spread ÷ error")
	stations := slices.DeleteFunc(slices.Clone(v.Scores.ByStation), func(s score.StationReport) bool {
		return !finite(float64(s.Systems[target].CRPS))
	})
	if len(stations) < 2 {
		return t
	}
	slices.SortStableFunc(stations, func(a, b score.StationReport) int {
		return cmp.Compare(b.Systems[target].CRPS, a.Systems[target].CRPS)
	})
	stations = stations[:min(n, len(stations))]
	if len(stations) < n {
		t.Caption = "Stations by CRPS, highest first"
	}
	for _, s := range stations {
		place, ok := v.Stations[s.Station]
		if !ok {
			place = Station{ID: s.Station, Latitude: nan, Longitude: nan, Altitude: nan}
		}
		name := s.Station
		if place.Name != "" && place.Name != s.Station {
			name = place.label()
		}
		cells := []string{name, place.position(), grouped(s.Cases)}
		for _, system := range v.Systems {
			cells = append(cells, number(float64(s.Systems[system.Name].CRPS), 2))
		}
		f := s.Systems[target]
		skill, ok := s.CRPSS[target+"_vs_"+v.Systems[0].Name]
		if !ok {
			skill = score.Number(nan)
		}
		t.Rows = append(t.Rows, row{"", append(cells, percent(skill), signed(float64(f.Bias), 2), number(float64(f.SpreadError), 2))})
	}
	return t
}

// unbroken keeps a number and its per cent sign on one line.
func unbroken(s string) string { return strings.ReplaceAll(s, " %", "\u00a0%") }

// percent with a sign.
func percent(v score.Number) string {
	if !finite(float64(v)) {
		return number(float64(v), 1)
	}
	return signed(100*float64(v), 1) + " %"
}

// probability of a test.
func probability(p float64) string {
	if p < 0.001 {
		return "< 0.001"
	}
	return number(p, 3)
}

// grouped writes a count with thin spaces between thousands.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}
