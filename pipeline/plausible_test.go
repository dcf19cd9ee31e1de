package pipeline

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sipipe/export"
)

func TestImplausibleForecast(t *testing.T) {
	for name, wrong := range map[string]func([]float32){ // [member 5, lead 2, place 6]
		"constant": func(v []float32) {
			for i := range v {
				v[i] = 280
			}
		},
		"Celsius": func(v []float32) {
			for i := range v {
				v[i] -= 273.15
			}
		},
		"copies": func(v []float32) { copy(v[:12], v[12:24]) },
	} {
		place(t)
		rewrite(t, forecast, "t2m", wrong)
		r := sipipe(t, "run", "--date", "2020-01-18")
		if r.code != ExitData || !strings.Contains(r.err, "ingest.implausible") || len(snapshot(t, "out")) != 0 {
			t.Errorf("%s: exit code %d: %s", name, r.code, r.err)
		}
		out := must(t, sipipe(t, "run", "--date", "2020-01-18", "--set", "ingest.implausible=warn"))
		m := manifestOf(t, out.out)
		if m.Status != StatusDegraded || !m.Variables[0].Suspect || !strings.Contains(strings.Join(m.Reasons, "\n"), "not plausible") {
			t.Errorf("%s, let pass: %s %q", name, m.Status, m.Reasons)
		}
	}
}

// Values that the variable cannot have count as missing wherever they are, in the forecast
// itself and in earlier ones: all is as if the file said so.
func TestImplausibleMember(t *testing.T) {
	earlier := strings.ReplaceAll(forecast, "20200118", "20200110")
	make := func(change func(float32) float32) ([]float32, *Manifest, string) {
		place(t)
		for _, path := range []string{forecast, earlier} {
			rewrite(t, path, "t2m", func(v []float32) { // [member 5, lead 2, place 6]
				for i := range 12 {
					v[i] = change(v[i])
				}
			})
		}
		r := must(t, sipipe(t, "run", "--date", "2020-01-18"))
		verified := must(t, sipipe(t, "verify", "--from", "2020-01-10", "--to", "2020-01-18", "--json"))
		return productValues(t, r.out), manifestOf(t, r.out), verified.out
	}
	missing, _, scores := make(func(float32) float32 { return float32(math.NaN()) })
	for name, wrong := range map[string]func(float32) float32{
		"5000 K":  func(float32) float32 { return 5000 },
		"Celsius": func(v float32) float32 { return v - 273.15 },
	} {
		values, m, got := make(wrong)
		if m.Status != StatusDegraded || !strings.Contains(m.Reasons[0], "12 of 60 values count as missing") ||
			!strings.Contains(m.Reasons[0], "member 0") || m.Variables[0].Doubted != 0 {
			t.Errorf("%s: %s %q", name, m.Status, m.Reasons)
		}
		if !slices.EqualFunc(values, missing, func(a, b float32) bool { return a == b || a != a && b != b }) {
			t.Errorf("%s: the product is not that of a forecast in which the values are missing", name)
		}
		if got != scores {
			t.Errorf("%s: scores are not those of forecasts in which the values are missing", name)
		}
	}
}

