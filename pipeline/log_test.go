package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

func noon() time.Time { return time.Date(2024, 7, 8, 14, 0, 0, 0, time.FixedZone("east", 2*3600)) }

func TestLogLinesAreJSONWithUTC(t *testing.T) {
	var out bytes.Buffer
	log := newLog(&out, logOptions{Format: "auto"}, noon)
	log.Debug().Msg("not shown")
	log.Warn().Str("cycle", "2024-07-08T00Z").Msg("text")
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	want := map[string]any{"level": "warn", "cycle": "2024-07-08T00Z", "time": "2024-07-08T12:00:00Z", "message": "text"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
}

func TestLogLevels(t *testing.T) {
	for _, c := range []struct {
		o    logOptions
		want string
	}{
		{logOptions{}, "info warn "},
		{logOptions{Verbose: true}, "debug info warn "},
		{logOptions{Quiet: true}, "warn "},
	} {
		var out bytes.Buffer
		log := newLog(&out, logOptions{Format: "json", Verbose: c.o.Verbose, Quiet: c.o.Quiet}, noon)
		log.Debug().Msg("")
		log.Info().Msg("")
		log.Warn().Msg("")
		got := ""
		for line := range strings.Lines(out.String()) {
			var e struct{ Level string }
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatal(err)
			}
			got += e.Level + " "
		}
		if got != c.want {
			t.Errorf("%+v shows %q, want %q", c.o, got, c.want)
		}
	}
}

func TestTextHasNoColourOffATerminal(t *testing.T) {
	var out bytes.Buffer
	log := newLog(&out, logOptions{Format: "text"}, noon)
	log.Info().Str("stage", "train").Msg("stage done")
	if got := out.String(); strings.Contains(got, "\x1b") || !strings.Contains(got, "stage done") || !strings.Contains(got, "stage=train") {
		t.Errorf("line is %q", got)
	}
}

func TestFailureIsTheLastLineInTheFormOfTheLog(t *testing.T) {
	for format, want := range map[string]string{
		"text": "sipipe: x.nc: broken\n",
		"json": `{"level":"error","exit_code":73,"time":"2024-07-08T12:00:00Z","message":"x.nc: broken"}` + "\n",
		"auto": `{"level":"error","exit_code":73,"time":"2024-07-08T12:00:00Z","message":"x.nc: broken"}` + "\n",
	} {
		var out bytes.Buffer
		writeFailure(&out, logOptions{Format: format}, &wordError{"x.nc: broken", &OutputError{}}, noon)
		if got := out.String(); got != want {
			t.Errorf("%s: %q, want %q", format, got, want)
		}
	}
}

// wordError has a text of its own and wraps another error.
type wordError struct {
	text string
	err  error
}

func (e *wordError) Error() string { return e.text }
func (e *wordError) Unwrap() error { return e.err }

// lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	mutex sync.Mutex
	b     bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.b.String()
}

func TestHeartbeatOffATerminal(t *testing.T) {
	var out lockedBuffer
	p := &Progress{screen: newScreen(&out), log: zerolog.New(&out), every: 5 * time.Millisecond}
	report, stop := p.Start("training")
	report(3, 8)
	deadline := time.Now().Add(5 * time.Second)
	for !strings.Contains(out.String(), "still working") {
		if time.Now().After(deadline) {
			t.Fatal("no sign of life")
		}
		time.Sleep(time.Millisecond)
	}
	stop()
	silent := out.String()
	first, _, _ := strings.Cut(silent, "\n")
	if want := `{"level":"info","task":"training","running":5,"done":3,"total":8,"message":"still working"}`; first != want {
		t.Errorf("line is %s, want %s", first, want)
	}
	time.Sleep(20 * time.Millisecond)
	if out.String() != silent {
		t.Error("it goes on after the work has stopped")
	}
}

func TestQuietShowsNoProgress(t *testing.T) {
	var out lockedBuffer
	p := &Progress{screen: newScreen(&out), log: zerolog.New(&out), every: time.Millisecond, quiet: true}
	report, stop := p.Start("training")
	report(1, 2)
	time.Sleep(10 * time.Millisecond)
	stop()
	if got := out.String(); got != "" {
		t.Errorf("it shows %q", got)
	}
}

func TestLinesOfTheLogStandAboveTheBar(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out)
	s.terminal = true
	p := &Progress{screen: s}
	report, stop := p.Start("training")
	report(1, 4)
	out.Reset()
	if _, err := s.Write([]byte("a line\n")); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	line := strings.Index(got, "a line\n")
	if line < 0 || !strings.Contains(got[:line], "\r") {
		t.Errorf("the bar was not cleared before the line: %q", got)
	}
	time.Sleep(110 * time.Millisecond) // the bar is drawn ten times a second at most
	report(2, 4)
	if got := out.String(); !strings.Contains(got[line:], "training") {
		t.Errorf("the bar does not come back after the line: %q", got)
	}
	stop()
	out.Reset()
	if _, err := s.Write([]byte("after\n")); err != nil || out.String() != "after\n" {
		t.Errorf("after the work: %q (%v)", out.String(), err)
	}
}

func TestExitCodeOfAWrappedError(t *testing.T) {
	if ExitCode(&wordError{"x", errors.New("y")}) != ExitInternal {
		t.Error("an unknown error must be internal")
	}
}
