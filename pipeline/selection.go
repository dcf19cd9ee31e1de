package pipeline

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"sipipe/calibrate/noise"
	"sipipe/ingest"
)

// youngArchive is an archive without what lies before a date: calibrate.since.
type youngArchive struct {
	archive
	since time.Time
}

func (y *youngArchive) Cycles(variable string) []time.Time {
	return y.from(y.archive.Cycles(variable))
}

func (y *youngArchive) ObservedTimes(variable string) []time.Time {
	return y.from(y.archive.ObservedTimes(variable))
}

// from cuts ascending times.
func (y *youngArchive) from(times []time.Time) []time.Time {
	first, _ := slices.BinarySearchFunc(times, y.since, time.Time.Compare)
	return times[first:]
}

func (y *youngArchive) Ensemble(ctx context.Context, variable string, cycle time.Time) (*ingest.Ensemble, error) {
	if cycle.Before(y.since) {
		return nil, fmt.Errorf("cycle %s is left out by calibrate.since, %s: %w", formatCycle(cycle), formatDay(y.since), fs.ErrNotExist)
	}
	return y.archive.Ensemble(ctx, variable, cycle)
}

// withheld are stations whose observations nothing may learn from, so that forecasts
// of them are those of places without observations.
type withheld struct {
	stations []string
	parts    []part
	seed     uint64
}

// part k of n into which stations are dealt.
type part struct{ k, n int }

// newWithheld reads entries of calibrate.withhold: names of stations, and parts such
// as 2/5, the second of five.
func newWithheld(entries []string, seed uint64) (withheld, error) {
	w := withheld{seed: seed}
	for _, e := range entries {
		before, after, isPart := strings.Cut(e, "/")
		if !isPart {
			w.stations = append(w.stations, e)
			continue
		}
		k, err := strconv.Atoi(before)
		n, err2 := strconv.Atoi(after)
		if err != nil || err2 != nil || n < 2 || k < 1 || k > n {
			return w, fmt.Errorf("has %q; write a part of the stations as 2/5, the second of five", e)
		}
		w.parts = append(w.parts, part{k, n})
	}
	return w, nil
}

func (w withheld) none() bool { return len(w.stations) == 0 && len(w.parts) == 0 }

// of tells which stations of a variable are withheld. Parts are dealt in turn, so that
// their sizes differ by one at most, to stations in the order in which they are first
// observed; where that is at the same time, in an order drawn from the seed. A station
// that is new thus moves no other, and no result depends on observations to come.
func (w withheld) of(a archive, variable string) (func(id string) bool, error) {
	number := map[string]int{}
	if len(w.parts) > 0 {
		key := noise.Seed(w.seed).Text("withhold")
		for _, valid := range a.ObservedTimes(variable) {
			o, err := a.Observed(context.Background(), variable, valid)
			var broken *ingest.UnusableError
			if errors.As(err, &broken) || o == nil && err == nil {
				continue
			}
			if err != nil {
				return nil, err
			}
			fresh := slices.DeleteFunc(slices.Clone(o.ID), func(id string) bool { _, old := number[id]; return old })
			slices.SortFunc(fresh, func(a, b string) int {
				return cmp.Or(cmp.Compare(key.Text(a).Bits(0, 0), key.Text(b).Bits(0, 0)), strings.Compare(a, b))
			})
			for _, id := range fresh {
				number[id] = len(number)
			}
		}
	}
	return func(id string) bool {
		k, known := number[id]
		return slices.Contains(w.stations, id) ||
			known && slices.ContainsFunc(w.parts, func(p part) bool { return k%p.n == p.k-1 })
	}, nil
}

// learnable is an archive without the observations of withheld stations: what
// forecasts and baselines learn from.
type learnable struct {
	archive
	withheld withheld

	mu  sync.Mutex
	has map[string]func(id string) bool // by variable
}

// withholds tells which stations of a variable are left out.
func (l *learnable) withholds(variable string) (func(id string) bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if has, ok := l.has[variable]; ok {
		return has, nil
	}
	has, err := l.withheld.of(l.archive, variable)
	if err == nil {
		l.has[variable] = has
	}
	return has, err
}

// Observed is nil when no other station is left.
func (l *learnable) Observed(ctx context.Context, variable string, valid time.Time) (*ingest.Observed, error) {
	o, err := l.archive.Observed(ctx, variable, valid)
	if err != nil || o == nil {
		return o, err
	}
	withheld, err := l.withholds(variable)
	if err != nil {
		return nil, fmt.Errorf("deal stations for calibrate.withhold: %w", err)
	}
	kept := *o
	kept.ID, kept.Values = nil, nil
	for i, id := range o.ID {
		if !withheld(id) {
			kept.ID, kept.Values = append(kept.ID, id), append(kept.Values, o.Values[i])
		}
	}
	if len(kept.ID) == 0 {
		return nil, nil
	}
	return &kept, nil
}

// ObservedHash is that of what is left, so that what is withheld can change without
// anything being made again. Observations that cannot be read are those of the archive.
func (l *learnable) ObservedHash(variable string, valid time.Time) [32]byte {
	o, err := l.Observed(context.Background(), variable, valid)
	if err != nil {
		return l.archive.ObservedHash(variable, valid)
	}
	h := sha256.New()
	h.Write([]byte("learnable\n"))
	if o != nil {
		for i, id := range o.ID {
			fmt.Fprintf(h, "%d %s\n", len(id), id)
			_ = binary.Write(h, binary.LittleEndian, o.Values[i]) // of a hash: never fails
		}
	}
	return [32]byte(h.Sum(nil))
}

// selected is the archive as calibrate.since and calibrate.withhold leave it: as a
// whole, and what may be learned from.
func (s *session) selected(whole archive) (all, learning archive, err error) {
	all = whole
	if !s.Calibrate.Since.IsZero() {
		all = &youngArchive{all, s.Calibrate.Since}
	}
	w, err := newWithheld(s.Calibrate.Withhold, s.Calibrate.Seed)
	if err != nil {
		return nil, nil, err // which checkSelection has refused
	}
	if w.none() {
		return all, all, nil
	}
	return all, &learnable{archive: all, withheld: w, has: map[string]func(string) bool{}}, nil
}

// warnUnknown warns, once in a run, of names in calibrate.withhold that no station of a
// forecast has: nothing is withheld by a name that is misspelt.
func (w *workspace) warnUnknown(e *ingest.Ensemble) {
	for _, name := range w.Calibrate.Withhold {
		if strings.Contains(name, "/") || w.unknown[name] || slices.Contains(e.Places.ID, name) {
			continue
		}
		if w.unknown == nil {
			w.unknown = map[string]bool{}
		}
		w.unknown[name] = true
		w.log.Warn().Str("station", name).Str("file", e.Source.Path).
			Msg("calibrate.withhold names a station that this forecast does not have; write it as the file does (sipipe inspect shows its first stations), or remove it")
	}
}

// checkSelection refuses parts that cannot be.
func (l *Loaded) checkSelection(bad func(key, text string, args ...any)) {
	if _, err := newWithheld(l.Calibrate.Withhold, l.Calibrate.Seed); err != nil {
		bad("calibrate.withhold", "%v", err)
	}
}
