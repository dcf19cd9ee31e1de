package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"

	"sipipe/export"
	"sipipe/ingest"
	"sipipe/ingest/ncio"
	"sipipe/ingest/store"
)

func TestExitCodes(t *testing.T) {
	wrapped := func(err error) error { return fmt.Errorf("cycle 2024-07-08T00Z: export: %w", err) }
	for _, c := range []struct {
		what string
		err  error
		want int
	}{
		{"nothing", nil, 0},
		{"unknown", errors.New("x"), 1},
		{"our own numbers are wrong", wrapped(&export.NonFiniteError{Variable: "t2m"}), 1},
		{"usage", &UsageError{Text: "x"}, 2},
		{"unusable data", wrapped(&ingest.UnusableError{Path: "f.nc", Why: "x"}), 65},
		{"variable that is not there", wrapped(&ingest.MissingVarError{Path: "f.nc", Var: "t2m"}), 65},
		{"truncated file", wrapped(&ncio.FormatError{Path: "f.nc"}), 65},
		{"nothing but missing values", wrapped(&export.EmptyError{}), 65},
		{"cycle that is not there", wrapped(&ingest.MissingCycleError{Var: "t2m"}), 66},
		{"no cycle in the range", &NoCycleError{Forecasts: "x", Hour: -1}, 66},
		{"file that is not there", wrapped(&fs.PathError{Op: "open", Path: "f.nc", Err: syscall.ENOENT}), 66},
		{"file that may not be read", wrapped(&fs.PathError{Op: "open", Path: "f.nc", Err: syscall.EACCES}), 66},
		{"product", wrapped(&export.CreateError{Path: "x.nc", Err: errors.New("HDF error")}), 73},
		{"product in a folder that is not there", &OutputError{Path: "x", Err: fs.ErrNotExist}, 73},
		{"product in a forbidden folder", &export.CreateError{Path: "x", Err: fs.ErrPermission}, 73},
		{"full disk, wherever met", wrapped(&fs.PathError{Op: "write", Path: "state/x", Err: syscall.ENOSPC}), 73},
		{"read-only state", wrapped(syscall.EROFS), 73},
		{"stored value that is damaged while it is in use", wrapped(&store.CorruptError{Err: syscall.EIO}), 75},
		{"stored value", wrapped(&store.WriteError{Err: fs.ErrPermission}), 73},
		{"locked", &LockedError{Path: "state/lock"}, 75},
		{"not there in time", wrapped(&WaitError{Err: &ingest.MissingCycleError{}}), 75},
		{"too little to learn from", wrapped(&ShortageError{}), 66},
		{"not plausible", wrapped(&ingest.ImplausibleError{}), 65},
		{"not enough space", &SpaceError{}, 73},
		{"configuration", &ConfigError{Text: "x"}, 78},
		{"several mistakes in it", errors.Join(&ConfigError{Text: "x"}, &ConfigError{Text: "y"}), 78},
		{"cancelled by the program itself", context.Canceled, 130},
		{"interrupted", &SignalError{Signal: syscall.SIGINT}, 130},
		{"terminated", wrapped(&SignalError{Signal: syscall.SIGTERM}), 143},
		{"hung up", wrapped(&SignalError{Signal: syscall.SIGHUP}), 129},
		{"terminated while cleaning up fails", errors.Join(&SignalError{Signal: syscall.SIGTERM}, &OutputError{Err: fs.ErrPermission}), 143},
		{"backfill with a missing cycle", &BackfillError{Failed: 1, Total: 2, Worst: wrapped(&ingest.MissingCycleError{})}, 66},
	} {
		if got := ExitCode(c.err); got != c.want {
			t.Errorf("%s: exit code %d, want %d", c.what, got, c.want)
		}
	}
}

func TestSignalNamesTheCauseOfACancelledContext(t *testing.T) {
	ctx, stop := SignalContext(t.Context())
	defer stop()
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(5 * time.Second):
		t.Fatal("the context did not end")
	}
	if code := ExitCode(cause(ctx, fmt.Errorf("stage: %w", ctx.Err()))); code != ExitTerminated {
		t.Errorf("exit code %d, want %d", code, ExitTerminated)
	}
	if err := cause(ctx, nil); err != nil {
		t.Errorf("work that was done all the same has the error %v", err)
	}
}

func TestMessagesSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&OutputError{Path: "out/x.nc", Err: syscall.ENOSPC}, "make room"},
		{&OutputError{Path: "out/x.nc", Err: syscall.EACCES}, "right to write"},
		{&OutputError{Path: "out/x.nc", Err: syscall.EROFS}, "export.path"},
		{&OutputError{Path: "state/lock", Err: syscall.ENOLCK}, "no locks"},
		{&store.WriteError{Key: "k", Path: "state/k.gob", Err: syscall.EFBIG}, "ulimit -f"},
		{&export.CreateError{Path: "out/x.nc", Err: errors.New("HDF error")}, "check permissions and free space"},
		{&LockedError{Path: "state/lock"}, "--lock-wait 10m"},
		{&UsageError{Command: "sipipe run", Text: "x"}, "Try 'sipipe run --help'"},
		{&NoCycleError{Forecasts: "fc_*.nc", Hour: 6}, "check ingest.forecasts"},
		{errors.New("x"), "please report"},
	} {
		if got := exitMessage(c.err); !strings.Contains(got, c.want) {
			t.Errorf("message %q does not contain %q", got, c.want)
		}
	}
}
