package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"sipipe/export"
	"sipipe/ingest"
	"sipipe/ingest/ncio"
	"sipipe/ingest/store"
)

// Exit codes. Those from 64 on are of sysexits.h, which schedulers know; 128 and
// more is the number of a signal added to 128, as shells do.
const (
	ExitDone        = 0
	ExitInternal    = 1
	ExitUsage       = 2
	ExitData        = 65
	ExitNoInput     = 66
	ExitNoOutput    = 73
	ExitTryLater    = 75
	ExitConfig      = 78
	ExitHungUp      = 129
	ExitInterrupted = 130
	ExitTerminated  = 143
)

// exitHelp ends the help of each command.
const exitHelp = `Exit codes:
  0    done, also when a product is degraded as configured
  1    internal failure
  2    wrong usage
  65   input data unusable
  66   input missing
  73   cannot create output
  75   try again later: locked by another run, or input not yet there
  78   wrong configuration
  130  interrupted (SIGINT), 143 terminated (SIGTERM), 129 hung up (SIGHUP)`

// UsageError is a mistake on the command line.
type UsageError struct {
	Command string // "sipipe run"
	Text    string
}

func (e *UsageError) Error() string {
	if e.Command == "" {
		return e.Text
	}
	return e.Text + "\nTry '" + e.Command + " --help'."
}

// OutputError is a failure to create something.
type OutputError struct {
	Path string
	Err  error
}

func (e *OutputError) Error() string {
	return "create " + e.Path + ": " + e.Err.Error() + outputRemedy(e.Err)
}

// outputRemedy is what a person can do about an error of writing.
func outputRemedy(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "; make room and start again: nothing half-written is left"
	case errors.Is(err, syscall.EFBIG):
		return "; raise the limit on the size of files (ulimit -f) and start again: nothing half-written is left"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "; raise the limit on open files (ulimit -n) and start again: nothing half-written is left"
	case errors.Is(err, fs.ErrPermission):
		return "; the user of this run needs the right to write there"
	case errors.Is(err, syscall.EROFS):
		return "; choose another folder with export.path or state"
	case errors.Is(err, syscall.ENOLCK), errors.Is(err, syscall.ENOTSUP):
		return "; its file system has no locks: choose another folder with state"
	}
	return ""
}

func (e *OutputError) Unwrap() error { return e.Err }

// SignalError is the cause of a context that a signal has ended.
type SignalError struct{ Signal syscall.Signal }

func (e *SignalError) Error() string {
	switch e.Signal {
	case syscall.SIGTERM:
		return "terminated"
	case syscall.SIGHUP:
		return "hung up: the session or terminal that the program was started from has ended"
	}
	return "interrupted"
}

// ExitCode maps an error to the exit code of the program; it is the only place that
// does. When several errors are joined, the most telling one counts: the order of
// the cases is the order of precedence.
func ExitCode(err error) int {
	var (
		task    *TaskError
		batch   *SchedulerError
		stopped *SignalError
		usage   *UsageError
		config  *ConfigError
		locked  *LockedError
		queued  *SubmittedError
		late    *WaitError
		space   *SpaceError
		output  *OutputError
		stored  *store.WriteError
		damaged *store.CorruptError
		create  *export.CreateError
		content *export.NonFiniteError
		data    *ingest.UnusableError
		format  *ncio.FormatError
		absent  *ingest.MissingVarError
		odd     *ImplausibleOutputError
		shown   *ProblemsError
		empty   *export.EmptyError
	)
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &task):
		return task.code
	case errors.As(err, &stopped):
		return 128 + int(stopped.Signal)
	case errors.As(err, &usage):
		return ExitUsage
	case errors.As(err, &batch):
		if batch.later() {
			return ExitTryLater
		}
		return ExitConfig
	case errors.As(err, &config):
		return ExitConfig
	case errors.As(err, &locked), errors.As(err, &late), errors.As(err, &queued):
		return ExitTryLater
	case errors.As(err, &content):
		return ExitInternal // the program's own numbers are wrong
	case errors.As(err, &output), errors.As(err, &stored), errors.As(err, &create), errors.As(err, &space),
		// A full disk is met wherever something is written, and too many open files also where
		// something is read.
		errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EROFS),
		errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return ExitNoOutput
	case errors.As(err, &data), errors.As(err, &format), errors.As(err, &absent), errors.As(err, &empty), errors.As(err, &odd), errors.As(err, &shown):
		return ExitData
	case errors.As(err, &damaged):
		return ExitTryLater // lost while it was in use; the next run makes it again
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return ExitNoInput
	case errors.Is(err, context.Canceled):
		return ExitInterrupted
	}
	return ExitInternal
}

// exitMessage is what the user reads last.
func exitMessage(err error) string {
	text := strings.TrimSpace(err.Error())
	switch ExitCode(err) {
	case ExitNoOutput:
		if remedy := outputRemedy(err); !strings.Contains(text, remedy) {
			text += remedy
		}
	case ExitInternal:
		text += fmt.Sprintf("\nThis is a fault of the program; please report it with the output of %q.", "sipipe version")
	}
	return text
}
