package score

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// VectorComparison scores vector forecasts of several systems, such as the stations
// of a group or the lead times of a station, on the same cases: energy and variogram
// score, and the margins in which dependence shows most, the mean over the components
// and the differences of pairs. It is not safe for concurrent use.
type VectorComparison struct {
	Systems []System
	// Means and Differences are scored as forecasts of one value.
	Means, Differences *Comparison

	days map[int][]vectorSums // [system]
	size int                  // components, summed over cases
}

// vectorSums are those of one system on a day.
type vectorSums struct {
	Cases                         int
	Energy, FairEnergy, Variogram float64
}

// VectorCase is an observed vector with the forecasts of all systems.
type VectorCase struct {
	Day       int // of the valid time, days since 1970-01-01
	Lead      time.Duration
	Name      string      // tells cases of the day and lead apart
	Y         []float64   // [component], none missing
	Forecasts [][]float32 // [system][component, member]
	// Scored is the number of components, the first ones, that energy score, variogram
	// score and mean are of; Pairs are components to take differences of.
	Scored int
	Pairs  [][2]int
}

// NewVectorComparison of systems, each with a name of its own.
func NewVectorComparison(systems []System) *VectorComparison {
	return &VectorComparison{
		Systems: systems, Means: NewComparison(systems), Differences: NewComparison(systems),
		days: map[int][]vectorSums{},
	}
}

// Add a case. It returns false and counts nothing when a system has no complete
// member.
func (c *VectorComparison) Add(k VectorCase) (bool, error) {
	if len(k.Forecasts) != len(c.Systems) {
		panic("score: forecasts do not match the systems")
	}
	sums := make([]vectorSums, len(c.Systems))
	means := make([]Forecast, len(c.Systems))
	for i, x := range k.Forecasts {
		m := len(x) / len(k.Y)
		v, err := NewVectors(k.Y[:k.Scored], x[:k.Scored*m])
		if err != nil {
			return false, fmt.Errorf("%s: %w", c.Systems[i].Name, err)
		}
		if len(v.X) == 0 || len(v.Y) < k.Scored {
			return false, nil
		}
		sums[i] = vectorSums{Cases: 1, Energy: v.Energy(Empirical), FairEnergy: v.Energy(Fair), Variogram: v.Variogram(.5, nil)}
		for _, row := range v.X {
			var mean float64
			for _, e := range row {
				mean += e / float64(k.Scored)
			}
			means[i].Members = append(means[i].Members, float32(mean))
		}
	}
	all := c.days[k.Day]
	if all == nil {
		all = make([]vectorSums, len(c.Systems))
		c.days[k.Day] = all
	}
	for i, s := range sums {
		all[i].Cases += s.Cases
		all[i].Energy += s.Energy
		all[i].FairEnergy += s.FairEnergy
		all[i].Variogram += s.Variogram
	}
	c.size += k.Scored
	var mean float64
	for _, v := range k.Y[:k.Scored] {
		mean += v / float64(k.Scored)
	}
	c.Means.Add(Case{Day: k.Day, Lead: k.Lead, Station: k.Name}, mean, means)
	for p, pair := range k.Pairs {
		c.Differences.Add(Case{Day: k.Day, Lead: k.Lead, Station: fmt.Sprint(k.Name, " ", p)}, k.Y[pair[0]]-k.Y[pair[1]], differences(k, pair))
	}
	return true, nil
}

// differences of two components, member by member.
func differences(k VectorCase, pair [2]int) []Forecast {
	out := make([]Forecast, len(k.Forecasts))
	for i, x := range k.Forecasts {
		m := len(x) / len(k.Y)
		a, b := x[pair[0]*m:(pair[0]+1)*m], x[pair[1]*m:(pair[1]+1)*m]
		d := make([]float32, m)
		for j := range d {
			d[j] = a[j] - b[j]
		}
		out[i].Members = d
	}
	return out
}

// VectorReport is the result of a VectorComparison, as JSON.
type VectorReport struct {
	Cases      int                     `json:"cases"`
	Days       int                     `json:"days"`
	Components Number                  `json:"components"` // mean number
	Systems    map[string]VectorFigure `json:"systems"`
	// Skill of the target by "target_vs_other".
	Skill map[string]VectorSkill `json:"skill"`
	ByDay []VectorDay            `json:"by_day"`
}

