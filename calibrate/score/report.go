package score

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// Report is the result of a comparison, as JSON: the figures of each system and
// the skill of the target against the others, overall, by lead time and by station.
type Report struct {
	From       string            `json:"from"` // set by the caller
	To         string            `json:"to"`
	Cases      int               `json:"cases"`
	Days       int               `json:"days"`
	Incomplete int               `json:"incomplete,omitempty"` // observed cases left out, see Comparison
	Systems    map[string]Figure `json:"systems"`
	Skill      map[string]Skill  `json:"skill"` // by "target_vs_other"
	ByLead     []LeadReport      `json:"by_lead"`
	ByDay      []DayReport       `json:"by_day"`
	ByStation  []StationReport   `json:"by_station"`
	Groups     *Groups           `json:"groups,omitempty"` // nil: one season and region
	Events     []EventReport     `json:"events,omitempty"`
	Dependence *Dependence       `json:"dependence,omitempty"` // set by the caller
}

// Dependence holds the scores of vectors: groups of stations at one lead time, and
// the lead times of a station. nil: there are no such vectors.
type Dependence struct {
	Stations *VectorReport `json:"stations,omitempty"`
	Leads    *VectorReport `json:"leads,omitempty"`
}

// Figure is a summary with the shape of its rank histogram.
type Figure struct {
	Summary
	Flatness Flatness `json:"flatness"` // DailyFlatness
}

// Skill of a forecast against another.
type Skill struct {
	CRPSS Number    `json:"crpss"` // 1 - CRPS/CRPS of the other; 1 is perfect, 0 no better
	CI95  [2]Number `json:"ci95"`  // block bootstrap by day
	P     Number    `json:"p"`     // Diebold-Mariano test of the daily mean scores
	// AdjustedP is P by Benjamini and Hochberg among the lead times.
	AdjustedP *Number `json:"p_adjusted,omitempty"`
}

// LeadReport is the part of one lead time.
type LeadReport struct {
	LeadHours float64            `json:"lead_hours"`
	Cases     int                `json:"cases"`
	Systems   map[string]Summary `json:"systems"`
	Skill     map[string]Skill   `json:"skill"`
}

// DayReport is the part of one valid day, without rank histograms.
type DayReport struct {
	Date    string             `json:"date"`
	Cases   int                `json:"cases"`
	Systems map[string]Summary `json:"systems"`
}

// StationReport is the part of one station, without rank histograms.
type StationReport struct {
	Station string             `json:"station"`
	Cases   int                `json:"cases"`
	Systems map[string]Summary `json:"systems"`
	CRPSS   map[string]Number  `json:"crpss"` // by "target_vs_other"
}

// EventReport is about the event "more than Threshold".
type EventReport struct {
	Threshold float64                `json:"threshold"`
	Systems   map[string]EventFigure `json:"systems"`
	Skill     map[string]EventSkill  `json:"skill"` // by "target_vs_other"
}

// EventSkill of probabilities against others: as Skill, of the Brier score.
type EventSkill struct {
	BSS  Number    `json:"bss"`
	CI95 [2]Number `json:"ci95"`
	P    Number    `json:"p"`
}

// EventFigure holds the scores of probabilities of an event.
type EventFigure struct {
	Brier       Number         `json:"brier"`
	BrierFair   Number         `json:"brier_fair"`
	Reliability Number         `json:"reliability"`
	Resolution  Number         `json:"resolution"`
	Uncertainty Number         `json:"uncertainty"`
	ROCArea     Number         `json:"roc_area"`
	Diagram     []DiagramPoint `json:"diagram"`
}

// DiagramPoint is a class of a reliability diagram with ten classes.
type DiagramPoint struct {
	N        int       `json:"n"`
	Forecast Number    `json:"forecast"`
	Observed Number    `json:"observed"`
	CI90     [2]Number `json:"ci90"` // of Observed, block bootstrap by day
}

// ReportOptions say what is compared.
type ReportOptions struct {
	// Target is the system whose skill is reported; "" is the last one.
	Target    string
	Bootstrap Bootstrap
}

// diagramClasses of reliability diagrams.
const diagramClasses = 10

// Report forms the figures of all cases added.
func (c *Comparison) Report(o ReportOptions) (*Report, error) {
	target := len(c.Systems) - 1
	if o.Target != "" {
		target = slices.IndexFunc(c.Systems, func(s System) bool { return s.Name == o.Target })
	}
	if target < 0 {
		return nil, fmt.Errorf("report scores: no system %q", o.Target)
	}
	first := c.Scores[0]
	days, _ := first.Daily(nil)
	r := &Report{
		Cases:      first.Where(nil).Cases,
		Days:       len(days),
		Incomplete: c.Incomplete,
		Systems:    map[string]Figure{},
		Skill:      c.skill(target, nil, o.Bootstrap, compared),
		ByLead:     []LeadReport{},
		ByDay:      []DayReport{},
		ByStation:  []StationReport{},
	}
	for _, d := range days {
		date := time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly)
		r.ByDay = append(r.ByDay, DayReport{Date: date, Systems: map[string]Summary{}})
	}
	for i, s := range c.Systems {
		_, daily := c.Scores[i].Daily(nil)
		ranks := make([][]int, len(daily))
		for d, sums := range daily {
			ranks[d] = sums.Ranks
			f := sums.Summary()
			f.RankHistogram = nil
			r.ByDay[d].Cases, r.ByDay[d].Systems[s.Name] = sums.Cases, f
		}
		even := EvenRanks(c.Scores[i].Options.Ranks, c.Scores[i].Options.Dependent)
		r.Systems[s.Name] = Figure{c.Scores[i].Where(nil).Summary(), DailyFlatness(ranks, even)}
	}
	c.byLead(r, target, o.Bootstrap)
	c.byStation(r, target)
	r.Groups = c.groups(o.Bootstrap)
	for i, t := range first.Options.Thresholds {
		e := EventReport{Threshold: t, Systems: map[string]EventFigure{}, Skill: map[string]EventSkill{}}
		for k, s := range c.Systems {
			if i < len(s.Options.Thresholds) && s.Options.Thresholds[i] == t {
				e.Systems[s.Name] = c.Scores[k].event(i, o.Bootstrap)
			}
		}
		brier := func(s *Sums) (float64, int) { return s.Events[i].Compared, s.Comparable }
		for pair, s := range c.skill(target, nil, o.Bootstrap, brier) {
			e.Skill[pair] = EventSkill{s.CRPSS, s.CI95, s.P}
		}
		r.Events = append(r.Events, e)
	}
	return r, nil
}

