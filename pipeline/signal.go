package pipeline

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// grace is how long work may take to end after a signal. Stages look at their context
// far more often; what does not, such as a write to a disk that hangs, is cut off,
// since schedulers kill without a word some time after the signal. Nothing is lost by
// it: files appear complete or not at all.
const grace = 8 * time.Second

// SignalContext returns a context that ends with a *SignalError as its cause at the
// first SIGINT, SIGTERM or SIGHUP, but not a SIGHUP that is ignored as under nohup. A
// second one ends the program at once, and so does the end of the time of grace. Call
// stop when the work is done. SIGPIPE ends nothing from then on: a write to a pipe that
// nobody reads fails.
func SignalContext(parent context.Context) (ctx context.Context, stop func()) {
	return signalContext(parent, grace, os.Exit)
}

func signalContext(parent context.Context, grace time.Duration, exit func(code int)) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	received := make(chan os.Signal, 1)
	stopped := make(chan struct{})
	signal.Notify(received, syscall.SIGINT, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(received, syscall.SIGHUP)
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // programs that are started do not inherit it
	go func() {
		select {
		case s := <-received:
			signal.Stop(received)
			err := &SignalError{Signal: s.(syscall.Signal)}
			cancel(err)
			select {
			case <-stopped:
			case <-time.After(grace):
				exit(ExitCode(err))
			}
		case <-stopped:
		}
	}()
	return ctx, func() {
		signal.Stop(received)
		close(stopped)
		cancel(nil)
	}
}

// cause is err, or why the context ended if that is what err says: libraries hand
// on ctx.Err(), which does not name the signal.
func cause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		if s, ok := context.Cause(ctx).(*SignalError); ok {
			return s
		}
	}
	return err
}
