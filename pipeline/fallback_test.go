package pipeline

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sipipe/export"
)

// manifestOf reads the manifest of the product whose path a command has printed.
func manifestOf(t *testing.T, out string) *Manifest {
	t.Helper()
	m, err := ReadManifest(strings.TrimSpace(out))
	must2(t, err)
	return m
}

// On 18 January the small archive has too little for a network (it takes 300 cases),
// on its first days too little for a statistical forecast.
func TestOnMissing(t *testing.T) {
	for _, c := range []struct {
		policy, date, method string
		code                 int
		variable             VariableRecord // method and fallback
		says                 string
	}{
		{"baseline", "2020-01-18", "interpolant", 0, VariableRecord{Method: "frame", Fallback: "frame"}, "statistical forecast without the interpolant"},
		{"raw", "2020-01-18", "interpolant", 0, VariableRecord{Method: "raw", Fallback: "raw"}, "the interpolant cannot be trained"},
		{"fail", "2020-01-18", "interpolant", 66, VariableRecord{}, "are too few for a network"},
		{"raw", "2020-01-18", "frame", 0, VariableRecord{Method: "frame"}, ""},
		{"fail", "2020-01-18", "frame", 0, VariableRecord{Method: "frame"}, ""},
		{"baseline", "2020-01-02", "frame", 0, VariableRecord{Method: "raw", Fallback: "raw"}, "too few past forecasts"},
		{"fail", "2020-01-02", "frame", 66, VariableRecord{}, "too few past forecasts"},
	} {
		name := strings.Join([]string{c.policy, c.date, c.method}, " ")
		place(t)
		r := sipipe(t, "run", "--date", c.date, "--set", "operations.on_missing="+c.policy, "--set", "calibrate.method="+c.method)
		if r.code != c.code || !strings.Contains(r.err, c.says) {
			t.Errorf("%s: exit code %d, want %d and %q in\n%s", name, r.code, c.code, c.says, r.err)
			continue
		}
		if c.code != 0 {
			if !strings.Contains(r.err, "operations.on_missing") || len(snapshot(t, "out")) != 0 {
				t.Errorf("%s: left %d files and says\n%s", name, len(snapshot(t, "out")), r.err)
			}
			continue
		}
		path := strings.TrimSpace(r.out)
		m := manifestOf(t, path)
		if got := m.Variables[0]; got.Method != c.variable.Method || got.Fallback != c.variable.Fallback {
			t.Errorf("%s: by %s, fallback %q", name, got.Method, got.Fallback)
		}
		f, err := export.Read(t.Context(), path)
		must2(t, err)
		if n := len(f.Vars[0].Members); n != 7 {
			t.Errorf("%s: %d members, want 7 as in every product", name, n)
		}
		degraded := c.says != ""
		if diff := cmp.Diff(m.Reasons, f.Provenance.Degraded); diff != "" || (len(m.Reasons) == 1) != degraded || (m.Status == StatusDegraded) != degraded {
			t.Errorf("%s: %s for %q, the product says %q", name, m.Status, m.Reasons, f.Provenance.Degraded)
		}
		if degraded {
			checkWarning(t, r.err, m.Reasons[0])
		}
	}
}

// checkWarning looks for the reason of a degradation in the log.
func checkWarning(t *testing.T, log, reason string) {
	t.Helper()
	for line := range strings.Lines(log) {
		var e struct{ Level, Message, Reason string }
		if json.Unmarshal([]byte(line), &e) == nil && e.Level == "warn" && e.Message == "degraded" && e.Reason == reason {
			return
		}
	}
	t.Errorf("no warning of %q in\n%s", reason, log)
}

// Raw members are copies of those in the file, so their set is known.
func TestRawFallbackDeliversRawMembers(t *testing.T) {
	place(t)
	out := must(t, sipipe(t, "run", "--date", "2020-01-18", "--set", "operations.on_missing=raw", "--set", "calibrate.method=interpolant", "--set", "calibrate.members=5")).out
	f, err := export.Read(t.Context(), strings.TrimSpace(out))
	must2(t, err)
	g, err := export.Read(t.Context(), strings.TrimSpace(must(t, sipipe(t, "run", "--date", "2020-01-18", "--set", "calibrate.members=5")).out))
	must2(t, err)
	values := map[float32]bool{}
	rewrite(t, forecast, "t2m", func(v []float32) {
		for _, x := range v {
			values[x] = true
		}
	})
	count := func(values map[float32]bool, of []float32) (n int) {
		for _, x := range of {
			if values[x] {
				n++
			}
		}
		return n
	}
	if all := f.Vars[0].Values; count(values, all) != len(all) {
		t.Errorf("%d of %d values are of the raw forecast, want all", count(values, all), len(all))
	}
	if n := count(values, g.Vars[0].Values); n > 3 {
		t.Errorf("%d values of the statistical forecast are of the raw forecast: this test shows nothing", n)
	}
}

func TestUnfinishedFilesAreSwept(t *testing.T) {
	dir := place(t)
	product := filepath.Join(dir, "out/2020/01/18/sipipe_2020011800.nc")
	stray := []string{
		filepath.Join(filepath.Dir(product), ".sipipe_2020011800.nc123"),
		filepath.Join(filepath.Dir(product), ".sipipe_2020011800.nc.manifest.json4"),
		filepath.Join(dir, "state/model/.x.gob55"),
	}
	others := []string{
		filepath.Join(filepath.Dir(product), ".sipipe_2020011800.nc"),
		filepath.Join(filepath.Dir(product), ".sipipe_2020011800.nc.bak"),
		filepath.Join(filepath.Dir(product), ".sipipe_2020011900.nc123"),
	}
	for _, path := range append(stray, others...) {
		must2(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must2(t, os.WriteFile(path, []byte("half"), 0o644))
	}
	must(t, sipipe(t, "run", "--date", "2020-01-18"))
	for _, path := range stray {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s was left", path)
		}
	}
	for _, path := range others {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("somebody else's file: %v", err)
		}
	}
}
