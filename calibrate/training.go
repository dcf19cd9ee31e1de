package calibrate

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"time"

	"sipipe/calibrate/frame"
	"sipipe/ingest"
)

// trainingSet holds archived cases in the frame's normal scores: n cases of m raw
// members. Memory is bounded by its capacity, however long the archive.
type trainingSet struct {
	members  int
	family   frame.Family
	censored bool
	working  Working
	units    string // of the variable

	template  []float32 // [n, members] standardised raw members, NaN = missing
	score     []float32 // [n] normal score of the observation
	censor    []bool    // [n] the observation is at the censoring point: its score is at most that of score
	condition []float32 // [n, conditions] raw until standardised
	mu, sigma []float32 // [n]
	observed  []float32 // [n] physical
	block     []int32   // [n] number of the valid day, 0 … days-1
	origin    []origin  // [n]
	days      int       // distinct valid days

	conditions conditions
	from, to   time.Time // first and last valid time

	room int // cases that memory is asked for at the first
}

func (s *trainingSet) len() int { return len(s.score) }

// origin says where a case comes from.
type origin struct {
	cycle          int64 // Unix time
	lead           time.Duration
	place          int32 // in the ensemble of its cycle
	lat, lon, high float32
}

// numberDays replaces calendar days in block by their rank.
func (s *trainingSet) numberDays() {
	days := slices.Clone(s.block)
	slices.Sort(days)
	days = slices.Compact(days)
	s.days = len(days)
	for i, d := range s.block {
		k, _ := slices.BinarySearch(days, d)
		s.block[i] = int32(k)
	}
}

// templateFloor is the least spread, as a share of the frame's scale, by which raw
// members are standardised: members that agree to the digit say nothing of shape.
const templateFloor = 0.1

// gather collects the archived cases whose observations were there at the time
// anchor, at most capacity of them, evenly spread over the archive.
func (h *History) gather(ctx context.Context, anchor time.Time, capacity int) (*trainingSet, error) {
	n := h.before(anchor)
	if n == 0 {
		return &trainingSet{}, nil
	}
	links, err := h.mend(ctx, n-1)
	if err != nil {
		return nil, err
	}
	// Count first, so that memory is asked for once and thinning is known.
	var sources []source
	total := 0
	leads := map[time.Duration]bool{}
	for _, a := range links {
		if a == nil {
			continue // a broken cycle
		}
		for l, lead := range a.leads {
			if a.cycle.Add(lead + h.options.Delay).After(anchor) {
				continue
			}
			sources = append(sources, source{a.cycle, lead, a.places[l], a.awake[l]})
			leads[lead] = true
		}
	}
	sources = alike(sources)
	for _, src := range sources {
		total += src.places
	}
	s := &trainingSet{}
	if len(sources) == 0 {
		return s, nil
	}
	for i, src := range sources {
		valid := src.cycle.Add(src.lead)
		if i == 0 || valid.Before(s.from) {
			s.from = valid
		}
		if valid.After(s.to) {
			s.to = valid
		}
	}
	s.conditions.Lead = len(leads) > 1
	s.conditions.Season = s.to.Sub(s.from) > 500*24*time.Hour
	stride := max(1, (total+capacity-1)/max(capacity, 1))
	s.room = total/stride + 1
	count := 0
	var c *dueCycle // sources come cycle by cycle
	for i, src := range sources {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if i == 0 || !src.cycle.Equal(sources[i-1].cycle) {
			var err error
			if c, err = h.readCycle(ctx, src.cycle); err != nil {
				return nil, err
			}
		}
		obs, err := h.archive.Observed(ctx, h.variable, src.cycle.Add(src.lead))
		if err != nil {
			return nil, err
		}
		if obs == nil {
			continue
		}
		s.add(c, src.lead, obs, &count, stride)
	}
	s.numberDays()
	s.conditions.learn(s.condition)
	d := s.conditions.len()
	for i := range s.len() {
		s.conditions.standardise(s.condition[i*d : (i+1)*d])
	}
	return s, nil
}

// source is a lead time of an archived forecast.
type source struct {
	cycle         time.Time
	lead          time.Duration
	places, awake int
}

// So much makes what all experts of the frame have had a say in enough to learn from.
const (
	alikeDays  = 90
	alikeCases = 1000
)

