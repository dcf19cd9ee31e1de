package pipeline

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/rs/zerolog"
)

// before are the cycles of the archive before one, ascending. Those whose files cannot be
// read are among them: they fail, and say so.
func (w *workspace) before(cycle time.Time) []time.Time {
	return slices.DeleteFunc(w.seen(), func(c time.Time) bool { return !c.Before(cycle) })
}

// catchUp are those of the last n of ascending cycles that have no valid product.
func (w *workspace) catchUp(ctx context.Context, n int, all []time.Time) ([]time.Time, error) {
	return w.withoutProduct(ctx, all[max(0, len(all)-n):])
}

// withoutProduct are those cycles that have no valid product.
func (w *workspace) withoutProduct(ctx context.Context, cycles []time.Time) ([]time.Time, error) {
	var missing []time.Time
	for _, c := range cycles {
		valid, _, err := w.hasValidProduct(ctx, c)
		if err != nil {
			return nil, err
		}
		if !valid {
			missing = append(missing, c)
		}
	}
	return missing, nil
}

// hasValidProduct says whether a run of the cycle would have nothing to do, and why.
func (w *workspace) hasValidProduct(ctx context.Context, cycle time.Time) (valid bool, why string, err error) {
	product, err := w.product(cycle)
	if err != nil {
		return false, "", err
	}
	if _, err := ReadManifest(product); err != nil {
		return false, err.Error(), nil // there is none, or a new one is needed
	}
	j := w.newJob(cycle, product)
	j.log = zerolog.Nop()
	if err := j.ingestStage().Run(ctx); err != nil {
		return false, err.Error(), ctx.Err() // running it says the same
	}
	want, err := j.wanted(ctx)
	if err != nil {
		return false, "", cause(ctx, err)
	}
	valid, why, err = validProduct(ctx, product, want)
	return valid, why, cause(ctx, err)
}

// worse is the error of two that is of more concern: the program's own faults before
// those of the input, and damaged input before missing input.
func worse(a, b error) error {
	if a == nil || b == nil {
		return errors.Join(a, b)
	}
	rank := func(err error) int {
		return slices.Index([]int{ExitTryLater, ExitNoInput, ExitData}, ExitCode(err)) // others: -1
	}
	ra, rb := rank(a), rank(b)
	if ra >= 0 && (rb < 0 || rb > ra) {
		return b
	}
	return a
}
