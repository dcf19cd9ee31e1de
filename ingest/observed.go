package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"sipipe/ingest/ncio"
)

// observedReader reads the observations of one variable from one open file.
type observedReader struct {
	f *ncio.File
	h *header
	l layout

	variable Variable
	convert  conversion
	places   *Places
	order    []int         // positions in the file of places sorted by identifier
	valid    [][]time.Time // [outer, year*lead]: valid times along the dimensions of time
	outer    role          // dimension of the outer index: cycle or valid; roleNone for a scalar
	notes    []string
}

// newObservedReader understands the description of an open file. wanted lists the
// names by which the variable may go, best first. defaultUnits are those of the raw
// forecast's file, for files that give none: published observations paired with
// forecasts do so.
func newObservedReader(f *ncio.File, wanted []string, o parseOptions, defaultUnits string) (*observedReader, error) {
	h := newHeader(f.Path(), f.Vars(), o.Dims)
	v, err := firstVariable(h, wanted)
	if err != nil {
		return nil, err
	}
	r := &observedReader{f: f, h: h}
	if r.l, err = resolve(h, v); err != nil {
		return nil, err
	}
	if _, n := r.l.dim(roleMember); n > 1 {
		return nil, &UnusableError{Path: h.path, Var: v.Name, Why: fmt.Sprintf("it has %d members, observations have none", n), Remedy: "check that ingest.observations does not point to forecasts"}
	}
	described := describe(v)
	switch units := o.units(v, wanted...); {
	case units != "":
		described.Units = units
	case described.Units == "" && defaultUnits != "":
		described.Units = defaultUnits
		r.notes = append(r.notes, fmt.Sprintf("%q has no units; those of the forecasts, %q, are taken", v.Name, defaultUnits))
	}
	if r.convert, r.variable, err = toSI(described); err != nil {
		return nil, unusable(h.path, v.Name, err, "correct the units attribute, or set the units of the file in ingest.observed_units")
	}
	if err := r.readTimes(); err != nil {
		return nil, err
	}
	places, notes, err := readPlaces(f, h, r.l)
	if err != nil {
		return nil, unusable(h.path, v.Name, err, "correct the places")
	}
	r.notes = append(r.notes, notes...)
	r.order = make([]int, places.Len())
	for i := range r.order {
		r.order[i] = i
	}
	slices.SortFunc(r.order, func(a, b int) int { return cmp.Compare(places.ID[a], places.ID[b]) })
	r.places = places.pick(r.order)
	return r, nil
}

func firstVariable(h *header, wanted []string) (ncio.Var, error) {
	var first error
	for _, name := range wanted {
		v, err := h.variable(name)
		if err == nil {
			return v, nil
		}
		if first == nil {
			first = err
		}
	}
	return ncio.Var{}, first
}

// pick is the places at the given positions.
func (p *Places) pick(at []int) *Places {
	out := &Places{
		ID:        pickFrom(p.ID, at),
		Name:      pickFrom(p.Name, at),
		Latitude:  pickFrom(p.Latitude, at),
		Longitude: pickFrom(p.Longitude, at),
		Altitude:  pickFrom(p.Altitude, at),

		ModelAltitude: pickFrom(p.ModelAltitude, at),
		Grid:          p.Grid,
	}
	return out
}

func pickFrom[T any](x []T, at []int) []T {
	if x == nil {
		return nil
	}
	out := make([]T, len(at))
	for i, k := range at {
		out[i] = x[k]
	}
	return out
}

// readTimes finds the valid time of every value:
//
//	(valid)                one dimension of times, or a scalar
//	(cycle [, year], lead) observations stored in the shape of the forecasts
func (r *observedReader) readTimes() error {
	t := timeReader{r.f, r.h, r.l}
	fail := func(why string) error {
		return &UnusableError{Path: r.h.path, Var: r.l.v.Name, Why: why, Remedy: "give observations a dimension \"time\" of valid times"}
	}
	main := roleValid
	if r.l.has(roleCycle) {
		main = roleCycle
	}
	r.outer = main
	coordinate, ok := t.along(main)
	fromCycle := main == roleCycle
	if !r.l.has(main) {
		r.outer = roleNone
		if coordinate, ok = t.scalar(roleValid); !ok {
			coordinate, ok = t.scalar(roleCycle)
			fromCycle = true
		}
	}
	if !ok {
		return fail("nothing tells its valid times")
	}
	times, err := t.times(coordinate)
	if err != nil {
		return err
	}
	leads := []time.Duration{0}
	if lead, ok := t.along(roleLead); r.l.has(roleLead) && ok {
		if leads, _, err = t.durations(lead); err != nil {
			return unusable(r.h.path, lead.Name, err, "correct the lead times")
		}
	} else if r.l.has(roleLead) {
		return fail(fmt.Sprintf("dimension %q has no lead times", r.l.dimName(roleLead)))
	} else if lead, ok := t.scalar(roleLead); ok && fromCycle {
		if leads, _, err = t.durations(lead); err != nil {
			return unusable(r.h.path, lead.Name, err, "correct the lead times")
		}
	}
	years := []float64{math.NaN()}
	if r.l.has(roleYear) {
		_, n := r.l.dim(roleYear)
		if years, err = (&forecastReader{f: r.f, h: r.h, l: r.l}).years(n); err != nil {
			return err
		}
	}
	r.valid = make([][]time.Time, len(times))
	for i, at := range times {
		row := make([]time.Time, 0, len(years)*len(leads))
		for _, y := range years {
			start := at
			if y == y && !at.IsZero() {
				start = reforecastCycle(at, y)
			}
			for _, lead := range leads {
				valid := time.Time{}
				if !at.IsZero() {
					valid = start.Add(lead)
				}
				row = append(row, valid)
			}
		}
		r.valid[i] = row
	}
	return nil
}

