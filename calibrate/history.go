package calibrate

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"sipipe/calibrate/frame"
	"sipipe/ingest"
)

// Archive is what calibration needs of the archive; ingest.Archive is one.
type Archive interface {
	// Cycles with forecasts, ascending.
	Cycles(variable string) []time.Time
	Ensemble(ctx context.Context, variable string, cycle time.Time) (*ingest.Ensemble, error)
	// Observed is nil when nothing was measured at that time.
	Observed(ctx context.Context, variable string, valid time.Time) (*ingest.Observed, error)
	// ObservedTimes are the valid times with observations, ascending.
	ObservedTimes(variable string) []time.Time
	EnsembleHash(variable string, cycle time.Time) [32]byte
	ObservedHash(variable string, valid time.Time) [32]byte
}

// Store keeps derived values; ingest/store.Store is one. All that is in it can
// be computed again from the archive.
type Store interface {
	Put(key string, version int, v any) error
	Get(key string, version int, v any) error
	List(prefix string) ([]string, error)
	Delete(key string) error
}

// Archived is the statistical forecast of one cycle as it was, or would have
// been, made at that cycle.
type Archived struct {
	Hash  [32]byte // of all that shaped it
	Cycle time.Time
	Leads []time.Duration
	Lead  []*frame.Prediction // [lead]
	// Unlike says that the means of the raw forecast are so far from recent ones, see
	// History.Unusual, that they are taken for wrong: nothing learns from it, and Drift
	// leaves it out.
	Unlike bool
}

// history versions: a change of meaning or layout of what is stored changes them.
const (
	archivedVersion = 12
	stateVersion    = 12
)

// History is the chain of archived statistical forecasts of one variable. Each
// link is made with what was available at its cycle, so a link depends on the
// archive up to that cycle only, and not on when or in how many runs it was made.
type History struct {
	archive  Archive
	store    Store
	variable string
	options  HistoryOptions
	root     [32]byte // hash of the options and of the versions

	cycles   []time.Time
	seen     []time.Time // valid times with observations
	contents [][32]byte  // [cycle] hash of the archive up to and with it
	hashes   [][32]byte  // [cycle] of that and root: of the link
	state    *chainState
}

// HistoryOptions say how archived forecasts are made.
type HistoryOptions struct {
	Delay        time.Duration // from valid time until an observation is there
	Exchangeable Exchangeable
	Frame        frame.Options
	Threads      int // leads worked on at once; no influence on the result
	// Clock says when the state of the chain is kept while many links are made; it has
	// no influence on the result. nil: at the first of a month, at the end, and when
	// ctx ends.
	Clock func() time.Time
}

// Exchangeable says whether members share their coefficients.
type Exchangeable string

// The choices of Exchangeable.
const (
	ExchangeableAuto Exchangeable = "auto" // no, when the file names the members' models and there are at most 20
	ExchangeableYes  Exchangeable = "yes"
	ExchangeableNo   Exchangeable = "no"
)

// maxNamedMembers is the most members that get a coefficient each.
const maxNamedMembers = 20

// Of tells whether the members of an ensemble are.
func (e Exchangeable) Of(ens *ingest.Ensemble) bool {
	switch e {
	case ExchangeableYes:
		return true
	case ExchangeableNo:
		return false
	}
	return len(ens.MemberNames) == 0 || len(ens.Members) > maxNamedMembers
}

// chainState is what the next link needs of the ones before.
type chainState struct {
	chainHead
	Frames []*frame.Frame // by lead
}

// Parts implements store.Parted: the frames of many stations are large.
func (st *chainState) Parts() iter.Seq[any] {
	return func(yield func(any) bool) {
		if !yield(&st.chainHead) {
			return
		}
		for l := range st.Leads {
			if l == len(st.Frames) { // being read
				st.Frames = append(st.Frames, &frame.Frame{})
			}
			if !yield(st.Frames[l]) {
				return
			}
		}
	}
}

// chainHead is the state without its frames.
type chainHead struct {
	Hash     [32]byte
	Cycle    time.Time
	Stations frame.Stations
	Leads    []time.Duration // ascending
	Working  Working
	// Members by number whose coefficients are kept apart; nil when exchangeable.
	Members []int32
	Pending []pending
}

// pending is an archived forecast whose observation was not there yet.
type pending struct {
	Cycle time.Time
	Lead  time.Duration
}

