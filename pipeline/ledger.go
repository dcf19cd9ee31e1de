package pipeline

import (
	"errors"
	"time"
)

// ledger notes what a command did, for the metrics.
type ledger struct {
	seconds map[string]float64 // by stage, of all cycles together
	last    *Manifest          // of the newest cycle that has a product now; nil: none was made or found
	faults  int                // files and cycles of the archive that cannot be used
	drift   []DriftStatus
	opened  bool // the archive was read: faults and ahead are known
	ahead   int  // cycles ahead of the clock

	training bool // the command makes models and no products
}

// stages adds the time that stages took.
func (l *ledger) stages(records []StageRecord) {
	if l.seconds == nil {
		l.seconds = map[string]float64{}
	}
	for _, r := range records {
		l.seconds[r.Name] += r.Seconds
	}
}

// product notes a product that was made, or found valid.
func (l *ledger) product(m *Manifest) {
	if l.last == nil || !m.Cycle.Before(l.last.Cycle) {
		l.last = m
	}
}

// archive notes how many parts of the archive were left out.
func (l *ledger) archive(faults int) { l.faults, l.opened = faults, true }

// writeMetrics publishes what the command did, however it ended. A failure to do so
// is logged and not more: the product matters, not the numbers about it. A run that
// found the state folder locked writes nothing: the numbers are those of its holder.
func (s *session) writeMetrics(result error) {
	if s.Operations.Metrics == "" {
		return
	}
	if locked := (*LockedError)(nil); errors.As(result, &locked) {
		return
	}
	path := s.Resolve(s.Operations.Metrics)
	if err := publishMetrics(path, metrics{
		build: s.global.Build, ended: s.global.clock(), code: ExitCode(result), ledger: s.ledger, last: s.ledger.last,
	}); err != nil {
		s.log.Warn().Str("file", path).Msg("metrics not written: " + err.Error())
	}
}

// metrics is what is published about one command.
type metrics struct {
	build  Build
	ended  time.Time
	code   int
	ledger *ledger
	last   *Manifest // of the product that is told of; nil: what is known stays
}
