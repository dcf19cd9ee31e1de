package pipeline

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// SignalContext returns a context that ends with a *SignalError as its cause at the
// first SIGINT or SIGTERM. A second one ends the program at once. Call stop when the
// work is done.
func SignalContext(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	received := make(chan os.Signal, 1)
	signal.Notify(received, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		select {
		case s := <-received:
			signal.Stop(received)
			cancel(&SignalError{Signal: s.(syscall.Signal)})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(received)
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