func (c *Comparison) byLead(r *Report, target int, b Bootstrap) {
	for _, lead := range c.Scores[0].Leads() {
		keep := func(s Slot) bool { return s.Lead == lead }
		l := LeadReport{LeadHours: lead.Hours(), Systems: map[string]Summary{}, Skill: c.skill(target, keep, b, compared)}
		for i, s := range c.Systems {
			l.Systems[s.Name] = c.Scores[i].Where(keep).Summary()
			l.Cases = l.Systems[s.Name].Cases
		}
		r.ByLead = append(r.ByLead, l)
	}
	for name := range r.Skill {
		p := make([]float64, len(r.ByLead))
		for i, l := range r.ByLead {
			p[i] = float64(l.Skill[name].P)
		}
		for i, q := range BenjaminiHochberg(p) {
			s := r.ByLead[i].Skill[name]
			adjusted := Number(q)
			s.AdjustedP = &adjusted
			r.ByLead[i].Skill[name] = s
		}
	}
}

func (c *Comparison) byStation(r *Report, target int) {
	for _, id := range slices.Sorted(maps.Keys(c.Scores[0].Stations)) {
		s := StationReport{Station: id, Systems: map[string]Summary{}, CRPSS: map[string]Number{}}
		for i, system := range c.Systems {
			f := c.Scores[i].Stations[id].Summary()
			f.RankHistogram = nil
			s.Systems[system.Name] = f
			s.Cases = f.Cases
			if i != target {
				a, n := compared(c.Scores[target].Stations[id])
				b, m := compared(c.Scores[i].Stations[id])
				s.CRPSS[c.pair(target, i)] = Number(1 - a/float64(n)/(b/float64(m)))
			}
		}
		r.ByStation = append(r.ByStation, s)
	}
}

func (c *Comparison) pair(target, other int) string {
	return c.Systems[target].Name + "_vs_" + c.Systems[other].Name
}

// compared is the summed CRPS that skill is computed from, and its cases.
func compared(s *Sums) (sum float64, n int) { return s.Compared, s.Comparable }

// skill of the target against each other system over the slots kept, by a score
// that is the sum of some cases.
func (c *Comparison) skill(target int, keep func(Slot) bool, b Bootstrap, score func(*Sums) (float64, int)) map[string]Skill {
	daily := make([][]DaySum, len(c.Systems))
	for i, a := range c.Scores {
		_, sums := a.Daily(keep)
		for _, s := range sums {
			sum, n := score(s)
			daily[i] = append(daily[i], DaySum{sum, float64(n)})
		}
	}
	out := map[string]Skill{}
	for i, y := range daily {
		if i != target {
			out[c.pair(target, i)] = SkillOf(daily[target], y, b)
		}
	}
	return out
}

// event forms the figures of threshold i.
func (a *Accumulator) event(i int, b Bootstrap) EventFigure {
	all := a.Where(nil)
	var table Reliability
	days := a.Reliability(i)
	for _, d := range days {
		table.Merge(d)
	}
	brier := all.Events[i].Brier / float64(all.Cases)
	split := table.Decompose(brier)
	f := EventFigure{
		Brier:       Number(brier),
		BrierFair:   Number(all.Events[i].FairBrier / float64(all.Spreads)),
		Reliability: Number(split.Reliability),
		Resolution:  Number(split.Resolution),
		Uncertainty: Number(split.Uncertainty),
		ROCArea:     Number(table.ROCArea()),
	}
	daily := make([][]Point, len(days))
	for d := range days {
		daily[d] = days[d].classes(diagramClasses)
	}
	b.Level = 0.9
	for k, p := range table.classes(diagramClasses) {
		if p.N == 0 {
			continue
		}
		lower, upper := b.Interval(len(days), func(index []int) float64 {
			var n, occurred float64
			for _, d := range index {
				q := daily[d][k]
				n += float64(q.N)
				occurred += float64(q.Occurred)
			}
			if n == 0 {
				return math.NaN()
			}
			return occurred / n
		})
		f.Diagram = append(f.Diagram, DiagramPoint{
			N: p.N, Forecast: Number(p.Forecast), Observed: Number(p.Observed),
			CI90: [2]Number{Number(lower), Number(upper)},
		})
	}
	return f
}
