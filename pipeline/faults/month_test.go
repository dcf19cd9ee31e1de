package faults

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"sipipe/pipeline"
)

// month is a service that is started once a day, and what befalls it.
type month struct {
	*place
	source string    // of the files that arrive
	broken time.Time // a cycle whose file is never repaired
}

// event is what happens on a day.
type event struct {
	name   string
	happen func(m *month, t *testing.T, cycle time.Time)
	// missing is the reason, or a part of it, that status gives at the end of the month
	// for a cycle that was not delivered.
	missing string
}

// noForecast is what status says of a cycle of which there is no file.
const noForecast = "no forecast"

// events of a month. Between them lie plain days in the long form.
var events = []event{
	{"plain day", (*month).plain, ""},
	{"forecast late, but in time", (*month).late, ""},
	{"forecast after the time to wait", (*month).tooLate, ""},
	{"no forecast", (*month).without, noForecast},
	{"broken forecast, repaired later", (*month).repaired, ""},
	{"run killed", (*month).killed, ""},
	{"job requeued", (*month).requeued, ""},
	{"broken forecast", (*month).spoiled, "not a complete NetCDF file"},
	{"two starts", (*month).twice, ""},
	{"plain day", (*month).plain, ""},
}

// TestMonth starts the program once a day, as cron does, while forecasts are late,
// missing or broken and runs are killed. In the end each cycle is delivered, or status
// says why not, and products are those of an undisturbed backfill.
func TestMonth(t *testing.T) {
	days := events
	if *long {
		days = nil
		for _, e := range events {
			days = append(days, e, events[0], events[0])
		}
	}
	m := &month{place: newOwnPlace(t, fewSteps), source: t.TempDir()}
	check(t, os.Rename(m.path("archive/forecasts"), filepath.Join(m.source, "forecasts")))
	start := firstCycle.AddDate(0, 0, 10)
	for c := firstCycle; c.Before(start); c = c.AddDate(0, 0, 1) {
		m.arrives(t, c)
	}
	cycle := start
	for i, e := range days {
		cycle = start.AddDate(0, 0, i)
		e.happen(m, t, cycle)
		if t.Failed() {
			t.Fatalf("day %d, %s", i+1, e.name)
		}
	}
	span := []string{"--from", start.Format(time.DateOnly), "--to", cycle.Format(time.DateOnly)}

	s := m.status(t, span)
	delivered := 0
	for i, e := range days {
		cycle := start.AddDate(0, 0, i)
		found := false
		for _, c := range s.Cycles {
			if !c.Cycle.Equal(cycle) {
				continue
			}
			found = true
			there := c.Status == "ok" || c.Status == "degraded"
			if there {
				delivered++
			}
			if reasons := strings.Join(c.Reasons, "; "); there != (e.missing == "") || !strings.Contains(reasons, e.missing) {
				t.Errorf("day %d, %s: status is %s (%s), want it to be delivered or missing with %q", i+1, e.name, c.Status, reasons, e.missing)
			}
		}
		if !found {
			t.Errorf("day %d, %s: not in status", i+1, e.name)
		}
	}

	undisturbed := &place{t.TempDir()}
	check(t, os.Symlink(m.path("archive"), undisturbed.path("archive")))
	check(t, os.WriteFile(undisturbed.path("sipipe.yaml"), []byte(fewSteps), 0o644))
	backfill := append([]string{"backfill"}, span...)
	same := func(what string) {
		if e := undisturbed.run(t, backfill...); e.code != 65 {
			t.Errorf("undisturbed: exit code %d, want 65 for the broken forecast\n%s", e.code, e.log)
		}
		got := m.files(t, "out")
		for c := firstCycle; c.Before(start); c = c.AddDate(0, 0, 1) { // caught up with on the first day
			maps.DeleteFunc(got, func(path, _ string) bool { return strings.HasPrefix(path, c.Format("out/2006/01/02/")) })
		}
		compare(t, what, got, undisturbed.files(t, "out"), false)
	}
	same("at the end of the month")

	// The forecast that was missing comes after all.
	gap := slices.IndexFunc(days, func(e event) bool { return e.missing == noForecast })
	m.arrives(t, start.AddDate(0, 0, gap))
	for i, c := range m.status(t, span).Cycles[gap:] {
		reasons := strings.Join(c.Reasons, "; ")
		switch {
		case i == 0 && (c.Status != "missing" || !strings.Contains(reasons, "not made yet: sipipe run --date")),
			i > 0 && days[gap+i].missing == "" && (c.Status != "stale" || !strings.Contains(reasons, "earlier forecasts or observations have changed")):
			t.Errorf("day %d after the gap: status is %s (%s)", i, c.Status, reasons)
		}
	}
	if e := m.run(t, backfill...); e.code != 65 {
		t.Errorf("backfill: exit code %d, want 65 for the broken forecast\n%s", e.code, e.log)
	}
	same("after the gap was filled")
	m.tidy(t)
	say("%d days: %d cycles delivered, %d named in status with the reason why not", len(days), delivered, len(days)-delivered)
}