// alike leaves out archived forecasts that fewer experts made than make them now, if those
// that remain are enough: when experts of years begin to speak, the shape of errors
// changes.
func alike(sources []source) []source {
	most := 0
	for _, s := range sources {
		most = max(most, s.awake)
	}
	var kept []source
	days, cases := map[int]bool{}, 0
	for _, s := range sources {
		if s.awake == most {
			kept = append(kept, s)
			days[int(math.Floor(dayOf(s.cycle.Add(s.lead))))] = true
			cases += s.places
		}
	}
	if len(days) < alikeDays || cases < alikeCases {
		return sources
	}
	return kept
}

// add takes every stride-th case of one lead of a cycle.
func (s *trainingSet) add(c *dueCycle, lead time.Duration, obs *ingest.Observed, count *int, stride int) {
	ens := c.ensemble
	l, found := slices.BinarySearch(ens.Leads, lead)
	if !found {
		return
	}
	p := c.archived.Lead[l]
	w := WorkingSpace(ens.Variable)
	if s.members == 0 {
		s.members, s.family, s.censored, s.working = len(ens.Members), p.Family, p.Censored, w
		s.units = ens.Variable.Units
		s.allocate()
	}
	y := observedAt(ens.Places, obs, w)
	members := make([]float32, len(ens.Members))
	d := s.conditions.len()
	for i, v := range y {
		if v != v || p.Mu[i] != p.Mu[i] {
			continue
		}
		*count++
		if *count%stride != 0 {
			continue
		}
		mu, sigma := float64(p.Mu[i]), float64(p.Sigma[i])
		for j, x := range ens.At(l, i) {
			members[j] = w.Forward(x)
		}
		n := s.len()
		s.template = slices.Grow(s.template, s.members)[:(n+1)*s.members]
		t := s.template[n*s.members:]
		template(t, resize(members, s.members), templateFloor*sigma)
		s.condition = slices.Grow(s.condition, d)[:(n+1)*d]
		s.conditions.raw(s.condition[n*d:], members, mu, sigma, dayOf(ens.Cycle.Add(lead)), lead.Hours()/24)
		x := normalScore(float64(v), mu, sigma, p.Family)
		s.score = append(s.score, float32(min(max(x, -scoreClip), scoreClip)))
		s.censor = append(s.censor, p.Censored && v <= 0)
		s.mu, s.sigma = append(s.mu, p.Mu[i]), append(s.sigma, p.Sigma[i])
		s.observed = append(s.observed, float32(w.Back(float64(v))))
		s.block = append(s.block, int32(math.Floor(dayOf(ens.Cycle.Add(lead)))))
		q := ens.Places
		s.origin = append(s.origin, origin{
			ens.Cycle.Unix(), lead, int32(i), float32(q.Latitude[i]), float32(q.Longitude[i]), float32(q.Altitude[i]),
		})
	}
}

// allocate asks for the memory of all cases at once: growing would take twice as much.
func (s *trainingSet) allocate() {
	n := s.room
	s.template, s.condition = make([]float32, 0, n*s.members), make([]float32, 0, n*s.conditions.len())
	s.score, s.mu, s.sigma, s.observed = make([]float32, 0, n), make([]float32, 0, n), make([]float32, 0, n), make([]float32, 0, n)
	s.censor, s.block, s.origin = make([]bool, 0, n), make([]int32, 0, n), make([]origin, 0, n)
}

// resize cuts or repeats members to n: ensembles have grown over the years.
func resize(members []float32, n int) []float32 {
	if len(members) == n {
		return members
	}
	out := make([]float32, n)
	for j := range out {
		out[j] = members[j%len(members)]
	}
	return out
}

// readCycle reads what was forecast at a cycle. What is stored may belong to another
// archive or other options, those of a run in between: then it counts as lost.
func (h *History) readCycle(ctx context.Context, cycle time.Time) (*dueCycle, error) {
	c := &dueCycle{}
	var err error
	if c.ensemble, err = h.archive.Ensemble(ctx, h.variable, cycle); err != nil {
		return nil, err
	}
	if err := h.store.Get(h.archivedKey(cycle), archivedVersion, &c.archived); err != nil {
		return nil, err
	}
	if k := h.before(cycle) - 1; k < 0 || c.archived.Hash != h.hashes[k] {
		return nil, fmt.Errorf("the archived forecast of %s that is stored is of another archive: %w", cycle.Format(time.RFC3339), fs.ErrNotExist)
	}
	return c, nil
}
