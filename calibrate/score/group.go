package score

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"
)

// all stands for any season or region.
const all = "all"

// pitClasses of the histograms of groups: few, so that small groups fill them.
const pitClasses = 10

// leastGroupDays from which the flatness of a group is tested.
const leastGroupDays = 20

// RegionDay is a day in a region.
type RegionDay struct {
	Region string
	Day    int
}

// Groups are the cases by season, by region and by both, with a test of flatness of
// each.
type Groups struct {
	List []GroupReport `json:"list"`
	// Tests counts those by season, by region, and by both, by system.
	Tests map[string]GroupTests `json:"tests"`
}

// GroupTests says in how many groups flatness is rejected at 5 %, and in how many it
// would be by chance if all forecasts were reliable.
type GroupTests struct {
	Tested   int    `json:"tested"`
	Rejected int    `json:"rejected"`
	Chance   Number `json:"chance"`
}

// GroupReport is about one group.
type GroupReport struct {
	Season  string                 `json:"season"` // DJF, MAM, JJA, SON of the valid day, or all
	Region  string                 `json:"region"` // as in Case, or all
	Cases   int                    `json:"cases"`
	Days    int                    `json:"days"`
	Systems map[string]GroupFigure `json:"systems"`
}

// GroupFigure is about one system in a group.
type GroupFigure struct {
	CRPS        Number `json:"crps"`
	Bias        Number `json:"bias"`
	SpreadError Number `json:"spread_error"`
	PIT         []int  `json:"pit"`    // observations by PIT
	FlatP       Number `json:"flat_p"` // FlatTest
}

const rejection = 0.05

// FlatTest is the probability of PIT histograms, by day, that deviate from a flat one
// as much as these do, when forecasts are reliable. The statistic is that of the
// chi-square test,
//
//	sum_k (n_k - n/K)²/(n/K)
//
// Its distribution is that of the deviations of whole days, less their mean, drawn in
// blocks: cases of a day may depend on each other in any way, and days on the next
// ones. Blocks of b out of n days have 1 - b/n of the variance, which is undone. NaN
// when there are fewer than leastGroupDays days.
func FlatTest(days [][]int, b Bootstrap) float64 {
	if len(days) < leastGroupDays {
		return math.NaN()
	}
	n, k := 0., len(days[0])
	deviation := make([]float64, len(days)*k)
	sum := make([]float64, k)
	for d, h := range days {
		cases := float64(total(h))
		n += cases
		for c, count := range h {
			v := float64(count) - cases/float64(k)
			deviation[d*k+c] = v
			sum[c] += v
		}
	}
	square := func(v []float64) float64 {
		var s float64
		for _, x := range v {
			s += x * x
		}
		return s * float64(k) / n
	}
	observed := square(sum) * (1 - float64(b.block(len(days)))/float64(len(days)))
	above, drawn := 1, 1
	resampled := make([]float64, k)
	for index := range b.Resamples(len(days)) {
		for c := range resampled {
			resampled[c] = -sum[c]
		}
		for _, d := range index {
			for c, v := range deviation[d*k : (d+1)*k] {
				resampled[c] += v
			}
		}
		if square(resampled) >= observed {
			above++
		}
		drawn++
	}
	return float64(above) / float64(drawn)
}

// season of a day since 1970-01-01.
func season(day int) string {
	month := time.Unix(int64(day)*86400, 0).UTC().Month()
	return [...]string{"DJF", "MAM", "JJA", "SON"}[int(month)%12/3]
}

// groups of all cases; nil when there is only one.
func (c *Comparison) groups(b Bootstrap) *Groups {
	seasons, regions := map[string]bool{}, map[string]bool{}
	for k := range c.Scores[0].Regions {
		seasons[season(k.Day)], regions[k.Region] = true, true
	}
	if len(seasons) < 2 && len(regions) < 2 {
		return nil
	}
	g := &Groups{Tests: map[string]GroupTests{}}
	add := func(s, r string) {
		report := GroupReport{Season: s, Region: r, Systems: map[string]GroupFigure{}}
		for i, system := range c.Systems {
			whole, days := c.Scores[i].group(s, r)
			if whole.Cases == 0 {
				return
			}
			f := whole.Summary()
			one := GroupFigure{f.CRPS, f.Bias, f.SpreadError, whole.Ranks, Number(FlatTest(days, b))}
			report.Cases, report.Days, report.Systems[system.Name] = whole.Cases, len(days), one
			if p := float64(one.FlatP); !math.IsNaN(p) {
				t := g.Tests[system.Name]
				t.Tested++
				t.Chance += rejection
				if p < rejection {
					t.Rejected++
				}
				g.Tests[system.Name] = t
			}
		}
		g.List = append(g.List, report)
	}
	inOrder := []string{"DJF", "MAM", "JJA", "SON"}
	if len(seasons) > 1 {
		for _, s := range inOrder {
			add(s, all)
		}
	}
	if len(regions) > 1 {
		for _, r := range slices.Sorted(maps.Keys(regions)) {
			add(all, r)
			if len(seasons) > 1 {
				for _, s := range inOrder {
					add(s, r)
				}
			}
		}
	}
	return g
}

// group sums the cases of a season and a region, with the PIT histograms of its days.
func (a *Accumulator) group(s, region string) (*Sums, [][]int) {
	// In order, so that sums do not depend on the map's.
	keys := slices.SortedFunc(maps.Keys(a.Regions), func(x, y RegionDay) int {
		return cmp.Or(cmp.Compare(x.Day, y.Day), cmp.Compare(x.Region, y.Region))
	})
	whole, last := newSums(a.grouping()), 0
	var days [][]int
	for _, k := range keys {
		if s != all && season(k.Day) != s || region != all && k.Region != region {
			continue
		}
		whole.Merge(a.Regions[k])
		if len(days) == 0 || k.Day != last {
			days, last = append(days, make([]int, pitClasses)), k.Day
		}
		addCounts(days[len(days)-1], a.Regions[k].Ranks)
	}
	return whole, days
}

// grouping are the options of the sums of groups, whose ranks are classes of PIT.
func (a *Accumulator) grouping() Options {
	o := a.Options
	o.Ranks = pitClasses
	return o
}
