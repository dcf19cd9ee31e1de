package ingest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"sipipe/ingest/ncio"
)

// observedEntry is what the index remembers of a file of observations.
type observedEntry struct {
	File     fileEntry
	Variable Variable
	Stations string // store key of observedStations
	Periods  []periodEntry
}

// periodEntry says where the observations of a period are stored.
type periodEntry struct {
	Name   string // "2004" or "200401"
	Key    string
	Times  []int64 // valid times with a value at least, ascending
	Hashes []byte  // the first hashLen bytes of the hash of each
}

// hashLen is how much of the hash of a valid time an index keeps: 128 bits tell
// contents apart as surely, and there are many of them.
const hashLen = 16

func (e *observedEntry) file() *fileEntry { return &e.File }

func (e *observedEntry) keys() []string {
	if e.File.Missing {
		return nil
	}
	keys := []string{e.Stations}
	for _, m := range e.Periods {
		keys = append(keys, m.Key)
	}
	return keys
}

// observedStations is the stations of a file, sorted by identifier.
type observedStations struct {
	Places Places // of a grid without identifiers
	First  []int64
}

// never is the first valid time of a station without any value.
const never = math.MaxInt64

// storedPeriod is an observedPeriod as it is stored.
type storedPeriod struct {
	Times  []int64
	Values []float32 // [time, station]
}

// Parts implements store.Parted.
func (p *storedPeriod) Parts() iter.Seq[any] {
	return func(yield func(any) bool) { _ = yield(&p.Times) && yield(&p.Values) }
}

// observedFiles brings the stored observations of a variable in line with the files.
func (a *Archive) observedFiles(ctx context.Context, v *variableArchive, files []archiveFile) (*index[*observedEntry], []Fault, error) {
	o := a.options
	wanted, units := v.observedNames(o.ObservedNames[v.name]), v.fileUnits()
	s := syncer[*observedEntry]{
		archive: a, variable: v.name, prefix: variablePrefix("observations", v.name),
		fingerprint: fingerprint(o.ObservedUnits, o.Dims, o.Observations, wanted, units),
		read: func(ctx context.Context, file archiveFile, sum string, _ *observedEntry) (*observedEntry, error) {
			return a.readObservations(ctx, v.name, wanted, units, file, sum)
		},
		faultTime: func(archiveFile) time.Time { return time.Time{} },
	}
	if a.noObservations != nil {
		before, err := loadIndex[*observedEntry](a.store, s.prefix+"index", s.fingerprint)
		if err != nil {
			return nil, nil, err
		}
		if len(before.Files) > 0 {
			return nil, nil, &NoObservationsError{Place: o.Observations, Gone: len(before.Files)}
		}
	}
	return s.run(ctx, files)
}

func (a *Archive) observedReader(ctx context.Context, variable string, wanted []string, units string, file archiveFile) (*observedReader, *ncio.File, error) {
	f, err := ncio.Open(ctx, file.path)
	if err != nil {
		return nil, nil, err
	}
	o := parseOptions{Dims: a.options.Dims, Units: a.options.ObservedUnits}
	r, err := newObservedReader(f, wanted, o, units)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return r, f, nil
}