// VectorDay is the part of one valid day.
type VectorDay struct {
	Date    string                  `json:"date"`
	Cases   int                     `json:"cases"`
	Pairs   int                     `json:"pairs"` // of which differences are
	Systems map[string]VectorFigure `json:"systems"`
}

// VectorFigure holds the scores of one system.
type VectorFigure struct {
	Energy     Number  `json:"energy"`      // of the members as they are
	EnergyFair Number  `json:"energy_fair"` // when they are independent draws
	Variogram  Number  `json:"variogram"`   // of order ½, each pair once
	Mean       Margin  `json:"mean"`        // over the components
	Difference *Margin `json:"difference,omitempty"`
}

// Margin is about one value derived from the vector.
type Margin struct {
	CRPS        Number `json:"crps"`
	Spread      Number `json:"spread"`
	RMSE        Number `json:"rmse"`
	SpreadError Number `json:"spread_error"`
	Coverage    Number `json:"coverage"`
}

// VectorSkill of a forecast against another.
type VectorSkill struct {
	Energy    Skill `json:"energy"`
	Variogram Skill `json:"variogram"`
}

// Report forms the figures of all cases; nil when there are none.
func (c *VectorComparison) Report(target string, b Bootstrap) *VectorReport {
	if len(c.days) == 0 {
		return nil
	}
	days := slices.Sorted(maps.Keys(c.days))
	r := &VectorReport{Days: len(days), Systems: map[string]VectorFigure{}, Skill: map[string]VectorSkill{}}
	t := slices.IndexFunc(c.Systems, func(s System) bool { return s.Name == target })
	for _, d := range days {
		date := time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly)
		r.ByDay = append(r.ByDay, VectorDay{Date: date, Cases: c.days[d][0].Cases, Systems: map[string]VectorFigure{}})
	}
	for i, s := range c.Systems {
		means, differences := c.Means.Scores[i].byDay(), c.Differences.Scores[i].byDay()
		var sum vectorSums
		for k, d := range days {
			one := c.days[d][i]
			sum.Cases += one.Cases
			sum.Energy += one.Energy
			sum.FairEnergy += one.FairEnergy
			sum.Variogram += one.Variogram
			if pairs := differences[d]; pairs != nil {
				r.ByDay[k].Pairs = pairs.Cases
			}
			r.ByDay[k].Systems[s.Name] = one.figure(means[d], differences[d])
		}
		r.Systems[s.Name] = sum.figure(c.Means.Scores[i].Where(nil), c.Differences.Scores[i].Where(nil))
		r.Cases, r.Components = sum.Cases, Number(float64(c.size)/float64(sum.Cases))
		if t >= 0 && i != t {
			r.Skill[target+"_vs_"+s.Name] = VectorSkill{
				Energy:    c.skill(days, t, i, b, c.energyForSkill),
				Variogram: c.skill(days, t, i, b, func(_ int, s vectorSums) float64 { return s.Variogram }),
			}
		}
	}
	return r
}

// figure of some cases, with the sums of their means and differences, nil: none.
func (v vectorSums) figure(means, differences *Sums) VectorFigure {
	n := float64(v.Cases)
	f := VectorFigure{
		Energy: Number(v.Energy / n), EnergyFair: Number(v.FairEnergy / n), Variogram: Number(v.Variogram / n),
		Mean: margin(means),
	}
	if differences != nil && differences.Cases > 0 {
		d := margin(differences)
		f.Difference = &d
	}
	return f
}

// energyForSkill is fair, unless the members are dependent.
func (c *VectorComparison) energyForSkill(system int, s vectorSums) float64 {
	if c.Systems[system].Options.Dependent {
		return s.Energy
	}
	return s.FairEnergy
}

func margin(sums *Sums) Margin {
	s := sums.Summary()
	return Margin{s.CRPS, s.Spread, s.RMSE, s.SpreadError, s.Coverage}
}

// skill of system x against y in a score, summed by day.
func (c *VectorComparison) skill(days []int, x, y int, b Bootstrap, of func(system int, s vectorSums) float64) Skill {
	daily := [2][]DaySum{}
	for k, system := range []int{x, y} {
		for _, d := range days {
			s := c.days[d][system]
			daily[k] = append(daily[k], DaySum{of(system, s), float64(s.Cases)})
		}
	}
	return SkillOf(daily[0], daily[1], b)
}
