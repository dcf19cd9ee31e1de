package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"sipipe/calibrate"
	"sipipe/ingest"
	"sipipe/ingest/store"
)

// archive is what the pipeline asks of ingest.Archive.
type archive interface {
	calibrate.Archive
	Faults() []ingest.Fault
	// Warnings are what is noteworthy of a forecast that can be used.
	Warnings(variable string, cycle time.Time) []string
	// Doubt is what is not plausible of such a forecast.
	Doubt(variable string, cycle time.Time) string
	// Screened tells what Observed leaves out.
	Screened(ctx context.Context, variable string, valid time.Time) (screening, error)
}

// workspace is an open state folder with the archive read into it.
type workspace struct {
	*session
	store   *store.Store
	access  access
	archive archive
	// learning is the archive without what is withheld, for all that learns from it.
	learning archive
	close    func() error

	abandoned *Holder                       // the run before, if it was killed
	histories map[string]*calibrate.History // by variable
	unknown   map[string]bool               // names in calibrate.withhold that were warned of
}

// access says what a command does with the state folder. Values in the store are
// determined by the archive and replaced as a whole, so readers need no lock.
type access int

const (
	reading access = iota
	looking        // as reading, and leaves the state folder as it is
	writing        // products or models: one at a time
	tidying        // files away: as writing, but with little room too
	sharing        // products that others do not write: beside others that share
)

// reads tells whether the command makes no products.
func (a access) reads() bool { return a == reading || a == looking }

// alone tells whether the command wants the state folder for itself.
func (a access) alone() bool { return a == writing || a == tidying }

// with opens the workspace, lets work use it, and closes it.
func (s *session) with(ctx context.Context, a access, work func(*workspace) error) (err error) {
	w, err := s.open(ctx, a)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	return work(w)
}

// open opens the workspace. The caller must close it.
func (s *session) open(ctx context.Context, a access) (w *workspace, err error) {
	w, err = s.openStore(ctx, a)
	if err != nil {
		return w, err
	}
	if a == writing {
		err = s.checkSpace()
	}
	if err == nil {
		err = w.readArchive(ctx)
	}
	if err == nil && w.abandoned != nil {
		err = w.clearUp()
	}
	if err != nil {
		return w, errors.Join(err, w.close())
	}
	return w, nil
}

// readArchive reads what is new in the archive.
func (w *workspace) readArchive(ctx context.Context) error {
	whole, err := openArchive(ctx, w)
	if err != nil {
		return err
	}
	if w.archive, w.learning, err = w.selected(whole); err != nil {
		return err
	}
	return w.warnAhead()
}

// openStore opens the workspace without reading the archive.
func (s *session) openStore(ctx context.Context, a access) (w *workspace, err error) {
	w = &workspace{session: s, access: a, close: func() error { return nil }}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	dir := s.Resolve(s.State)
	if a.alone() {
		release, abandoned, err := acquireLock(ctx, dir, s.Operations.LockWait, thisProcess(s.global.args, s.global.clock()))
		if err != nil {
			return w, err
		}
		w.close, w.abandoned = release, abandoned
	}
	if a == sharing {
		release, err := shareLock(ctx, dir, s.Operations.LockWait)
		if err != nil {
			return w, err
		}
		w.close = release
	}
	if a == looking {
		scratch, err := os.MkdirTemp("", "sipipe-")
		if err != nil {
			return w, &OutputError{Path: os.TempDir(), Err: err}
		}
		w.store, w.close = store.Look(dir, scratch), func() error { return os.RemoveAll(scratch) }
	} else if w.store, err = store.Open(dir); err != nil {
		return w, &OutputError{Path: dir, Err: err}
	}
	w.store.OnDamage(func(e *store.CorruptError) {
		text := e.Error()
		if strings.HasPrefix(e.Key, shardsPrefix) && e.MovedTo != "" { // which merge does not make
			text = fmt.Sprintf("a shard cannot be used: %v; it was moved to %s", e.Err, e.MovedTo)
		}
		w.log.Warn().Str("key", e.Key).Msg(text)
	})
	if a.alone() {
		if err := errors.Join(w.store.Sweep(), sweepClaims(dir)); err != nil {
			return w, &OutputError{Path: dir, Err: err}
		}
	}
	return w, nil
}

// cycles are those with a forecast of any variable, ascending.
func (w *workspace) cycles() []time.Time {
	var all []time.Time
	for _, v := range w.Variables {
		all = append(all, w.archive.Cycles(v)...)
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// seen are the cycles with a forecast and those whose file is there but cannot be
// read, ascending: a run of the latter says what is wrong.
func (w *workspace) seen() []time.Time {
	all := w.cycles()
	for _, f := range w.archive.Faults() {
		if !f.Cycle.IsZero() {
			all = append(all, f.Cycle)
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// find is the cycle that is asked for. The latest may be one that cannot be read: to
// take the one before in its place would deliver an old forecast as a new one. It is none
// that is ahead of the clock, unless there are only such.
func (w *workspace) find(r cycleRequest) (time.Time, error) {
	if !r.latest {
		return r.at, nil
	}
	for _, c := range slices.Backward(w.timely(w.seen())) {
		if r.hour < 0 || c.Hour() == r.hour {
			return c, nil
		}
	}
	none := &NoCycleError{Forecasts: w.Ingest.Forecasts, Hour: r.hour}
	if faults := w.archive.Faults(); len(faults) > 0 && len(w.cycles()) == 0 {
		return time.Time{}, fmt.Errorf("%w: %w", none, faults[0].Err)
	}
	return time.Time{}, none
}

// within are those cycles that lie in a range, ascending.
func (w *workspace) within(all []time.Time, first, last time.Time) ([]time.Time, error) {
	in := slices.DeleteFunc(slices.Clone(all), func(c time.Time) bool { return c.Before(first) || c.After(last) })
	if len(in) == 0 {
		e := &NoCycleError{Forecasts: w.Ingest.Forecasts, Hour: -1, From: first, To: last}
		if len(all) > 0 {
			e.First, e.Last = all[0], all[len(all)-1]
		}
		return nil, e
	}
	return in, nil
}

// product is where the product of a cycle lies.
func (w *workspace) product(cycle time.Time) (string, error) {
	path, err := expandTemplate(w.Export.Path, cycle)
	if err != nil {
		return "", &ConfigError{Origin: w.Origins["export.path"], Key: "export.path", Text: err.Error()}
	}
	return w.Resolve(path), nil
}

// NoCycleError says that the archive has no forecast that fits a request.
type NoCycleError struct {
	Forecasts   string
	Hour        int       // asked for, -1: any
	From, To    time.Time // asked for; zero: any
	First, Last time.Time // of the archive; zero: it is empty
}

// Unwrap says that input is missing.
func (e *NoCycleError) Unwrap() error { return fs.ErrNotExist }

func (e *NoCycleError) Error() string {
	text := "no forecast"
	if e.Hour >= 0 {
		text += fmt.Sprintf(" of a %02d UTC cycle", e.Hour)
	}
	if !e.From.IsZero() {
		text += " from " + formatCycle(e.From) + " to " + formatCycle(e.To)
	}
	text += " in " + e.Forecasts
	if e.First.IsZero() {
		return text + "; check ingest.forecasts, and look at a file with sipipe inspect"
	}
	return text + "; the archive has cycles from " + formatCycle(e.First) + " to " + formatCycle(e.Last)
}