// NewHistory opens the history of a variable.
func NewHistory(a Archive, s Store, variable string, o HistoryOptions) (*History, error) {
	if o.Exchangeable == "" {
		o.Exchangeable = ExchangeableAuto
	}
	h := &History{archive: a, store: s, variable: variable, options: o, cycles: a.Cycles(variable), seen: a.ObservedTimes(variable)}
	text, err := json.Marshal(struct {
		Version int
		Delay   time.Duration
		Members Exchangeable
		Frame   frame.Options
		Specs   []frame.Spec
	}{archivedVersion, o.Delay, o.Exchangeable, o.Frame, h.specs()})
	if err != nil {
		return nil, err
	}
	h.root = sha256.Sum256(append([]byte(variable+"\n"), text...))
	h.hash()
	return h, nil
}

// hash computes the chain of hashes over the archive's index.
func (h *History) hash() {
	var at [32]byte
	next := 0
	h.contents, h.hashes = make([][32]byte, len(h.cycles)), make([][32]byte, len(h.cycles))
	for i, c := range h.cycles {
		d := sha256.New()
		d.Write(at[:])
		_ = binary.Write(d, binary.LittleEndian, c.Unix())
		e := h.archive.EnsembleHash(h.variable, c)
		d.Write(e[:])
		for ; next < len(h.seen) && !h.seen[next].Add(h.options.Delay).After(c); next++ {
			o := h.archive.ObservedHash(h.variable, h.seen[next])
			_ = binary.Write(d, binary.LittleEndian, h.seen[next].Unix())
			d.Write(o[:])
		}
		d.Sum(at[:0])
		h.contents[i], h.hashes[i] = at, h.rooted(at)
	}
}

// rooted is the hash of some content and of how it is made use of.
func (h *History) rooted(content [32]byte) [32]byte {
	return sha256.Sum256(slices.Concat(h.root[:], content[:]))
}

// available is the hash of all that was there at a time, and of the method.
func (h *History) available(at time.Time) [32]byte { return h.rooted(h.Content(at)) }

// Content is the hash of all that was there at a time: the cycles before and at it, and
// the observations available by then. It is the same in all versions of the program.
func (h *History) Content(at time.Time) [32]byte {
	n := h.before(at)
	var link [32]byte
	var from time.Time
	if n > 0 {
		link, from = h.contents[n-1], h.cycles[n-1]
	}
	d := sha256.New()
	d.Write(link[:])
	for _, v := range h.seen {
		if there := v.Add(h.options.Delay); (n > 0 && !there.After(from)) || there.After(at) {
			continue
		}
		o := h.archive.ObservedHash(h.variable, v)
		_ = binary.Write(d, binary.LittleEndian, v.Unix())
		d.Write(o[:])
	}
	var out [32]byte
	d.Sum(out[:0])
	return out
}

// Cycles up to and with the given one.
func (h *History) before(cycle time.Time) int {
	n, found := slices.BinarySearchFunc(h.cycles, cycle, time.Time.Compare)
	if found {
		n++
	}
	return n
}

func stamp(t time.Time) string { return t.UTC().Format("2006/01/2006010215") }

func (h *History) archivedKey(c time.Time) string { return "archived/" + h.variable + "/" + stamp(c) }

func (h *History) stateKey(c time.Time) string {
	return "chain/" + h.variable + "/" + c.UTC().Format("2006010215")
}

// At returns the archived forecast of a cycle, made now if it is not in the store;
// report, which may be nil, hears how many links of the chain are made.
func (h *History) At(ctx context.Context, cycle time.Time, report func(done, total int)) (*Archived, error) {
	n := h.before(cycle)
	if n == 0 || !h.cycles[n-1].Equal(cycle) {
		return nil, fmt.Errorf("%s: no forecast of cycle %s in the archive: %w", h.variable, cycle.Format(time.RFC3339), fs.ErrNotExist)
	}
	if a, ok := h.load(n - 1); ok {
		return a, nil
	}
	if err := h.advance(ctx, n-1, report); err != nil {
		return nil, err
	}
	a, ok := h.load(n - 1)
	if !ok {
		return nil, fmt.Errorf("%s: the archived forecast of %s is not in the store although it was just written: is the state folder shared with another run?", h.variable, cycle.Format(time.RFC3339))
	}
	return a, nil
}

