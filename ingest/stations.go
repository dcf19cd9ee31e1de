package ingest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
	"sync"
	"time"
)

// Stations returns the stations of the observations of a variable, sorted by
// identifier, of a grid its cells. Latitude, longitude and altitude are NaN where the
// files do not give them; of a station that moves they are the latest known.
func (a *Archive) Stations(ctx context.Context, variable string) (*Places, error) {
	v, err := a.variable(variable)
	if err != nil {
		return nil, err
	}
	lists, err := a.stationLists(ctx, v)
	if err != nil {
		return nil, fmt.Errorf("get stations of %q: %w", variable, err)
	}
	return mergeStations(lists, never), nil
}

func (a *Archive) stationLists(ctx context.Context, v *variableArchive) ([]*observedStations, error) {
	lists := make([]*observedStations, len(v.sources))
	for i, e := range v.sources {
		var err error
		if lists[i], err = a.stationsOf(ctx, v, e); err != nil {
			return nil, err
		}
	}
	return lists, nil
}

// mergeStations joins the stations that had reported by the given time, later files
// last.
func mergeStations(lists []*observedStations, by int64) *Places {
	type origin struct{ list, at int }
	last := map[string]origin{}
	for l, s := range lists {
		for i, id := range s.Places.ID {
			if s.First[i] > by {
				continue
			}
			old, seen := last[id]
			if seen && math.IsNaN(s.Places.Latitude[i]) && !math.IsNaN(lists[old.list].Places.Latitude[old.at]) {
				continue // a file without coordinates does not take them away
			}
			last[id] = origin{l, i}
		}
	}
	out := &Places{}
	for id := range last {
		out.ID = append(out.ID, id)
	}
	slices.Sort(out.ID)
	named := false
	for _, id := range out.ID {
		o := last[id]
		p := &lists[o.list].Places
		name := ""
		if p.Name != nil {
			name, named = p.Name[o.at], true
		}
		out.Name = append(out.Name, name)
		out.Latitude = append(out.Latitude, p.Latitude[o.at])
		out.Longitude = append(out.Longitude, p.Longitude[o.at])
		out.Altitude = append(out.Altitude, p.Altitude[o.at])
		out.Grid = p.Grid
	}
	if !named {
		out.Name = nil
	}
	return out
}

// sortedCellIDs is the identifiers of a grid's cells in the order in which
// observations have them.
func sortedCellIDs(g *Grid) []string {
	ids := cellIDs(g)
	slices.Sort(ids)
	return ids
}

// rowByRow puts the cells of observations, sorted by identifier, in the order of the grid.
func rowByRow(p *Places) *Places {
	at := make(map[string]int, p.Len())
	for i, id := range p.ID {
		at[id] = i
	}
	order := make([]int, p.Len())
	for i := range order {
		order[i] = at[cellID(p.Grid, i)]
	}
	return p.pick(order)
}

// compare finds out whether forecasts and observations speak of the same quantity and
// places, and prepares interpolation.
func (a *Archive) compare(ctx context.Context, v *variableArchive) error {
	newest := v.newest()
	if newest == nil || len(v.sources) == 0 {
		return nil
	}
	source := v.sources[len(v.sources)-1]
	mismatch := func(err error, remedy string) {
		v.mismatch = &UnusableError{Path: source.File.Name, Var: v.name, Why: err.Error(), Remedy: remedy, Err: err}
		v.faults = append(v.faults, Fault{Path: source.File.Name, Variable: v.name, Err: v.mismatch})
	}
	_, raw, err := toSI(newest.Described)
	if err != nil {
		return err
	}
	if err := sameQuantity(raw, source.Variable); err != nil {
		mismatch(err, "correct the units of the observations, or set them in ingest.observed_units")
		return nil
	}
	e, err := a.forecast(ctx, v.name, newest, newest.Cycles[len(newest.Cycles)-1])
	if err != nil {
		return err
	}
	stations, err := a.stationsOf(ctx, v, source)
	if err != nil {
		return err
	}
	switch {
	case e.Places.Grid != nil && stations.Places.Grid != nil:
		if err := sameGrid(e.Places, rowByRow(&stations.Places)); err != nil {
			mismatch(fmt.Errorf("forecasts and observations are on different grids: %w", err), "interpolate one to the other first")
		}
	case e.Places.Grid != nil && a.options.Interpolation != NoInterpolation:
		v.at, err = a.newStationary(ctx, v)
		return err
	default:
		if why := nothingInCommon(e.Places, &stations.Places); why != "" {
			remedy := "use the same identifiers in both"
			if e.Places.Grid != nil {
				remedy = "set ingest.grid_to_stations to nearest or bilinear"
			}
			v.faults = append(v.faults, Fault{Path: source.File.Name, Variable: v.name, Err: &UnusableError{Path: source.File.Name, Var: v.name, Why: why, Remedy: remedy, Err: errNoPlacesInCommon}})
		}
	}
	return nil
}

