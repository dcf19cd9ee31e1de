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
)

// VerifyReport is the result of sipipe verify. Its JSON is an interface: names stay.
type VerifyReport struct {
	From      string            `json:"from"`
	To        string            `json:"to"`
	Cases     int               `json:"cases"`
	Systems   map[string]Scores `json:"systems"` // raw, emos, ..., calibrated
	Skill     map[string]Skill  `json:"skill"`   // calibrated_vs_raw, ...
	ByLead    []LeadScores      `json:"by_lead"`
	ByStation []StationScores   `json:"by_station"`
	ByDay     []DayScores       `json:"by_day"`
}

// Number is a score; one that does not exist, for want of cases or members, is null
// in JSON.
type Number float64

// MarshalJSON writes a number or null.
func (n Number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// Scores are those of one system over some cases, in the units of the variable.
type Scores struct {
	CRPS          Number   `json:"crps"`
	CRPSFair      Number   `json:"crps_fair"`
	Spread        Number   `json:"spread"`       // root of the mean variance of the members
	RMSE          Number   `json:"rmse"`         // of the ensemble mean
	SpreadError   Number   `json:"spread_error"` // spread over error, corrected for the number of members; 1 is right
	Bias          Number   `json:"bias"`         // ensemble mean minus observation
	RankHistogram []Number `json:"rank_histogram,omitempty"`
}

// Skill compares two systems.
type Skill struct {
	CRPSS Number    `json:"crpss"` // 1 - CRPS/CRPS of the reference
	CI95  [2]Number `json:"ci95"`  // by resampling days
}

// LeadScores are those of one lead time of one variable.
type LeadScores struct {
	Variable  string            `json:"variable"`
	LeadHours Number            `json:"lead_hours"`
	Cases     int               `json:"cases"`
	Systems   map[string]Scores `json:"systems"`
}

// StationScores are those of one station.
type StationScores struct {
	Variable string            `json:"variable"`
	Station  string            `json:"station"`
	Cases    int               `json:"cases"`
	Systems  map[string]Scores `json:"systems"`
}

// DayScores are those of one cycle.
type DayScores struct {
	Cycle   string            `json:"cycle"`
	Cases   int               `json:"cases"`
	Systems map[string]Scores `json:"systems"`
}

// print writes the tables for people.
func (r *VerifyReport) print(w io.Writer) error {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.SetTitle(fmt.Sprintf("%s to %s, %d cases", r.From, r.To, r.Cases))
	t.AppendHeader(table.Row{"", "CRPS", "fair CRPS", "spread", "error", "spread ÷ error", "bias"})
	for _, name := range systemOrder(r.Systems) {
		s := r.Systems[name]
		t.AppendRow(table.Row{name, score(s.CRPS), score(s.CRPSFair), score(s.Spread), score(s.RMSE), ratio(s.SpreadError), score(s.Bias)})
	}
	t.Render()
	for _, name := range slices.Sorted(maps.Keys(r.Skill)) {
		s := r.Skill[name]
		line := fmt.Sprintf("CRPS skill, %s: %+.1f %% [%+.1f, %+.1f]", name, 100*float64(s.CRPSS), 100*float64(s.CI95[0]), 100*float64(s.CI95[1]))
		if err := printLine(w, line); err != nil {
			return err
		}
	}
	return nil
}

// systemOrder is from the least to the most processed.
func systemOrder(systems map[string]Scores) []string {
	names := slices.Sorted(maps.Keys(systems))
	rank := func(name string) int {
		return slices.Index([]string{"calibrated", "raw"}, name) // others in between
	}
	slices.SortStableFunc(names, func(a, b string) int { return rank(b) - rank(a) })
	return names
}

func score(n Number) string { return number3(n) }

func ratio(n Number) string {
	if math.IsNaN(float64(n)) {
		return "–"
	}
	return fmt.Sprintf("%.2f", float64(n))
}

func number3(n Number) string {
	if math.IsNaN(float64(n)) {
		return "–"
	}
	return fmt.Sprintf("%.3f", float64(n))
}