// load reads link k if what is stored belongs to the archive as it is.
func (h *History) load(k int) (*Archived, bool) {
	var a Archived
	if err := h.store.Get(h.archivedKey(h.cycles[k]), archivedVersion, &a); err != nil || a.Hash != h.hashes[k] {
		return nil, false // whatever is wrong with it, it is made again
	}
	return &a, true
}

// advance makes all links up to k, from the latest state that fits.
func (h *History) advance(ctx context.Context, k int, report func(done, total int)) error {
	return h.advanceFrom(ctx, k, k, report)
}

// advanceFrom makes all links up to k, from the latest state that fits and is older
// than link from.
func (h *History) advanceFrom(ctx context.Context, from, k int, report func(done, total int)) error {
	st, first := h.resume(from)
	kept := h.now()
	for i := first; i <= k; i++ {
		if err := ctx.Err(); err != nil {
			if st.Cycle.IsZero() || i == first {
				return err
			}
			return errors.Join(err, h.saveState(st))
		}
		// A link that is left half-way has changed the state, which would be lost.
		if err := h.link(context.WithoutCancel(ctx), st, i); err != nil {
			h.state = nil
			var lost *lostError
			if errors.As(err, &lost) && lost.link < first {
				// The store has lost a link that this one learns from: make both.
				return h.advanceFrom(ctx, lost.link, k, report)
			}
			var broken *ingest.UnusableError
			if i < k && errors.As(err, &broken) {
				continue // a broken cycle of the past is left out, not a reason to stop
			}
			return fmt.Errorf("statistical forecast of %s: %w", h.cycles[i].Format(time.RFC3339), err)
		}
		if report != nil {
			report(i-first+1, k-first+1)
		}
		if i == k || h.cycles[i].Day() == 1 && h.cycles[i].Hour() == 0 || h.now().Sub(kept).Abs() >= checkpointEvery {
			kept = h.now()
			if err := h.saveState(st); err != nil {
				return err
			}
		}
	}
	h.state = st
	return nil
}

// now is the time by the clock of the options, or always the same.
func (h *History) now() time.Time {
	if h.options.Clock == nil {
		return time.Time{}
	}
	return h.options.Clock()
}

// resume returns the state to go on from and the first link to make, of those that
// come before link k.
func (h *History) resume(k int) (*chainState, int) {
	fits := func(st *chainState) int {
		i, found := slices.BinarySearchFunc(h.cycles, st.Cycle, time.Time.Compare)
		if !found || i >= k || h.hashes[i] != st.Hash {
			return -1
		}
		return i
	}
	if h.state != nil {
		if i := fits(h.state); i >= 0 {
			return h.state, i + 1
		}
	}
	keys, err := h.store.List("chain/" + h.variable + "/")
	if err == nil {
		for _, key := range slices.Backward(keys) {
			var st chainState
			if h.store.Get(key, stateVersion, &st) != nil {
				continue
			}
			if i := fits(&st); i >= 0 {
				return &st, i + 1
			}
		}
	}
	return &chainState{}, 0
}

// statesKept are the latest snapshots kept beside the first of each month, so
// that a late file or a run of last week does not start from the beginning.
const statesKept = 4

