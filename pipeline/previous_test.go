package pipeline

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sipipe/export"
	"sipipe/ingest/simulate"
)

// placeLong makes an archive, the working one, of daily cycles whose lead times reach two
// days, so that each is half covered by the one before.
func placeLong(t *testing.T) {
	t.Helper()
	clean(t)
	o := simulate.Defaults()
	o.Dir, o.Places, o.Members, o.Steps = t.TempDir(), 3, 4, 8
	o.From, o.To = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2020, 1, 18, 0, 0, 0, 0, time.UTC)
	_, err := simulate.Write(t.Context(), o, nil)
	must2(t, err)
	t.Chdir(o.Dir)
	t.Setenv("SIPIPE_CALIBRATE_METHOD", "frame")
	t.Setenv("SIPIPE_OPERATIONS_ON_MISSING", "previous-cycle")
}

func TestPreviousCycle(t *testing.T) {
	placeLong(t)
	t.Setenv("SIPIPE_OPERATIONS_METRICS", "sipipe.prom")
	must2(t, os.Rename(forecast, "late.nc"))
	const reason = "made from the forecast of 2020-01-17T00Z, because that of 2020-01-18T00Z is missing"
	r := must(t, sipipe(t, "run", "--date", "2020-01-18"))
	checkWarning(t, r.err, reason)
	if begins := strings.Index(r.err, "cycle begins"); begins < 0 || strings.Index(r.err, `"message":"degraded"`) < begins {
		t.Errorf("it is degraded before it begins:\n%s", r.err)
	}
	if again := must(t, sipipe(t, "run", "--date", "2020-01-18")); !strings.Contains(again.err, "nothing to do") || strings.Contains(again.err, `"message":"degraded"`) {
		t.Errorf("the second run says\n%s", again.err)
	}

	m := manifestOf(t, r.out)
	made, issued := time.Date(2020, 1, 17, 0, 0, 0, 0, time.UTC), time.Date(2020, 1, 18, 0, 0, 0, 0, time.UTC)
	if m.Status != StatusDegraded || m.ForecastCycle == nil || !m.ForecastCycle.Equal(made) || !m.Cycle.Equal(issued) {
		t.Errorf("the manifest says %s, cycle %v, forecast of %v", m.Status, m.Cycle, m.ForecastCycle)
	}
	got, err := export.Read(t.Context(), strings.TrimSpace(r.out))
	must2(t, err)
	if p := got.Provenance; !p.IssuedFor.Equal(issued) || !cmp.Equal(p.Degraded, []string{reason}) || got.Metadata["id"] != "sipipe_20200118000000" {
		t.Errorf("the product says %+v", p)
	}
	if v := parsed(t, "sipipe.prom"); v["sipipe_previous_cycle"] != 1 || v["sipipe_degraded"] != 1 {
		t.Errorf("metrics: previous cycle %g, degraded %g", v["sipipe_previous_cycle"], v["sipipe_degraded"])
	}

	// It is the forecast that was issued the day before, at the valid times of both.
	want, err := export.Read(t.Context(), strings.TrimSpace(must(t, sipipe(t, "run", "--date", "2020-01-17")).out))
	must2(t, err)
	e, f := got.Vars[0], want.Vars[0]
	if !e.Cycle.Equal(made) || len(e.Leads) != 4 || e.Leads[0] != 30*time.Hour {
		t.Fatalf("it is of %s with lead times %v", e.Cycle, e.Leads)
	}
	if diff := cmp.Diff(f.Values[len(f.Values)/2:], e.Values); diff != "" {
		t.Errorf("its members are others (-issued before +now):\n%s", diff)
	}

	// A forecast that has come and cannot be used is another reason.
	must2(t, os.WriteFile(forecast, []byte("CDF"), 0o644))
	r = must(t, sipipe(t, "run", "--date", "2020-01-18"))
	checkWarning(t, r.err, strings.Replace(reason, "is missing", "cannot be used", 1))
	must2(t, os.Rename("late.nc", forecast))
	r = must(t, sipipe(t, "run", "--date", "2020-01-18"))
	if !strings.Contains(r.err, "it was made from the forecast of 2020-01-17T00Z, and there is a later one") {
		t.Errorf("the forecast has come, and the log says\n%s", r.err)
	}
	if v := parsed(t, "sipipe.prom"); v["sipipe_previous_cycle"] != 0 {
		t.Error("the metrics do not forget")
	}

	// Later than all that is covered, and at an hour that the archive does not have, nothing is
	// delivered.
	for date, why := range map[string]string{
		"2020-01-20":    "no earlier forecast covers any of its valid times",
		"2031-01-18":    "no earlier forecast covers any of its valid times",
		"2020-01-18T06": "the archive has no cycles of 06 UTC",
	} {
		if r := sipipe(t, "run", "--date", date); r.code != ExitNoInput || !strings.Contains(r.err, why) {
			t.Errorf("%s: exit code %d\n%s", date, r.code, r.err)
		}
	}
	// Verification is not about forecasts of other cycles.
	must2(t, os.Remove(forecast))
	must(t, sipipe(t, "run", "--date", "2020-01-18"))
	if r := sipipe(t, "verify", "--from", "2020-01-18", "--to", "2020-01-18"); r.code != ExitNoInput {
		t.Errorf("verify: exit code %d\n%s", r.code, r.err)
	}
}

