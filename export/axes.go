package export

import (
	"fmt"
	"math"
	"slices"
	"time"

	"sipipe/ingest"
)

// axes are the dimensions that all variables of a product share.
type axes struct {
	cycle   time.Time
	members []int32
	leads   []time.Duration
	places  *ingest.Places
	station [][]int // [variable][place of the variable]: index in places
}

// newAxes unites members, lead times and stations of the variables.
func newAxes(vars []*ingest.Ensemble) (*axes, error) {
	a := &axes{cycle: vars[0].Cycle.UTC()}
	for _, e := range vars {
		a.members = append(a.members, e.Members...)
		a.leads = append(a.leads, e.Leads...)
	}
	slices.Sort(a.members)
	a.members = slices.Compact(a.members)
	slices.Sort(a.leads)
	a.leads = slices.Compact(a.leads)
	return a, a.unitePlaces(vars)
}

// unitePlaces keeps the order of the first variable; stations that only later ones
// have follow. A station's coordinates are those of the first variable that has it.
func (a *axes) unitePlaces(vars []*ingest.Ensemble) error {
	first := vars[0].Places
	other := slices.IndexFunc(vars, func(e *ingest.Ensemble) bool {
		return e.Places != first && (!slices.Equal(e.Places.ID, first.ID) || !sameGrid(e.Places.Grid, first.Grid))
	})
	if other < 0 {
		a.places = first
		all := make([]int, first.Len())
		for i := range all {
			all[i] = i
		}
		for range vars {
			a.station = append(a.station, all)
		}
		return nil
	}
	if first.Grid != nil || vars[other].Places.Grid != nil {
		return fmt.Errorf("%s and %s lie on different grids; calibrate them with a configuration each", vars[0].Variable.Name, vars[other].Variable.Name)
	}
	var u ingest.Places
	at := map[string]int{}
	for _, e := range vars {
		p := e.Places
		index := make([]int, p.Len())
		for i, id := range p.ID {
			k, known := at[id]
			if !known {
				k = len(u.ID)
				at[id] = k
				u.ID = append(u.ID, id)
				u.Name = append(u.Name, textAt(p.Name, i))
				u.Latitude = append(u.Latitude, p.Latitude[i])
				u.Longitude = append(u.Longitude, p.Longitude[i])
				u.Altitude = append(u.Altitude, p.Altitude[i])
				u.ModelAltitude = append(u.ModelAltitude, numberAt(p.ModelAltitude, i))
			}
			index[i] = k
		}
		a.station = append(a.station, index)
	}
	if !slices.ContainsFunc(u.Name, func(s string) bool { return s != "" }) {
		u.Name = nil
	}
	if !slices.ContainsFunc(u.ModelAltitude, func(x float64) bool { return x == x }) {
		u.ModelAltitude = nil
	}
	a.places = &u
	return nil
}

func sameGrid(a, b *ingest.Grid) bool {
	return (a == nil) == (b == nil) && (a == nil || *a == *b)
}

func textAt(s []string, i int) string {
	if s == nil {
		return ""
	}
	return s[i]
}

func numberAt(x []float64, i int) float64 {
	if x == nil {
		return math.NaN()
	}
	return x[i]
}

// fill copies lead l of variable k, [place, member], to dst, [member, place] of the
// axes. It returns false when the variable does not have this lead time. Missing
// values become the fill value.
func (a *axes) fill(dst []float32, k int, e *ingest.Ensemble, l int) bool {
	for i := range dst {
		dst[i] = fillValue
	}
	from, found := slices.BinarySearch(e.Leads, a.leads[l])
	if !found {
		return false
	}
	n := a.places.Len()
	row := make([]int, len(e.Members))
	for m, number := range e.Members {
		row[m], _ = slices.BinarySearch(a.members, number)
	}
	for p, at := range a.station[k] {
		for m, v := range e.At(from, p) {
			if v == v {
				dst[row[m]*n+at] = v
			}
		}
	}
	return true
}
