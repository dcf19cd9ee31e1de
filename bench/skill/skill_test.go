package main

import (
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"sipipe/calibrate/score"
)

// verifiedOf is a verification with so many cases of each day, of one CRPS.
func verifiedOf(cases int, crps, frame float64, dates ...string) *verified {
	r := &score.Report{}
	for _, d := range dates {
		f := func(c float64) score.Summary {
			return score.Summary{Cases: cases, CRPS: score.Number(c), CRPSFair: score.Number(c / 2), RMSE: 2, SpreadError: .5}
		}
		r.ByDay = append(r.ByDay, score.DayReport{Date: d, Cases: cases, Systems: map[string]score.Summary{target: f(crps), "frame": f(2 * frame)}})
	}
	return &verified{Variables: map[string]*score.Report{"t2m": r}, cycles: 4, networks: map[string]int{"t2m": 1}}
}

// Folds of stations have the same days, starts of archives have others; cases count,
// not parts.
func TestPool(t *testing.T) {
	p := pool("t2m", []*verified{
		verifiedOf(10, 1, 2, "2024-01-01", "2024-01-02"),
		verifiedOf(30, 3, 4, "2024-01-02", "2024-01-03"),
	})
	if p.cases != 80 || len(p.days) != 3 || p.cycles != 8 || p.networks != 2 {
		t.Errorf("%+v", p)
	}
	if got, want := p.crps[target], (20*1.+60*3)/80; math.Abs(got-want) > 1e-12 {
		t.Errorf("CRPS %g, want %g", got, want)
	}
	if d := p.daily[target][1]; d.Cases != 40 || d.Sum != 10*1+30*3 {
		t.Errorf("second day: %+v", d)
	}
	if math.Abs(p.spreadError[target]-.5) > 1e-12 {
		t.Errorf("spread ÷ error %g, want 0.5", p.spreadError[target])
	}
	// CRPS of the target as it is, fair CRPS of the other: 200 and 280.
	if s, ok := p.skill("frame"); !ok || math.Abs(float64(s.CRPSS)-(1-200./280)) > 1e-12 {
		t.Errorf("skill %+v", s)
	}
	if _, ok := p.skill("bma"); ok {
		t.Error("skill against a system that is not there")
	}
}

// Each row of each table has as many cells as its head.
func TestTables(t *testing.T) {
	v := verifiedOf(10, 1, 2, "2024-01-01", "2024-01-02", "2024-01-03")
	r := v.Variables["t2m"]
	r.Cases, r.Systems = 30, map[string]score.Figure{target: {}, "raw": {}}
	r.Events = []score.EventReport{{Threshold: 5, Systems: map[string]score.EventFigure{target: {Uncertainty: .2}}}}
	r.Groups = &score.Groups{
		List:  []score.GroupReport{{Season: "DJF", Region: "all"}},
		Tests: map[string]score.GroupTests{target: {Tested: 1}},
	}
	r.Dependence = &score.Dependence{Stations: &score.VectorReport{Systems: map[string]score.VectorFigure{"raw": {}, target: {}}}}
	tables := newTables()
	tables.add("data", v, v)
	if err := tables.compare("data", v, []variant{{Name: "other"}, {Name: "raw", System: "frame"}}, []*verified{v, v}); err != nil {
		t.Fatal(err)
	}
	tables.unseen("data", []*verified{v, v})
	tables.young("data", 5, []*verified{v})
	for _, one := range []table{tables.scores, tables.events, tables.groups, tables.vectors, tables.variants, tables.unseenStations, tables.youngArchives} {
		if len(one.rows) == 0 {
			t.Errorf("%s: no rows", one.title)
		}
		for _, row := range one.rows {
			if len(row) != len(one.head) {
				t.Errorf("%s: %d cells under a head of %d: %q", one.title, len(row), len(one.head), row)
			}
		}
	}
	var b strings.Builder
	if err := tables.write(&b); err != nil || !strings.Contains(b.String(), "| data | 5 |") {
		t.Errorf("%v: %s", err, b.String())
	}
}

// A variant is compared with the default day by day, of independent draws by the fair CRPS.
func TestVariants(t *testing.T) {
	byDefault := verifiedOf(10, 2, 2, "2024-01-01", "2024-01-02", "2024-01-03")
	better := verifiedOf(10, 1, 3, "2024-01-01", "2024-01-02", "2024-01-03")
	one := []variant{{Name: "better"}}
	tables := newTables()
	if err := tables.compare("data", byDefault, append(one, variant{Name: "ideal", System: "frame"}), []*verified{better, better}); err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"data", "–", "default", "2.000", "–"},
		{"data", "–", "better", "1.000", "50.0 [50.0, 50.0]"},
		{"data", "–", "ideal", "3.000", "−50.0 [−50.0, −50.0]"},
	}
	if len(tables.variants.rows) != len(want) {
		t.Fatalf("%d rows: %q", len(tables.variants.rows), tables.variants.rows)
	}
	for i, row := range tables.variants.rows {
		if !slices.Equal(row[:5], want[i]) {
			t.Errorf("row %q, want %q …", row, want[i])
		}
	}
	for name, other := range map[string]*verified{
		"other day":   verifiedOf(10, 1, 3, "2024-01-01", "2024-01-02", "2024-01-04"),
		"fewer days":  verifiedOf(10, 1, 3, "2024-01-01", "2024-01-02"),
		"fewer cases": verifiedOf(9, 1, 3, "2024-01-01", "2024-01-02", "2024-01-03"),
	} {
		if err := newTables().compare("data", byDefault, one, []*verified{other}); !errors.Is(err, errOtherDays) {
			t.Errorf("%s: %v, want %v", name, err, errOtherDays)
		}
	}
}

func TestExperimentsAreRead(t *testing.T) {
	text, err := os.ReadFile("experiments.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var all []experiment
	if err := yaml.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	e := all[0]
	if e.Folds != 5 || e.From.String() != "2004-01-30" || e.Young.Starts[0].after(-5).String() != "2004-01-25" {
		t.Errorf("%+v", e)
	}
	for _, e := range all {
		if e.Name == "" || (e.Simulate == nil) == (e.Forecasts == "") || !e.To.After(e.From.Add(24*time.Hour)) {
			t.Errorf("%+v", e)
		}
	}
}