func (m *month) status(t *testing.T, span []string) (s pipeline.StatusReport) {
	t.Helper()
	check(t, json.Unmarshal([]byte(m.must(t, append([]string{"status", "--json"}, span...)...).out), &s))
	return s
}

// cron is the daily start: it waits for the forecast, and catches up with what was
// missed.
func cron(cycle time.Time, wait string) []string {
	return []string{"run", "--date", cycle.Format(time.DateOnly), "--wait", wait, "--poll", "20ms", "--catchup", "3", "-v"}
}

func forecastOf(cycle time.Time) string {
	return "forecasts/" + cycle.Format("2006/01/") + "fc_" + cycle.Format("2006010215") + ".nc"
}

// arrives has the forecast of a cycle arrive.
func (m *month) arrives(t *testing.T, cycle time.Time) {
	t.Helper()
	m.put(t, cycle, m.bytes(t, cycle))
}

func (m *month) bytes(t *testing.T, cycle time.Time) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(m.source, forecastOf(cycle)))
	check(t, err)
	return text
}

// put writes the file of a cycle in place, and has it look as if that was long ago.
func (m *month) put(t *testing.T, cycle time.Time, text []byte) {
	t.Helper()
	path := m.path("archive/" + forecastOf(cycle))
	check(t, os.MkdirAll(filepath.Dir(path), 0o755))
	check(t, os.WriteFile(path, text, 0o644))
	at := written.Add(time.Duration(len(text)) * time.Second)
	check(t, os.Chtimes(path, at, at))
}

// start starts the program, and wants an exit code. A forecast of the three cycles
// before that is broken for good makes it 65, whatever becomes of the cycle itself.
func (m *month) start(t *testing.T, code int, cycle time.Time, wait string) ended {
	t.Helper()
	if !m.broken.IsZero() && cycle.Sub(m.broken) <= 3*24*time.Hour {
		code = 65
	}
	e := m.run(t, cron(cycle, wait)...)
	if e.code != code {
		t.Errorf("exit code %d, want %d\n%s", e.code, code, e.log)
	}
	return e
}

func (m *month) plain(t *testing.T, cycle time.Time) {
	m.arrives(t, cycle)
	m.start(t, 0, cycle, "1m")
}

// late: the file comes while the program waits, and is written slowly.
func (m *month) late(t *testing.T, cycle time.Time) {
	c := m.command(cron(cycle, "5m"))
	log := follow(c, "waiting for the input")
	check(t, c.Start())
	<-log.seen
	text := m.bytes(t, cycle)
	check(t, os.MkdirAll(filepath.Dir(m.path("archive/"+forecastOf(cycle))), 0o755))
	f, err := os.Create(m.path("archive/" + forecastOf(cycle)))
	check(t, err)
	for k := range 10 {
		_, err = f.Write(text[len(text)*k/10 : len(text)*(k+1)/10])
		check(t, err)
		time.Sleep(10 * time.Millisecond)
	}
	check(t, f.Close())
	if code := exitCode(t, c.Wait()); code != 0 {
		t.Errorf("exit code %d\n%s", code, log.all.String())
	}
}

func (m *month) tooLate(t *testing.T, cycle time.Time) {
	m.start(t, 75, cycle, "50ms")
	m.arrives(t, cycle)
}

