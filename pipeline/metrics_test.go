package pipeline

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// parsed reads a file of metrics with the parser of Prometheus and returns the values
// by name and labels.
func parsed(t *testing.T, path string) map[string]float64 {
	t.Helper()
	text, err := os.ReadFile(path)
	must2(t, err)
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	must2(t, err)
	values := map[string]float64{}
	for name, f := range families {
		if f.GetHelp() == "" || f.GetType() != dto.MetricType_GAUGE {
			t.Errorf("%s: help %q, type %s", name, f.GetHelp(), f.GetType())
		}
		for _, m := range f.GetMetric() {
			if m.TimestampMs != nil {
				t.Errorf("%s has a time, which node_exporter refuses", name)
			}
			key := name
			for _, l := range m.GetLabel() {
				key += " " + l.GetValue()
			}
			values[key] = m.GetGauge().GetValue()
		}
	}
	return values
}

func TestMetrics(t *testing.T) {
	place(t)
	const file = "metrics/sipipe.prom"
	t.Setenv("SIPIPE_OPERATIONS_METRICS", file)
	morning := time.Date(2020, 1, 20, 6, 0, 0, 0, time.UTC)
	world := &worldClock{now: morning}
	check := func(when string, want map[string]float64) {
		t.Helper()
		got := parsed(t, file)
		for name, w := range want {
			if g, ok := got[name]; !ok || g != w {
				t.Errorf("%s: %s is %v (there: %t), want %v", when, name, g, ok, w)
			}
		}
	}
	must(t, sipipeIn(t, world, "run", "--date", "2020-01-18"))
	success := map[string]float64{
		"sipipe_last_success_timestamp_seconds": float64(morning.Unix()),
		"sipipe_last_cycle_timestamp_seconds":   float64(time.Date(2020, 1, 18, 0, 0, 0, 0, time.UTC).Unix()),
		"sipipe_members product t2m":            7,
		"sipipe_members raw t2m":                5,
		"sipipe_places t2m":                     6,
		"sipipe_missing_ratio t2m":              0,
		"sipipe_degraded":                       0,
		"sipipe_fallback raw t2m":               0,
	}
	check("after success", success)
	check("after success", map[string]float64{"sipipe_exit_code": 0, "sipipe_archive_faults": 0, "sipipe_build_info abc 1.2.3": 1})

	// A failure keeps what is known of the last success.
	world.now = morning.Add(24 * time.Hour)
	must2(t, os.WriteFile(forecast, []byte("CDF"), 0o644))
	if r := sipipeIn(t, world, "run", "--date", "2020-01-18"); r.code != ExitData {
		t.Fatalf("exit code %d", r.code)
	}
	check("after failure", success)
	check("after failure", map[string]float64{"sipipe_exit_code": 65, "sipipe_last_run_timestamp_seconds": float64(world.now.Unix()), "sipipe_archive_faults": 1})

	// So does one before the archive is opened.
	if r := sipipeIn(t, world, "run", "--date", "2020-01-18", "--set", "operations.min_free=2000000000"); r.code != ExitNoOutput {
		t.Fatalf("exit code %d", r.code)
	}
	check("after lack of space", success)
	check("after lack of space", map[string]float64{"sipipe_exit_code": 73, "sipipe_archive_faults": 1})

	// Training is no success.
	must(t, sipipeIn(t, world, "train", "--date", "2020-01-17"))
	must(t, sipipeIn(t, world, "train", "--from", "2020-01-16", "--to", "2020-01-17"))
	check("after training", success)
	check("after training", map[string]float64{"sipipe_exit_code": 0})

	// Nor is an old cycle news.
	must(t, sipipeIn(t, world, "run", "--date", "2020-01-02"))
	success["sipipe_last_success_timestamp_seconds"] = float64(world.now.Unix())
	check("an old cycle", success)

	// A degraded product is a success, and says so.
	must2(t, os.Remove(file))
	must(t, sipipeIn(t, world, "run", "--date", "2020-01-02"))
	check("degraded", map[string]float64{"sipipe_exit_code": 0, "sipipe_degraded": 1, "sipipe_fallback raw t2m": 1, "sipipe_last_success_timestamp_seconds": float64(world.now.Unix())})

	// What is damaged is written anew; other programs' names do not stay.
	must2(t, os.WriteFile(file, []byte("sipipe_places{ 7"), 0o644))
	must(t, sipipeIn(t, world, "run", "--date", "2020-01-02"))
	check("after damage", map[string]float64{"sipipe_places t2m": 6})
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode of %s is %v (%v)", file, info.Mode(), err)
	}
}

func TestMetricsAreNoReasonToFail(t *testing.T) {
	place(t)
	must2(t, os.WriteFile("blocked", nil, 0o644))
	r := must(t, sipipe(t, "run", "--date", "2020-01-18", "--set", "operations.metrics=blocked/sipipe.prom"))
	if !strings.Contains(r.err, "metrics not written") {
		t.Errorf("nothing says so:\n%s", r.err)
	}
}