// period names the part of the store that a valid time belongs to: its month,
// "200401", or its year when the stations are so few that a year of hourly values is
// no more than a block.
func (r *observedReader) period(t time.Time) string {
	if len(r.order)*366*24 <= blockValues {
		return t.UTC().Format(yearly)
	}
	return t.UTC().Format(monthly)
}

// Names of periods.
const (
	yearly  = "2006"
	monthly = "200601"
)

// observedPeriod is the observations of a period: what a file is read into.
type observedPeriod struct {
	Times  []int64   // valid times, seconds since 1970, ascending
	Values []float32 // [time, station], stations sorted by identifier, NaN = missing
}

// read gives each the observations period by period. A period is given once, when no
// later value of the file can belong to it, so that memory holds the periods in work
// only.
func (r *observedReader) read(ctx context.Context, each func(name string, m *observedPeriod) error) error {
	last := map[string]int{} // position of the outer dimension that completes a period
	for i, row := range r.valid {
		for _, at := range row {
			if !at.IsZero() {
				last[r.period(at)] = i
			}
		}
	}
	open := map[string]map[int64][]float32{}
	size := r.batch()
	for from := 0; from < len(r.valid); from += size {
		if err := ctx.Err(); err != nil {
			return err
		}
		to := min(from+size, len(r.valid))
		raw, err := r.slab(from, to)
		if err != nil {
			return err
		}
		r.collect(raw, from, to, open)
		var done []string
		for name := range open {
			if last[name] < to {
				done = append(done, name)
			}
		}
		slices.Sort(done)
		for _, name := range done {
			if err := each(name, gather(open[name])); err != nil {
				return err
			}
			delete(open, name)
		}
	}
	return nil
}

// gather brings the times of a period into order.
func gather(rows map[int64][]float32) *observedPeriod {
	m := &observedPeriod{}
	for at := range rows {
		m.Times = append(m.Times, at)
	}
	slices.Sort(m.Times)
	for _, at := range m.Times {
		m.Values = append(m.Values, rows[at]...)
	}
	return m
}

func (r *observedReader) batch() int {
	i, n := r.l.dim(r.outer)
	if r.outer == roleNone {
		return 1
	}
	return batchSize(n, len(r.valid[0])*r.places.Len(), chunkAlong(r.l.v, i))
}

func (r *observedReader) slab(from, to int) ([]float32, error) {
	start, count := make([]int, len(r.l.v.Dims)), r.l.v.Shape()
	if r.outer != roleNone {
		i, _ := r.l.dim(r.outer)
		start[i], count[i] = from, to-from
	}
	raw, err := r.f.Float32s(r.l.v.Name, start, count)
	if err != nil {
		return nil, unusable(r.h.path, r.l.v.Name, err, "copy the file again")
	}
	r.convert.apply(raw)
	return raw, nil
}

// collect sorts the values of a slab into periods. Where the same station and valid
// time occur again, as in observations paired with overlapping forecasts, the later
// value in the file counts.
func (r *observedReader) collect(raw []float32, from, to int, open map[string]map[int64][]float32) {
	stride := r.strides(to - from)
	_, leads := r.l.dim(roleLead)
	nan := float32(math.NaN())
	columns := 1
	if r.l.has(roleY) {
		columns = r.places.Grid.NX
	}
	for i := range to - from {
		for k, at := range r.valid[from+i] {
			if at.IsZero() {
				continue
			}
			name := r.period(at)
			if open[name] == nil {
				open[name] = map[int64][]float32{}
			}
			row := open[name][at.Unix()]
			if row == nil {
				row = make([]float32, len(r.order))
				for s := range row {
					row[s] = nan
				}
				open[name][at.Unix()] = row
			}
			base := k/leads*stride[roleYear] + k%leads*stride[roleLead]
			if r.outer != roleNone {
				base += i * stride[r.outer]
			}
			for s, place := range r.order {
				v := raw[base+place/columns*(stride[roleStation]+stride[roleY])+place%columns*stride[roleX]]
				if v-v == 0 {
					row[s] = v
				}
			}
		}
	}
}

func (r *observedReader) strides(outer int) (stride [roleCount]int) {
	step := 1
	for i := len(r.l.v.Dims) - 1; i >= 0; i-- {
		stride[r.l.roles[i]] = step
		if r.l.roles[i] == r.outer {
			step *= outer
		} else {
			step *= r.l.v.Dims[i].Len
		}
	}
	return stride
}

// sameQuantity says why observations cannot be set against forecasts, nil when they can.
func sameQuantity(raw, observed Variable) error {
	if raw.Units != observed.Units {
		return &UnitsError{Var: observed.Name, Got: observed.Units, Want: raw.Units}
	}
	return nil
}

var errNoPlacesInCommon = errors.New("no station is in both forecasts and observations")

// examples lists a few identifiers for a message.
func examples(ids []string) string { return strings.Join(ids[:min(len(ids), 3)], ", ") }
