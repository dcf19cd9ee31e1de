package pipeline

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
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

// Parts are disjoint, cover all stations, and are about as large as each other.
func TestPartsOfStations(t *testing.T) {
	const n, stations = 5, 2000
	count := make([]int, n)
	for i := range stations {
		in := 0
		for k := range n {
			w, err := newWithheld([]string{strconv.Itoa(k+1) + "/" + strconv.Itoa(n)}, 1)
			must2(t, err)
			if w.has("station " + strconv.Itoa(i)) {
				count[k]++
				in++
			}
		}
		if in != 1 {
			t.Fatalf("station %d lies in %d parts", i, in)
		}
	}
	for k, c := range count {
		if c < stations/n-80 || c > stations/n+80 { // 4.5 standard deviations
			t.Errorf("part %d has %d stations of %d", k+1, c, stations)
		}
	}
}
