package pipeline

import (
	"context"
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

	mu   sync.Mutex
	told map[string]bool // by variable
}

func newScreenedArchive(a *ingest.Archive, log zerolog.Logger, n *notices) *screenedArchive {
	return &screenedArchive{Archive: a, log: log, notices: n, told: map[string]bool{}}
}

// Observed is that of the archive without stations whose value is not plausible; nil
// when none is left.
func (s *screenedArchive) Observed(ctx context.Context, variable string, valid time.Time) (*ingest.Observed, error) {
	o, err := s.Archive.Observed(ctx, variable, valid)
	if err != nil || o == nil {
		return o, err
	}
	space := calibrate.WorkingSpace(o.Variable)
	if !slices.ContainsFunc(o.Values, func(v float32) bool { return !space.Plausible(v) }) {
		return o, nil // as nearly always
	}
	kept := *o
	kept.ID, kept.Values = nil, nil
	for i, v := range o.Values {
		if space.Plausible(v) {
			kept.ID, kept.Values = append(kept.ID, o.ID[i]), append(kept.Values, v)
			continue
		}
		s.tell(variable, o, i)
	}
	if len(kept.ID) == 0 {
		return nil, nil
	}
	return &kept, nil
}

// tell warns of the first value of a variable that is left out.
func (s *screenedArchive) tell(variable string, o *ingest.Observed, i int) {
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
	s.log.Warn().Str("file", o.Source.Path).Str("variable", variable).Str("station", o.ID[i]).
		Time("valid", o.Valid.UTC()).Float32("value", o.Values[i]).Str("units", o.Variable.Units).
		Msg("left out: observations that are not plausible, this is the first; check the units in the file, or set ingest.observed_units")
}
