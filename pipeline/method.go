package pipeline

import (
	"context"
	"time"

	"sipipe/calibrate"
)

// method is what the configuration asks of calibration.
func (c *CalibrateConfig) method() calibrate.Method {
	i, n := c.Interpolant, c.Network
	gamma := i.Gamma
	if gamma == "none" {
		gamma = ""
	}
	return calibrate.Method{
		Interpolant: c.Method == "interpolant",
		Path:        i.Path, Gamma: gamma, Amplitude: i.Amplitude, Heads: i.Heads,
		Epsilon: i.Epsilon, Scale: i.EpsilonScale, Dress: i.Dress,
		Solver: i.Solver, Grid: i.Grid, Steps: i.Steps, FirstTime: i.FirstTime, LastTime: i.LastTime, Last: i.Last, Churn: i.Churn,
		Joint: c.Model == "joint", Hidden: n.Hidden, Blocks: n.Blocks, Attention: n.Attention, Folds: n.Folds, Separate: n.Separate,
		Times: n.Times, Antithetic: n.Antithetic, Batch: n.Batch, MaxSteps: n.MaxSteps,
		Rate: n.Rate, Decay: n.Decay, MinDays: n.MinDays, MinCases: n.MinCases, Capacity: n.Capacity,
		Coherence: c.coherence(), LearnCoherence: c.Coherence.Learn,
	}
}

// coherence is that of the noise fields, or what a learned one is pulled towards.
func (c *CalibrateConfig) coherence() calibrate.Coherence {
	return calibrate.Coherence{
		Regional: c.Coherence.Regional, Range: c.Coherence.Range, Height: c.Coherence.Height,
		LeadRange: c.Coherence.Lead.Hours(),
	}
}

// sampling is how members are drawn.
func (c *CalibrateConfig) sampling(threads int) calibrate.SampleOptions {
	return calibrate.SampleOptions{
		Members: c.Members, Seed: c.Seed, Threads: threads,
		Draw: calibrate.Draw(c.Draw),
	}
}

// checkMethod refuses an interpolant or a sampler that cannot work.
func (l *Loaded) checkMethod(bad func(key, text string, args ...any)) {
	m := l.Calibrate.method()
	if err := m.Validate(); err != nil {
		bad("calibrate.interpolant", "cannot work: %v", err)
	}
}

// history opens the archived forecasts of a variable.
func (w *workspace) history(variable string) (*calibrate.History, error) {
	if h, ok := w.histories[variable]; ok {
		return h, nil
	}
	h, err := calibrate.NewHistory(w.learning, w.store, variable, calibrate.HistoryOptions{
		Delay:        w.Calibrate.Delay,
		Exchangeable: calibrate.Exchangeable(w.Calibrate.Exchangeable),
		Threads:      w.threads,
		Clock:        w.global.clock,
	})
	if err != nil {
		return nil, err
	}
	if w.histories == nil {
		w.histories = map[string]*calibrate.History{}
	}
	w.histories[variable] = h
	return h, nil
}

// archived is the statistical forecast of a cycle, made now if need be, with its
// progress shown.
func (w *workspace) archived(ctx context.Context, variable string, cycle time.Time) (*calibrate.Archived, error) {
	h, err := w.history(variable)
	if err != nil {
		return nil, err
	}
	report, stop := w.progress.Start("statistical forecasts of " + variable)
	defer stop()
	return h.At(ctx, cycle, report)
}
