package pipeline

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"sipipe/ingest/simulate"
)

// Sensors that read too high from 6 March on are noticed on 10 March: by the log, the
// metrics and status. Before there is nothing to notice.
func TestDriftIsTold(t *testing.T) {
	clean(t)
	dir := t.TempDir()
	o := simulate.Defaults()
	o.Dir, o.Places, o.Members, o.Steps = dir, 4, 4, 2
	o.From, o.To = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2020, 3, 10, 0, 0, 0, 0, time.UTC)
	_, err := simulate.Write(t.Context(), o, nil)
	must2(t, err)
	t.Chdir(dir)
	t.Setenv("SIPIPE_CALIBRATE_METHOD", "frame")
	t.Setenv("SIPIPE_OPERATIONS_METRICS", "sipipe.prom")
	const warning = "scores have left their range"

	for _, c := range []struct {
		what, command, level string
		alarm                bool
	}{
		{"undisturbed", "run --date 2020-03-10", "0.001", false},
		{"biased", "run --date 2020-03-10", "0.001", true},
		{"switched off", "run --date 2020-03-10", "0", false},
		{"backfill", "backfill --from 2020-03-10 --to 2020-03-10", "0.001", true},
	} {
		if c.what == "biased" {
			rewrite(t, "archive/observations/obs_202003.nc", "t2m", func(v []float32) {
				for i := 5 * 4 * o.Places; i < len(v); i++ { // four times a day
					v[i] += 8
				}
			})
		}
		t.Setenv("SIPIPE_OPERATIONS_DRIFT", c.level)
		r := must(t, sipipe(t, strings.Fields(c.command)...))
		if got := strings.Contains(r.err, warning); got != c.alarm {
			t.Errorf("%s: warned: %t\n%s", c.what, got, r.err)
		}
		v := parsed(t, "sipipe.prom")
		if got, there := v["sipipe_drift bias t2m"]; !there || (got == 1) != c.alarm {
			t.Errorf("%s: metric says %g (there: %t)", c.what, got, there)
		}
		var s StatusReport
		must2(t, json.Unmarshal([]byte(must(t, sipipe(t, "status", "--json")).out), &s))
		if len(s.Drift) != 2 || s.Drift[1].Score != "bias" || s.Drift[1].Alarm != c.alarm || s.Drift[1].Weeks < 6 {
			t.Errorf("%s: status says %+v", c.what, s.Drift)
		}
		if got := strings.Contains(must(t, sipipe(t, "status")).out, "ALARM t2m: bias of the last 7 days"); got != c.alarm {
			t.Errorf("%s: the table of status tells an alarm: %t", c.what, got)
		}
	}
}
