package pipeline

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"sipipe/calibrate"
	"sipipe/ingest"
)

// screenedArchive leaves out observations that cannot have been made, so that all that
// learns from them, and verification, see the same ones. The log is told once a variable,
// with an example, and of each file by one run only.
type screenedArchive struct {
	*ingest.Archive
	log     zerolog.Logger
	notices *notices // of files with such observations
	times   map[string][]time.Time

	mu   sync.Mutex
	told map[string]bool // by variable
}

func newScreenedArchive(a *ingest.Archive, log zerolog.Logger, n *notices, variables []string) *screenedArchive {
	s := &screenedArchive{Archive: a, log: log, notices: n, times: map[string][]time.Time{}, told: map[string]bool{}}
	for _, v := range variables {
		s.times[v] = a.ObservedTimes(v)
	}
	return s
}

// screening is what became of the observations of a valid time.
type screening struct {
	all, out int    // observations, and those of them that are left out
	why      string // of the first that is left out
}

// Observed is that of the archive without what is not plausible; nil when none is left.
func (s *screenedArchive) Observed(ctx context.Context, variable string, valid time.Time) (*ingest.Observed, error) {
	o, _, err := s.screen(ctx, variable, valid)
	return o, err
}

// Screened tells what is left out of the observations of a valid time.
func (s *screenedArchive) Screened(ctx context.Context, variable string, valid time.Time) (screening, error) {
	_, result, err := s.screen(ctx, variable, valid)
	return result, err
}

func (s *screenedArchive) screen(ctx context.Context, variable string, valid time.Time) (*ingest.Observed, screening, error) {
	o, err := s.Archive.Observed(ctx, variable, valid)
	if err != nil || o == nil {
		return o, screening{}, err
	}
	all := screening{all: len(o.Values)}
	stuck, err := s.stuck(ctx, variable, o)
	if err != nil {
		return nil, all, err
	}
	space := calibrate.WorkingSpace(o.Variable)
	wrong := func(v float32) bool { return stuck || !space.Plausible(v) }
	first := slices.IndexFunc(o.Values, wrong)
	if first < 0 {
		return o, all, nil // as nearly always
	}
	if all.why = fmt.Sprintf("%g %s at %s", o.Values[first], o.Variable.Units, o.ID[first]); stuck {
		all.why = fmt.Sprintf("all stations have %g %s", o.Values[first], o.Variable.Units)
	}
	s.tell(variable, o, first, stuck)
	kept := *o
	kept.ID, kept.Values = nil, nil
	for i, v := range o.Values {
		if !wrong(v) {
			kept.ID, kept.Values = append(kept.ID, o.ID[i]), append(kept.Values, v)
		}
	}
	all.out = all.all - len(kept.Values)
	if all.out == all.all {
		return nil, all, nil
	}
	return &kept, all, nil
}

// Observations are stuck when so many values in a row, at all stations and back in time,
// are one, and come from so many stations or have lasted so long that it is no chance.
const (
	stuckValues   = 8
	stuckStations = 4
	stuckTime     = 3 * 24 * time.Hour
)

// stuck tells whether all stations have one value, which is no bound of the variable, as
// a program that fills a file makes them. Only earlier observations are looked at beside.
func (s *screenedArchive) stuck(ctx context.Context, variable string, o *ingest.Observed) (bool, error) {
	value, stations, count := o.Values[0], len(o.Values), 0
	if ingest.AtBound(o.Variable, value) {
		return false, nil
	}
	times := s.times[variable]
	k, _ := slices.BinarySearchFunc(times, o.Valid, time.Time.Compare)
	for at := o; ; {
		if slices.ContainsFunc(at.Values, func(v float32) bool { return v != value }) {
			return false, nil
		}
		count += len(at.Values)
		if count >= stuckValues && (stations >= stuckStations || o.Valid.Sub(at.Valid) >= stuckTime) {
			return true, nil
		}
		if k--; k < 0 {
			return false, nil
		}
		before, err := s.Archive.Observed(ctx, variable, times[k])
		if err != nil || before == nil {
			return false, err
		}
		at = before
	}
}

// tell warns of the first value of a variable that is left out.
func (s *screenedArchive) tell(variable string, o *ingest.Observed, i int, stuck bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.told[variable] {
		return
	}
	if s.notices.write {
		what := variable + " " + o.Source.Path
		if s.notices.known[what] {
			return
		}
		known := maps.Clone(s.notices.known)
		known[what] = true
		if err := s.notices.keep(known); err != nil {
			s.log.Debug().Msg("the warning that follows will be repeated: " + err.Error())
		}
	}
	s.told[variable] = true
	why := "that are not plausible, this is the first; check the units in the file, or set ingest.observed_units"
	if stuck {
		why = "that are the same at all stations, this is the first; replace the file"
	}
	s.log.Warn().Str("file", o.Source.Path).Str("variable", variable).Str("station", o.ID[i]).
		Time("valid", o.Valid.UTC()).Float32("value", o.Values[i]).Str("units", o.Variable.Units).
		Msg("left out: observations " + why)
}

// screenedDays are the latest days with observations of which most should be of use.
const screenedDays = 3

// checkObservations notes what share of the latest observations is left out, and marks the
// product when it is more than half: what is learned then stands on old ones.
func (j *job) checkObservations(ctx context.Context, variable, name string) error {
	times := j.archive.ObservedTimes(variable)
	times = slices.DeleteFunc(slices.Clone(times), func(t time.Time) bool { return t.Add(j.Calibrate.Delay).After(j.forecast) })
	times = latestDays(times, screenedDays)
	var sum screening
	for _, valid := range times {
		one, err := j.archive.Screened(ctx, variable, valid)
		if err != nil {
			return err
		}
		sum.all, sum.out = sum.all+one.all, sum.out+one.out
		if one.why != "" {
			sum.why = one.why + ", " + formatCycle(valid)
		}
	}
	if sum.out == 0 {
		return nil
	}
	j.leftOut[name] = float64(sum.out) / float64(sum.all)
	if 2*sum.out > sum.all {
		j.degrade(fmt.Sprintf("%s: %d of the %d latest observations, from %s on, are left out because they are not plausible; the last: %s",
			name, sum.out, sum.all, formatCycle(times[0]), sum.why))
	}
	return nil
}

// latestDays are the times, of some in ascending order, of the last n days that have any.
func latestDays(times []time.Time, n int) []time.Time {
	day := func(k int) time.Time { return times[k].UTC().Truncate(24 * time.Hour) }
	for k := len(times) - 1; k > 0; k-- {
		if !day(k - 1).Equal(day(k)) {
			if n--; n == 0 {
				return times[k:]
			}
		}
	}
	return times
}
