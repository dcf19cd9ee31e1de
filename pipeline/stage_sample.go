package pipeline

import (
	"context"
	"encoding/hex"
	"fmt"

	"sipipe/calibrate"
	"sipipe/export"
	"sipipe/ingest"
)

// sampleStage makes the calibrated members.
func (j *job) sampleStage() Stage {
	return Stage{Name: "sample", Run: func(ctx context.Context) error {
		j.provenance.Variables = map[string]export.Method{}
		j.calibrated = nil
		for _, e := range j.raw {
			c, err := j.sample(ctx, e)
			if err != nil {
				return fmt.Errorf("sample %s: %w", e.Variable.Name, err)
			}
			j.calibrated = append(j.calibrated, c)
		}
		return nil
	}}
}

// sample makes the members of one variable.
func (j *job) sample(ctx context.Context, raw *ingest.Ensemble) (*ingest.Ensemble, error) {
	name := raw.Variable.Name
	variable := j.asked(name)
	h, err := j.history(variable)
	if err != nil {
		return nil, err
	}
	c := &j.Calibrate
	model, err := h.Stored(j.cycle, c.method(), c.Seed)
	if err != nil {
		return nil, err
	}
	archived, err := j.archived(ctx, variable, j.cycle)
	if err != nil {
		return nil, err
	}
	report, stop := j.progress.Start("sampling " + name)
	defer stop()
	s, err := model.Sample(ctx, raw, archived, calibrate.SampleOptions{
		Members: c.Members, Seed: c.Seed, Threads: j.threads,
		Draw: calibrate.Draw(c.Draw), Coherence: c.coherence(), Progress: report,
	})
	if err != nil {
		return nil, err
	}
	hash, err := model.Hash()
	if err != nil {
		return nil, err
	}
	method := export.Method{Name: "interpolant", ModelSHA256: hex.EncodeToString(hash[:]), Sampler: model.Method.Solver, Steps: model.Method.Steps}
	if model.Simple() {
		method.Name = "frame"
	}
	switch n := len(s.RawLeads); {
	case n == len(raw.Leads):
		method = export.Method{Name: "raw"}
		j.degrade(name + ": raw members, because there are too few past forecasts with observations for a statistical forecast")
	case n > 0:
		j.degrade(fmt.Sprintf("%s: raw members at %d of %d lead times, because there are too few past forecasts with observations for them", name, n, len(raw.Leads)))
	case model.Simple() && c.Method == "interpolant" && model.Cases < c.Network.MinCases:
		j.degrade(name + ": statistical forecast without the interpolant: " + model.Report.Reason)
	}
	j.provenance.Variables[name] = method
	return s.Ensemble, nil
}

// asked is the name in the configuration of a variable with this name in the files.
func (j *job) asked(name string) string {
	for i, e := range j.raw {
		if e.Variable.Name == name {
			return j.Variables[i]
		}
	}
	return name
}
