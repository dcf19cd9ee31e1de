package pipeline

import (
	"context"
	"fmt"
	"time"

	"sipipe/calibrate"
	"sipipe/ingest"
)

// VariableAge says up to when the data go that a variable was calibrated with.
type VariableAge struct {
	// LearnedTo is the latest valid time whose observations the statistical forecast has
	// learned from.
	LearnedTo *time.Time `json:"learned_to,omitempty"`
	// TrainedTo is that of the networks; nil when there are none.
	TrainedTo *time.Time `json:"trained_to,omitempty"`
}

// checkAge notes up to when frame and networks have learned, and marks the product when
// that is too long ago.
func (j *job) checkAge(ctx context.Context, h *calibrate.History, m *calibrate.Model, raw *ingest.Ensemble) error {
	learned, err := h.LastLearned(ctx, j.forecast, raw.Leads)
	if err != nil {
		return err
	}
	name := raw.Variable.Name
	var age VariableAge
	look := func(what, key string, limit time.Duration, to time.Time) *time.Time {
		if to.IsZero() {
			return nil
		}
		if ago := j.forecast.Sub(to) - j.Calibrate.Delay; limit > 0 && ago > limit {
			j.degrade(fmt.Sprintf("%s: %s from observations of %s, %s before the cycle; operations.%s is %s",
				name, what, formatCycle(to), formatDuration(j.forecast.Sub(to)), key, formatDuration(limit)))
		}
		return &to
	}
	age.LearnedTo = look("the statistical forecast has last learned", "max_frame_age", j.Operations.FrameAge, learned)
	if !m.Simple() {
		age.TrainedTo = look("the networks were trained", "max_network_age", j.Operations.NetworkAge, m.To)
	}
	j.ages[name] = age
	return nil
}
