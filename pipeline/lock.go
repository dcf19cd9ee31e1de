package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// Holder says who holds the lock of a state folder.
type Holder struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Start   time.Time `json:"start"`
	Command string    `json:"command"`
}

// LockedError says that another run works with the same state folder.
type LockedError struct {
	Path   string
	Holder *Holder // nil when the holder has not left its name
	Waited time.Duration
}

func (e *LockedError) Error() string {
	who := "another run"
	if h := e.Holder; h != nil {
		who = fmt.Sprintf("process %d on %s since %s (%s)", h.PID, h.Host, h.Start.UTC().Format(time.RFC3339), h.Command)
	}
	text := fmt.Sprintf("%s is locked by %s", e.Path, who)
	if e.Waited > 0 {
		text += fmt.Sprintf(", also after waiting for %s", formatDuration(e.Waited))
	}
	return text + "; wait for it with --lock-wait 10m, or give this configuration a state folder of its own"
}

// lockPoll is the time between two attempts at a lock.
const lockPoll = 200 * time.Millisecond

// acquireLock locks a state folder against other runs, on this and, where the file
// system hands locks on, on other hosts. The operating system drops the lock when
// the process ends, however it ends. wait is how long to wait for another run.
// abandoned is the last holder, if it ended without giving the lock back: it was
// killed.
func acquireLock(ctx context.Context, dir string, wait time.Duration, self Holder) (release func() error, abandoned *Holder, err error) {
	path := lockPath(dir)
	lock, err := lockFile(ctx, path, (*flock.Flock).TryLock, wait)
	if err != nil {
		return nil, nil, err
	}
	abandoned = readHolder(path)
	text, err := json.Marshal(self)
	if err == nil {
		err = os.WriteFile(path, append(text, '\n'), 0o644)
	}
	if err != nil {
		return nil, nil, errors.Join(&OutputError{Path: path, Err: err}, lock.Unlock())
	}
	return func() error {
		// The file stays: another run may be about to open it, and would then lock
		// a file that is no longer there.
		if err := errors.Join(os.Truncate(path, 0), lock.Unlock()); err != nil {
			return fmt.Errorf("unlock %s: %w", path, err)
		}
		return nil
	}, abandoned, nil
}

// lockPath is the file that stands for a state folder.
func lockPath(dir string) string { return filepath.Join(dir, "lock") }

// lockFile locks a file, which is made if it is not there, by try, until it succeeds or
// the time to wait is over.
func lockFile(ctx context.Context, path string, try func(*flock.Flock) (bool, error), wait time.Duration) (*flock.Flock, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, &OutputError{Path: filepath.Dir(path), Err: err}
	}
	// Some file systems lock only what is open for writing.
	lock := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR), flock.SetPermissions(0o644))
	if err := waitForLock(ctx, lock, try, wait); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

func waitForLock(ctx context.Context, lock *flock.Flock, try func(*flock.Flock) (bool, error), wait time.Duration) error {
	over := time.After(wait)
	for {
		locked, err := try(lock)
		switch {
		case ctx.Err() != nil:
			return cause(ctx, ctx.Err())
		case err != nil:
			return &OutputError{Path: lock.Path(), Err: err}
		case locked:
			return nil
		}
		select {
		case <-ctx.Done():
		case <-over:
			return &LockedError{Path: lock.Path(), Holder: readHolder(lock.Path()), Waited: wait}
		case <-time.After(lockPoll):
		}
	}
}

func readHolder(path string) *Holder {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var h Holder
	if json.Unmarshal(text, &h) != nil || h.PID == 0 {
		return nil
	}
	return &h
}

// thisProcess is the holder that this process is.
func thisProcess(args []string, start time.Time) Holder {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return Holder{PID: os.Getpid(), Host: host, Start: start.UTC().Truncate(time.Second), Command: strings.Join(append([]string{"sipipe"}, args...), " ")}
}
