package pipeline

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strconv"

	"sipipe/calibrate"
	"sipipe/calibrate/dependence"
	"sipipe/calibrate/noise"
	"sipipe/calibrate/score"
	"sipipe/ingest"
)

// Systems of the comparison of dependence. Those named after calibrated have its
// margins, member by member, in another order.
const (
	systemEMOSECC     = "emos_ecc"
	systemIndependent = "calibrated_independent"
	systemECC         = "calibrated_ecc"
	systemSchaake     = "calibrated_schaake"
	systemCopula      = "calibrated_copula"
)

// vectorSystems in their order. EMOS without a template is independent.
func vectorSystems(dependent bool) []score.System {
	var out []score.System
	for _, name := range []string{systemRaw, systemEMOS, systemEMOSECC, systemIndependent, systemECC, systemSchaake, systemCopula, systemCalibrated} {
		o := score.Options{Dependent: dependent}
		switch name {
		case systemRaw:
			o.Dependent = false
		case systemEMOS, systemEMOSECC:
			o.Dependent = true // quantiles
		}
		out = append(out, score.System{Name: name, Options: o})
	}
	return out
}

// Bounds of what is scored, whatever the size of the archive.
const (
	groupStations = 20 // of a group
	leastGroup    = 5  // fewer stations are not a group
	mostGroups    = 16 // of a cycle and lead time
	mostLeads     = 4  // with groups, evenly spread
	leadStations  = 20 // of a cycle whose lead times are scored
	leastLeads    = 3
	mostVector    = 24     // lead times of a vector, evenly spread
	pairRange     = 100.0  // km, of neighbours
	earthRadius   = 6371.0 // km
)

// component is one place at one lead time of a cycle, with what all systems say.
type component struct {
	place           int // in raw.Places
	lead            int // in raw.Leads
	raw, calibrated []float32
	emos            score.Distribution // nil: raw members stand in
	y               float64
}

// vectors scores dependence.
type vectors struct {
	*verification
	stations, leads *score.VectorComparison
	cycle           []component // of the present cycle, by lead and place
	coherence       calibrate.Coherence
}

func newVectors(v *verification) *vectors {
	s := vectorSystems(v.Calibrate.Draw == string(calibrate.DrawStratified))
	return &vectors{verification: v, stations: score.NewVectorComparison(s), leads: score.NewVectorComparison(s)}
}

// report is nil when there was no group and no vector of lead times.
func (v *vectors) report(b score.Bootstrap) *score.Dependence {
	d := &score.Dependence{Stations: v.stations.Report(systemCalibrated, b), Leads: v.leads.Report(systemCalibrated, b)}
	if d.Stations == nil && d.Leads == nil {
		return nil
	}
	return d
}

// finish scores the components of a cycle.
func (v *vectors) finish(ctx context.Context, raw *ingest.Ensemble) error {
	all := v.cycle
	v.cycle = v.cycle[:0:0]
	if len(all) == 0 {
		return nil
	}
	past, err := v.past(ctx, raw)
	if err != nil {
		return err
	}
	v.coherence = v.Calibrate.coherence()
	model, err := v.history.Stored(raw.Cycle, v.Calibrate.method(), v.Calibrate.Seed)
	var none *calibrate.NoModelError
	switch {
	case err == nil:
		v.coherence = model.Coherence
	case !errors.As(err, &none):
		return err
	}
	key := noise.Seed(v.Calibrate.Seed).Text("dependence").Text(v.variable).Time(raw.Cycle)
	byLead, byPlace := map[int][]component{}, map[int][]component{}
	for _, c := range all {
		byLead[c.lead], byPlace[c.place] = append(byLead[c.lead], c), append(byPlace[c.place], c)
	}
	for _, l := range spread(len(raw.Leads), mostLeads) {
		if err := v.groups(raw, byLead[l], past, key.Text("stations").Int(int64(raw.Leads[l]))); err != nil {
			return err
		}
	}
	// The places that come first in a random order.
	k := key.Text("leads")
	var places []int
	for p, c := range byPlace {
		if len(c) >= leastLeads {
			places = append(places, p)
		}
	}
	slices.SortFunc(places, func(a, b int) int {
		return cmp.Or(cmp.Compare(k.Bits(0, a), k.Bits(0, b)), cmp.Compare(a, b))
	})
	for _, p := range places[:min(len(places), leadStations)] {
		var cs []component
		for _, i := range spread(len(byPlace[p]), mostVector) {
			cs = append(cs, byPlace[p][i])
		}
		if err := v.score(v.leads, raw, cs, len(cs), nil, past, k.Int(int64(p)), raw.Places.ID[p]); err != nil {
			return err
		}
	}
	return nil
}

// spread returns at most m of n indices, evenly spread, with the first and the last.
func spread(n, m int) []int {
	m = min(n, m)
	out := make([]int, m)
	for i := range out {
		out[i] = i * (n - 1) / max(1, m-1)
	}
	return out
}

// groups scores random groups of the components of a lead time. Behind the stations
// of a group come the nearest neighbours of each, for the differences.
func (v *vectors) groups(raw *ingest.Ensemble, all []component, past []pastCycle, key noise.Key) error {
	if len(all) < leastGroup {
		return nil
	}
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(key.Bits(0, all[a].place), key.Bits(0, all[b].place)), cmp.Compare(a, b))
	})
	size := min(groupStations, len(all))
	for g := range min(len(all)/size, mostGroups) {
		var cs []component
		at := map[int]int{} // component by index of all
		for _, i := range order[g*size : (g+1)*size] {
			at[i] = len(cs)
			cs = append(cs, all[i])
		}
		var pairs [][2]int
		for _, i := range order[g*size : (g+1)*size] {
			j := nearest(raw.Places, all, i)
			if j < 0 {
				continue
			}
			if _, ok := at[j]; !ok {
				at[j] = len(cs)
				cs = append(cs, all[j])
			}
			pairs = append(pairs, [2]int{at[i], at[j]})
		}
		if err := v.score(v.stations, raw, cs, size, pairs, past, key.Int(int64(g)), strconv.Itoa(g)); err != nil {
			return err
		}
	}
	return nil
}

