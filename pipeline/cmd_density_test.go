package pipeline

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

// The density of an observation under the frame: what is reported is the value, a
// probability, and a log density that is the slope of the PIT.
func TestDensity(t *testing.T) {
	place(t)
	missing := sipipe(t, "density", "--date", "2020-01-18", "--station", "x")
	if missing.code != ExitNoInput || !strings.Contains(missing.err, "such as") {
		t.Errorf("an unknown station: code %d, %s", missing.code, missing.err)
	}
	station := strings.Fields(missing.err[strings.Index(missing.err, "such as ")+len("such as "):])[0]
	station = strings.TrimRight(station, `,"}`)
	if r := sipipe(t, "density", "--date", "2020-01-18", "--station", station); r.code != ExitNoInput || !strings.Contains(r.err, "sipipe train") {
		t.Errorf("without a model: code %d, %s", r.code, r.err)
	}
	must(t, sipipe(t, "train", "--date", "2020-01-18"))
	var got struct {
		Method string
		Cases  []struct {
			Lead       float64 `json:"lead_hours"`
			Value      float64
			Observed   bool
			PIT        float64
			LogDensity float64 `json:"log_density"`
			Frame      struct{ PIT float64 }
		}
	}
	read := func(args ...string) {
		t.Helper()
		r := must(t, sipipe(t, append([]string{"density", "--date", "2020-01-18", "--station", station, "--json"}, args...)...))
		got.Cases = nil
		if err := json.Unmarshal([]byte(r.out), &got); err != nil {
			t.Fatal(err)
		}
	}
	read()
	if len(got.Cases) != 2 || got.Method != "frame" {
		t.Fatalf("%+v", got)
	}
	for _, c := range got.Cases {
		if !c.Observed || !(c.PIT > 0 && c.PIT < 1) || c.PIT != c.Frame.PIT || c.Value < 200 {
			t.Errorf("%+v", c)
		}
	}
	y, lead := got.Cases[1].Value, flagText(got.Cases[1].Lead)
	read("--lead", lead, "--value", flagText(y-0.01), "--value", flagText(y), "--value", flagText(y+0.01))
	if len(got.Cases) != 3 || got.Cases[1].Observed {
		t.Fatalf("%+v", got)
	}
	slope := (got.Cases[2].PIT - got.Cases[0].PIT) / 0.02
	if d := math.Exp(got.Cases[1].LogDensity); math.Abs(slope/d-1) > 1e-3 {
		t.Errorf("density %.5f, slope of the PIT %.5f", d, slope)
	}
	table := must(t, sipipe(t, "density", "--date", "2020-01-18", "--station", station)).out
	if !strings.Contains(table, "observed") || !strings.Contains(table, "log density") {
		t.Error(table)
	}
	for _, c := range []struct {
		args []string
		code int
		text string
	}{
		{[]string{"--station", station, "--lead", "7"}, ExitNoInput, "no lead time of 7 hours"},
		{[]string{"--station", station, "--value", "NaN"}, ExitUsage, "finite number"},
		{[]string{"--station", station, "--lead", "x"}, ExitUsage, "not a number of hours"},
		{nil, ExitUsage, "--station is not set"},
	} {
		if r := sipipe(t, append([]string{"density", "--date", "2020-01-18"}, c.args...)...); r.code != c.code || !strings.Contains(r.err, c.text) {
			t.Errorf("%v: code %d, %s", c.args, r.code, r.err)
		}
	}
}

// flagText is a flag's value.
func flagText(v float64) string {
	text, _ := json.Marshal(v)
	return string(text)
}