// readObservations reads a file into the store.
func (a *Archive) readObservations(ctx context.Context, variable string, wanted []string, units string, file archiveFile, sum string) (*observedEntry, error) {
	e := &observedEntry{File: fileEntry{Name: file.name, State: file.state, SHA256: sum}}
	r, f, err := a.observedReader(ctx, variable, wanted, units, file)
	if missing := (*MissingVarError)(nil); errors.As(err, &missing) {
		e.File.Missing, e.File.Have = true, missing.Have
		return e, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	e.Variable, e.File.Notes = r.variable, r.notes
	prefix := variablePrefix("observations", variable) + contentKey(file.name, sum) + "/"
	e.Stations = prefix + "stations"
	stations := &observedStations{Places: *r.places, First: make([]int64, r.places.Len())}
	for i := range stations.First {
		stations.First[i] = never
	}
	err = r.read(ctx, func(name string, m *observedPeriod) error {
		entry := periodEntry{Name: name, Key: prefix + name}
		stored := &storedPeriod{}
		n := r.places.Len()
		for i, at := range m.Times {
			values := m.Values[i*n : (i+1)*n]
			if stations.note(at, values) {
				entry.Times = append(entry.Times, at)
				hash := observedHash(r.variable, time.Unix(at, 0), r.places.ID, values)
				entry.Hashes = append(entry.Hashes, hash[:hashLen]...)
				stored.Times = append(stored.Times, at)
				stored.Values = append(stored.Values, values...)
			}
		}
		if len(entry.Times) == 0 {
			return nil
		}
		e.Periods = append(e.Periods, entry)
		return a.put(entry.Key, stored)
	})
	if err != nil {
		return nil, err
	}
	stored := *stations
	if stored.Places.Grid != nil {
		stored.Places.ID = nil
	}
	if err := a.put(e.Stations, stored); err != nil {
		return nil, err
	}
	return e, f.Close()
}

// note records when stations reported first and says whether any did now.
func (s *observedStations) note(at int64, values []float32) bool {
	some := false
	for i, v := range values {
		if v == v {
			s.First[i] = min(s.First[i], at)
			some = true
		}
	}
	return some
}

// observedRef is where a file has observations of one valid time.
type observedRef struct {
	order  int // of the file, by name
	entry  *observedEntry
	period int // in entry.Periods
	at     int // in its Times
}

func (r observedRef) hash() []byte {
	return r.entry.Periods[r.period].Hashes[r.at*hashLen : (r.at+1)*hashLen]
}

// refs finds the files that have observations of a valid time, by name.
func (v *variableArchive) refs(valid time.Time) []observedRef {
	var refs []observedRef
	for _, layout := range []string{yearly, monthly} {
		for _, r := range v.periods[valid.UTC().Format(layout)] {
			if at, ok := slices.BinarySearch(r.entry.Periods[r.period].Times, valid.Unix()); ok {
				r.at = at
				refs = append(refs, r)
			}
		}
	}
	slices.SortFunc(refs, func(a, b observedRef) int { return a.order - b.order })
	return refs
}

// observed merges what the files have for a valid time. Where two files have the same
// station, the later one by name counts.
func (a *Archive) observed(ctx context.Context, v *variableArchive, refs []observedRef, valid time.Time) (*Observed, error) {
	var out *Observed
	for _, ref := range refs {
		stations, err := a.stationsOf(ctx, v, ref.entry)
		if err != nil {
			return nil, err
		}
		m := ref.entry.Periods[ref.period]
		values, err := a.periodValues(ctx, v, ref.entry, m.Key, ref.at, stations.Places.Len())
		if err != nil {
			return nil, err
		}
		one := &Observed{Variable: ref.entry.Variable, Valid: valid, Source: Source{Path: ref.entry.File.Name, SHA256: ref.entry.File.SHA256}}
		for i, x := range values {
			if x == x {
				one.ID = append(one.ID, stations.Places.ID[i])
				one.Values = append(one.Values, x)
			}
		}
		if out == nil {
			out = one
		} else {
			out = out.overlaid(one)
		}
	}
	return out, nil
}

// overlaid is o with the values of p added, or put in place of its own.
func (o *Observed) overlaid(p *Observed) *Observed {
	out := &Observed{Variable: p.Variable, Valid: p.Valid, Source: p.Source}
	i, j := 0, 0
	for i < len(o.ID) || j < len(p.ID) {
		switch {
		case j == len(p.ID) || i < len(o.ID) && o.ID[i] < p.ID[j]:
			out.ID, out.Values = append(out.ID, o.ID[i]), append(out.Values, o.Values[i])
			i++
		default:
			if i < len(o.ID) && o.ID[i] == p.ID[j] {
				i++
			}
			out.ID, out.Values = append(out.ID, p.ID[j]), append(out.Values, p.Values[j])
			j++
		}
	}
	return out
}

// stationsOf returns the stations of a file, with identifiers.
func (a *Archive) stationsOf(ctx context.Context, v *variableArchive, e *observedEntry) (*observedStations, error) {
	if s, ok := a.cache.get(e.Stations); ok {
		return s.(*observedStations), nil
	}
	s := &observedStations{}
	err := a.store.Get(e.Stations, formatVersion, s)
	if lost(err) {
		if err = a.restoreObservations(ctx, v, e); err == nil {
			err = a.store.Get(e.Stations, formatVersion, s)
		}
	}
	if err != nil {
		return nil, err
	}
	if s.Places.Grid != nil {
		// Sorted as all identifiers of observations are.
		s.Places.ID = sortedCellIDs(s.Places.Grid)
	}
	a.cache.add(e.Stations, s, 100*len(s.First))
	return s, nil
}

// periodValues returns the values of one valid time of a stored period; they must not
// be changed.
func (a *Archive) periodValues(ctx context.Context, v *variableArchive, e *observedEntry, key string, at, stations int) ([]float32, error) {
	m := &storedPeriod{}
	if cached, ok := a.cache.get(key); ok {
		m = cached.(*storedPeriod)
	} else {
		err := a.store.Get(key, formatVersion, m)
		if lost(err) {
			if err = a.restoreObservations(ctx, v, e); err == nil {
				err = a.store.Get(key, formatVersion, m)
			}
		}
		if err != nil {
			return nil, err
		}
		a.cache.add(key, m, 4*len(m.Values)+8*len(m.Times))
	}
	if len(m.Values) != stations*len(m.Times) || at >= len(m.Times) {
		return nil, fmt.Errorf("stored period %q does not fit its stations; delete the state folder", key)
	}
	return m.Values[stations*at : stations*(at+1)], nil
}

// restoreObservations stores all of a file again.
func (a *Archive) restoreObservations(ctx context.Context, v *variableArchive, e *observedEntry) error {
	file, err := a.locate(a.observedTemplate, e.file())
	if err != nil {
		return err
	}
	_, err = a.readObservations(ctx, v.name, v.observedNames(a.options.ObservedNames[v.name]), v.fileUnits(), file, e.File.SHA256)
	return err
}