// nearest is the component nearest to component i within pairRange, or -1.
func nearest(p *ingest.Places, all []component, i int) int {
	best, at := pairRange, -1
	for j := range all {
		if d := distance(p, all[i].place, all[j].place); j != i && d < best {
			best, at = d, j
		}
	}
	return at
}

// distance in km along the great circle (haversine formula).
func distance(p *ingest.Places, a, b int) float64 {
	rad := math.Pi / 180
	s := math.Pow(math.Sin((p.Latitude[a]-p.Latitude[b])*rad/2), 2) +
		math.Cos(p.Latitude[a]*rad)*math.Cos(p.Latitude[b]*rad)*math.Pow(math.Sin((p.Longitude[a]-p.Longitude[b])*rad/2), 2)
	return 2 * earthRadius * math.Asin(math.Sqrt(math.Min(s, 1)))
}

// correlation of the Gaussian copula: that of the noise of members, as configured where
// the model is not in the state folder.
func (v *vectors) correlation(raw *ingest.Ensemble, a, b component) float64 {
	p := raw.Places
	dz := knownAltitude(p, a.place) - knownAltitude(p, b.place)
	// Straight through the Earth, as in the noise fields: along the surface not every
	// kernel is a correlation.
	straight := 2 * earthRadius * math.Sin(distance(p, a.place, b.place)/(2*earthRadius))
	return v.coherence.Correlation(straight, dz, raw.Leads[a.lead]-raw.Leads[b.lead])
}

// knownAltitude is 0 where it is unknown, as in the noise fields: skipping the term for
// some pairs only would not leave a correlation.
func knownAltitude(p *ingest.Places, i int) float64 {
	if z := p.Altitude[i]; z == z {
		return z
	}
	return 0
}

// score adds one vector of all systems.
func (v *vectors) score(to *score.VectorComparison, raw *ingest.Ensemble, cs []component, scored int, pairs [][2]int, past []pastCycle, key noise.Key, name string) error {
	d, m := len(cs), len(cs[0].calibrated)
	k := score.VectorCase{
		Day: dayNumber(raw.Cycle.Add(raw.Leads[cs[0].lead])), Lead: raw.Leads[cs[0].lead], Name: name,
		Scored: scored, Pairs: pairs,
	}
	var members, calibrated, emos []float32
	patterns, days := make([][]float64, d), make([][]float64, d)
	for i, c := range cs {
		k.Y = append(k.Y, c.y)
		members, calibrated = append(members, c.raw...), append(calibrated, c.calibrated...)
		for j := range m {
			p := (float64(j) + 0.5) / float64(m)
			if c.emos != nil {
				emos = append(emos, float32(c.emos.Quantile(p)))
			} else {
				emos = append(emos, c.raw[j%len(c.raw)])
			}
		}
		for _, x := range c.raw {
			patterns[i] = append(patterns[i], float64(x))
		}
		for _, o := range past {
			days[i] = append(days[i], o.at(c.lead, raw.Places.ID[c.place]))
		}
	}
	copula, err := dependence.Gaussian(key.Text("copula"), d, m, func(a, b int) float64 { return v.correlation(raw, cs[a], cs[b]) })
	if err != nil {
		return err
	}
	independent := dependence.Independent(key.Text("independent"), d, m)
	ecc := dependence.Patterns(key.Text("ecc"), patterns, m)
	schaake := dependence.Patterns(key.Text("schaake"), days, m)
	k.Forecasts = [][]float32{
		members,
		dependence.Arrange(independent, emos, d), dependence.Arrange(ecc, emos, d),
		dependence.Arrange(independent, calibrated, d), dependence.Arrange(ecc, calibrated, d),
		dependence.Arrange(schaake, calibrated, d), dependence.Arrange(copula, calibrated, d),
		calibrated,
	}
	_, err = to.Add(k)
	return err
}

// pastCycle holds what was observed at the valid times of an earlier cycle, by lead.
type pastCycle []*ingest.Observed

// at is the observation of a station; NaN when there was none.
func (p pastCycle) at(lead int, station string) float64 {
	if o := p[lead]; o != nil {
		if i, ok := slices.BinarySearch(o.ID, station); ok {
			return float64(o.Values[i])
		}
	}
	return math.NaN()
}

// past are the latest cycles, as many as there are members, whose observations were
// all there at the cycle of raw.
func (v *vectors) past(ctx context.Context, raw *ingest.Ensemble) ([]pastCycle, error) {
	var out []pastCycle
	last := raw.Leads[len(raw.Leads)-1] + v.Calibrate.Delay
	for _, c := range slices.Backward(v.archive.Cycles(v.variable)) {
		if len(out) == v.Calibrate.Members {
			break
		}
		if c.Add(last).After(raw.Cycle) {
			continue
		}
		p := make(pastCycle, len(raw.Leads))
		for l, lead := range raw.Leads {
			var err error
			if p[l], err = v.learning.Observed(ctx, v.variable, c.Add(lead)); err != nil {
				return nil, err
			}
		}
		out = append(out, p)
	}
	return out, nil
}
