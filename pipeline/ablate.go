package pipeline

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"sipipe/calibrate"
	"sipipe/calibrate/score"
	"sipipe/ingest"
)

// ablation is the result of sipipe ablate.
type ablation struct {
	Variable string         `json:"variable"`
	Units    string         `json:"units"`
	Anchor   time.Time      `json:"anchor"` // nothing later was read for the columns on the left
	Cases    int            `json:"cases"`
	Days     int            `json:"days"`
	Later    *ablationRange `json:"later,omitempty"`
	Rows     []ablationRow  `json:"rows"`
}

// ablationRange are the cycles that forecasts were made for as a service would.
type ablationRange struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Cycles int       `json:"cycles"`
}

// ablationRow is what became of a variant. Scores are mean CRPS over held-out
// archived days but for those of Later.
type ablationRow struct {
	Group        string         `json:"group,omitempty"`
	Name         string         `json:"name"`
	Set          []string       `json:"set,omitempty"`
	Refused      string         `json:"refused,omitempty"` // why it cannot work, or why there is no network
	Note         string         `json:"note,omitempty"`
	Frame        float64        `json:"frame_crps,omitempty"`
	Unit         ablationGain   `json:"unit"`   // at weight 1
	Chosen       ablationGain   `json:"chosen"` // at the weight that training chooses
	Dispersion   float64        `json:"dispersion,omitempty"`
	Loss         float64        `json:"loss,omitempty"`
	TrainSeconds float64        `json:"train_cpu_seconds,omitempty"`
	Calls        float64        `json:"calls_a_member,omitempty"`            // evaluations of the fields
	Micros       float64        `json:"cpu_microseconds_a_member,omitempty"` // and place and lead time
	Later        *ablationLater `json:"later,omitempty"`
}

type ablationGain struct {
	Weight float64 `json:"weight"`
	Gain   float64 `json:"gain"`
	Error  float64 `json:"standard_error"`
}

// ablationLater are scores of forecasts of later cycles, each with the model that the
// cycle would have had.
type ablationLater struct {
	CRPS        score.Number `json:"crps"`         // of the members as they are delivered
	SpreadError score.Number `json:"spread_error"` // of those
	Fair        score.Number `json:"fair_crps"`    // of as many independent draws
	Weights     []float64    `json:"weights"`      // of the networks, by training day
	Cases       int          `json:"cases"`
}

// ablator compares variants on one variable.
type ablator struct {
	*workspace
	history  *calibrate.History
	variable string
	anchor   time.Time
	ens      *ingest.Ensemble
	archived *calibrate.Archived
	later    []time.Time // cycles to forecast too
	networks memory
}

// newAblator finds what all variants share.
func (w *workspace) newAblator(ctx context.Context, variable string, cycle time.Time, later []time.Time) (*ablator, error) {
	a := &ablator{workspace: w, variable: variable, later: later, networks: memory{}}
	var err error
	if a.history, err = w.history(variable); err != nil {
		return nil, err
	}
	if a.archived, err = w.archived(ctx, variable, cycle); err != nil {
		return nil, err
	}
	if a.ens, err = w.archive.Ensemble(ctx, variable, cycle); err != nil {
		return nil, err
	}
	var ok bool
	if a.anchor, ok = a.history.Anchor(cycle); !ok {
		return nil, &NoTrainingError{Variable: variable, Cycle: cycle}
	}
	return a, nil
}

// compare trains and judges all variants.
func (a *ablator) compare(ctx context.Context, all []variant) (*ablation, error) {
	r := &ablation{Variable: a.ens.Variable.Name, Units: a.ens.Variable.Units, Anchor: a.anchor}
	if n := len(a.later); n > 0 {
		r.Later = &ablationRange{a.later[0], a.later[n-1], n}
	}
	report, stop := a.progress.Start("comparing models of " + a.variable)
	defer stop()
	for i, v := range all {
		report(i, len(all))
		row := ablationRow{Group: v.group, Name: v.name, Set: v.set}
		l, err := Load(a.global.loading(v.set...))
		var wrong *ConfigError
		switch {
		case errors.As(err, &wrong):
			row.Refused = wrong.Text
		case err != nil:
			return nil, err
		default:
			if err := a.judge(ctx, &row, r, &l.Calibrate); err != nil {
				return nil, fmt.Errorf("%s: %w", v.name, err)
			}
		}
		r.Rows = append(r.Rows, row)
	}
	return r, nil
}

func (a *ablator) train(ctx context.Context, anchor time.Time, c *CalibrateConfig, keep bool) (*calibrate.Model, error) {
	return calibrate.Train(ctx, a.history, anchor, c.method(), calibrate.TrainOptions{
		Seed: c.Seed, Threads: a.threads, Networks: a.networks, KeepNetworks: keep,
	})
}

