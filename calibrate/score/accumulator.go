package score

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Case identifies a forecast–observation pair.
type Case struct {
	Day     int // of the valid time, days since 1970-01-01
	Lead    time.Duration
	Station string
	Region  string // of the station, for figures by region; "" is one of them
}

// Options of an Accumulator.
type Options struct {
	// Ranks is the number of bins of the rank histogram, members + 1 for an
	// ensemble; 0 is 11. A forecast with another number of members (some missing),
	// or a distribution, is counted by its PIT.
	Ranks int
	// Thresholds of the events "more than t" that Brier scores are computed for, in
	// units of the variable.
	Thresholds []float64
	// Level of the central interval whose coverage is counted; 0 is 0.9.
	Level float64
	// Dependent members are not independent draws from the forecast distribution but
	// one of each of M equally probable strata (quantiles, or stratified samples): skill
	// is then computed from the CRPS of the members as they are instead of the fair one,
	// and ranks and coverage are judged by where such members lie (see placed).
	Dependent bool
	// Seed of the random ranks of tied observations. The rank of a case depends on
	// the seed and the case alone.
	Seed uint64
}

func (o Options) withDefaults() Options {
	if o.Ranks == 0 {
		o.Ranks = 11
	}
	if o.Level == 0 {
		o.Level = 0.9
	}
	return o
}

// Slot is a valid day at a lead time, the finest division in time.
type Slot struct {
	Day  int
	Lead time.Duration
}

// Accumulator gathers the scores of one system by valid day and lead time, and by
// station. It is not safe for concurrent use: let each worker have one and Merge
// them in a fixed order. All fields are exported for gob; read them by the methods.
type Accumulator struct {
	Options  Options
	Slots    map[Slot]*Sums
	Stations map[string]*Sums
	Outcomes map[int][]Reliability // [threshold] by day
	Regions  map[RegionDay]*Sums   // with PIT in pitClasses in place of ranks

	sample Sample // scratch
}

// NewAccumulator returns an empty one.
func NewAccumulator(o Options) *Accumulator {
	return &Accumulator{
		Options:  o.withDefaults(),
		Slots:    map[Slot]*Sums{},
		Stations: map[string]*Sums{},
		Outcomes: map[int][]Reliability{},
		Regions:  map[RegionDay]*Sums{},
	}
}

// uniform returns the random number of a case in [0, 1).
func (a *Accumulator) uniform(c Case) float64 {
	// FNV-1a over the case; PCG then mixes it with the seed.
	h := uint64(14695981039346656037)
	mix := func(b byte) { h = (h ^ uint64(b)) * 1099511628211 }
	for _, v := range [2]uint64{uint64(c.Day), uint64(c.Lead)} {
		for s := 0; s < 64; s += 8 {
			mix(byte(v >> s))
		}
	}
	for i := range len(c.Station) {
		mix(c.Station[i])
	}
	var p rand.PCG
	p.Seed(a.Options.Seed, h)
	return float64(p.Uint64()>>11) / (1 << 53)
}

// AddMembers adds an ensemble forecast; NaN members are left out. It returns false
// and counts nothing when the observation or all members are missing.
func (a *Accumulator) AddMembers(c Case, y float64, members []float32) bool {
	return a.addMembers(c, y, members, a.Options.Dependent)
}

// addMembers adds members that are dependent, or stand in for such.
func (a *Accumulator) addMembers(c Case, y float64, members []float32, dependent bool) bool {
	s := Sorted(a.sample, members)
	a.sample = s
	m := len(s)
	if m == 0 || math.IsNaN(y) {
		return false
	}
	n, mean := float64(m), s.Mean()
	one := a.one(y, mean, s.Quantile(.5), s.Quantile)
	one.CRPS = s.CRPS(y, Empirical)
	if m > 1 {
		one.Spreads = 1
		one.FairCRPS = s.CRPS(y, Fair)
		one.Variance = s.Variance()
		one.Inflated = one.Variance * (n + 1) / n
	}
	one.Nominal = a.nominal(m, dependent)
	rank, pit := placed(s, y, a.uniform(c), dependent)
	if m+1 != a.Options.Ranks {
		rank = bin(pit, a.Options.Ranks)
	}
	p := make([]float64, len(a.Options.Thresholds))
	for i := range a.Options.Thresholds {
		t := a.Options.threshold(i)
		e := s.Exceed(t)
		p[i] = float64(e) / n
		one.Events[i].Brier = Brier(e, m, y > t, Empirical)
		if m > 1 {
			one.Events[i].FairBrier = Brier(e, m, y > t, Fair)
		}
	}
	one.compare(dependent)
	a.add(c, y, one, rank, pit, p)
	return true
}

