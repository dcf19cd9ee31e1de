package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"sipipe/calibrate/score"
	"sipipe/export/report"
	"sipipe/ingest"
)

// gallery gathers what a page of figures needs beside the scores.
type gallery struct {
	variable ingest.Variable
	lead     time.Duration // of the examples: the first
	stations map[string]report.Station
	examples map[string][]report.Ensemble // by station
	spread   [2][]report.SpreadError      // raw, calibrated
}

// Bounds on what is kept for pictures, whatever the size of the archive.
const (
	exampleStations = 300
	spreadCases     = 200000
	spreadBins      = 12
)

// take keeps one case.
func (g *gallery) take(p *ingest.Places, i int, lead time.Duration, cycle time.Time, raw, calibrated []float32, y float64) {
	if g.stations == nil {
		g.stations, g.examples, g.lead = map[string]report.Station{}, map[string][]report.Ensemble{}, lead
	}
	id := p.ID[i]
	if _, ok := g.stations[id]; !ok {
		s := report.Station{ID: id, Latitude: p.Latitude[i], Longitude: p.Longitude[i], Altitude: p.Altitude[i]}
		if p.Name != nil {
			s.Name = p.Name[i]
		}
		g.stations[id] = s
	}
	r, c := present(raw), present(calibrated)
	if len(g.spread[0]) < spreadCases && len(r) > 1 && len(c) > 1 {
		g.spread[0] = append(g.spread[0], spreadError(r, y))
		g.spread[1] = append(g.spread[1], spreadError(c, y))
	}
	if _, ok := g.examples[id]; lead == g.lead && (ok || len(g.examples) < exampleStations) {
		g.examples[id] = append(g.examples[id], report.Ensemble{Cycle: cycle, Valid: cycle.Add(lead), Raw: r, Calibrated: c, Observed: y})
	}
}

func present(members []float32) []float64 {
	var x []float64
	for _, v := range members {
		if v == v {
			x = append(x, float64(v))
		}
	}
	return x
}

func spreadError(members []float64, y float64) report.SpreadError {
	s := score.Sorted[float64](nil, members)
	n := float64(len(s))
	return report.SpreadError{Variance: s.Variance() * (n + 1) / n, Error: s.Mean() - y}
}

// example is the picture of the station with the most forecasts; of several, the
// one whose calibrated members are the best example: that of median error.
func (g *gallery) example(dependent bool) (*report.Figure, error) {
	most := 0
	for _, e := range g.examples {
		most = max(most, len(e))
	}
	type candidate struct {
		id    string
		error float64
	}
	var full []candidate
	for id, e := range g.examples {
		if len(e) < most {
			continue
		}
		c := candidate{id: id}
		for _, f := range e {
			c.error += score.CRPS(f.Observed, f.Calibrated, score.Empirical)
		}
		full = append(full, c)
	}
	if len(full) == 0 {
		return nil, nil
	}
	slices.SortFunc(full, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.error, b.error), cmp.Compare(a.id, b.id)) })
	id := full[len(full)/2].id
	return report.Cycles{
		Variable: g.described(), Station: g.stations[id], Lead: g.lead, Forecasts: g.examples[id], Dependent: dependent,
	}.Figure()
}

func (g *gallery) described() report.Variable {
	return report.Variable{Name: g.variable.Name, LongName: g.variable.LongName, Units: g.variable.Units}
}

// label of a system on the page.
func label(system string) string {
	switch system {
	case systemEMOS, systemBMA:
		return strings.ToUpper(system)
	case systemFeatured:
		return "EMOS with features"
	}
	return system
}

// page makes the verification of one variable ready to be drawn.
func (v *verification) page(s *score.Report, dependent bool) (report.Verification, error) {
	var systems []report.System
	var spread [][]report.SpreadBin
	for _, k := range v.systems {
		s := report.System{Name: k.Name, Label: label(k.Name), Distribution: true}
		var bins []report.SpreadBin
		switch k.Name {
		case systemRaw:
			s.Distribution, bins = false, report.SpreadBins(v.gallery.spread[0], spreadBins)
		case systemCalibrated:
			s.Distribution, bins = false, report.SpreadBins(v.gallery.spread[1], spreadBins)
		}
		systems, spread = append(systems, s), append(spread, bins)
	}
	days, err := report.DailyScores(v.scores, systems)
	if err != nil {
		return report.Verification{}, err
	}
	p := report.Verification{
		Variable: v.gallery.described(), Systems: systems, Scores: s, Dependent: dependent,
		Days: days, Stations: v.gallery.stations, Spread: spread,
	}
	f, err := v.gallery.example(dependent)
	if err != nil {
		return p, err
	}
	if f != nil {
		p.Examples = append(p.Examples, f)
	}
	return p, nil
}

// writeFolder writes the page, its figures as files, and the scores as JSON.
func (r *VerifyReport) writeFolder(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return &OutputError{Path: dir, Err: err}
	}
	write := func(name string, fill func(w io.Writer) error) error {
		if err := ctx.Err(); err != nil {
			return cause(ctx, err)
		}
		var b bytes.Buffer
		if err := fill(&b); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		path := filepath.Join(dir, name)
		if err := renameio.WriteFile(path, b.Bytes(), 0o644); err != nil {
			return &OutputError{Path: path, Err: err}
		}
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(r.pages)) {
		p := r.pages[name]
		figures, err := p.Figures()
		if err != nil {
			return err
		}
		for _, f := range figures {
			if err := write(name+"-"+f.Name+".png", f.WritePNG); err != nil {
				return err
			}
		}
	}
	page := report.Page{Command: r.command, ConfigSHA256: r.config, Version: r.version}
	for _, name := range r.order {
		page.Verifications = append(page.Verifications, r.pages[name])
	}
	if err := write("verify.json", func(w io.Writer) error { return printJSON(w, r) }); err != nil {
		return err
	}
	return write("index.html", page.Write)
}
