package pipeline

import (
	"context"
	"fmt"

	"sipipe/calibrate/score"
)

// DriftStatus compares one score of recent days with that of the weeks before.
type DriftStatus struct {
	Variable string       `json:"variable"`
	Score    string       `json:"score"` // crps or bias
	Recent   score.Number `json:"recent"`
	Earlier  score.Number `json:"earlier"`
	Weeks    int          `json:"weeks"` // earlier ones; less than 6: nothing can be said
	P        score.Number `json:"p"`     // of such a difference without a change
	Alarm    bool         `json:"alarm"`
	units    string
}

// text tells the finding in words.
func (d DriftStatus) text() string {
	name := map[string]string{"crps": "CRPS", "bias": "bias"}[d.Score]
	if d.P != d.P {
		return fmt.Sprintf("%s of the last %d days is not compared: %d weeks before have scores, 6 are needed", name, score.ChangeDays, d.Weeks)
	}
	return fmt.Sprintf("%s of the last %d days %.3g %s, of the %d weeks before %.3g (p = %.2g)",
		name, score.ChangeDays, float64(d.Recent), d.units, d.Weeks, float64(d.Earlier), float64(d.P))
}

// drift compares the scores of all variables: CRPS, which may have become larger, and
// bias, which may have changed.
func (w *workspace) drift(ctx context.Context) ([]DriftStatus, error) {
	var all []DriftStatus
	for _, v := range w.Variables {
		h, err := w.history(v)
		if err != nil {
			return nil, err
		}
		d, err := h.Drift(ctx)
		if err != nil {
			return nil, fmt.Errorf("scores of %s: %w", v, err)
		}
		add := func(name string, c score.Change, p float64) {
			all = append(all, DriftStatus{
				Variable: v, Score: name, Recent: score.Number(c.Recent), Earlier: score.Number(c.Earlier), Weeks: c.Blocks,
				P: score.Number(p), Alarm: p < w.Operations.Drift, units: d.Units,
			})
		}
		add("crps", d.CRPS, d.CRPS.Larger())
		add("bias", d.Bias, d.Bias.Different())
	}
	return all, nil
}

// watchDrift warns of scores that have left their range, and notes all for the metrics.
// It is no reason for a run to fail: the error is that ctx has ended.
func (w *workspace) watchDrift(ctx context.Context) error {
	all, err := w.drift(ctx)
	switch {
	case ctx.Err() != nil:
		return cause(ctx, ctx.Err())
	case err != nil:
		w.log.Warn().Msg("it is not known whether scores have changed: " + err.Error())
		return nil
	}
	w.ledger.drift = all
	for _, d := range all {
		if d.Alarm {
			w.log.Warn().Str("variable", d.Variable).Str("score", d.Score).Float64("p", float64(d.P)).
				Msg("scores have left their range: " + d.text() + "; look at recent forecasts and observations with sipipe verify --report and sipipe inspect")
		}
	}
	return nil
}
