package pipeline

import (
	"slices"
	"time"
)

// clockTolerance is how far ahead of the clock a cycle may be and count as any other: clocks
// differ, and some forecasts are there before the hour that they are named after.
const clockTolerance = 24 * time.Hour

// ahead tells whether a cycle lies so far in the future that its date or the clock is wrong,
// or that the archive is one of simulated dates.
func (s *session) ahead(cycle time.Time) bool {
	return cycle.Sub(s.global.clock()) > clockTolerance
}

// timely are those of ascending cycles that are not ahead of the clock. When all are, the
// clock or the whole archive is of another time, and they are what there is: all of them.
func (s *session) timely(cycles []time.Time) []time.Time {
	first := slices.IndexFunc(cycles, s.ahead)
	if first <= 0 {
		return cycles
	}
	return cycles[:first]
}

// warnAhead names cycles that are ahead of the clock, once.
func (w *workspace) warnAhead() error {
	notices := openNotices(w.store, "ahead", !w.access.reads())
	now := map[string]bool{}
	var fresh []string
	for _, c := range w.seen() {
		if !w.ahead(c) {
			continue
		}
		name := formatCycle(c)
		now[name] = true
		if !notices.known[name] {
			fresh = append(fresh, name)
		}
	}
	w.ledger.ahead = len(now)
	if len(fresh) > 0 {
		w.log.Warn().Int("cycles", len(fresh)).Str("first", fresh[0]).Str("last", fresh[len(fresh)-1]).
			Msg("cycles of the archive are ahead of the clock: they are made when their date is asked for, and are not the latest; look for files with a wrong date, or set the clock")
	}
	return notices.keep(now)
}
