package pipeline

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipipe/ingest/simulate"
)

// oneOfTheFuture puts a forecast of 2028 into the archive, whose name and time agree.
func oneOfTheFuture(t *testing.T) {
	t.Helper()
	o := simulate.Defaults()
	o.Dir, o.Places, o.Members, o.Steps = t.TempDir(), 6, 5, 2
	o.From = time.Date(2028, 1, 18, 0, 0, 0, 0, time.UTC)
	o.To = o.From
	_, err := simulate.Write(t.Context(), o, nil)
	must2(t, err)
	const folder = "archive/forecasts/2028"
	must2(t, os.CopyFS(folder, os.DirFS(filepath.Join(o.Dir, folder))))
}

func TestCycleAheadOfTheClock(t *testing.T) {
	place(t)
	const file = "sipipe.prom"
	t.Setenv("SIPIPE_OPERATIONS_METRICS", file)
	must(t, sipipe(t, "backfill", "--from", "2020-01-15", "--to", "2020-01-19"))
	oneOfTheFuture(t)

	// The latest is that of the clock's day; the other one is warned of once, and named.
	r := must(t, sipipe(t, "run", "--date", "latest"))
	if days(r.out) != "20" || !strings.Contains(r.err, "ahead of the clock") || !strings.Contains(r.err, "2028-01-18T00Z") {
		t.Errorf("made %s\n%s", r.out, r.err)
	}
	if r := must(t, sipipe(t, "run", "--date", "latest")); strings.Contains(r.err, "ahead of the clock") {
		t.Errorf("it is warned of again:\n%s", r.err)
	}
	var s StatusReport
	must2(t, json.Unmarshal([]byte(must(t, sipipe(t, "status", "--json")).out), &s))
	if last := s.Cycles[len(s.Cycles)-1]; last.Cycle.Year() != 2020 || last.Status != StatusOK || len(s.Ahead) != 1 || s.Ahead[0].Year() != 2028 {
		t.Errorf("status ends with %+v, ahead %v", last, s.Ahead)
	}
	if table := must(t, sipipe(t, "status")).out; !strings.Contains(table, "ahead of the clock: 2028-01-18T00Z") {
		t.Errorf("the table is\n%s", table)
	}
	if table := must(t, sipipe(t, "status", "--from", "2028-01-01", "--to", "2028-02-01")).out; !strings.Contains(table, "not made yet") {
		t.Errorf("of the range the table is\n%s", table)
	}
	if r := must(t, sipipe(t, "backfill", "--catchup", "3")); r.out != "" {
		t.Errorf("catching up made %s", r.out)
	}

	// It is made when it is asked for, and takes the metrics from none.
	r = must(t, sipipe(t, "run", "--date", "2028-01-18"))
	if !strings.HasSuffix(r.out, "sipipe_2028011800.nc\n") {
		t.Fatalf("made %s", r.out)
	}
	if !strings.Contains(r.err, "this cycle is ahead of the clock") {
		t.Errorf("nothing warns of it:\n%s", r.err)
	}
	want := float64(time.Date(2020, 1, 20, 0, 0, 0, 0, time.UTC).Unix())
	if v := parsed(t, file); v["sipipe_last_cycle_timestamp_seconds"] != want || v["sipipe_cycles_ahead"] != 1 || v["sipipe_degraded"] != 0 {
		t.Errorf("the metrics say %v", v)
	}
	// A file that an earlier program has left with such a cycle is not believed.
	text, err := os.ReadFile(file)
	must2(t, err)
	told := []byte("sipipe_last_cycle_timestamp_seconds 1.5794784e+09")
	if !bytes.Contains(text, told) {
		t.Fatalf("the file is\n%s", text)
	}
	must2(t, os.WriteFile(file, bytes.Replace(text, told, []byte("sipipe_last_cycle_timestamp_seconds 1.8317664e+09"), 1), 0o644))
	must(t, sipipe(t, "run", "--date", "latest"))
	if v := parsed(t, file); v["sipipe_last_cycle_timestamp_seconds"] != want {
		t.Errorf("the metrics say %v", v)
	}

	// Nothing is old because of it.
	for age, n := range map[string]int{"400d": 0, "3d": 2 * 2} { // products of 15 and 16, and manifests
		if got := strings.Count(must(t, sipipe(t, "prune", "--older-than", age)).out, "sipipe_"); got != n {
			t.Errorf("older than %s: %d files, want %d", age, got, n)
		}
	}
}

// An archive of which all is ahead of the clock is of simulated dates, or the clock is wrong:
// it is used as any other.
func TestArchiveAheadOfTheClock(t *testing.T) {
	place(t)
	world := &worldClock{now: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)}
	if r := must(t, sipipeIn(t, world, "run", "--date", "latest")); days(r.out) != "20" || !strings.Contains(r.err, "ahead of the clock") {
		t.Errorf("made %s\n%s", r.out, r.err)
	}
	var s StatusReport
	must2(t, json.Unmarshal([]byte(must(t, sipipeIn(t, world, "status", "--json")).out), &s))
	if len(s.Cycles) != statusCycles || s.Cycles[statusCycles-1].Status != StatusOK {
		t.Errorf("status says %+v", s)
	}
	if r := must(t, sipipeIn(t, world, "prune", "--older-than", "1d")); r.out != "" {
		t.Errorf("of what is ahead, old is\n%s", r.out)
	}
}

// A clock that is slow by less than a day makes no cycle one of the future.
func TestAhead(t *testing.T) {
	now := time.Date(2020, 1, 21, 9, 0, 0, 0, time.UTC)
	s := &session{global: &Global{clock: func() time.Time { return now }}}
	at := func(hours ...int) (cycles []time.Time) {
		for _, h := range hours {
			cycles = append(cycles, now.Add(time.Duration(h)*time.Hour))
		}
		return cycles
	}
	for _, c := range []struct {
		cycles []time.Time
		timely int
	}{{nil, 0}, {at(-24, 0, 24), 3}, {at(-24, 0, 25), 2}, {at(25, 49), 2}} {
		if got := s.timely(c.cycles); len(got) != c.timely {
			t.Errorf("of %v, %v are timely", c.cycles, got)
		}
	}
}
