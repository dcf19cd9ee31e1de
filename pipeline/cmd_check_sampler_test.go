package pipeline

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// on runs the program and returns what it wrote.
func on(t *testing.T, args ...string) (code int, out, err string) {
	t.Helper()
	var o, e bytes.Buffer
	code = execute(t.Context(), Build{Version: "test"}, args, Streams{Out: &o, Err: &e}, func() time.Time { return time.Unix(0, 0) })
	return code, o.String(), e.String()
}

// A check needs no archive; too few steps are told from
// enough; what cannot work ends with the code of a wrong configuration.
func TestCheckSampler(t *testing.T) {
	clean(t)
	key := "calibrate.interpolant."
	code, out, text := on(t, "check-sampler", "--json", "--set", key+"steps=8", "--set", key+"epsilon_scale=1")
	if code != ExitDone {
		t.Fatalf("code %d: %s", code, text)
	}
	var got struct {
		Steps    int
		Enough   bool
		Verdict  string
		Adequate []int
		Rows     []struct {
			Law     string
			Steps   int
			SDError float64 `json:"sd_error"`
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	if !got.Enough || got.Steps != 8 || len(got.Rows) != 15 || got.Rows[2].Steps != 16 || !strings.HasPrefix(got.Verdict, "8 steps are enough") {
		t.Errorf("%+v", got)
	}

	code, out, text = on(t, "check-sampler", "--set", key+"solver=euler", "--set", key+"epsilon=zero", "--set", key+"steps=4")
	if code != ExitDone || !strings.Contains(out, "4 steps are too few") {
		t.Errorf("code %d, %q, %q", code, out, text)
	}

	code, out, text = on(t, "check-sampler", "--set", key+"solver=heun")
	if code != ExitConfig || out != "" || !strings.Contains(text, "epsilon is not zero") || !strings.Contains(text, "use solver stochastic-heun") {
		t.Errorf("an ODE solver for an SDE: code %d, %q, %q", code, out, text)
	}
}

func TestSignedPercent(t *testing.T) {
	for v, want := range map[float64]string{0: "0.00", -1e-9: "0.00", 0.0042: "+0.42", -0.123: "-12.30"} {
		if got := signedPercent(v); got != want {
			t.Errorf("%g: %s, want %s", v, got, want)
		}
	}
}