// judge trains one variant and fills in its row.
func (a *ablator) judge(ctx context.Context, row *ablationRow, all *ablation, c *CalibrateConfig) error {
	start := processTime()
	model, err := a.train(ctx, a.anchor, c, true)
	if err != nil {
		return err
	}
	row.TrainSeconds = (processTime() - start).Seconds()
	all.Cases, all.Days = model.Cases, model.Days
	r := model.Report
	if len(r.Candidates) == 0 {
		row.Refused = r.Reason
	} else {
		row.Frame, row.Dispersion = r.Frame, model.Dispersion
		if r.Untrained() {
			row.Note = r.Reason
		}
		for _, l := range r.Losses {
			row.Loss += l / float64(len(r.Losses))
		}
		for _, c := range r.Candidates {
			gain := ablationGain{c.Correction, c.Gain, c.Error}
			if c.Correction == 1 {
				row.Unit = gain
			}
			if c.Correction == model.Correction {
				row.Chosen = gain
			}
		}
		if err := a.cost(ctx, row, *model, c); err != nil {
			return err
		}
	}
	if len(a.later) == 0 {
		return nil
	}
	row.Later, err = a.forecast(ctx, c)
	return err
}

// The cost of sampling is that of the cheapest of some repeats on a part of the places.
const (
	costPlaces  = 256
	costRepeats = 3
)

// cost measures sampling with the networks at work, whatever weight they were given.
func (a *ablator) cost(ctx context.Context, row *ablationRow, model calibrate.Model, c *CalibrateConfig) error {
	model.Correction = 1
	o := c.sampling(1)
	o.Count = min(a.ens.Places.Len(), costPlaces)
	for k := range costRepeats {
		start := processTime()
		s, err := model.Sample(ctx, a.ens, a.archived, o)
		if err != nil {
			return err
		}
		micros := float64(processTime()-start) / 1e3 / float64(o.Count*len(a.ens.Leads)*o.Members)
		if k == 0 || micros < row.Micros {
			row.Micros = micros
		}
		row.Calls = s.Calls
	}
	return nil
}

// forecast makes forecasts of later cycles as a service would, each with the model of
// its own training day, and scores them: as configured, and with independent members.
func (a *ablator) forecast(ctx context.Context, c *CalibrateConfig) (*ablationLater, error) {
	out := &ablationLater{Weights: []float64{}}
	delivered := score.NewAccumulator(score.Options{Ranks: c.Members + 1, Seed: c.Seed})
	independent := score.NewAccumulator(score.Options{Ranks: c.Members + 1, Seed: c.Seed})
	var model *calibrate.Model
	for _, cycle := range a.later {
		anchor, ok := a.history.Anchor(cycle)
		if !ok {
			continue
		}
		if model == nil || !model.Anchor.Equal(anchor) {
			var err error
			if model, err = a.train(ctx, anchor, c, false); err != nil {
				return nil, err
			}
			out.Weights = append(out.Weights, model.Correction)
		}
		ens, err := a.archive.Ensemble(ctx, a.variable, cycle)
		if err != nil {
			return nil, err
		}
		archived, err := a.history.At(ctx, cycle, nil)
		if err != nil {
			return nil, err
		}
		o := c.sampling(a.threads)
		for _, s := range []struct {
			draw calibrate.Draw
			into *score.Accumulator
		}{{o.Draw, delivered}, {calibrate.DrawIndependent, independent}} {
			o.Draw = s.draw
			sampled, err := model.Sample(ctx, ens, archived, o)
			if err != nil {
				return nil, err
			}
			if err := a.score(ctx, s.into, sampled.Ensemble); err != nil {
				return nil, err
			}
		}
	}
	everything := func(score.Slot) bool { return true }
	d := delivered.Where(everything).Summary()
	out.Cases, out.CRPS, out.SpreadError = d.Cases, d.CRPS, d.SpreadError
	out.Fair = independent.Where(everything).Summary().CRPSFair
	return out, nil
}

// score adds the members of a cycle to where there are observations.
func (a *ablator) score(ctx context.Context, into *score.Accumulator, ens *ingest.Ensemble) error {
	for l, lead := range ens.Leads {
		valid := ens.Cycle.Add(lead)
		obs, err := a.archive.Observed(ctx, a.variable, valid)
		if err != nil {
			return err
		}
		if obs == nil {
			continue
		}
		day := dayNumber(valid)
		for i, id := range ens.Places.ID {
			if k, ok := slices.BinarySearch(obs.ID, id); ok {
				into.AddMembers(score.Case{Day: day, Lead: lead, Station: id}, float64(obs.Values[k]), ens.At(l, i))
			}
		}
	}
	return nil
}

// NoTrainingError says that there is nothing to train on yet.
type NoTrainingError struct {
	Variable string
	Cycle    time.Time
}

func (e *NoTrainingError) Error() string {
	return fmt.Sprintf("the archive of %s has no training day before %s; take a later cycle", e.Variable, formatCycle(e.Cycle))
}

// Is makes it an input that is missing.
func (e *NoTrainingError) Is(target error) bool { return target == fs.ErrNotExist }

// memory keeps networks as long as the program runs.
type memory map[string][]byte

// Put implements calibrate.NetworkStore.
func (m memory) Put(key string, _ int, v any) error {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(v); err != nil {
		return err
	}
	m[key] = b.Bytes()
	return nil
}

// Get implements calibrate.NetworkStore.
func (m memory) Get(key string, _ int, v any) error {
	b, ok := m[key]
	if !ok {
		return fs.ErrNotExist
	}
	return gob.NewDecoder(bytes.NewReader(b)).Decode(v)
}
