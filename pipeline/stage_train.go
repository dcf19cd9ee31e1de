package pipeline

import (
	"context"
	"errors"
	"time"

	"sipipe/calibrate"
)

// trainStage makes sure that there is a valid model for the cycle.
func (j *job) trainStage() Stage {
	return Stage{
		Name: "train",
		Done: func(context.Context) (bool, string, error) {
			for _, v := range j.Variables {
				h, err := j.history(v)
				if err != nil {
					return false, "", err
				}
				var none *calibrate.NoModelError
				if _, err := h.Stored(j.forecast, j.Calibrate.method(), j.Calibrate.Seed); errors.As(err, &none) {
					return false, none.Why, nil
				} else if err != nil {
					return false, "", err
				}
			}
			return true, "the models are there and fit", nil
		},
		Run: func(ctx context.Context) error {
			for _, v := range j.Variables {
				if err := j.train(ctx, v); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// train makes the model of one variable unless it is there.
func (j *job) train(ctx context.Context, variable string) error {
	h, err := j.history(variable)
	if err != nil {
		return err
	}
	// The statistical forecasts that training needs come first, with their progress.
	if _, err := j.archived(ctx, variable, j.forecast); err != nil {
		return err
	}
	report, stop := j.progress.Start("training " + variable)
	defer stop()
	m, made, err := h.Model(ctx, j.forecast, j.Calibrate.method(), calibrate.TrainOptions{
		Seed: j.Calibrate.Seed, Threads: j.threads, Progress: report, Clock: j.global.clock,
	})
	if err != nil {
		return err
	}
	if made {
		j.log.Info().Str("variable", variable).Str("anchor", m.Anchor.Format(time.DateOnly)).Int("cases", m.Cases).Int("days", m.Days).
			Float64("correction", m.Correction).Float64("dispersion", m.Dispersion).
			Interface("coherence", m.Coherence).Msg("trained: " + m.Report.Reason)
		return j.checkSteps(ctx, m)
	}
	return nil
}

// checkSteps warns of a step count that is too small for the sampler, which costs a
// fraction of a second and is done when a model with networks has been trained.
func (j *job) checkSteps(ctx context.Context, m *calibrate.Model) error {
	if len(m.Report.Candidates) == 0 {
		return nil
	}
	warning, err := m.Method.CheckSteps(ctx, m.Start, j.threads)
	if err != nil {
		return err
	}
	if warning != "" {
		j.log.Warn().Str("variable", m.Variable).Int("steps", m.Method.Steps).Msg(warning + "; sipipe check-sampler shows more")
	}
	return nil
}
