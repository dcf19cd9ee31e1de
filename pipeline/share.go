package pipeline

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// Tasks of a batch system share a state folder: each writes what no other task does,
// and what they write beside that, such as an archived forecast that was lost, is the
// same from each. A run that trains wants the folder for itself.

// claim says what a command that shares the state folder wants for itself.
type claim int

const (
	claimNothing claim = iota
	claimCycle         // the product of the cycle
)

// claims is the folder of claims, in the state folder.
const claims = "claims"

// share opens the workspace beside others that share it, and does work for a cycle.
func (g *Global) share(ctx context.Context, command string, r cycleRequest, c claim, work func(*workspace, time.Time) error) error {
	s, err := g.begin(command)
	if err != nil {
		return err
	}
	return s.with(ctx, sharing, func(w *workspace) error {
		cycle, err := w.find(r)
		if err != nil {
			return err
		}
		if c == claimNothing {
			return work(w, cycle)
		}
		err = w.claimed(ctx, cycle.UTC().Format("2006010215"), s.Operations.LockWait, func() error { return work(w, cycle) })
		// A whole product is news; the file of metrics takes one writer at a time.
		return errors.Join(err, w.claimed(context.WithoutCancel(ctx), "metrics", metricsWait, func() error {
			s.writeMetrics(cause(ctx, err))
			return nil
		}))
	})
}

// metricsWait is how long a task waits for others that write the file of metrics.
const metricsWait = 5 * time.Second

// claimed does work while the process has a claim.
func (w *workspace) claimed(ctx context.Context, name string, wait time.Duration, work func() error) error {
	release, err := claimFile(ctx, filepath.Join(w.store.Dir(), claims, name+".lock"), wait)
	if err != nil {
		return err
	}
	return errors.Join(work(), release())
}

// shareLock locks a state folder against runs that want it for themselves.
func shareLock(ctx context.Context, dir string, wait time.Duration) (release func() error, err error) {
	lock, err := lockFile(ctx, lockPath(dir), (*flock.Flock).TryRLock, wait)
	if err != nil {
		return nil, err
	}
	return lock.Unlock, nil
}

// claimFile locks a file of the folder of claims. The file stays when it is released:
// another task may be about to lock it. A run that has the state folder for itself
// removes it.
func claimFile(ctx context.Context, path string, wait time.Duration) (release func() error, err error) {
	lock, err := lockFile(ctx, path, (*flock.Flock).TryLock, wait)
	if err != nil {
		return nil, err
	}
	return lock.Unlock, nil
}

// sweepClaims removes what claims have left. The caller has the state folder for
// itself, so that nobody has a claim.
func sweepClaims(state string) error {
	if err := os.RemoveAll(filepath.Join(state, claims)); err != nil {
		return &OutputError{Path: state, Err: err}
	}
	return nil
}
