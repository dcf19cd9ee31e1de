package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"sipipe/ingest/store"
)

// Options says what an archive consists of.
type Options struct {
	Forecasts    string   // path template, glob or file; see template
	Observations string   // the same; "" when there are none
	Variables    []string // names in the files, or CF standard names
	Root         string   // folder below which paths are shown relative; "" shows them as they are
	Store        *store.Store

	// What files leave open or say wrongly. All may be nil.
	// Dims names dimensions and coordinate variables by what they mean: member, cycle,
	// lead, valid, station, y, x, year; latitude, longitude, altitude, model_altitude,
	// identifier.
	Dims          map[string]string
	Units         map[string]string // variable to its units in the forecasts
	ObservedNames map[string]string // variable to its name in the observations
	ObservedUnits map[string]string // variable to its units in the observations

	// Screen leaves out forecasts that cannot be right, see Implausible, those that are
	// copies of an earlier cycle, and single values beyond Limits.
	Screen bool

	// Interpolation brings forecasts on a grid to the stations of the observations.
	Interpolation Interpolation

	// CacheBytes bounds the stored values that are kept in memory for reuse; 0 is 128 MiB,
	// and so is more: beyond that little is gained.
	CacheBytes int

	// Progress is told of every file that has been read; nil is allowed.
	Progress func(Progress)
}

// Progress says how far reading has come.
type Progress struct {
	Variable    string
	Path        string
	Done, Total int // files of the variable
}

func (o Options) cacheBytes() int {
	if o.CacheBytes > 0 {
		return min(o.CacheBytes, maxCacheBytes)
	}
	return maxCacheBytes
}

// Validate says what is wrong with the options.
func (o Options) Validate() error {
	switch {
	case o.Store == nil:
		return errors.New("ingest: no store")
	case len(o.Variables) == 0:
		return errors.New("ingest: no variables; name them by their names in the files or CF standard names")
	}
	meanings := slices.Concat(roleNames[:roleSingle], coordinateNames)
	for meaning := range o.Dims {
		if !slices.Contains(meanings, meaning) {
			return fmt.Errorf("ingest: dimension meaning %q is not one of %s", meaning, strings.Join(meanings, ", "))
		}
	}
	for i, v := range o.Variables {
		if v == "" || slices.Index(o.Variables, v) != i {
			return fmt.Errorf("ingest: variable %q is empty or named twice", v)
		}
	}
	return o.Interpolation.validate()
}

// Archive is the forecasts and observations that are there. Its methods may be called
// from several goroutines.
type Archive struct {
	options          Options
	store            *store.Store
	forecastTemplate *template
	observedTemplate *template // nil when there are no observations
	variables        map[string]*variableArchive
	cache            *cache // stored values in use
	noObservations   error  // why there are none although they are asked for

	mu   sync.Mutex
	sums map[string]string // SHA-256 of files that were read, by path
}

// variableArchive is what is there of one variable.
type variableArchive struct {
	name     string
	files    []*forecastEntry
	cycles   map[int64]cycleRef
	order    []time.Time
	copies   map[int64]string // cycles whose values are those of an earlier one: which
	faults   []Fault
	sources  []*observedEntry         // by name
	periods  map[string][]observedRef // by period; files by name
	observed []time.Time              // valid times with observations, ascending
	mismatch error                    // why observations cannot be set against forecasts
	at       *stationary
}

// cycleRef is where a cycle is.
type cycleRef struct {
	entry *forecastEntry
	index int // in entry.Cycles
}

// Open looks at the files of the archive and reads those that are new or have
// changed into the store. It loads no values of what is stored already. Files and
// cycles that cannot be used are listed by Faults; an error means that nothing can be
// done at all.
func Open(ctx context.Context, o Options) (*Archive, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	a := &Archive{options: o, store: o.Store, cache: newCache(o.cacheBytes()), variables: map[string]*variableArchive{}, sums: map[string]string{}}
	var err error
	if a.forecastTemplate, err = parseTemplate(o.Forecasts); err != nil {
		return nil, fmt.Errorf("ingest.forecasts: %w", err)
	}
	forecasts, err := scan(a.forecastTemplate, o.Root)
	if err != nil {
		return nil, fmt.Errorf("ingest.forecasts: %w", err)
	}
	var observations []archiveFile
	if o.Observations != "" {
		if a.observedTemplate, err = parseTemplate(o.Observations); err != nil {
			return nil, fmt.Errorf("ingest.observations: %w", err)
		}
		if observations, err = scan(a.observedTemplate, o.Root); err != nil {
			return nil, fmt.Errorf("ingest.observations: %w", err)
		}
		if len(observations) == 0 {
			a.noObservations = &NoObservationsError{Place: o.Observations}
		}
	}
	for _, name := range o.Variables {
		v := &variableArchive{name: name, cycles: map[int64]cycleRef{}, periods: map[string][]observedRef{}}
		a.variables[name] = v
		if err := a.openForecasts(ctx, v, forecasts); err != nil {
			return nil, fmt.Errorf("read forecasts of %q: %w", name, err)
		}
		if err := a.openObservations(ctx, v, observations); err != nil {
			return nil, fmt.Errorf("read observations of %q: %w", name, err)
		}
		if err := a.compare(ctx, v); err != nil {
			return nil, fmt.Errorf("compare forecasts and observations of %q: %w", name, err)
		}
	}
	return a, nil
}

