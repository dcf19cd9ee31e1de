package pipeline

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// statusOf is what status --json prints, whatever its exit code.
func statusOf(t *testing.T, code int, args ...string) (s StatusReport) {
	t.Helper()
	r := sipipe(t, append([]string{"status", "--json"}, args...)...)
	if r.code != code {
		t.Errorf("status: exit code %d, want %d\n%s", r.code, code, r.err)
	}
	must2(t, json.Unmarshal([]byte(r.out), &s))
	return s
}

// When forecasts stop, the newest rows say so, and products are shown without the archive.
func TestStatusSeesThatForecastsHaveStopped(t *testing.T) {
	place(t)
	must(t, sipipe(t, "backfill", "--from", "2020-01-10", "--to", "2020-01-15"))
	for _, day := range []string{"16", "17", "18", "19", "20"} {
		must2(t, os.Remove("archive/forecasts/2020/01/fc_202001"+day+"00.nc"))
	}
	check := func(s StatusReport, status, why string) {
		t.Helper()
		n := len(s.Cycles)
		if n < 11 || s.Cycles[n-1].Cycle.Day() != 20 {
			t.Fatalf("the cycles are %+v", s.Cycles)
		}
		for i, c := range s.Cycles[n-11:] {
			want := status
			if i >= 6 {
				want = StatusMissing
			}
			if c.Status != want || c.Status != StatusOK && (len(c.Reasons) == 0 || c.Reasons[0] != why) {
				t.Errorf("%s is %s %q", formatCycle(c.Cycle), c.Status, c.Reasons)
			}
		}
	}
	const none = "the archive has no forecast of it"
	check(statusOf(t, ExitDone), StatusOK, none)

	must2(t, os.Rename("archive/observations", "observations"))
	s := statusOf(t, ExitNoInput)
	check(s, StatusStale, "the archive cannot be read")
	if !strings.Contains(s.Error, "observations") {
		t.Errorf("the archive: %s", s.Error)
	}
	must2(t, os.Rename("observations", "archive/observations"))

	must2(t, os.RemoveAll("archive/forecasts"))
	must2(t, os.Mkdir("archive/forecasts", 0o755))
	s = statusOf(t, ExitNoInput)
	check(s, StatusStale, none)
	if !strings.Contains(s.Error, "no forecast in") {
		t.Errorf("the archive: %s", s.Error)
	}

	// Of an archive of a past year nothing is missing.
	world := &worldClock{now: time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)}
	must2(t, json.Unmarshal([]byte(sipipeIn(t, world, "status", "--json").out), &s))
	if table := sipipeIn(t, world, "status").out; !strings.Contains(table, "no cycle since 2020-01-15T00Z, for more than 46 days") {
		t.Errorf("the table is\n%s", table)
	}
	if last := s.Cycles[len(s.Cycles)-1]; last.Cycle.Day() != 15 || s.NoneSince == nil || s.NoneSince.Day() != 15 {
		t.Errorf("a year later the last cycle is %+v, none since %v", last, s.NoneSince)
	}
}

// A cycle that a run refuses is not one that was not made yet.
func TestStatusTellsWhyARunRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		date, key, value string
		says             string
	}{
		"members":     {"2020-01-18", "OPERATIONS_MIN_MEMBERS", "6", "5 of 5 members have values, 6 are needed"},
		"implausible": {"2020-01-18", "EXPORT_IMPLAUSIBLE", "fail", "the last run refused it: check: t2m: calibrated members at"},
		"shortage":    {"2020-01-02", "OPERATIONS_ON_MISSING", "fail", "the last run refused it: sample"},
	} {
		t.Run(name, func(t *testing.T) {
			place(t)
			t.Setenv("SIPIPE_"+c.key, c.value)
			t.Setenv("SIPIPE_EXPORT_MAX_DEPARTURE", "1")
			if r := sipipe(t, "run", "--date", c.date); !lacks(r.code) {
				t.Fatalf("exit code %d\n%s", r.code, r.err)
			}
			of := statusOf(t, ExitDone, "--from", c.date, "--to", c.date).Cycles[0]
			if of.Status != StatusMissing || len(of.Reasons) != 1 || !strings.Contains(of.Reasons[0], c.says) {
				t.Errorf("%s: %s %q", name, of.Status, of.Reasons)
			}
			if name != "members" { // another configuration is not told of it
				others := statusOf(t, ExitDone, "--from", c.date, "--to", c.date, "--seed", "5").Cycles[0]
				if !strings.Contains(others.Reasons[0], "not made yet") {
					t.Errorf("%s: with another seed %q", name, others.Reasons)
				}
			}
			// What is made is no longer refused, and an old refusal goes.
			t.Setenv("SIPIPE_"+c.key, map[string]string{"6": "5", "fail": "raw"}[c.value])
			before := len(snapshot(t, "state/refusals"))
			must(t, sipipe(t, "run", "--date", c.date))
			if after := len(snapshot(t, "state/refusals")); before > 0 && after != before-1 {
				t.Errorf("%d files of refusals, %d before", after, before)
			}
		})
	}
}

func lacks(code int) bool { return code == ExitData || code == ExitNoInput }

func TestPruneListsOldRefusals(t *testing.T) {
	place(t)
	t.Setenv("SIPIPE_OPERATIONS_ON_MISSING", "fail")
	if r := sipipe(t, "run", "--date", "2020-01-02"); !lacks(r.code) {
		t.Fatalf("exit code %d\n%s", r.code, r.err)
	}
	if r := must(t, sipipe(t, "prune", "--older-than", "3d")); !strings.Contains(r.out, "refusals/2020010200") {
		t.Errorf("it lists\n%s", r.out)
	}
}
