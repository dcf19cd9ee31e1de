package pipeline

import (
	"context"
	"errors"
	"time"
)

// verify scores the products of cycles.
func (w *workspace) verify(ctx context.Context, cycles []time.Time) (*VerifyReport, error) {
	return nil, errors.New("verify is not wired yet")
}

// writeFolder writes figures and tables.
func (r *VerifyReport) writeFolder(ctx context.Context, dir string) error {
	return errors.New("reports are not wired yet")
}
