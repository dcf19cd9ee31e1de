package pipeline

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Of five cycles one has no product, one a product of another configuration, and the
// observations of one have changed what was available at later ones.
func TestVerifySaysWhatThereIs(t *testing.T) {
	place(t)
	must(t, sipipe(t, "backfill", "--from", "2020-01-14", "--to", "2020-01-17"))
	verify := func() (c Coverage, text string) {
		t.Helper()
		args := []string{"verify", "--from", "2020-01-14", "--to", "2020-01-18"}
		var r struct{ Coverage Coverage }
		must2(t, json.Unmarshal([]byte(must(t, sipipe(t, append(args, "--json")...)).out), &r))
		return r.Coverage, must(t, sipipe(t, args...)).out
	}
	c, text := verify()
	if diff := cmp.Diff(Coverage{Cycles: 5, Products: 4, Without: 1}, c); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !strings.HasPrefix(text, "5 cycles with a forecast: 4 have a product, 1 have none\n") {
		t.Errorf("the text says\n%s", text)
	}
	must(t, sipipe(t, "run", "--date", "2020-01-15", "--set", "calibrate.seed=2"))
	if c, _ = verify(); c.Stale != 1 {
		t.Errorf("%d are stale, want that of another seed", c.Stale)
	}
	rewrite(t, strings.Replace(forecast, "2020011800", "2020011600", 1), "t2m", func(v []float32) { v[0]++ })
	if c, text = verify(); c.Stale != 3 || !strings.Contains(text, "3 of these were made") {
		t.Errorf("%d are stale, want that of another seed, that of the changed forecast and the one after\n%s", c.Stale, text)
	}
}

// hours is an archive of which only the cycles are asked for.
type hours struct {
	archive
	cycles []time.Time
}

func (h hours) Cycles(string) []time.Time { return h.cycles }

func TestForeignHour(t *testing.T) {
	for _, c := range []struct {
		what    string
		every   int // hours between cycles
		days    int
		twelve  int // more cycles at 12 UTC, on the last days
		at      int // hour of the cycle
		foreign bool
	}{
		{"00 UTC alone", 24, 60, 0, 0, false},
		{"12 UTC among 00 UTC", 24, 60, 0, 12, true},
		{"its first days", 24, 60, 2, 12, true},
		{"once there are four", 24, 60, 4, 12, false},
		{"00 and 12 UTC, young", 12, 2, 0, 12, false},
		{"hourly", 1, 3, 0, 13, false},
		{"nothing before", 24, 0, 0, 12, false},
	} {
		end := time.Date(2020, 3, 1, 0, 0, 0, 0, time.UTC)
		var cycles []time.Time
		for at := end.AddDate(0, 0, -c.days); at.Before(end); at = at.Add(time.Duration(c.every) * time.Hour) {
			cycles = append(cycles, at)
		}
		for d := range c.twelve {
			cycles = append(cycles, end.AddDate(0, 0, d-c.twelve).Add(12*time.Hour))
		}
		slices.SortFunc(cycles, time.Time.Compare)
		j := &job{workspace: &workspace{learning: hours{cycles: cycles}}, forecast: end.Add(time.Duration(c.at) * time.Hour)}
		j.checkHour("t2m", "t2m")
		if got := len(j.provenance.Degraded) == 1; got != c.foreign {
			t.Errorf("%s: degraded by %q", c.what, j.provenance.Degraded)
		}
	}
}

// What inspect calls a problem is one for the scripts that call it.
func TestInspectFindsProblems(t *testing.T) {
	place(t)
	must(t, sipipe(t, "inspect", forecast))
	rewrite(t, forecast, "t2m", func(v []float32) {
		for i := range v {
			v[i] = 280
		}
	})
	for _, args := range [][]string{{"inspect", forecast}, {"inspect", "--json", forecast}} {
		r := sipipe(t, args...)
		if r.code != ExitData || !strings.Contains(r.out, "all 30 values at lead time +6 h are 280 K") || !strings.Contains(r.err, "has a problem") {
			t.Errorf("%v: exit code %d\n%s%s", args, r.code, r.out, r.err)
		}
	}
	// Of the configured variables the file has none: what is there has to be right.
	if r := sipipe(t, "inspect", forecast, "--set", "variables=tp"); r.code != ExitData {
		t.Errorf("with another variable: exit code %d", r.code)
	}
}