// placed returns rank and PIT of an observation among members; u is uniform in
// [0, 1). Both are drawn evenly from what the members leave open.
//
// M independent members and the observation are alike: each of the M+1 ranks has
// probability 1/(M+1), and rank r stands for the PIT r/(M+1) … (r+1)/(M+1). Of M
// dependent members the r-th lies in the stratum (r-1)/M … r/M of the distribution,
// evenly. An observation in that stratum, which has probability 1/M, is below its
// member or above it with probability 1/2 each. So the ranks 0 and M have probability
// 1/(2M), and each of the others, from two strata, 1/M: rank r stands for the PIT
// (r-1/2)/M … (r+1/2)/M, cut to [0, 1]. A value that several members share, such as
// no rain, has a mass of its own, from r/M to s/M when r members are below it and s
// not above.
func placed(s Sample, y, u float64, dependent bool) (rank int, pit float64) {
	below, ties := s.Rank(y)
	m := float64(len(s))
	low, high := float64(below), float64(below+ties)
	if !dependent {
		r := low + u*float64(ties+1)
		return int(r), r / (m + 1)
	}
	shared := func(i int) bool { return i >= 0 && i+1 < len(s) && s[i] == s[i+1] }
	if ties == 0 && !shared(below-2) {
		low = math.Max(low-0.5, 0)
	}
	if ties == 0 && !shared(below) {
		high = math.Min(high+0.5, m)
	}
	r := low + u*(high-low)
	return int(r + 0.5), r / m
}

// nominal is the probability of the central interval between quantiles of m members,
// which lie at i/(m+1) of the members: of independent ones its level, as far as m
// members span it. The i-th of dependent members lies at (i-1/2)/m of the distribution.
func (a *Accumulator) nominal(m int, dependent bool) float64 {
	n := float64(m)
	edge := math.Max((1-a.Options.Level)/2*(n+1), 1) // in members
	if dependent {
		return 1 - 2*(edge-0.5)/n
	}
	return 1 - 2*edge/(n+1)
}

// AddDistribution adds a forecast that is a distribution.
func (a *Accumulator) AddDistribution(c Case, y float64, d Distribution) bool {
	if d == nil || math.IsNaN(y) {
		return false
	}
	one := a.one(y, d.Mean(), d.Quantile(.5), d.Quantile)
	one.CRPS = d.CRPS(y)
	one.Spreads, one.FairCRPS = 1, one.CRPS
	one.Variance = d.SD() * d.SD()
	one.Inflated = one.Variance
	p := make([]float64, len(a.Options.Thresholds))
	for i := range a.Options.Thresholds {
		t := a.Options.threshold(i)
		p[i] = math.Min(math.Max(1-d.CDF(t), 0), 1)
		b := p[i] - indicator(y > t)
		one.Events[i] = EventSums{Brier: b * b, FairBrier: b * b}
	}
	one.compare(false)
	pit := PIT(d, y, a.uniform(c))
	a.add(c, y, one, bin(pit, a.Options.Ranks), pit, p)
	return true
}

// one is the sums of one case, as far as they are the same for both kinds.
func (a *Accumulator) one(y, mean, median float64, quantile func(float64) float64) *Sums {
	level := a.Options.Level
	lower, upper := quantile((1-level)/2), quantile((1+level)/2)
	s := &Sums{
		Cases:        1,
		Error:        mean - y,
		SquaredError: (mean - y) * (mean - y),
		Absolute:     math.Abs(median - y),
		Width:        upper - lower,
		Nominal:      level,
		Events:       make([]EventSums, len(a.Options.Thresholds)),
	}
	if lower <= y && y <= upper {
		s.Covered = 1
	}
	return s
}

// compare chooses the scores of a case that skill is computed from.
func (s *Sums) compare(dependent bool) {
	s.Compared, s.Comparable = s.FairCRPS, s.Spreads
	if dependent {
		s.Compared, s.Comparable = s.CRPS, s.Cases
	}
	for i, e := range s.Events {
		s.Events[i].Compared = e.FairBrier
		if dependent {
			s.Events[i].Compared = e.Brier
		}
	}
}