// openForecasts fills in the forecasts of v. Should two files have the same cycle, the
// later one by name counts.
func (a *Archive) openForecasts(ctx context.Context, v *variableArchive, files []archiveFile) error {
	x, faults, err := a.forecastFiles(ctx, v.name, files)
	if err != nil {
		return err
	}
	v.files = x.Files
	for _, e := range x.Files {
		for i, c := range e.Cycles {
			v.cycles[c.Time] = cycleRef{e, i}
		}
	}
	for at := range v.cycles {
		v.order = append(v.order, time.Unix(at, 0).UTC())
	}
	slices.SortFunc(v.order, time.Time.Compare)
	v.faults = append(v.faults, faults...)
	for _, e := range x.Files {
		if e.File.Missing {
			v.missing(e)
			continue
		}
		for _, f := range e.Faults {
			fault := Fault{Path: e.File.Name, Variable: v.name, Cycle: time.Unix(f.Time, 0).UTC()}
			if f.Implausible {
				fault.Err = implausibleError(e.File.Name, v.name, f.Why)
			} else {
				fault.Err = &UnusableError{Path: e.File.Name, Var: v.name, Why: f.Why, Remedy: "replace the file by a good one"}
			}
			v.faults = append(v.faults, fault)
		}
	}
	if v.findCopies(); a.options.Screen {
		v.leaveOutCopies()
	}
	slices.SortStableFunc(v.faults, func(a, b Fault) int { return a.Cycle.Compare(b.Cycle) })
	return nil
}

// findCopies notes cycles all of whose values are those of an earlier one, such as the
// fields of yesterday under the date of today.
func (v *variableArchive) findCopies() {
	v.copies = map[int64]string{}
	first := map[[32]byte]time.Time{}
	for _, c := range v.order {
		ref := v.cycles[c.Unix()]
		p := ref.entry.Cycles[ref.index].Pattern
		if earlier, found := first[p]; found && p != [32]byte{} {
			v.copies[c.Unix()] = "all its values are those of cycle " + earlier.Format(cycleFormat)
		} else {
			first[p] = c
		}
	}
}

func (v *variableArchive) leaveOutCopies() {
	v.order = slices.DeleteFunc(v.order, func(c time.Time) bool {
		why, is := v.copies[c.Unix()]
		if is {
			name := v.cycles[c.Unix()].entry.File.Name
			v.faults = append(v.faults, Fault{Path: name, Variable: v.name, Cycle: c, Err: implausibleError(name, v.name, why)})
			delete(v.cycles, c.Unix())
		}
		return is
	})
}

// missing records that a file has not the variable. That is a fault only when no other
// file has its cycles: variables may have files of their own.
func (v *variableArchive) missing(e *forecastEntry) {
	fault := Fault{Path: e.File.Name, Variable: v.name, Err: &MissingVarError{Path: e.File.Name, Var: v.name, Have: e.File.Have}}
	if len(e.Faults) == 0 && len(v.cycles) == 0 {
		v.faults = append(v.faults, fault)
	}
	for _, f := range e.Faults {
		if _, ok := v.cycles[f.Time]; !ok {
			fault.Cycle = time.Unix(f.Time, 0).UTC()
			v.faults = append(v.faults, fault)
		}
	}
}

