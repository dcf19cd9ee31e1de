package ingest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"time"

	"sipipe/ingest/ncio"
)

// forecastEntry is what the index remembers of a forecast file.
type forecastEntry struct {
	File      fileEntry
	Described Variable     // with standard name and units as in the file
	Cycles    []cycleEntry // ascending, each once
	Faults    []cycleFault
}

// cycleEntry says where a cycle is stored.
type cycleEntry struct {
	Time     int64 // seconds since 1970
	Hash     [32]byte
	Block    string // store key
	At       int    // position in the block
	Warnings []string
	Doubt    string   // what is not plausible of it although it is used; "" when nothing is
	Pattern  [32]byte // see pattern
}

// cycleFault is a cycle of a good file that cannot be used.
type cycleFault struct {
	Time        int64
	Why         string
	Implausible bool // found by Implausible
}

func (e *forecastEntry) file() *fileEntry { return &e.File }

func (e *forecastEntry) keys() []string {
	var keys []string
	for _, c := range e.Cycles {
		if len(keys) == 0 || keys[len(keys)-1] != c.Block {
			keys = append(keys, c.Block)
		}
	}
	return keys
}

// blockHead describes some consecutive cycles of one file as they are stored. Several
// are kept together because an archive of years has thousands, often of a few bytes only.
type blockHead struct {
	Variable    Variable
	Leads       []time.Duration
	Members     []int32
	MemberNames []string
	Places      *Places // of a grid without identifiers
	Cycles      []int64
}

// forecastBlock is a block with its values.
type forecastBlock struct {
	blockHead
	Values []float32 // [cycle, lead, place, member]
}

// Parts implements store.Parted.
func (b *forecastBlock) Parts() iter.Seq[any] {
	return func(yield func(any) bool) { _ = yield(&b.blockHead) && yield(&b.Values) }
}

const (
	blockValues = 1 << 20 // values after which a block is full: 4 MiB
	blockCycles = 512
)

// variablePrefix is where the store keeps what belongs to a variable. The name is
// escaped because variables of groups contain slashes.
func variablePrefix(kind, variable string) string { return kind + "/" + url.PathEscape(variable) + "/" }

// forecastFiles brings the stored forecasts of a variable in line with the files of
// the archive. Faults concern files that are left out.
func (a *Archive) forecastFiles(ctx context.Context, variable string, files []archiveFile) (*index[*forecastEntry], []Fault, error) {
	s := syncer[*forecastEntry]{
		archive: a, variable: variable, prefix: variablePrefix("forecasts", variable),
		fingerprint: fingerprint(a.options.Units, a.options.Dims, a.options.Forecasts, a.options.Screen),
		read: func(ctx context.Context, file archiveFile, sum string, old *forecastEntry) (*forecastEntry, error) {
			return a.readForecasts(ctx, variable, file, sum, old)
		},
		faultTime: func(file archiveFile) time.Time {
			s, _ := file.stamp()
			at, _ := s.time()
			return at
		},
	}
	return s.run(ctx, files)
}

// forecastReader understands a file as the options say.
func (a *Archive) forecastReader(f *ncio.File, variable string, named stamp) (*forecastReader, error) {
	r, err := newForecastReader(f, variable, parseOptions{Dims: a.options.Dims, Units: a.options.Units}, named)
	if err == nil {
		r.screens = a.options.Screen
	}
	return r, err
}