// nothingInCommon says so when no place is in both lists.
func nothingInCommon(raw, observed *Places) string {
	known := make(map[string]bool, observed.Len())
	for _, id := range observed.ID {
		known[id] = true
	}
	if slices.ContainsFunc(raw.ID, func(id string) bool { return known[id] }) {
		return ""
	}
	return fmt.Sprintf("%v (forecasts: %s; observations: %s)", errNoPlacesInCommon, examples(raw.ID), examples(observed.ID))
}

// stationary delivers forecasts on a grid at the stations that had reported by the
// cycle, so that a past cycle gives the same whatever came later.
type stationary struct {
	method Interpolation
	lists  []*observedStations
	first  []int64 // when each station of each file reported first, ascending

	mu     sync.Mutex
	count  int      // how many of first had come, of places
	places *Places  // for the cycle asked for last
	from   [32]byte // grid and stations of the stencils in memory
	ready  []stencil
}

func (a *Archive) newStationary(ctx context.Context, v *variableArchive) (*stationary, error) {
	s := &stationary{method: a.options.Interpolation}
	var err error
	if s.lists, err = a.stationLists(ctx, v); err != nil {
		return nil, err
	}
	for _, l := range s.lists {
		s.first = append(s.first, l.First...)
	}
	slices.Sort(s.first)
	return s, nil
}

// known is the stations with coordinates that had reported by a cycle.
func (s *stationary) known(cycle time.Time) *Places {
	at := cycle.Unix()
	n := sort.Search(len(s.first), func(i int) bool { return s.first[i] > at })
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.places != nil && s.count == n {
		return s.places
	}
	all := mergeStations(s.lists, at)
	var located []int
	for i, lat := range all.Latitude {
		if lat == lat && all.Longitude[i] == all.Longitude[i] {
			located = append(located, i)
		}
	}
	s.count, s.places = n, all.pick(located)
	return s.places
}

// hash is that of an interpolated ensemble.
func (s *stationary) hash(raw [32]byte, cycle time.Time) [32]byte {
	d := newDigest("interpolated " + string(s.method))
	d.text(string(raw[:]))
	d.places(s.known(cycle))
	return d.sum()
}

func (s *stationary) interpolate(ctx context.Context, v *variableArchive, e *Ensemble) (*Ensemble, error) {
	if e.Places.Grid == nil {
		return e, nil
	}
	to := s.known(e.Cycle)
	if to.Len() == 0 {
		return nil, &UnusableError{Path: e.Source.Path, Var: v.name, Why: "no station with coordinates had reported by this cycle", Remedy: "add latitude and longitude to the observations"}
	}
	d := newDigest("stencils")
	d.places(e.Places)
	d.places(to)
	key := d.sum()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.from != key {
		ready, err := stencils(e.Places, to, s.method)
		if err != nil {
			return nil, err
		}
		s.from, s.ready = key, ready
	}
	return applyStencils(e, to, s.ready), ctx.Err()
}
