package pipeline

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sipipe/calibrate"
	"sipipe/calibrate/net"
	"sipipe/export"
	"sipipe/ingest"
)

// A limit of 1, the size of past errors, is passed at some places and not at others.
func TestImplausibleOutput(t *testing.T) {
	set := []string{"--set", "export.max_departure=1"}
	for _, policy := range []string{"raw", "warn", "fail"} {
		place(t)
		t.Setenv("SIPIPE_OPERATIONS_METRICS", "sipipe.prom")
		good := must(t, sipipe(t, "run", "--date", "2020-01-18"))
		plain, err := export.Read(t.Context(), strings.TrimSpace(good.out))
		must2(t, err)
		before := snapshot(t, "out")
		r := sipipe(t, append(set, "run", "--date", "2020-01-18", "--set", "export.implausible="+policy)...)
		if policy == "fail" {
			if r.code != ExitData || !strings.Contains(r.err, "export.implausible") || !strings.Contains(r.err, "past errors and the spread allow") {
				t.Errorf("fail: exit code %d\n%s", r.code, r.err)
			}
			if diff := cmp.Diff(before, snapshot(t, "out")); diff != "" {
				t.Error("fail: the product of before has changed")
			}
			continue
		}
		must(t, r)
		m := manifestOf(t, r.out)
		n := m.Variables[0].Doubted
		if m.Status != StatusDegraded || n < 1 || n >= m.Variables[0].Places {
			t.Fatalf("%s: %s, %d places doubted of %d: this test needs some", policy, m.Status, n, m.Variables[0].Places)
		}
		checkWarning(t, r.err, m.Reasons[0])
		if v := parsed(t, "sipipe.prom"); v["sipipe_implausible_output_places t2m"] != float64(n) || v["sipipe_degraded"] != 1 {
			t.Errorf("%s: metrics say %g places, degraded %g", policy, v["sipipe_implausible_output_places t2m"], v["sipipe_degraded"])
		}
		f, err := export.Read(t.Context(), strings.TrimSpace(r.out))
		must2(t, err)
		if diff := cmp.Diff(m.Reasons, f.Provenance.Degraded); diff != "" {
			t.Errorf("%s: the product says %q", policy, f.Provenance.Degraded)
		}
		other := 0
		for p := range f.Vars[0].Places.Len() {
			a, b := f.Vars[0].At(0, p), plain.Vars[0].At(0, p)
			if cmp.Equal(a, b) {
				continue
			}
			other++
			// Five raw members, each once, in a product of seven.
			if missing := a[5] != a[5] && a[6] != a[6] && a[4] == a[4]; !missing {
				t.Errorf("place %d has %v", p, a)
			}
		}
		if want := map[string]int{"raw": n, "warn": 0}[policy]; other != want {
			t.Errorf("%s: %d places differ from the product without the check, want %d", policy, other, want)
		}
	}
}

// Observations that no longer come are noticed; a delay that is known is not counted.
func TestOldFrame(t *testing.T) {
	place(t)
	for _, c := range []struct {
		date, delay, limit string
		old                bool
	}{
		{"2020-01-18", "0h", "12h", false}, // the longest lead time
		{"2020-01-18", "2d", "12h", false},
		{"2020-01-18", "2d", "11h", true},
		{"2020-01-20", "0h", "0h", false},
		{"2020-01-20", "0h", "2d", true},
	} {
		if c.date == "2020-01-20" {
			rewrite(t, "archive/observations/obs_202001.nc", "t2m", func(v []float32) {
				for i := len(v) * 15 / 20; i < len(v); i++ {
					v[i] = float32(math.NaN())
				}
			})
		}
		r := sipipe(t, "run", "--date", c.date, "--set", "calibrate.delay="+c.delay, "--set", "operations.max_frame_age="+c.limit, "--force", "--json")
		must(t, r)
		if got := strings.Contains(r.err, "has last learned from observations of"); got != c.old {
			t.Errorf("%+v: old is %t\n%s", c, got, r.err)
		}
	}
	m := manifestOf(t, must(t, sipipe(t, "run", "--date", "2020-01-20", "--set", "operations.max_frame_age=2d")).out)
	if m.Status != StatusDegraded || m.Variables[0].LearnedTo == nil || m.Variables[0].TrainedTo != nil {
		t.Errorf("the manifest says %s, %+v", m.Status, m.Variables[0])
	}
}

func TestOldNetworks(t *testing.T) {
	at := func(day int) time.Time { return time.Date(2020, 1, day, 0, 0, 0, 0, time.UTC) }
	h := &calibrate.History{}
	for _, c := range []struct {
		limit, delay time.Duration
		networks     int
		old          bool
	}{
		{7 * 24 * time.Hour, 0, 1, false},
		{6 * 24 * time.Hour, 0, 1, true},
		{6 * 24 * time.Hour, 24 * time.Hour, 1, false},
		{6 * 24 * time.Hour, 0, 0, false},
		{0, 0, 1, false},
	} {
		l := &Loaded{Config: DefaultConfig()}
		l.Operations.NetworkAge, l.Calibrate.Delay = c.limit, c.delay
		j := &job{workspace: &workspace{session: &session{Loaded: l}}, forecast: at(17), ages: map[string]VariableAge{}}
		must2(t, j.checkAge(t.Context(), h, &calibrate.Model{Correction: 1, Nets: make([]*net.Net, c.networks), To: at(10)}, &ingest.Ensemble{Variable: ingest.Variable{Name: "t2m"}}))
		if got := len(j.provenance.Degraded) == 1; got != c.old {
			t.Errorf("%+v: degraded by %q", c, j.provenance.Degraded)
		}
		if got := j.ages["t2m"].TrainedTo != nil; got != (c.networks > 0) {
			t.Errorf("%+v: trained to %v", c, j.ages["t2m"].TrainedTo)
		}
	}
}