func (a *Archive) openObservations(ctx context.Context, v *variableArchive, files []archiveFile) error {
	x, faults, err := a.observedFiles(ctx, v, files)
	if err != nil {
		return err
	}
	v.faults = append(v.faults, faults...)
	var without []Fault
	times := 0
	for _, e := range x.Files {
		for _, p := range e.Periods {
			times += len(p.Times)
		}
	}
	v.observed = make([]time.Time, 0, times)
	for _, e := range x.Files {
		if e.File.Missing {
			without = append(without, Fault{Path: e.File.Name, Variable: v.name, Err: &MissingVarError{Path: e.File.Name, Var: v.name, Have: e.File.Have}})
			continue
		}
		for i, p := range e.Periods {
			v.periods[p.Name] = append(v.periods[p.Name], observedRef{len(v.sources), e, i, 0})
			for _, at := range p.Times {
				v.observed = append(v.observed, time.Unix(at, 0).UTC())
			}
		}
		v.sources = append(v.sources, e)
	}
	slices.SortFunc(v.observed, time.Time.Compare)
	v.observed = slices.CompactFunc(v.observed, time.Time.Equal)
	if len(v.sources) == 0 { // else they may be files of other variables
		v.faults = append(v.faults, without...)
	}
	return nil
}

// newest is the last file with forecasts, nil when there is none.
func (v *variableArchive) newest() *forecastEntry {
	if len(v.order) == 0 {
		return nil
	}
	return v.cycles[v.order[len(v.order)-1].Unix()].entry
}

// fileUnits is the units of the variable in the newest forecast file.
func (v *variableArchive) fileUnits() string {
	if e := v.newest(); e != nil {
		return e.Described.Units
	}
	return ""
}

