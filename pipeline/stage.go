package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/rs/zerolog"
)

// Stage is one step of a job.
type Stage struct {
	Name string
	// Done says whether the result is already there and valid, and why or why not.
	// nil: the stage always runs.
	Done func(ctx context.Context) (done bool, reason string, err error)
	Run  func(ctx context.Context) error
}

// StageRecord is what became of a stage.
type StageRecord struct {
	Name    string  `json:"stage"`
	Skipped bool    `json:"skipped,omitempty"`
	Reason  string  `json:"reason,omitempty"`
	Seconds float64 `json:"seconds"`
}

// runStages runs stages in order. It stops at the first error, which it names after
// the stage, and before a stage when ctx has ended.
func runStages(ctx context.Context, log zerolog.Logger, now func() time.Time, stages []Stage) ([]StageRecord, error) {
	var records []StageRecord
	for _, s := range stages {
		if err := ctx.Err(); err != nil {
			return records, cause(ctx, err)
		}
		log := log.With().Str("stage", s.Name).Logger()
		start := now()
		r := StageRecord{Name: s.Name}
		var err error
		if s.Done != nil {
			r.Skipped, r.Reason, err = s.Done(ctx)
		}
		if err == nil && !r.Skipped {
			log.Debug().Str("reason", r.Reason).Msg("stage begins")
			err = s.Run(ctx)
		}
		r.Seconds = now().Sub(start).Round(time.Millisecond).Seconds()
		if err != nil {
			return records, fmt.Errorf("%s: %w", s.Name, cause(ctx, err))
		}
		records = append(records, r)
		if r.Skipped {
			log.Info().Str("reason", r.Reason).Msg("stage skipped")
		} else {
			log.Info().Float64("seconds", r.Seconds).Msg("stage done")
		}
	}
	return records, nil
}
