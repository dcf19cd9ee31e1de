package main

import (
	"maps"
	"math"
	"slices"

	"sipipe/calibrate/score"
)

// pooled are the scores of one variable over several verifications, day by day.
type pooled struct {
	cases            int
	days             []string
	crps             map[string]float64 // by system
	spreadError      map[string]float64
	daily            map[string][]score.DaySum
	cycles, networks int
}

// target is the system whose skill is shown.
const target = "calibrated"

// pool joins verifications, of other stations or of other days. Of stratified members,
// which those of the target are, the CRPS counts as it is, of others the fair one.
func pool(variable string, parts []*verified) *pooled {
	type sums struct{ crps, fair, cases, squared, inflated float64 }
	byDay := map[string]map[string]*sums{}
	p := &pooled{crps: map[string]float64{}, spreadError: map[string]float64{}, daily: map[string][]score.DaySum{}}
	for _, v := range parts {
		p.cycles += v.cycles
		p.networks += v.networks[variable]
		for _, d := range v.Variables[variable].ByDay {
			if byDay[d.Date] == nil {
				byDay[d.Date] = map[string]*sums{}
			}
			p.cases += d.Cases
			for name, f := range d.Systems {
				s := byDay[d.Date][name]
				if s == nil {
					s = &sums{}
					byDay[d.Date][name] = s
				}
				n, rmse := float64(f.Cases), float64(f.RMSE)
				s.crps += n * float64(f.CRPS)
				s.fair += n * float64(f.CRPSFair)
				s.cases += n
				s.squared += n * rmse * rmse
				if ratio := float64(f.SpreadError); rmse > 0 && !math.IsNaN(ratio) {
					s.inflated += n * ratio * ratio * rmse * rmse
				}
			}
		}
	}
	total := map[string]*sums{}
	p.days = slices.Sorted(maps.Keys(byDay))
	for _, day := range p.days {
		for name, s := range byDay[day] {
			if total[name] == nil {
				total[name] = &sums{}
			}
			t := total[name]
			t.crps += s.crps
			t.cases += s.cases
			t.squared += s.squared
			t.inflated += s.inflated
			sum := s.fair
			if name == target {
				sum = s.crps
			}
			p.daily[name] = append(p.daily[name], score.DaySum{Sum: sum, Cases: s.cases})
		}
	}
	for name, t := range total {
		p.crps[name], p.spreadError[name] = t.crps/t.cases, math.Sqrt(t.inflated/t.squared)
	}
	return p
}

// skill of the target against a system.
func (p *pooled) skill(other string) (score.Skill, bool) {
	y, ok := p.daily[other]
	if !ok {
		return score.Skill{}, false
	}
	return score.SkillOf(p.daily[target], y, score.Bootstrap{Seed: 1}), true
}