// observedNames lists the names by which observations of the variable may go, best
// first: as configured, or else as the forecasts name it.
func (v *variableArchive) observedNames(configured string) []string {
	if configured != "" {
		return []string{configured}
	}
	names := []string{v.name}
	if e := v.newest(); e != nil {
		d := e.Described
		for _, name := range []string{d.Name, d.StandardName, massName(d.StandardName)} {
			if name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// sum is the SHA-256 of a file; each file is read once for it, however many variables
// it has.
func (a *Archive) sum(file archiveFile) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s, ok := a.sums[file.path]; ok {
		return s, nil
	}
	s, err := fileSum(file.path)
	if err == nil {
		a.sums[file.path] = s
	}
	return s, err
}

func (a *Archive) variable(name string) (*variableArchive, error) {
	v, ok := a.variables[name]
	if !ok {
		return nil, fmt.Errorf("the archive was opened without variable %q", name)
	}
	return v, nil
}

// Cycles lists the cycles of a variable that have a usable forecast, ascending.
func (a *Archive) Cycles(variable string) []time.Time {
	if v, ok := a.variables[variable]; ok {
		return slices.Clone(v.order)
	}
	return nil
}

// Ensemble returns the raw forecast of a cycle. Its slice of values is the caller's; all
// else is shared and must not be changed. Where there is none, the error is what is
// wrong with the file of that cycle, a *MissingVarError or *UnusableError, or else a
// *MissingCycleError.
func (a *Archive) Ensemble(ctx context.Context, variable string, cycle time.Time) (*Ensemble, error) {
	v, err := a.variable(variable)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ref, ok := v.cycles[cycle.Unix()]
	if !ok {
		return nil, a.noForecast(v, cycle)
	}
	e, err := a.forecast(ctx, variable, ref.entry, ref.entry.Cycles[ref.index])
	if err != nil {
		return nil, fmt.Errorf("get forecast of %q at %s: %w", variable, cycle.UTC().Format(cycleFormat), err)
	}
	if v.at == nil {
		return e, nil
	}
	e, err = v.at.interpolate(ctx, v, e)
	if err != nil {
		return nil, fmt.Errorf("interpolate forecast of %q at %s: %w", variable, cycle.UTC().Format(cycleFormat), err)
	}
	return e, nil
}

// noForecast explains why a cycle has no forecast.
func (a *Archive) noForecast(v *variableArchive, cycle time.Time) error {
	missing := &MissingCycleError{Var: v.name, Cycle: cycle.UTC(), Place: a.forecastTemplate.text}
	for _, f := range v.faults {
		if !f.Cycle.IsZero() && f.Cycle.Equal(cycle) {
			return f.Err
		}
		if f.Cycle.IsZero() {
			missing.Faults = append(missing.Faults, f)
		}
	}
	if path := a.forecastTemplate.path(cycle.UTC()); path != "" {
		missing.Place = below(a.options.Root, path)
	}
	if n := len(v.order); n > 0 {
		missing.Latest = v.order[n-1].Format(cycleFormat)
	}
	return missing
}

// EnsembleHash is the hash of what Ensemble returns, without its source; zero when
// there is no forecast.
func (a *Archive) EnsembleHash(variable string, cycle time.Time) [32]byte {
	c := a.entry(variable, cycle)
	if c == nil {
		return [32]byte{}
	}
	if at := a.variables[variable].at; at != nil {
		return at.hash(c.Hash, cycle)
	}
	return c.Hash
}

// Warnings lists what is noteworthy of a cycle that can be used, as missing members.
func (a *Archive) Warnings(variable string, cycle time.Time) []string {
	if c := a.entry(variable, cycle); c != nil {
		return slices.Clone(c.Warnings)
	}
	return nil
}

// Doubt says what is not plausible of a cycle that is used: single values, which count as
// missing, or without Options.Screen all that would refuse it; "" when nothing is.
func (a *Archive) Doubt(variable string, cycle time.Time) string {
	c := a.entry(variable, cycle)
	switch {
	case c == nil:
		return ""
	case c.Doubt == "":
		return a.variables[variable].copies[cycle.Unix()]
	}
	return c.Doubt
}

// entry is what is known of a cycle; nil when there is none.
func (a *Archive) entry(variable string, cycle time.Time) *cycleEntry {
	if v, ok := a.variables[variable]; ok {
		if ref, ok := v.cycles[cycle.Unix()]; ok {
			return &ref.entry.Cycles[ref.index]
		}
	}
	return nil
}

// Notes lists what had to be assumed to read the files of the archive, each assumption
// once with the number of files it concerns.
func (a *Archive) Notes() []string {
	type origin struct {
		first string
		files int
	}
	seen := map[string]*origin{}
	add := func(e *fileEntry) {
		for _, n := range e.Notes {
			if seen[n] == nil {
				seen[n] = &origin{first: e.Name}
			}
			seen[n].files++
		}
	}
	for _, name := range a.options.Variables {
		for _, e := range a.variables[name].files {
			add(e.file())
		}
		for _, e := range a.variables[name].sources {
			add(e.file())
		}
	}
	var notes []string
	for n, o := range seen {
		if o.files > 1 {
			n = fmt.Sprintf("%s (%d files, the first is %s)", n, o.files, o.first)
		} else {
			n = fmt.Sprintf("%s (%s)", n, o.first)
		}
		notes = append(notes, n)
	}
	slices.Sort(notes)
	return notes
}

// Faults lists files and cycles that cannot be used: variable by variable, forecasts by
// cycle, then observations.
func (a *Archive) Faults() []Fault {
	var faults []Fault
	for _, name := range a.options.Variables {
		faults = append(faults, a.variables[name].faults...)
	}
	return faults
}

// NoObservations says why there are no observations although they are asked for: a
// *NoObservationsError, or nil. An archive that has just begun has none yet.
func (a *Archive) NoObservations() error { return a.noObservations }

// Observed returns what was measured at a valid time, nil when nothing was.
func (a *Archive) Observed(ctx context.Context, variable string, valid time.Time) (*Observed, error) {
	v, err := a.variable(variable)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	refs := v.refs(valid)
	if len(refs) == 0 {
		return nil, nil
	}
	if v.mismatch != nil {
		return nil, v.mismatch
	}
	o, err := a.observed(ctx, v, refs, valid.UTC())
	if err != nil {
		return nil, fmt.Errorf("get observations of %q at %s: %w", variable, valid.UTC().Format(cycleFormat), err)
	}
	return o, nil
}

// ObservedHash changes when what Observed returns changes; zero when there is nothing.
func (a *Archive) ObservedHash(variable string, valid time.Time) [32]byte {
	v, ok := a.variables[variable]
	if !ok || v.mismatch != nil {
		return [32]byte{}
	}
	refs := v.refs(valid)
	switch len(refs) {
	case 0:
		return [32]byte{}
	}
	// The files' parts in the order in which they are laid over each other: this may
	// change although the result does not, never the other way round.
	h := sha256.New()
	for _, ref := range refs {
		h.Write(ref.hash())
	}
	return [32]byte(h.Sum(nil))
}

// ObservedTimes lists the valid times of a variable that have observations, ascending.
func (a *Archive) ObservedTimes(variable string) []time.Time {
	v, ok := a.variables[variable]
	if !ok || v.mismatch != nil {
		return nil
	}
	return slices.Clone(v.observed)
}
