package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"sipipe/ingest"
)

// pollDefault is the time between two looks at an input that is late: short against
// the minutes by which forecasts are late, long for a file server.
const pollDefault = time.Minute

// WaitError says that an input has not come in time. Starting again later may help.
type WaitError struct {
	Cycle  time.Time
	Waited time.Duration
	Why    string
	Err    error // of the last attempt, nil when there was none
}

func (e *WaitError) Error() string {
	return fmt.Sprintf("cycle %s is not ready after waiting for %s: %s; start again later, or wait longer with --wait",
		formatCycle(e.Cycle), formatDuration(e.Waited.Round(time.Second)), e.Why)
}

func (e *WaitError) Unwrap() error { return e.Err }

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// inputState is what is seen of a file without reading it.
type inputState struct {
	size     int64
	modified time.Time
}

// inputFiles are the files of a path template in which a forecast of a cycle may be.
func inputFiles(template string, cycle time.Time) (map[string]inputState, error) {
	pattern, err := expandTemplate(template, cycle)
	if err != nil {
		return nil, &ConfigError{Key: "ingest.forecasts", Text: err.Error()}
	}
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return nil, &ConfigError{Key: "ingest.forecasts", Text: fmt.Sprintf("is %q: %v", template, err)}
	}
	files := map[string]inputState{}
	for _, path := range paths {
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // replaced just now
		}
		if err != nil {
			return nil, fmt.Errorf("look at the input: %w", err)
		}
		files[path] = inputState{info.Size(), info.ModTime()}
	}
	return files, nil
}

// waiting is how a run waits for its input.
type waiting struct {
	clock func() time.Time
	sleep func(context.Context, time.Duration) error
	log   zerolog.Logger

	limit, poll time.Duration
	files       func() (map[string]inputState, error)
}

// settled says that files are complete, as far as one can see from outside: nothing
// about them has changed between two looks. Files that were last written more than
// two polls ago need no second look.
func (w *waiting) settled(now, before map[string]inputState, looked bool) bool {
	if looked && maps.Equal(now, before) {
		return true
	}
	for _, f := range now {
		if w.clock().Sub(f.modified) <= 2*w.poll {
			return false
		}
	}
	return true
}

// until calls attempt each time that files are there and settled and not the ones
// that it has failed with before, until it does not fail by an input that is late.
// At the end of the time to wait the error is a *WaitError.
func (w *waiting) until(ctx context.Context, cycle time.Time, attempt func() error) error {
	start := w.clock()
	var before, failed map[string]inputState
	var failure error
	for looked := false; ; {
		now, err := w.files()
		if err != nil {
			return err
		}
		var why string
		switch {
		case len(now) == 0:
			why = "there is no file of it"
		case !w.settled(now, before, looked):
			why = "its file is still being written"
		case failed != nil && maps.Equal(now, failed):
			why = failure.Error()
		default:
			if failure = attempt(); !isLate(failure) {
				return failure
			}
			failed, why = now, failure.Error()
		}
		before = now
		waited := w.clock().Sub(start)
		if waited >= w.limit {
			return &WaitError{Cycle: cycle, Waited: waited, Why: why, Err: failure}
		}
		w.log.Info().Str("cycle", formatCycle(cycle)).Str("waited", formatDuration(waited.Round(time.Second))).Str("reason", why).Msg("waiting for the input")
		// The last look comes when the time is over. After less than a poll it does not tell
		// that nothing changes.
		pause := min(w.poll, w.limit-waited)
		if err := w.sleep(ctx, pause); err != nil {
			return cause(ctx, err)
		}
		looked = pause == w.poll
	}
}

// isLate says whether an error may go away when more of the input arrives.
func isLate(err error) bool {
	var wrong *ingest.ImplausibleError
	var short *ShortageError
	var odd *ImplausibleOutputError
	if errors.As(err, &wrong) || errors.As(err, &short) || errors.As(err, &odd) {
		return false
	}
	code := ExitCode(err)
	return code == ExitData || code == ExitNoInput
}
