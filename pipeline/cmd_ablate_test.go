package pipeline

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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
		{[]string{"members=3"}, false, nil, "", "there are path, gamma"},
		{[]string{"path=vp+none"}, false, nil, "", "none is not key=value"},
	} {
		all, err := variants(c.vary, c.grid)
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
			a.Rows[i].TrainSeconds, a.Rows[i].StepNanos = 0, 0
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
	if r := sipipe(t, "ablate", "--date", "2020-01-18", "--vary", "members=3"); r.code != ExitUsage {
		t.Errorf("members do not shape a model: code %d, %s", r.code, r.err)
	}
}