func (h *History) saveState(st *chainState) error {
	if err := h.store.Put(h.stateKey(st.Cycle), stateVersion, st); err != nil {
		return fmt.Errorf("save the state of the statistical forecast: %w", err)
	}
	keys, err := h.store.List("chain/" + h.variable + "/")
	if err != nil {
		return err
	}
	for i, key := range keys {
		// Keys end in yyyymmddhh.
		monthly := len(key) >= 4 && key[len(key)-4:] == "0100"
		if i < len(keys)-statesKept && !monthly {
			if err := h.store.Delete(key); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// link makes the archived forecast of cycle i and brings st up to it.
func (h *History) link(ctx context.Context, st *chainState, i int) error {
	cycle := h.cycles[i]
	ens, err := h.archive.Ensemble(ctx, h.variable, cycle)
	if err != nil {
		return err
	}
	if st.Working.Name == "" {
		st.Working = WorkingSpace(ens.Variable)
		if !h.options.Exchangeable.Of(ens) {
			st.Members = slices.Clone(ens.Members)
		}
	}
	if err := h.absorb(ctx, st, cycle); err != nil {
		return err
	}
	station := st.Stations.Lookup(ens.Places.ID, ens.Places.Latitude, ens.Places.Longitude, ens.Places.Altitude)
	_, unlike, err := h.Unusual(ctx, ens)
	if err != nil {
		return err
	}
	out := &Archived{Hash: h.hashes[i], Cycle: cycle, Leads: ens.Leads, Lead: make([]*frame.Prediction, len(ens.Leads)), Unlike: unlike}
	st.Stations.Prepare(h.specs())
	for _, lead := range ens.Leads {
		if at, found := slices.BinarySearch(st.Leads, lead); !found {
			o := h.options.Frame
			o.Exchangeable = st.Members == nil
			o.Censored = st.Working.Censored
			st.Leads = slices.Insert(st.Leads, at, lead)
			st.Frames = slices.Insert(st.Frames, at, frame.New(o))
		}
		if !unlike {
			st.Pending = append(st.Pending, pending{cycle, lead})
		}
	}
	g, _ := errgroup.WithContext(ctx)
	g.SetLimit(max(1, h.options.Threads))
	for l, lead := range ens.Leads {
		at, _ := slices.BinarySearch(st.Leads, lead)
		g.Go(func() error {
			var err error
			f, c := st.Frames[at], st.casesOf(ens, l, station)
			if out.Lead[l], err = f.Predict(&st.Stations, c); err == nil && !unlike {
				f.Note(&st.Stations, c)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if err := h.store.Put(h.archivedKey(cycle), archivedVersion, out); err != nil {
		return fmt.Errorf("save the archived forecast of %s: %w", cycle.Format(time.RFC3339), err)
	}
	st.Cycle, st.Hash = cycle, h.hashes[i]
	return nil
}

func (h *History) specs() []frame.Spec {
	if h.options.Frame.Experts != nil {
		return h.options.Frame.Experts
	}
	return frame.DefaultExperts()
}

// absorb lets the frames learn from the observations that have become available.
func (h *History) absorb(ctx context.Context, st *chainState, now time.Time) error {
	var due, later []pending
	for _, p := range st.Pending {
		if p.Cycle.Add(p.Lead + h.options.Delay).After(now) {
			later = append(later, p)
		} else {
			due = append(due, p)
		}
	}
	st.Pending = later
	slices.SortStableFunc(due, func(a, b pending) int {
		if c := a.Cycle.Add(a.Lead).Compare(b.Cycle.Add(b.Lead)); c != 0 {
			return c
		}
		return a.Cycle.Compare(b.Cycle)
	})
	// Frames are independent of each other; a cycle is read once for all its leads.
	byLead := map[time.Duration][]*dueCase{}
	read := map[time.Time]*dueCycle{}
	for _, p := range due {
		c, err := h.due(ctx, st, p, read)
		if err != nil {
			return err
		}
		if c != nil {
			byLead[p.Lead] = append(byLead[p.Lead], c)
		}
	}
	g, _ := errgroup.WithContext(ctx)
	g.SetLimit(max(1, h.options.Threads))
	for l, lead := range st.Leads {
		g.Go(func() error {
			for _, c := range byLead[lead] {
				if err := st.Frames[l].Update(&st.Stations, c.cases, c.observed, c.prediction); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

type dueCase struct {
	cases      *frame.Cases
	observed   []float32
	prediction *frame.Prediction
}

// lostError says that a link of the chain is not in the store, or damaged there.
type lostError struct {
	link int
	err  error
}

func (e *lostError) Error() string {
	return "an archived forecast is lost; run again: " + e.err.Error()
}

func (e *lostError) Unwrap() error { return e.err }

// outline is what of an archived forecast tells which cases it has.
type outline struct {
	cycle  time.Time
	leads  []time.Duration // of those mature
	places []int           // [lead]
	awake  []int           // [lead] experts that spoke
}

func (a *Archived) outline() *outline {
	o := &outline{cycle: a.Cycle}
	for l, p := range a.Lead {
		if p.Mature() && !a.Unlike {
			o.leads, o.places, o.awake = append(o.leads, a.Leads[l]), append(o.places, len(p.Mu)), append(o.awake, p.Awake())
		}
	}
	return o
}

// mend makes all links up to k that are lost, and outlines those that are there, nil
// where a forecast cannot be read. Only one link at a time is in memory.
func (h *History) mend(ctx context.Context, k int) ([]*outline, error) {
	for range 2 {
		links := make([]*outline, k+1)
		lost := -1
		for i := range links {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if a, ok := h.load(i); ok {
				links[i] = a.outline()
			} else if lost < 0 && h.usable(ctx, i) {
				lost = i
			}
		}
		if lost < 0 {
			return links, nil
		}
		h.state = nil
		if err := h.advanceFrom(ctx, lost, h.lastUsable(ctx, k), nil); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s: archived forecasts that were just written are not in the store: is the state folder shared with another run?", h.variable)
}

// usable tells whether the forecast of link i can be read.
func (h *History) usable(ctx context.Context, i int) bool {
	_, err := h.archive.Ensemble(ctx, h.variable, h.cycles[i])
	return err == nil
}

// lastUsable is the last link up to k whose forecast can be read, or k.
func (h *History) lastUsable(ctx context.Context, k int) int {
	for i := k; i >= 0; i-- {
		if h.usable(ctx, i) {
			return i
		}
	}
	return k
}

// dueCycle is what is read of a cycle for all of its leads.
type dueCycle struct {
	ensemble *ingest.Ensemble
	archived Archived
	station  []int
}

// due gathers what an archived forecast and its observations were; nil when
// there is no observation.
func (h *History) due(ctx context.Context, st *chainState, p pending, read map[time.Time]*dueCycle) (*dueCase, error) {
	obs, err := h.archive.Observed(ctx, h.variable, p.Cycle.Add(p.Lead))
	if err != nil || obs == nil {
		return nil, err
	}
	c := read[p.Cycle]
	if c == nil {
		if c, err = h.readCycle(ctx, p.Cycle); err != nil {
			var broken *ingest.UnusableError
			if errors.As(err, &broken) {
				return nil, err
			}
			return nil, &lostError{h.before(p.Cycle) - 1, err}
		}
		q := c.ensemble.Places
		c.station = st.Stations.Lookup(q.ID, q.Latitude, q.Longitude, q.Altitude)
		read[p.Cycle] = c
	}
	l, found := slices.BinarySearch(c.ensemble.Leads, p.Lead)
	if !found || l >= len(c.archived.Lead) {
		return nil, nil
	}
	return &dueCase{st.casesOf(c.ensemble, l, c.station), observedAt(c.ensemble.Places, obs, WorkingSpace(c.ensemble.Variable)), c.archived.Lead[l]}, nil
}

// casesOf brings one lead of an ensemble into working space, with the members in
// the order of those whose coefficients are kept apart.
func (st *chainState) casesOf(ens *ingest.Ensemble, l int, station []int) *frame.Cases {
	m, n := len(ens.Members), ens.Places.Len()
	c := &frame.Cases{
		Day:     dayOf(ens.Cycle.Add(ens.Leads[l])),
		Cycle:   dayOf(ens.Cycle),
		Station: station,
		Members: m,
		Values:  ens.Values[l*n*m : (l+1)*n*m],
	}
	if st.Members != nil && !slices.Equal(st.Members, ens.Members) {
		c.Members = len(st.Members)
		c.Values = Realign(c.Values, n, ens.Members, st.Members)
	}
	if !st.Working.Identity() {
		c.Values = slices.Clone(c.Values)
		for i, v := range c.Values {
			c.Values[i] = st.Working.Forward(v)
		}
	}
	return c
}

// Realign picks the wanted members by number; those that are not there are missing.
func Realign(values []float32, n int, have, want []int32) []float32 {
	out := make([]float32, n*len(want))
	for j, number := range want {
		k := slices.Index(have, number)
		for i := range n {
			v := float32(math.NaN())
			if k >= 0 {
				v = values[i*len(have)+k]
			}
			out[i*len(want)+j] = v
		}
	}
	return out
}

// observedAt aligns observations with places, in working space; NaN = missing.
func observedAt(p *ingest.Places, o *ingest.Observed, w Working) []float32 {
	y := make([]float32, p.Len())
	for i, id := range p.ID {
		y[i] = float32(math.NaN())
		if k, ok := slices.BinarySearch(o.ID, id); ok && w.Plausible(o.Values[k]) {
			y[i] = w.Forward(o.Values[k])
		}
	}
	return y
}

// dayOf counts days since 1970-01-01.
func dayOf(t time.Time) float64 { return float64(t.Unix()) / 86400 }
