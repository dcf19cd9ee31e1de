package pipeline

import (
	"context"

	"sipipe/export"
)

// sampleStage makes the calibrated members.
func (j *job) sampleStage() Stage {
	return Stage{Name: "sample", Run: func(context.Context) error {
		j.provenance.Variables = map[string]export.Method{}
		j.calibrated = j.raw
		for _, e := range j.raw {
			j.provenance.Variables[e.Variable.Name] = export.Method{Name: "raw"}
		}
		j.degrade("raw members: calibration is not wired yet")
		return nil
	}}
}
