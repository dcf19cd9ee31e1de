package pipeline

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"sipipe/ingest"
)

// worldClock is a clock that only moves when somebody sleeps; each sleep then lets
// something happen.
type worldClock struct {
	now    time.Time
	slept  int
	happen func(slept int)
}

func (c *worldClock) clock() time.Time { return c.now }

func (c *worldClock) sleep(ctx context.Context, d time.Duration) error {
	c.now = c.now.Add(d)
	c.slept++
	if c.happen != nil {
		c.happen(c.slept)
	}
	return ctx.Err()
}

// The states that a file is seen in, look by look, and what becomes of it.
func TestWaiting(t *testing.T) {
	cycle := time.Date(2020, 1, 21, 0, 0, 0, 0, time.UTC)
	start := time.Date(2020, 1, 21, 6, 0, 0, 0, time.UTC)
	at := func(size int64, minutes int) map[string]inputState {
		return map[string]inputState{"f": {size, start.Add(time.Duration(minutes) * time.Minute)}}
	}
	none := map[string]inputState{}
	data := &ingest.UnusableError{Path: "f", Why: "is truncated"}
	for _, c := range []struct {
		what     string
		looks    []map[string]inputState // the last one stays
		attempts []error
		tried    int
		slept    int
		code     int
		says     string
	}{
		{"there long since", []map[string]inputState{at(1, -60)}, []error{nil}, 1, 0, 0, ""},
		{"there, but written just now", []map[string]inputState{at(1, 0)}, []error{nil}, 1, 1, 0, ""},
		{"comes at the third look", []map[string]inputState{none, none, at(1, 2)}, []error{nil}, 1, 3, 0, ""},
		{"grows", []map[string]inputState{at(1, 0), at(2, 1), at(3, 2)}, []error{nil}, 1, 3, 0, ""},
		{"same size, but written again", []map[string]inputState{at(1, 0), at(1, 1), at(1, 2)}, []error{nil}, 1, 3, 0, ""},
		{"broken, then replaced", []map[string]inputState{at(1, -60), at(1, -60), at(2, 2)}, []error{data, nil}, 2, 3, 0, ""},
		{"never comes", []map[string]inputState{none}, nil, 0, 10, ExitTryLater, "there is no file of it"},
		{"stays broken", []map[string]inputState{at(1, -60)}, []error{data}, 1, 10, ExitTryLater, "is truncated"},
		{"a wrong configuration is not waited for", []map[string]inputState{at(1, -60)}, []error{&ConfigError{Text: "x"}}, 1, 0, ExitConfig, "x"},
		{"nor a forecast that makes no sense", []map[string]inputState{at(1, -60)}, []error{&ingest.ImplausibleError{UnusableError: *data}}, 1, 0, ExitData, "truncated"},
	} {
		world := worldClock{now: start}
		looks, tried := 0, 0
		w := waiting{
			clock: world.clock, sleep: world.sleep, log: zerolog.Nop(), limit: 10 * time.Minute, poll: time.Minute,
			files: func() (map[string]inputState, error) {
				looks++
				return c.looks[min(looks, len(c.looks))-1], nil
			},
		}
		err := w.until(t.Context(), cycle, func() error {
			tried++
			if tried > len(c.attempts) {
				return errors.New("one attempt too many")
			}
			return c.attempts[tried-1]
		})
		if got := ExitCode(err); got != c.code || tried != c.tried || world.slept != c.slept {
			t.Errorf("%s: exit code %d after %d attempts and %d sleeps, want %d, %d, %d (%v)", c.what, got, tried, world.slept, c.code, c.tried, c.slept, err)
		}
		if err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.what, err, c.says)
		}
	}
}

// sipipeIn runs a command in a world whose time passes while the command waits.
func sipipeIn(t *testing.T, world *worldClock, args ...string) result {
	t.Helper()
	var out, err bytes.Buffer
	g := &Global{
		Streams: Streams{Out: &out, Err: &err}, Build: Build{Version: "1.2.3", Commit: "abc"},
		args: args, clock: world.clock, sleep: world.sleep,
	}
	return result{g.execute(t.Context()), out.String(), err.String()}
}

// A forecast that comes 40 minutes late, is copied in two parts, and is used once it
// is whole.
func TestRunWaitsForALateForecast(t *testing.T) {
	place(t)
	whole, err := os.ReadFile(forecast)
	must2(t, err)
	must2(t, os.Remove(forecast))
	world := &worldClock{now: time.Date(2020, 1, 18, 6, 0, 0, 0, time.UTC)}
	world.happen = func(slept int) {
		var content []byte
		switch slept {
		case 40:
			content = whole[:len(whole)/2]
		case 41:
			content = whole
		default:
			return
		}
		must2(t, os.WriteFile(forecast, content, 0o644))
		must2(t, os.Chtimes(forecast, world.now, world.now))
	}
	r := must(t, sipipeIn(t, world, "run", "--date", "today", "--wait", "90m"))
	if world.slept != 42 || strings.Count(r.out, "\n") != 1 {
		t.Errorf("used after %d minutes, want 42: %s", world.slept, r.out)
	}
	if strings.Contains(r.err, "left out") {
		t.Errorf("half of it was read:\n%s", r.err)
	}
}

func TestWaitEnds(t *testing.T) {
	place(t)
	world := &worldClock{now: time.Date(2020, 1, 21, 6, 0, 0, 0, time.UTC)}
	r := sipipeIn(t, world, "run", "--date", "today", "--wait", "20m", "--poll", "5m")
	if r.code != ExitTryLater || !strings.Contains(r.err, "2020-01-21T00Z is not ready after waiting for 20m") {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
	for _, args := range [][]string{
		{"--date", "latest", "--wait", "1h"},
		{"--date", "today", "--wait", "1h", "--poll", "0"},
		{"--date", "today", "--wait", "-1h"},
		{"--date", "today", "--catchup", "-1"},
	} {
		if r := sipipeIn(t, world, append([]string{"run"}, args...)...); r.code != ExitUsage {
			t.Errorf("%v: exit code %d, want %d", args, r.code, ExitUsage)
		}
	}
}
