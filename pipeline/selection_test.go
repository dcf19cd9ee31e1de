package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sipipe/ingest"
)

// What a withheld station measured, true or false, changes no bit of any product; it
// does where nothing is withheld. Verification scores it by what was measured.
func TestWithheldObservationsAreNotLearnedFrom(t *testing.T) {
	place(t)
	const station, stations = "S0000003", 6
	run := []string{"run", "--date", "2020-01-18", "--force"}
	with := append(slices.Clone(run), "--set", "calibrate.withhold="+station, "--set", "state=apart")
	must(t, sipipe(t, with...))
	before := products(snapshot(t, "out"))
	rmse := func() float64 {
		r := must(t, sipipe(t, "verify", "--from", "2020-01-18", "--to", "2020-01-18", "--json", "--withheld",
			"--set", "calibrate.withhold="+station, "--set", "state=apart"))
		var v struct {
			ByStation []struct{ Station string } `json:"by_station"`
			Systems   map[string]struct{ RMSE float64 }
		}
		must2(t, json.Unmarshal([]byte(r.out), &v))
		if len(v.ByStation) != 1 || v.ByStation[0].Station != station {
			t.Errorf("stations scored: %v, want %s alone", v.ByStation, station)
		}
		return v.Systems["calibrated"].RMSE
	}
	honest := rmse()
	for _, f := range observationFiles(t) {
		rewrite(t, f, "t2m", func(v []float32) {
			for i := 2; i < len(v); i += stations {
				v[i] += 20
			}
		})
	}
	must(t, sipipe(t, with...))
	if !maps.Equal(products(snapshot(t, "out")), before) {
		t.Error("a product depends on observations that are withheld")
	}
	if falsified := rmse(); falsified < honest+15 {
		t.Errorf("RMSE %.1f K before, %.1f K after 20 K were added to what is withheld", honest, falsified)
	}
	must(t, sipipe(t, run...))
	if maps.Equal(products(snapshot(t, "out")), before) {
		t.Error("observations that are not withheld are not learned from: the test shows nothing")
	}
}

// A name that is misspelt withholds nothing, which is said once, with the file.
func TestUnknownWithheldStations(t *testing.T) {
	place(t)
	for _, c := range [][]string{
		{"backfill", "--from", "2020-01-17", "--to", "2020-01-18"},
		{"verify", "--from", "2020-01-17", "--to", "2020-01-18"},
	} {
		r := must(t, sipipe(t, append(c, "--set", "calibrate.withhold=S0000003,S3,1/5", "--log-format", "json")...))
		var warnings []string
		for line := range strings.Lines(r.err) {
			if strings.Contains(line, "calibrate.withhold") && strings.Contains(line, `"level":"warn"`) {
				warnings = append(warnings, line)
			}
		}
		if len(warnings) != 1 || !strings.Contains(warnings[0], `"station":"S3"`) || !strings.Contains(warnings[0], "fc_2020011700.nc") {
			t.Errorf("%s: warned of %q, want S3 and the file, once", c[0], warnings)
		}
	}
}

// An archive from a date on is one that has no files before it.
func TestSince(t *testing.T) {
	place(t)
	run := []string{"run", "--date", "2020-01-18", "--set", "calibrate.since=2020-01-06"}
	must(t, sipipe(t, run...))
	cut := products(snapshot(t, "out"))
	if r := sipipe(t, "run", "--date", "2020-01-05", "--set", "calibrate.since=2020-01-06"); r.code != ExitNoInput || !strings.Contains(r.err, "calibrate.since") {
		t.Errorf("a cycle before the date: exit code %d: %s", r.code, r.err)
	}
	place(t)
	files, err := filepath.Glob("archive/forecasts/2020/01/fc_2020010[1-5]00.nc")
	if err != nil || len(files) != 5 {
		t.Fatalf("%d forecasts before the date: %v", len(files), err)
	}
	for _, f := range files {
		must2(t, os.Remove(f))
	}
	must(t, sipipe(t, run...))
	if !maps.Equal(products(snapshot(t, "out")), cut) {
		t.Error("forecasts from before the date have an influence")
	}
}

// register is an archive of stations by the day on which they are observed.
type register struct {
	archive
	days [][]string
}

func (r register) ObservedTimes(string) []time.Time {
	var out []time.Time
	for d := range r.days {
		out = append(out, time.Date(2020, 1, 1+d, 0, 0, 0, 0, time.UTC))
	}
	return out
}

func (r register) Observed(_ context.Context, _ string, valid time.Time) (*ingest.Observed, error) {
	if d := r.days[valid.Day()-1]; d != nil {
		return &ingest.Observed{ID: d, Values: make([]float32, len(d))}, nil
	}
	return nil, &ingest.UnusableError{}
}

// dealt is the part of each station, which must be in one.
func dealt(t *testing.T, n int, r register) map[string]int {
	t.Helper()
	out := map[string]int{}
	for k := range n {
		w, err := newWithheld([]string{fmt.Sprintf("%d/%d", k+1, n)}, 1)
		must2(t, err)
		has, err := w.of(r, "t2m")
		must2(t, err)
		for _, id := range slices.Concat(r.days...) {
			if has(id) {
				if before, ok := out[id]; ok && before != k {
					t.Errorf("station %s lies in parts %d and %d", id, before+1, k+1)
				}
				out[id] = k
			}
		}
		if has("never observed") {
			t.Error("a station without observations is withheld")
		}
	}
	if all := slices.Compact(slices.Sorted(slices.Values(slices.Concat(r.days...)))); len(out) != len(all) {
		t.Errorf("%d of %d stations are in a part", len(out), len(all))
	}
	return out
}

// Parts differ by one station at most, whatever the order in files, and stations that
// are new move no other.
func TestPartsOfStations(t *testing.T) {
	const n, stations = 5, 23
	var all []string
	for i := range stations {
		all = append(all, fmt.Sprintf("station %d", i))
	}
	even := func(parts map[string]int) {
		t.Helper()
		count := make([]int, n)
		for _, k := range parts {
			count[k]++
		}
		if slices.Max(count)-slices.Min(count) > 1 {
			t.Errorf("parts have %v stations", count)
		}
	}
	first := dealt(t, n, register{days: [][]string{all[:12], nil, all}})
	even(first)
	back := slices.Clone(all)
	slices.Reverse(back)
	if other := dealt(t, n, register{days: [][]string{back[11:], nil, back}}); !maps.Equal(other, first) {
		t.Error("parts depend on the order in files")
	}
	later := dealt(t, n, register{days: [][]string{all[:12], nil, all, append([]string{"a new one", "another"}, all[3:]...)}})
	even(later)
	for id, k := range first {
		if later[id] != k {
			t.Errorf("%s moves when other stations come", id)
		}
	}
	if again := dealt(t, n, register{days: [][]string{all, nil, all}}); maps.Equal(again, first) {
		t.Error("the order of first observations has no influence: the test shows nothing")
	}
}
