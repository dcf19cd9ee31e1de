package pipeline

import (
	"context"
	"slices"
	"time"
)

// trainRange makes what the cycles of a range need before they can be sampled in any
// order, or at the same time: their models, and the archived statistical forecasts up
// to the last of them. A cycle whose forecast cannot be used needs nothing; sampling
// it says what is wrong.
func (w *workspace) trainRange(ctx context.Context, cycles []time.Time) error {
	report, stop := w.progress.Start("training")
	defer stop()
	for i, cycle := range cycles {
		report(i, len(cycles))
		if _, err := w.run(ctx, cycle, jobOptions{Train: true}); err != nil && !w.passOver(cycle, err) {
			return err
		}
	}
	for _, v := range w.Variables {
		for _, cycle := range slices.Backward(cycles) {
			// A link stands on all before it.
			_, err := w.archived(ctx, v, cycle)
			if err == nil {
				break
			}
			if err = cause(ctx, err); !w.passOver(cycle, err) {
				return err
			}
		}
	}
	return nil
}

// passOver tells whether err is a fault of the cycle's input alone, and warns of it.
func (w *workspace) passOver(cycle time.Time, err error) bool {
	if code := ExitCode(err); code != ExitData && code != ExitNoInput {
		return false
	}
	w.log.Warn().Str("cycle", formatCycle(cycle)).Msg("passed over: " + err.Error())
	return true
}