func (m *month) without(t *testing.T, cycle time.Time) { m.start(t, 75, cycle, "50ms") }

// repaired: half of the file is there in the morning, all of it in the evening.
func (m *month) repaired(t *testing.T, cycle time.Time) {
	text := m.bytes(t, cycle)
	m.put(t, cycle, text[:len(text)/2])
	m.start(t, 75, cycle, "50ms")
	m.arrives(t, cycle)
}

// spoiled: half of the file is there, and stays.
func (m *month) spoiled(t *testing.T, cycle time.Time) {
	text := m.bytes(t, cycle)
	m.put(t, cycle, text[:len(text)/2])
	if e := m.start(t, 75, cycle, "50ms"); !strings.Contains(e.log, forecastOf(cycle)) {
		t.Errorf("the log does not name the file:\n%s", e.log)
	}
	m.broken = cycle
}

// killed: nobody starts it again on that day.
func (m *month) killed(t *testing.T, cycle time.Time) {
	m.arrives(t, cycle)
	c := m.command(cron(cycle, "1m"))
	log := follow(c, `"stage":"sample","reason"`)
	check(t, c.Start())
	<-log.seen
	check(t, c.Process.Kill())
	_ = c.Wait()
}

// requeued: a task of a Slurm job is ended and put back.
func (m *month) requeued(t *testing.T, cycle time.Time) {
	m.arrives(t, cycle)
	plan := m.submit(t, cycle)
	m.must(t, "task", "--plan", plan, "--step", "train")
	sample := []string{"task", "--plan", plan, "--step", "sample"}
	c := m.command(sample, "SLURM_JOB_ID=101")
	log := follow(c, `"stage":"ingest"`)
	check(t, c.Start())
	<-log.seen
	check(t, c.Process.Signal(syscall.SIGTERM))
	if code := exitCode(t, c.Wait()); code != 143 && code != 0 {
		t.Errorf("exit code %d after SIGTERM\n%s", code, log.all.String())
	}
	if e := wait(t, m.command(sample, "SLURM_JOB_ID=101", "SLURM_RESTART_COUNT=1")); e.code != 0 {
		t.Errorf("put back: exit code %d\n%s", e.code, e.log)
	}
}

// submit hands the cycle in as a job, and returns the folder of the plan. A command that
// prints a number stands for sbatch.
func (p *place) submit(t *testing.T, cycle time.Time) (plan string) {
	t.Helper()
	bin := t.TempDir()
	check(t, os.WriteFile(filepath.Join(bin, "sbatch"), []byte("#!/bin/sh\necho 101\n"), 0o755))
	date := cycle.Format(time.DateOnly)
	e := wait(t, p.command([]string{"submit", "backfill", "--from", date, "--to", date}, "PATH="+bin+":"+os.Getenv("PATH")))
	plans := p.glob(t, "state/jobs/*")
	if e.code != 0 || len(plans) != 1 {
		t.Fatalf("submit: exit code %d, plans %q\n%s", e.code, plans, e.log)
	}
	return plans[0]
}

// twice: the start of the day comes twice.
func (m *month) twice(t *testing.T, cycle time.Time) {
	m.arrives(t, cycle)
	c := m.command(cron(cycle, "1m"))
	log := follow(c, `"stage":"ingest"`)
	check(t, c.Start())
	<-log.seen
	if e := m.run(t, cron(cycle, "1m")...); e.code != 75 && e.code != 65 {
		t.Errorf("second start: exit code %d\n%s", e.code, e.log)
	}
	if code := exitCode(t, c.Wait()); code != 0 && code != 65 {
		t.Errorf("exit code %d\n%s", code, log.all.String())
	}
}

// follow has the log of a command watched for a text.
func follow(c *exec.Cmd, text string) *follower {
	f := &follower{text: text, seen: make(chan struct{})}
	c.Stderr = f
	return f
}

type follower struct {
	text string
	seen chan struct{} // closed when it was written
	all  strings.Builder
	done bool
}

func (f *follower) Write(p []byte) (int, error) {
	f.all.Write(p)
	if !f.done && strings.Contains(f.all.String(), f.text) {
		f.done = true
		close(f.seen)
	}
	return len(p), nil
}
