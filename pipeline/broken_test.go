package pipeline

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// A file whose name stands for a cycle and that cannot be read is never passed over in
// silence: not by a backfill, not by --date latest, not by status.
func TestBrokenCycleIsNotPassedOver(t *testing.T) {
	place(t)
	whole, err := os.ReadFile("archive/forecasts/2020/01/fc_2020012000.nc")
	must2(t, err)
	must2(t, os.WriteFile("archive/forecasts/2020/01/fc_2020012000.nc", whole[:len(whole)/2], 0o644))

	r := sipipe(t, "backfill", "--from", "2020-01-19", "--to", "2020-01-20")
	if r.code != ExitData || days(r.out) != "19" || !strings.Contains(r.err, "1 of 2 cycles have no product") {
		t.Errorf("backfill: exit code %d, made %s\n%s", r.code, days(r.out), r.err)
	}
	r = sipipe(t, "run", "--date", "latest")
	if r.code != ExitData || r.out != "" || !strings.Contains(r.err, "fc_2020012000.nc") {
		t.Errorf("latest: exit code %d, made %s\n%s", r.code, r.out, r.err)
	}
	var s StatusReport
	must2(t, json.Unmarshal([]byte(must(t, sipipe(t, "status", "--json")).out), &s))
	last := s.Cycles[len(s.Cycles)-1]
	if last.Cycle.Day() != 20 || last.Status != StatusMissing || len(last.Reasons) != 1 || !strings.Contains(last.Reasons[0], "fc_2020012000.nc") {
		t.Errorf("status of the broken cycle is %+v", last)
	}
}

func TestArchiveOfBrokenFilesAlone(t *testing.T) {
	place(t)
	must2(t, os.RemoveAll("archive/forecasts"))
	must2(t, os.MkdirAll("archive/forecasts", 0o755))
	must2(t, os.WriteFile("archive/forecasts/all.nc", []byte("CDF"), 0o644))
	t.Setenv("SIPIPE_INGEST_FORECASTS", "archive/forecasts/*.nc")
	r := sipipe(t, "run", "--date", "latest")
	if r.code != ExitData || !strings.Contains(r.err, "all.nc") {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
	var s StatusReport
	r = sipipe(t, "status", "--json")
	must2(t, json.Unmarshal([]byte(r.out), &s))
	if r.code != ExitData || !strings.Contains(s.Error, "all.nc") || len(s.Cycles) != 0 || len(s.Ignored) != 1 || s.Ignored[0].Path != "archive/forecasts/all.nc" {
		t.Errorf("status is %+v", s)
	}
}

func TestStatusNoticesStaleProducts(t *testing.T) {
	place(t)
	must(t, sipipe(t, "backfill", "--from", "2020-01-18", "--to", "2020-01-20"))
	must2(t, os.WriteFile("out/2020/01/19/sipipe_2020011900.nc", []byte("x"), 0o644))
	check := func(want map[int]string, args ...string) {
		t.Helper()
		var s StatusReport
		must2(t, json.Unmarshal([]byte(must(t, sipipe(t, append([]string{"status", "--json", "--from", "2020-01-18", "--to", "2020-01-20"}, args...)...)).out), &s))
		for _, c := range s.Cycles {
			if got := c.Status + " " + strings.Join(c.Reasons, ", "); got != want[c.Cycle.Day()] {
				t.Errorf("%v, day %d: %q, want %q", args, c.Cycle.Day(), got, want[c.Cycle.Day()])
			}
		}
	}
	damaged := "stale sipipe_2020011900.nc was changed or damaged"
	check(map[int]string{18: "ok ", 19: damaged, 20: "ok "})
	other := "stale the configuration has changed"
	check(map[int]string{18: other, 19: other, 20: other}, "--seed", "5")
}
