package pipeline

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sipipe/calibrate/score"
)

func TestVariants(t *testing.T) {
	for _, c := range []struct {
		vary []string
		grid bool
		want []string // names after that of the configuration itself
		set  string   // of the last
		err  string
	}{
		{[]string{"steps=2,4"}, false, []string{"steps=2", "steps=4"}, "calibrate.interpolant.steps=4", ""},
		{[]string{"steps=2", "hidden=8,16"}, false, []string{"steps=2", "hidden=8", "hidden=16"}, "calibrate.network.hidden=16", ""},
		{[]string{"steps=2,4", "hidden=8,16"}, true, []string{"steps=2 hidden=8", "steps=2 hidden=16", "steps=4 hidden=8", "steps=4 hidden=16"}, "calibrate.interpolant.steps=4 calibrate.network.hidden=16", ""},
		{[]string{"path=vp+gamma=none"}, false, []string{"path=vp+gamma=none"}, "calibrate.interpolant.path=vp calibrate.interpolant.gamma=none", ""},
		{[]string{"calibrate.network.rate=0.01"}, false, []string{"calibrate.network.rate=0.01"}, "calibrate.network.rate=0.01", ""},
		{nil, true, nil, "", ""},
		{[]string{"steps"}, false, nil, "", "not key=value"},
		{[]string{"members=3"}, false, nil, "", "there are method, path, gamma"},
		{[]string{"path=vp+none"}, false, nil, "", "none is not key=value"},
	} {
		all, err := variants(nil, c.vary, c.grid)
		if (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%v: %v", c.vary, err)
			continue
		}
		if err != nil {
			continue
		}
		var names []string
		for _, v := range all[1:] {
			names = append(names, v.name)
		}
		if !slices.Equal(names, c.want) || strings.Join(all[len(all)-1].set, " ") != c.set {
			t.Errorf("%v: %v, the last with %v", c.vary, names, all[len(all)-1].set)
		}
	}
}

// A comparison keeps no model, and says why a value cannot work.
func TestAblate(t *testing.T) {
	dir := place(t)
	t.Setenv("SIPIPE_CALIBRATE_METHOD", "interpolant")
	for key, value := range map[string]string{"HIDDEN": "4", "BLOCKS": "1", "FOLDS": "2", "BATCH": "64", "MAX_STEPS": "60", "MIN_DAYS": "4", "MIN_CASES": "16"} {
		t.Setenv("SIPIPE_CALIBRATE_NETWORK_"+key, value)
	}
	args := []string{"ablate", "--date", "2020-01-19", "--vary", "steps=3", "--vary", "rate=0.005", "--vary", "gamma=zero"}
	compare := func() ablation {
		t.Helper()
		var a ablation
		if err := json.Unmarshal([]byte(must(t, sipipe(t, append(args, "--json")...)).out), &a); err != nil {
			t.Fatal(err)
		}
		for i := range a.Rows {
			a.Rows[i].TrainSeconds, a.Rows[i].Micros = 0, 0
		}
		return a
	}
	a := compare()
	if len(a.Rows) != 4 || formatDay(a.Anchor) != "2020-01-16" || a.Cases == 0 {
		t.Fatalf("%+v", a)
	}
	base, steps, rate, zero := a.Rows[0], a.Rows[1], a.Rows[2], a.Rows[3]
	// This archive teaches networks nothing, which is right to say.
	if base.Frame <= 0 || base.Unit.Weight != 1 || base.Unit.Gain < -0.1 || base.Chosen.Weight != 0 || base.Dispersion < 0.7 {
		t.Errorf("as configured: %+v", base)
	}
	if steps.Frame == base.Frame || rate.Frame != base.Frame {
		t.Errorf("frame sampled with other steps %.5f, with another learning rate %.5f, as configured %.5f", steps.Frame, rate.Frame, base.Frame)
	}
	if !strings.Contains(zero.Refused, "no SDE") {
		t.Errorf("gamma zero with an SDE: %+v", zero)
	}
	for _, kind := range []string{"model", "networks"} {
		if found, _ := filepath.Glob(filepath.Join(dir, "state", "*", kind)); len(found) > 0 {
			t.Errorf("left behind: %v", found)
		}
		if found, _ := filepath.Glob(filepath.Join(dir, "state", kind)); len(found) > 0 {
			t.Errorf("left behind: %v", found)
		}
	}
	table := must(t, sipipe(t, args...)).out
	if !strings.Contains(table, "gain at weight 1") || !strings.Contains(table, "gamma=zero: cannot work") {
		t.Error(table)
	}
	if r := sipipe(t, append(args, "--from", "2020-01-20", "--to", "2020-01-19")...); r.code != ExitUsage {
		t.Errorf("a range that ends before it begins: code %d, %s", r.code, r.err)
	}
	if r := sipipe(t, "ablate", "--date", "2020-01-18", "--vary", "members=3"); r.code != ExitUsage {
		t.Errorf("members do not shape a model: code %d, %s", r.code, r.err)
	}
}

