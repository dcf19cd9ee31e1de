package pipeline

import (
	"context"
	"encoding/hex"
	"fmt"

	"sipipe/export"
	"sipipe/ingest"
)

// sampleStage makes the calibrated members.
func (j *job) sampleStage() Stage {
	return Stage{Name: "sample", Run: func(ctx context.Context) error {
		j.provenance.Variables, j.fallbacks = map[string]export.Method{}, map[string]string{}
		j.choices, j.ages = map[string]string{}, map[string]VariableAge{}
		j.leftOut = map[string]float64{}
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
	model, err := h.Stored(j.forecast, c.method(), c.Seed)
	if err != nil {
		return nil, err
	}
	archived, err := j.archived(ctx, variable, j.forecast)
	if err != nil {
		return nil, err
	}
	kind, why := j.fallback(model, archived)
	switch {
	case kind != "" && j.Operations.OnMissing == onMissingFail:
		return nil, &ShortageError{Variable: name, Why: why}
	case kind == fallbackRaw:
		archived = archived.Unready()
	}
	report, stop := j.progress.Start("sampling " + name)
	defer stop()
	o := c.sampling(j.threads)
	o.Progress = report
	members, err := j.draw(ctx, model, raw, archived, kind, o)
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
	if kind == fallbackRaw {
		method = export.Method{Name: "raw"}
	}
	if kind != "" {
		j.fallbacks[name] = kind
		j.degrade(name + ": " + why)
	}
	if err := j.checkObservations(ctx, variable, name); err != nil {
		return nil, err
	}
	if kind != fallbackRaw {
		j.choices[name] = model.Report.Reason
		if err := j.checkAge(ctx, h, model, raw); err != nil {
			return nil, err
		}
		j.checkHour(variable, name)
	}
	j.provenance.Variables[name] = method
	return members, nil
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
