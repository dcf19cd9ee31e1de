package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"sipipe/calibrate/score"
)

// Verification is what is known about the forecasts of one variable.
type Verification struct {
	Variable Variable
	// Systems in the order of columns and legends. The last one is the product, whose
	// skill is reported; the first is what it is made from.
	Systems []System
	Scores  *score.Report
	// Dependent says that skill was computed from the CRPS of the product's members as
	// they are, not from the fair one, see score.Options.
	Dependent bool
	// What follows may be left empty; the page then lacks the figure.
	Days     []DayScores
	Stations map[string]Station // by identifier
	Spread   [][]SpreadBin      // [system]
	Examples []*Figure          // shown first
}

// DailyScores are the mean CRPS of each valid day of a comparison, of the systems in
// the order given.
func DailyScores(c *score.Comparison, systems []System) ([]DayScores, error) {
	var out []DayScores
	for i, s := range systems {
		k := slices.IndexFunc(c.Systems, func(o score.System) bool { return o.Name == s.Name })
		if k < 0 {
			return nil, fmt.Errorf("daily scores: no system %q", s.Name)
		}
		days, sums := c.Scores[k].Daily(nil)
		if i == 0 {
			out = make([]DayScores, len(days))
		}
		// A comparison has the same cases of all systems, so the days agree.
		for d, day := range days {
			out[d].Day, out[d].Cases = time.Unix(int64(day)*86400, 0).UTC(), sums[d].Cases
			out[d].CRPS = append(out[d].CRPS, float64(sums[d].Summary().CRPS))
		}
	}
	return out, nil
}

// target is the system whose skill is reported.
func (v *Verification) target() System { return v.Systems[len(v.Systems)-1] }

// skillScore is the score that skill is computed from, in words.
func (v *Verification) skillScore() string {
	if v.Dependent {
		return "CRPS"
	}
	return "fair CRPS"
}

// references are those with a map: the first system and the best of the others.
func (v *Verification) references() []System {
	others := v.Systems[:len(v.Systems)-1]
	if len(others) < 2 {
		return others
	}
	best := slices.MinFunc(others[1:], func(a, b System) int {
		return cmp.Compare(v.Scores.Systems[a.Name].CRPSFair, v.Scores.Systems[b.Name].CRPSFair)
	})
	return []System{others[0], best}
}

// validate says what is missing.
func (v *Verification) validate() error {
	if len(v.Systems) == 0 || v.Scores == nil {
		return fmt.Errorf("report %s: no scores", v.Variable.Name)
	}
	if v.Scores.Cases == 0 {
		return fmt.Errorf("report %s: no cases from %s to %s; verify a period that has both products and observations", v.Variable.Name, v.Scores.From, v.Scores.To)
	}
	for _, s := range v.Systems {
		if _, ok := v.Scores.Systems[s.Name]; !ok {
			return fmt.Errorf("report %s: system %q has no scores", v.Variable.Name, s.Name)
		}
	}
	return nil
}

// Figures draws all that the data allow, in the order of the page.
func (v *Verification) Figures() ([]*Figure, error) {
	if err := v.validate(); err != nil {
		return nil, err
	}
	out := append([]*Figure(nil), v.Examples...)
	add := func(f *Figure, err error) error {
		if err == nil {
			out = append(out, f)
		}
		return err
	}
	var histograms []Histogram
	for _, s := range v.Systems {
		if counts := v.Scores.Systems[s.Name].RankHistogram; len(counts) > 1 {
			histograms = append(histograms, Histogram{s, counts, v.Dependent && s == v.target()})
		}
	}
	if len(histograms) > 0 {
		if err := add(RankHistograms(v.Variable, histograms)); err != nil {
			return nil, err
		}
	}
	if len(v.Days) > 1 {
		if err := add(Daily(v.Variable, v.Systems, v.Days)); err != nil {
			return nil, err
		}
	}
	if leads := v.leads(); len(leads) > 1 {
		if err := add(ByLead(v.Variable, v.Systems, leads)); err != nil {
			return nil, err
		}
	}
	for _, s := range v.references() {
		stations := v.skill(s)
		if len(stations) < 2 {
			continue
		}
		if err := add(StationMap(v.Variable, v.target(), s, stations)); err != nil {
			return nil, err
		}
	}
	if events := v.events(); len(events) > 0 {
		if err := add(Reliability(v.Variable, v.Systems, events)); err != nil {
			return nil, err
		}
	}
	if len(v.Spread) > 0 {
		if err := add(SpreadSkill(v.Variable, v.Systems, v.Spread)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func scoresOf(s score.Summary) Scores {
	return Scores{
		CRPS: float64(s.CRPS), Spread: float64(s.Spread), RMSE: float64(s.RMSE),
		SpreadError: float64(s.SpreadError), Bias: float64(s.Bias),
	}
}

func (v *Verification) leads() []LeadScores {
	var out []LeadScores
	for _, l := range v.Scores.ByLead {
		s := LeadScores{Lead: time.Duration(l.LeadHours * float64(time.Hour))}
		for _, system := range v.Systems {
			s.Scores = append(s.Scores, scoresOf(l.Systems[system.Name]))
		}
		out = append(out, s)
	}
	return out
}

// skill of the target against a reference at the stations whose place is known.
func (v *Verification) skill(reference System) []StationSkill {
	var out []StationSkill
	for _, s := range v.Scores.ByStation {
		skill, scored := s.CRPSS[v.target().Name+"_vs_"+reference.Name]
		place, known := v.Stations[s.Station]
		if scored && known && finite(float64(skill)) && finite(place.Longitude) && finite(place.Latitude) {
			out = append(out, StationSkill{place, s.Cases, float64(skill)})
		}
	}
	return out
}

// mostEvents that a reliability diagram holds.
const mostEvents = 6

func (v *Verification) events() []Event {
	var out []Event
	for _, e := range v.Scores.Events {
		event := Event{Threshold: e.Threshold}
		for _, s := range v.Systems {
			f := e.Systems[s.Name]
			var points []ReliabilityPoint
			for _, p := range f.Diagram {
				points = append(points, ReliabilityPoint{
					Forecast: float64(p.Forecast), Observed: float64(p.Observed),
					Lower: float64(p.CI90[0]), Upper: float64(p.CI90[1]), N: p.N,
				})
			}
			event.Points = append(event.Points, points)
			event.Brier = append(event.Brier, float64(f.Brier))
		}
		if len(out) < mostEvents && event.forecast() {
			out = append(out, event)
		}
	}
	return out
}

// forecast says whether a system gave the event different probabilities. An event that
// never came into question, such as 25 °C in winter, is a diagram of one point.
func (e *Event) forecast() bool {
	return slices.ContainsFunc(e.Points, func(classes []ReliabilityPoint) bool { return len(classes) > 1 })
}