// A list is compared too; later cycles get the forecasts that the service would have
// made, so their scores are those that verify gives its products.
func TestAblateLaterCycles(t *testing.T) {
	place(t)
	list := filepath.Join(t.TempDir(), "list.yaml")
	if err := os.WriteFile(list, []byte(`
- {name: the frame, set: {method: frame}}
- {group: ε, name: the ODE, set: {epsilon: zero, solver: stochastic-heun, steps: 3, method: interpolant}}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]string{"HIDDEN": "4", "BLOCKS": "1", "FOLDS": "2", "BATCH": "64", "MAX_STEPS": "20", "MIN_DAYS": "4", "MIN_CASES": "16"} {
		t.Setenv("SIPIPE_CALIBRATE_NETWORK_"+key, value)
	}
	t.Setenv("SIPIPE_CALIBRATE_METHOD", "frame")
	from, to := "2020-01-17", "2020-01-19"
	args := []string{"ablate", "--date", from, "--list", list, "--from", from, "--to", to}
	var a ablation
	if err := json.Unmarshal([]byte(must(t, sipipe(t, append(args, "--json")...)).out), &a); err != nil {
		t.Fatal(err)
	}
	if a.Later == nil || a.Later.Cycles != 3 || len(a.Rows) != 3 || a.Rows[2].Group != "ε" {
		t.Fatalf("%+v", a)
	}
	base, frame, ode := a.Rows[0], a.Rows[1], a.Rows[2]
	if !reflect.DeepEqual(base.Later, frame.Later) || base.Later == nil || base.Calls != 0 || base.Refused == "" {
		t.Errorf("the frame as configured %+v and from the list %+v", base, frame)
	}
	// Stochastic Heun calls the networks twice a step.
	if ode.Calls != 6 || ode.Micros <= 0 || ode.Later == nil || ode.Later.Cases != base.Later.Cases {
		t.Errorf("%+v", ode)
	}
	must(t, sipipe(t, "backfill", "--from", from, "--to", to))
	var v struct {
		Cases   int
		Systems map[string]struct {
			CRPS        score.Number
			SpreadError score.Number `json:"spread_error"`
		}
	}
	if err := json.Unmarshal([]byte(must(t, sipipe(t, "verify", "--from", from, "--to", to, "--json")).out), &v); err != nil {
		t.Fatal(err)
	}
	if got, want := base.Later, v.Systems["calibrated"]; got.Cases != v.Cases || !near(got.CRPS, want.CRPS) || !near(got.SpreadError, want.SpreadError) {
		t.Errorf("%+v, verify says %+v on %d cases", got, want, v.Cases)
	}
	table := must(t, sipipe(t, append(args, "--markdown")...)).out
	if !strings.Contains(table, "| the ODE |") || !strings.Contains(table, "| ε |") || !strings.Contains(table, "| spread ÷ error |") {
		t.Error(table)
	}
}

// near compares scores of members as they were sampled and as they were written.
func near(a, b score.Number) bool { return math.Abs(float64(a-b)) < 1e-4*math.Abs(float64(b)) }

// Lists that ship with the program name keys that exist and samplers that work.
func TestShippedVariants(t *testing.T) {
	paths, err := filepath.Glob("../configs/ablate/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d files: %v", len(paths), err)
	}
	for i, p := range paths {
		if paths[i], err = filepath.Abs(p); err != nil {
			t.Fatal(err)
		}
	}
	place(t)
	for _, p := range paths {
		all, err := readVariants(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range all {
			if _, err := Load(LoadOptions{Set: v.set}); err != nil {
				t.Errorf("%s, %s: %v", filepath.Base(p), v.name, err)
			}
		}
	}
}

func TestReadVariantsRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"name: x":                          "no list of variants",
		"- {name: x, sets: {steps: 3}}":    "sets",
		"- {name: x, set: {step: 3}}":      "no key step",
		"- {name: x}":                      "without keys to set",
		"- {set: {steps: 3}}":              "without a name",
		"- {name: x, set: {members: 3}}":   "no key members",
		"- {name: x, set: {steps: [3, 4]}": "no list of variants",
	} {
		path := filepath.Join(t.TempDir(), "list.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := readVariants(path)
		var wrong *ConfigError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want a mistake in the configuration that says %q", text, err, want)
		}
	}
	if _, err := readVariants("missing.yaml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing list: %v", err)
	}
}
