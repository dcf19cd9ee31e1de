package pipeline

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"
)

// Work that does not look at its context is cut off with the exit code of the signal;
// work that does is not.
func TestGraceEnds(t *testing.T) {
	for _, c := range []struct {
		name   string
		signal syscall.Signal
		hangs  bool
		want   int
	}{
		{"SIGTERM, hangs", syscall.SIGTERM, true, ExitTerminated},
		{"SIGINT, hangs", syscall.SIGINT, true, ExitInterrupted},
		{"SIGHUP, hangs", syscall.SIGHUP, true, ExitHungUp},
		{"SIGTERM, ends", syscall.SIGTERM, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			code := make(chan int, 1)
			ctx, stop := signalContext(t.Context(), 50*time.Millisecond, func(c int) { code <- c })
			if err := syscall.Kill(syscall.Getpid(), c.signal); err != nil {
				t.Fatal(err)
			}
			<-ctx.Done()
			var s *SignalError
			if !errors.As(context.Cause(ctx), &s) || s.Signal != c.signal {
				t.Errorf("the context ended with %v", context.Cause(ctx))
			}
			if c.hangs {
				if got := <-code; got != c.want {
					t.Errorf("exit code %d, want %d", got, c.want)
				}
				stop()
				return
			}
			stop()
			select {
			case got := <-code:
				t.Errorf("cut off with exit code %d although the work had ended", got)
			case <-time.After(150 * time.Millisecond):
			}
		})
	}
}
