package pipeline

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"sipipe/export"
)

// exportStage writes the product. The manifest of an earlier product is removed
// first: between the two the product would be taken for complete.
func (j *job) exportStage() Stage {
	return Stage{Name: "export", Run: func(ctx context.Context) error {
		j.cover()
		if err := os.Remove(manifestPath(j.product)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return &OutputError{Path: j.product, Err: err}
		}
		p := &j.provenance
		p.Version = j.global.Build.Version
		p.Command = j.command()
		p.ConfigSHA256 = j.Hash
		p.Seed = j.Calibrate.Seed
		at, set, err := sourceDateEpoch()
		if err != nil {
			return err
		}
		switch {
		case set:
			p.Created = at
		case j.Export.DateCreated:
			p.Created = j.global.clock()
		}
		f := &export.Forecast{Vars: j.calibrated, Raw: j.raw, Provenance: *p, Metadata: j.Export.Metadata}
		return export.Write(ctx, j.product, f, export.Options{Deflate: j.Export.Deflate})
	}}
}