// bin of a PIT value, of k.
func bin(pit float64, k int) int {
	return min(max(int(pit*float64(k)), 0), k-1)
}

func (a *Accumulator) add(c Case, y float64, one *Sums, rank int, pit float64, probability []float64) {
	part := entry(a.Regions, RegionDay{c.Region, c.Day}, a.grouping())
	part.Merge(one)
	part.Ranks[bin(pit, pitClasses)]++
	slot := Slot{c.Day, c.Lead}
	for _, s := range []*Sums{entry(a.Slots, slot, a.Options), entry(a.Stations, c.Station, a.Options)} {
		s.Merge(one)
		s.Ranks[rank]++
	}
	if len(probability) == 0 {
		return
	}
	r := a.Outcomes[c.Day]
	if r == nil {
		r = make([]Reliability, len(probability))
		a.Outcomes[c.Day] = r
	}
	for i, p := range probability {
		r[i].Add(p, y > a.Options.threshold(i))
	}
}

// threshold i as values are stored, in single precision: 0.1 mm are not more than 0.1 mm.
func (o Options) threshold(i int) float64 { return float64(float32(o.Thresholds[i])) }

func entry[K comparable](m map[K]*Sums, k K, o Options) *Sums {
	s := m[k]
	if s == nil {
		s = newSums(o)
		m[k] = s
	}
	return s
}

// Merge adds the cases of another accumulator, which must have the same options.
func (a *Accumulator) Merge(b *Accumulator) error {
	x, y := a.Options, b.Options
	if x.Ranks != y.Ranks || x.Level != y.Level || x.Seed != y.Seed || x.Dependent != y.Dependent || !slices.Equal(x.Thresholds, y.Thresholds) {
		return fmt.Errorf("merge scores: made with different options: %+v and %+v", x, y)
	}
	for k, s := range b.Slots {
		entry(a.Slots, k, x).Merge(s)
	}
	for k, s := range b.Stations {
		entry(a.Stations, k, x).Merge(s)
	}
	for k, s := range b.Regions {
		entry(a.Regions, k, a.grouping()).Merge(s)
	}
	for day, from := range b.Outcomes {
		to := a.Outcomes[day]
		if to == nil {
			to = make([]Reliability, len(from))
			a.Outcomes[day] = to
		}
		for i := range from {
			to[i].Merge(from[i])
		}
	}
	return nil
}

// slots in order of day and lead, so that sums do not depend on the map's order.
func (a *Accumulator) slots() []Slot {
	return slices.SortedFunc(maps.Keys(a.Slots), func(x, y Slot) int {
		return cmp.Or(cmp.Compare(x.Day, y.Day), cmp.Compare(x.Lead, y.Lead))
	})
}

// Where sums the cases of the days and leads for which keep is true; nil keeps all.
func (a *Accumulator) Where(keep func(Slot) bool) *Sums {
	out := newSums(a.Options)
	for _, k := range a.slots() {
		if keep == nil || keep(k) {
			out.Merge(a.Slots[k])
		}
	}
	return out
}

// Daily is the sums of each day, ascending, of the slots for which keep is true;
// nil keeps all.
func (a *Accumulator) Daily(keep func(Slot) bool) (days []int, sums []*Sums) {
	for _, k := range a.slots() {
		if keep != nil && !keep(k) {
			continue
		}
		if n := len(days); n == 0 || days[n-1] != k.Day {
			days, sums = append(days, k.Day), append(sums, newSums(a.Options))
		}
		sums[len(sums)-1].Merge(a.Slots[k])
	}
	return days, sums
}

// byDay is Daily of all slots, by day.
func (a *Accumulator) byDay() map[int]*Sums {
	out := map[int]*Sums{}
	days, sums := a.Daily(nil)
	for i, d := range days {
		out[d] = sums[i]
	}
	return out
}

// Leads that occur, ascending.
func (a *Accumulator) Leads() []time.Duration {
	seen := map[time.Duration]bool{}
	for k := range a.Slots {
		seen[k.Lead] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// Reliability of the event above Thresholds[i], by day, ascending.
func (a *Accumulator) Reliability(i int) []Reliability {
	var out []Reliability
	for _, day := range slices.Sorted(maps.Keys(a.Outcomes)) {
		out = append(out, a.Outcomes[day][i])
	}
	return out
}
