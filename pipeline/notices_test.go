package pipeline

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// A fault is named by the first run that sees it, again when it has become another one,
// and when it was away in between. It stays in status, manifest and metrics.
func TestFaultsAreNewsOnce(t *testing.T) {
	place(t)
	t.Setenv("SIPIPE_OPERATIONS_METRICS", "sipipe.prom")
	const old = "archive/forecasts/2020/01/fc_2020011000.nc"
	whole := mustRead(t, old)
	step := func(what string, content []byte, named bool) {
		t.Helper()
		must2(t, os.WriteFile(old, content, 0o644))
		r := must(t, sipipe(t, "run", "--date", "2020-01-18", "--force"))
		if got := strings.Contains(r.err, `"level":"warn"`) && strings.Contains(r.err, "left out: "+old); got != named {
			t.Errorf("%s: it is named: %t\n%s", what, got, r.err)
		}
		m := manifestOf(t, r.out)
		faults := 1
		if len(content) == len(whole) {
			faults = 0
		}
		if len(m.Ignored) != faults || faults == 1 && (m.Ignored[0].Path != old || m.Ignored[0].Cycle == nil) {
			t.Errorf("%s: the manifest ignores %+v", what, m.Ignored)
		}
		if v := parsed(t, "sipipe.prom"); v["sipipe_archive_faults"] != float64(faults) {
			t.Errorf("%s: metrics count %g", what, v["sipipe_archive_faults"])
		}
		var s StatusReport
		must2(t, json.Unmarshal([]byte(must(t, sipipe(t, "status", "--json")).out), &s))
		if s.Faults != faults {
			t.Errorf("%s: status counts %d", what, s.Faults)
		}
	}
	step("whole", whole, false)
	step("empty", nil, true)
	step("empty as before", nil, false)
	step("cut", whole[:600], true)
	step("whole again", whole, false)
	step("cut again", whole[:600], true)
	// A manifest does not speak of what came later.
	if m := manifestOf(t, must(t, sipipe(t, "run", "--date", "2020-01-09")).out); len(m.Ignored) != 0 {
		t.Errorf("the manifest of an earlier cycle ignores %+v", m.Ignored)
	}
	if r := must(t, sipipe(t, "run", "--date", "2020-01-18", "-v", "--force")); !strings.Contains(r.err, "left out: "+old) {
		t.Error("-v does not name it")
	}
}
