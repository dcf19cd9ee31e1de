package pipeline

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var holder = Holder{PID: 4711, Host: "node7", Start: time.Date(2024, 7, 8, 3, 0, 0, 0, time.UTC), Command: "sipipe run --date today"}

func TestSecondRunHearsWhoHoldsTheLock(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	release, _, err := acquireLock(t.Context(), dir, 0, holder)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = acquireLock(t.Context(), dir, 0, Holder{PID: 1})
	want := filepath.Join(dir, "lock") + " is locked by process 4711 on node7 since 2024-07-08T03:00:00Z (sipipe run --date today); wait for it with --lock-wait 10m, or give this configuration a state folder of its own"
	if err == nil || err.Error() != want {
		t.Errorf("error\n%v\nwant\n%s", err, want)
	}
	if code := ExitCode(err); code != ExitTryLater {
		t.Errorf("exit code %d, want %d", code, ExitTryLater)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	release, _, err = acquireLock(t.Context(), dir, 0, holder)
	if err != nil {
		t.Fatalf("after the first run has ended: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
}

func TestSecondRunWaits(t *testing.T) {
	dir := t.TempDir()
	release, _, err := acquireLock(t.Context(), dir, 0, holder)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(300*time.Millisecond, func() {
		if err := release(); err != nil {
			t.Error(err)
		}
	})
	start := time.Now()
	second, _, err := acquireLock(t.Context(), dir, 20*time.Second, Holder{PID: 1})
	if err != nil {
		t.Fatal(err)
	}
	if waited := time.Since(start); waited < 250*time.Millisecond {
		t.Errorf("it had the lock after %s, while the first still held it", waited)
	}
	if err := second(); err != nil {
		t.Fatal(err)
	}
}

func TestWaitingEnds(t *testing.T) {
	dir := t.TempDir()
	release, _, err := acquireLock(t.Context(), dir, 0, holder)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := release(); err != nil {
			t.Error(err)
		}
	}()
	var locked *LockedError
	if _, _, err := acquireLock(t.Context(), dir, 50*time.Millisecond, Holder{}); !errors.As(err, &locked) || locked.Waited == 0 {
		t.Errorf("after the time to wait: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(50*time.Millisecond, func() { cancel(errors.New("stop")) })
	if _, _, err := acquireLock(ctx, dir, time.Hour, Holder{}); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancelling: %v", err)
	}
}

// A killed process cannot clean up: its lock must not outlive it.
func TestLockOfAKilledProcessIsFree(t *testing.T) {
	if dir := os.Getenv("SIPIPE_TEST_LOCK_DIR"); dir != "" {
		if _, _, err := acquireLock(t.Context(), dir, 0, holder); err != nil {
			t.Fatal(err)
		}
		fmt.Println("locked")
		_, _ = io.Copy(io.Discard, os.Stdin) // until killed
		return
	}
	dir := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run=^TestLockOfAKilledProcessIsFree$")
	child.Env = append(os.Environ(), "SIPIPE_TEST_LOCK_DIR="+dir)
	stdin, err := child.StdinPipe() // held open
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || !strings.Contains(line, "locked") {
		t.Fatalf("the other process says %q (%v)", line, err)
	}
	if _, _, err := acquireLock(t.Context(), dir, 0, Holder{}); ExitCode(err) != ExitTryLater {
		t.Errorf("while the other process lives: %v", err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // killed
	release, _, err := acquireLock(t.Context(), dir, 0, Holder{})
	if err != nil {
		t.Fatalf("after the other process was killed: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
}

func TestStateFolderThatCannotBeMade(t *testing.T) {
	_, _, err := acquireLock(t.Context(), filepath.Join(file(t, "file", ""), "state"), 0, Holder{})
	if code := ExitCode(err); code != ExitNoOutput {
		t.Errorf("exit code %d, want %d: %v", code, ExitNoOutput, err)
	}
}