// readForecasts reads a file into the store. old is what is known of an earlier state
// of it, nil if nothing: of a file that has grown only new cycles are read, after it
// was made sure that the newest stored ones are still the same.
func (a *Archive) readForecasts(ctx context.Context, variable string, file archiveFile, sum string, old *forecastEntry) (*forecastEntry, error) {
	f, err := ncio.Open(ctx, file.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	named, dated := file.stamp()
	if !dated {
		return nil, &UnusableError{Path: file.name, Why: "the digits of its name are not a date", Remedy: "rename it, or narrow ingest.forecasts"}
	}
	e := &forecastEntry{File: fileEntry{Name: file.name, State: file.state, SHA256: sum}}
	r, err := a.forecastReader(f, variable, named)
	if missing := (*MissingVarError)(nil); errors.As(err, &missing) {
		e.File.Missing, e.File.Have = true, missing.Have
		e.Faults = cyclesWithout(f, missing.Have, named)
		return e, nil
	}
	if err != nil {
		return nil, err
	}
	e.File.Notes, e.Described = r.notes, r.described
	position := r.lastOf()
	kept, err := r.stillThere(ctx, old, position)
	if err != nil {
		return nil, err
	}
	e.Cycles = kept
	known := map[int64]bool{}
	for _, c := range kept {
		known[c.Time] = true
	}
	w := blockWriter{archive: a, reader: r, entry: e, prefix: variablePrefix("forecasts", variable), id: contentKey(file.name, sum)}
	wanted := func(c cycleAt) bool { return position[c.time.Unix()] == c && !known[c.time.Unix()] }
	if err := r.read(ctx, wanted, w.add); err != nil {
		return nil, err
	}
	if err := w.flush(); err != nil {
		return nil, err
	}
	slices.SortFunc(e.Cycles, func(x, y cycleEntry) int { return int(x.Time - y.Time) })
	return e, f.Close()
}

// lastOf maps each cycle to its last place in the file: should a cycle occur twice,
// the later one counts.
func (r *forecastReader) lastOf() map[int64]cycleAt {
	m := make(map[int64]cycleAt, len(r.cycles))
	for _, c := range r.cycles {
		m[c.time.Unix()] = c
	}
	if d := len(r.cycles) - len(m); d > 0 {
		r.notes = append(r.notes, fmt.Sprintf("%d cycles occur again in the file; the last of each counts", d))
	}
	return m
}

// verifyCycles is how many of the newest stored cycles of a file that has grown are
// read again and compared. If they are the same, so are the older ones: archives that
// are appended to do not change their past, and one whose places, members or units
// change does so for all cycles at once.
const verifyCycles = 3

// stillThere returns the stored cycles of an earlier state of the file that hold for
// the present one: all, or none when anything suggests that they may not.
func (r *forecastReader) stillThere(ctx context.Context, old *forecastEntry, position map[int64]cycleAt) ([]cycleEntry, error) {
	if old == nil || old.File.Missing || len(old.Cycles) == 0 || len(position) <= len(old.Cycles) || len(old.Faults) > 0 {
		return nil, nil
	}
	for _, c := range old.Cycles {
		if _, ok := position[c.Time]; !ok {
			return nil, nil
		}
	}
	newest := map[int64][32]byte{}
	for _, c := range old.Cycles[max(len(old.Cycles)-verifyCycles, 0):] {
		newest[c.Time] = c.Hash
	}
	equal := true
	err := r.read(ctx,
		func(c cycleAt) bool {
			_, ok := newest[c.time.Unix()]
			return ok && position[c.time.Unix()] == c
		},
		func(c cycleAt, values []float32) error {
			ens := r.ensemble(c.time, values)
			r.screen(ens)
			equal = equal && newest[c.time.Unix()] == ensembleHash(ens)
			return nil
		})
	if err != nil || !equal {
		return nil, err
	}
	return slices.Clone(old.Cycles), nil
}

// ensemble is the forecast of one cycle.
func (r *forecastReader) ensemble(cycle time.Time, values []float32) *Ensemble {
	return &Ensemble{
		Variable: r.variable, Cycle: cycle, Leads: r.leads,
		Members: r.members, MemberNames: r.names, Places: r.places, Values: values,
	}
}

// screen says why a forecast cannot be right; "" when it can. Values that its variable cannot
// have become missing. With doubt it is used, and as it is if nothing is to be screened.
func (r *forecastReader) screen(e *Ensemble) (refused, doubt string) {
	why := Implausible(e)
	switch {
	case !r.screens:
		return "", why
	case why != "":
		return why, ""
	}
	n, first := leaveOutImpossible(e)
	switch {
	case n == 0:
		return "", ""
	case !slices.ContainsFunc(e.Values, func(v float32) bool { return v == v }):
		return "the variable can have none of its values: " + first, ""
	}
	return "", fmt.Sprintf("%d of %d values count as missing, because the variable cannot have them: %s for one", n, len(e.Values), first)
}

// cyclesWithout lists the cycles of a file that has not the wanted variable, as far as
// its path or another variable tells.
func cyclesWithout(f *ncio.File, have []string, named stamp) []cycleFault {
	if at, ok := named.time(); ok {
		return []cycleFault{{Time: at.Unix()}}
	}
	h := newHeader(f.Path(), f.Vars(), nil)
	for _, name := range have {
		v, err := h.variable(name)
		if err != nil {
			continue
		}
		l, err := resolve(h, v)
		if err != nil {
			continue
		}
		t, _, err := readTiming(f, h, l, named)
		if err != nil {
			continue
		}
		var faults []cycleFault
		for _, at := range t.cycles {
			if !at.IsZero() {
				faults = append(faults, cycleFault{Time: at.Unix()})
			}
		}
		return faults
	}
	return nil
}

// blockWriter collects cycles into blocks and stores them.
type blockWriter struct {
	archive    *Archive
	reader     *forecastReader
	entry      *forecastEntry
	prefix, id string
	block      *forecastBlock
	first      int // position of the block's first cycle in entry.Cycles
}

// add takes one cycle.
func (w *blockWriter) add(c cycleAt, values []float32) error {
	r := w.reader
	if why, bad := r.faults[c.position]; bad {
		at := c.time
		if named, ok := r.named.time(); ok && !r.named.agrees(at) {
			at = named // the cycle that people will miss
		}
		w.entry.Faults = append(w.entry.Faults, cycleFault{Time: at.Unix(), Why: why})
		return nil
	}
	ens := r.ensemble(c.time, values)
	refused, doubt := r.screen(ens)
	if refused != "" {
		w.entry.Faults = append(w.entry.Faults, cycleFault{Time: c.time.Unix(), Why: refused, Implausible: true})
		return nil
	}
	warnings, empty := r.gaps(values)
	if empty {
		// Reforecasts are published with whole years blanked out: they are just not there.
		if !r.l.has(roleYear) {
			w.entry.Faults = append(w.entry.Faults, cycleFault{Time: c.time.Unix(), Why: "all its values are missing"})
		}
		return nil
	}
	if w.block == nil {
		w.first = len(w.entry.Cycles)
		w.block = newBlock(r)
		cycles := min(blockCycles, blockValues/len(values)+1, len(r.cycles))
		w.block.Values = make([]float32, 0, len(values)*cycles)
	}
	w.entry.Cycles = append(w.entry.Cycles, cycleEntry{
		Time: c.time.Unix(), Hash: ensembleHash(ens),
		At: len(w.block.Cycles), Warnings: append(warnings, r.warnings...),
		Doubt: doubt, Pattern: pattern(ens),
	})
	w.block.Cycles = append(w.block.Cycles, c.time.Unix())
	w.block.Values = append(w.block.Values, values...)
	if len(w.block.Values) >= blockValues || len(w.block.Cycles) >= blockCycles {
		return w.flush()
	}
	return nil
}

func newBlock(r *forecastReader) *forecastBlock {
	places := *r.places
	if places.Grid != nil {
		places.ID = nil
	}
	return &forecastBlock{blockHead: blockHead{Variable: r.variable, Leads: r.leads, Members: r.members, MemberNames: r.names, Places: &places}}
}

// flush stores the block in work.
func (w *blockWriter) flush() error {
	if w.block == nil {
		return nil
	}
	first := time.Unix(w.block.Cycles[0], 0).UTC()
	key := w.prefix + first.Format("2006/01/2006010215") + "-" + w.id
	if first.Minute() != 0 || first.Second() != 0 {
		key = w.prefix + first.Format("2006/01/20060102150405") + "-" + w.id
	}
	for i := w.first; i < len(w.entry.Cycles); i++ {
		w.entry.Cycles[i].Block = key
	}
	err := w.archive.put(key, w.block)
	w.block = nil
	return err
}

// forecast returns one stored cycle. A block that is damaged or gone is made again
// from its file.
func (a *Archive) forecast(ctx context.Context, variable string, e *forecastEntry, c cycleEntry) (*Ensemble, error) {
	block, err := a.forecastBlock(ctx, variable, e, c.Block)
	if err != nil {
		return nil, err
	}
	n := len(block.Leads) * block.Places.Len() * len(block.Members)
	if c.At >= len(block.Cycles) || block.Cycles[c.At] != c.Time || len(block.Values) != n*len(block.Cycles) {
		return nil, fmt.Errorf("stored block %q does not hold cycle %d; delete the state folder", c.Block, c.Time)
	}
	values := block.Values[n*c.At : n*(c.At+1)]
	if len(block.Cycles) > 1 { // it may be kept, and the values are the caller's
		values = slices.Clone(values)
	}
	return &Ensemble{
		Variable: block.Variable, Cycle: time.Unix(c.Time, 0).UTC(),
		Leads: block.Leads, Members: block.Members, MemberNames: block.MemberNames, Places: block.Places,
		Values: values,
		Source: Source{Path: e.File.Name, SHA256: e.File.SHA256},
	}, nil
}

func (a *Archive) forecastBlock(ctx context.Context, variable string, e *forecastEntry, key string) (*forecastBlock, error) {
	if v, ok := a.cache.get(key); ok {
		return v.(*forecastBlock), nil
	}
	block := &forecastBlock{}
	err := a.store.Get(key, formatVersion, block)
	if lost(err) {
		block, err = a.restoreForecasts(ctx, variable, e, key)
	}
	if err != nil {
		return nil, err
	}
	if block.Places.Grid != nil && block.Places.ID == nil {
		block.Places.ID = cellIDs(block.Places.Grid)
	}
	if len(block.Cycles) > 1 { // a block of one cycle is seldom wanted twice
		a.cache.add(key, block, 4*len(block.Values)+100*block.Places.Len())
	}
	return block, nil
}

// restoreForecasts makes one block again.
func (a *Archive) restoreForecasts(ctx context.Context, variable string, e *forecastEntry, key string) (*forecastBlock, error) {
	file, err := a.locate(a.forecastTemplate, e.file())
	if err != nil {
		return nil, err
	}
	f, err := ncio.Open(ctx, file.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	named, _ := file.stamp()
	r, err := a.forecastReader(f, variable, named)
	if err != nil {
		return nil, err
	}
	wanted := map[int64]cycleEntry{}
	for _, c := range e.Cycles {
		if c.Block == key {
			wanted[c.Time] = c
		}
	}
	values := make([][]float32, len(wanted))
	position := r.lastOf()
	err = r.read(ctx,
		func(c cycleAt) bool {
			_, ok := wanted[c.time.Unix()]
			return ok && position[c.time.Unix()] == c
		},
		func(c cycleAt, v []float32) error {
			w := wanted[c.time.Unix()]
			ens := r.ensemble(c.time, v)
			r.screen(ens)
			if ensembleHash(ens) != w.Hash {
				return &UnusableError{Path: file.name, Var: variable, Why: errChanged.Error(), Remedy: "run again", Err: errChanged}
			}
			values[w.At] = v
			return nil
		})
	if err != nil {
		return nil, err
	}
	block := newBlock(r)
	block.Cycles = make([]int64, len(wanted))
	for _, c := range wanted {
		block.Cycles[c.At] = c.Time
	}
	for _, v := range values {
		block.Values = append(block.Values, v...)
	}
	return block, a.put(key, block)
}