// The key is about cycles without a forecast: products of others stay valid.
func TestPreviousCycleIsSwitchedOn(t *testing.T) {
	placeLong(t)
	must(t, sipipe(t, "run", "--date", "2020-01-17", "--set", "operations.on_missing=baseline"))
	if r := must(t, sipipe(t, "run", "--date", "2020-01-17")); !strings.Contains(r.err, "nothing to do") {
		t.Errorf("the product is made again:\n%s", r.err)
	}
	if r := must(t, sipipe(t, "run", "--date", "2020-01-17", "--set", "operations.on_missing=raw")); !strings.Contains(r.err, "the configuration has changed") {
		t.Errorf("raw is no other configuration:\n%s", r.err)
	}
}

// A forecast that cannot be used is one that is missing, until a good one has come.
func TestPreviousCycleGivesWay(t *testing.T) {
	placeLong(t)
	good, err := os.ReadFile(forecast)
	must2(t, err)

	must2(t, os.WriteFile(forecast, good[:500], 0o644))
	for _, c := range []struct{ command, date, to string }{{"run", "--date", ""}, {"backfill", "--from", "--to"}} {
		args := []string{c.command, c.date, "2020-01-18"}
		if c.to != "" {
			args = append(args, c.to, "2020-01-18", "--force")
		}
		r := must(t, sipipe(t, args...))
		checkWarning(t, r.err, "made from the forecast of 2020-01-17T00Z, because that of 2020-01-18T00Z cannot be used")
		if m := manifestOf(t, r.out); m.Variables[0].Leads != 4 {
			t.Errorf("%s: it has %d lead times, want those of 30 to 48 hours", c.command, m.Variables[0].Leads)
		}
	}
	var status StatusReport
	must2(t, json.Unmarshal([]byte(must(t, sipipe(t, "status", "--from", "2020-01-18", "--to", "2020-01-18", "--json")).out), &status))
	if c := status.Cycles[0]; c.Status != StatusDegraded || len(c.Reasons) != 2 {
		t.Errorf("status says %+v", c)
	}

	must2(t, os.WriteFile(forecast, good, 0o644))
	m := manifestOf(t, must(t, sipipe(t, "run", "--date", "2020-01-18")).out)
	if m.Status != StatusOK || m.ForecastCycle != nil || m.Variables[0].Leads != 8 {
		t.Errorf("with the forecast there the product is %s, of the forecast of %v", m.Status, m.ForecastCycle)
	}
}

// While a forecast may still come, none is put in its place.
func TestPreviousCycleAfterWaiting(t *testing.T) {
	placeLong(t)
	must2(t, os.Remove(forecast))
	world := &worldClock{now: time.Date(2020, 1, 18, 9, 0, 0, 0, time.UTC)}
	r := must(t, sipipeIn(t, world, "run", "--date", "2020-01-18", "--wait", "10m"))
	if first, last := strings.Index(r.err, "waiting for the input"), strings.Index(r.err, "made from the forecast"); first < 0 || last < first {
		t.Errorf("it did not wait first:\n%s", r.err)
	}
	if r := sipipeIn(t, world, "run", "--date", "2020-01-20", "--wait", "10m"); r.code != ExitTryLater {
		t.Errorf("without any overlap: exit code %d\n%s", r.code, r.err)
	}
	if r := sipipeIn(t, world, "train", "--date", "2020-01-18"); r.code != ExitNoInput {
		t.Errorf("train: exit code %d, want none of an earlier cycle\n%s", r.code, r.err)
	}
}

// Cycles that are missing between others, and after them, are named.
func TestStatusNamesGaps(t *testing.T) {
	place(t)
	for _, day := range []string{"15", "19", "20"} {
		must2(t, os.Remove("archive/forecasts/2020/01/fc_202001"+day+"00.nc"))
	}
	status := func(args ...string) map[string]string {
		t.Helper()
		var r StatusReport
		must2(t, json.Unmarshal([]byte(must(t, sipipe(t, append([]string{"status", "--json"}, args...)...)).out), &r))
		got := map[string]string{}
		for _, c := range r.Cycles {
			why, _, _ := strings.Cut(strings.Join(c.Reasons, "; "), ":")
			got[c.Cycle.Format("02T15")] = c.Status + " " + why
		}
		return got
	}
	const unmade = "missing not made yet"
	want := map[string]string{
		"14T00": unmade, "15T00": "missing the archive has no forecast of it", "16T00": unmade, "17T00": unmade, "18T00": unmade,
		"19T00": "missing the archive has no forecast of it", "20T00": "missing the archive has no forecast of it",
	}
	if diff := cmp.Diff(want, status("--from", "2020-01-14", "--to", "2020-01-31")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestUsualInterval(t *testing.T) {
	at := func(hours ...int) (cycles []time.Time) {
		for _, h := range hours {
			cycles = append(cycles, time.Unix(0, 0).UTC().Add(time.Duration(h)*time.Hour))
		}
		return cycles
	}
	for _, c := range []struct {
		what   string
		cycles []time.Time
		want   time.Duration
	}{
		{"nothing", nil, 0},
		{"one", at(0), 0},
		{"daily with a gap", at(0, 24, 48, 96, 120), 24 * time.Hour},
		{"twice a day", at(0, 12, 24, 36, 48), 12 * time.Hour},
		{"Mondays and Thursdays", at(0, 72, 168, 240, 336, 408, 504), 0},
	} {
		if got := usualInterval(c.cycles); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
}