// A variable that is missing costs the others their product too, but it is said how to have it.
func TestMissingVariable(t *testing.T) {
	place(t)
	r := sipipe(t, "run", "--date", "2020-01-18", "--set", "variables=t2m,tp")
	if r.code != ExitData || !strings.Contains(r.err, "a product without it is made with --set variables=t2m") {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
	if r := sipipe(t, "run", "--date", "2020-01-18", "--set", "variables=tp"); strings.Contains(r.err, "a product without it") {
		t.Errorf("there is no other variable: %s", r.err)
	}
}

// Stations that lie elsewhere than they did mark the product.
func TestMovedStations(t *testing.T) {
	place(t)
	rewrite(t, forecast, "latitude", func(v []float32) { clear(v) })
	m := manifestOf(t, must(t, sipipe(t, "run", "--date", "2020-01-18")).out)
	if m.Status != StatusDegraded || !m.Variables[0].Suspect || !strings.Contains(strings.Join(m.Reasons, "\n"), "6 of 6 stations lie elsewhere") {
		t.Errorf("%s %q", m.Status, m.Reasons)
	}
}

// Fields of an earlier cycle under the date of today are no forecast of today.
func TestCopiedCycle(t *testing.T) {
	place(t)
	var earlier []float32
	rewrite(t, strings.ReplaceAll(forecast, "20200118", "20200116"), "t2m", func(v []float32) { earlier = slices.Clone(v) })
	rewrite(t, forecast, "t2m", func(v []float32) { copy(v, earlier) })
	r := sipipe(t, "run", "--date", "2020-01-18")
	if r.code != ExitData || !strings.Contains(r.err, "all its values are those of cycle 2020-01-16 00:00 UTC") || len(snapshot(t, "out")) != 0 {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
	m := manifestOf(t, must(t, sipipe(t, "run", "--date", "2020-01-18", "--set", "ingest.implausible=warn")).out)
	if m.Status != StatusDegraded || !m.Variables[0].Suspect || !strings.Contains(m.Reasons[0], "cycle 2020-01-16 00:00 UTC") {
		t.Errorf("let pass: %s %q", m.Status, m.Reasons)
	}
}

// productValues are all members of t2m in a product.
func productValues(t *testing.T, path string) []float32 {
	t.Helper()
	f, err := export.Read(t.Context(), strings.TrimSpace(path))
	if err != nil {
		t.Fatal(err)
	}
	return f.Vars[0].Values
}

// What is not plausible, or unlike all before, teaches nothing: a cycle that was calibrated
// without it is calibrated in the same way with it.
func TestImplausibleForecastIsNotLearnedFrom(t *testing.T) {
	place(t)
	other := strings.ReplaceAll(forecast, "20200118", "20200116")
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	want := must(t, sipipe(t, "run", "--date", "2020-01-18"))
	without := productValues(t, want.out)
	for _, c := range []struct {
		shift float32
		says  string
	}{{-273.15, "left out: "}, {50, ""}} {
		place(t)
		rewrite(t, other, "t2m", func(v []float32) {
			for i := range v {
				v[i] += c.shift
			}
		})
		got := must(t, sipipe(t, "run", "--date", "2020-01-18"))
		if !slices.Equal(productValues(t, got.out), without) {
			t.Errorf("a forecast that is %g K off changes the product of a later cycle", c.shift)
		}
		if c.says != "" && (!strings.Contains(got.err, c.says) || !strings.Contains(got.err, filepath.Base(other))) {
			t.Errorf("log does not name the file that is left out: %s", got.err)
		}
	}
}

// A forecast within the bounds of the variable that is unlike those before is marked.
func TestUnusualForecast(t *testing.T) {
	for name, c := range map[string]struct {
		wrong func([]float32) // [member 5, lead 2, place 6]
		says  string
		// Of the metrics: raw members with values, and the share of raw values that are missing.
		members, missing float64
	}{
		"warmer": {func(v []float32) {
			for i := range v {
				v[i] += 50
			}
		}, "the mean of the raw forecast is +", 5, 0},
		"half of the stations": {func(v []float32) {
			for i := range v {
				if i%6 < 3 {
					v[i] = float32(math.NaN())
				}
			}
		}, "has values at 6 places and lead times, those of the last 17 cycles of this hour at 12", 5, 0.5},
		"two of five members": {func(v []float32) {
			for i := range v[2*2*6:] {
				v[2*2*6+i] = float32(math.NaN())
			}
		}, "the raw forecast has 2 members with values, those of the last 17 cycles of this hour 5", 2, 0.6},
	} {
		place(t)
		t.Setenv("SIPIPE_OPERATIONS_METRICS", "sipipe.prom")
		rewrite(t, forecast, "t2m", c.wrong)
		m := manifestOf(t, must(t, sipipe(t, "run", "--date", "2020-01-18")).out)
		if m.Status != StatusDegraded || !m.Variables[0].Suspect || !strings.Contains(m.Reasons[0], c.says) {
			t.Errorf("%s: %s %q", name, m.Status, m.Reasons)
		}
		if v := parsed(t, "sipipe.prom"); v["sipipe_degraded"] != 1 || v["sipipe_implausible_input t2m"] != 1 {
			t.Errorf("%s: metrics say %v", name, v)
		} else if v["sipipe_members raw t2m"] != c.members || v["sipipe_missing_ratio t2m"] != c.missing {
			t.Errorf("%s: metrics say %v members, %v missing", name, v["sipipe_members raw t2m"], v["sipipe_missing_ratio t2m"])
		}
	}
}
