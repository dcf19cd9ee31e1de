package pipeline

import (
	"encoding/json"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sipipe/ingest/simulate"
)

func observationFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("archive/observations/*.nc")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of observations: %v", err)
	}
	return files
}

// A disk that is not mounted must not turn good products into raw ones.
func TestObservationsThatAreGone(t *testing.T) {
	place(t)
	must(t, sipipe(t, "run", "--date", "2020-01-18"))
	before := snapshot(t, "out")
	for _, f := range observationFiles(t) {
		must2(t, os.Rename(f, f+".away"))
	}
	r := sipipe(t, "run", "--date", "2020-01-18", "--force")
	if r.code != ExitNoInput || !strings.Contains(r.err, "archive/observations/") || !strings.Contains(r.err, "mounted") {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
	if !maps.Equal(snapshot(t, "out"), before) {
		t.Error("the product has changed")
	}
}

// A young archive has no observations yet; a wrong path looks the same and is named.
func TestObservationsThatWereNeverThere(t *testing.T) {
	place(t)
	r := must(t, sipipe(t, "run", "--date", "2020-01-18", "--set", "ingest.observations=nowhere/obs_*.nc"))
	if !strings.Contains(r.err, "check ingest.observations") || !strings.Contains(r.err, "nowhere/obs_*.nc") {
		t.Errorf("log does not name the path: %s", r.err)
	}
}

// Verification sees the observations that calibration sees.
func TestImplausibleObservationsAreNotScored(t *testing.T) {
	place(t)
	for _, f := range observationFiles(t) {
		rewrite(t, f, "t2m", func(v []float32) {
			for i := range v {
				if i%5 == 0 {
					v[i] -= 273.15 // some of them in degrees Celsius
				}
			}
		})
	}
	must(t, sipipe(t, "run", "--date", "2020-01-17"))
	r := must(t, sipipe(t, "verify", "--from", "2020-01-17", "--to", "2020-01-17", "--json"))
	var scores struct {
		Systems map[string]struct{ RMSE float64 }
	}
	must2(t, json.Unmarshal([]byte(r.out), &scores))
	if rmse := scores.Systems["raw"].RMSE; rmse == 0 || rmse > 20 {
		t.Errorf("RMSE of the raw forecast is %g K: observations of 10 K are scored", rmse)
	}
	if !strings.Contains(r.err, "ingest.observed_units") {
		t.Errorf("log does not say that observations are left out: %s", r.err)
	}
}

func TestProductsAmongTheInput(t *testing.T) {
	place(t)
	before := snapshot(t, "archive")
	for _, path := range []string{
		"archive/forecasts/{date:%Y/%m}/fc_{date:%Y%m%d%H}.nc",
		"out/../archive/observations/obs_{date:%Y%m%d%H}.nc",
	} {
		r := sipipe(t, "run", "--date", "2020-01-18", "--set", "export.path="+path)
		if r.code != ExitConfig || !strings.Contains(r.err, "products would lie among the input") {
			t.Errorf("%s: exit code %d: %s", path, r.code, r.err)
		}
	}
	if !maps.Equal(snapshot(t, "archive"), before) {
		t.Error("the archive has changed")
	}
}

// Observations of the last days that cannot have been made are not learned from, and a
// product that lacks most of them says so wherever degradations are told.
func TestLatestObservationsThatAreNotPlausible(t *testing.T) {
	place(t)
	t.Setenv("SIPIPE_OPERATIONS_METRICS", "sipipe.prom")
	files := observationFiles(t)
	whole := mustRead(t, files[0])
	last := func(days int, wrong func(float32) float32) { // [time, station]
		must2(t, os.WriteFile(files[0], whole, 0o644))
		rewrite(t, files[0], "t2m", func(v []float32) {
			const perDay = 4 * 6 // times and stations
			for i := range v {
				if d := i / perDay; d >= 17-days && d < 17 { // before 18 January
					v[i] = wrong(v[i])
				}
			}
		})
	}
	run := func() *Manifest { return manifestOf(t, must(t, sipipe(t, "run", "--date", "2020-01-18")).out) }
	if m := run(); m.Status != StatusOK {
		t.Fatalf("as it is: %s %q", m.Status, m.Reasons)
	}
	celsius := func(v float32) float32 { return v - 273.15 }
	for name, c := range map[string]struct {
		days   int
		wrong  func(float32) float32
		says   string
		status string
	}{
		"Celsius":         {3, celsius, "K at ", StatusDegraded},
		"Celsius, 1 day":  {1, celsius, "", StatusOK},
		"constant":        {2, func(float32) float32 { return 280 }, "all stations have 280 K", StatusDegraded},
		"nothing of them": {17, celsius, "K at ", StatusDegraded},
	} {
		last(c.days, c.wrong)
		m := run()
		if text := strings.Join(m.Reasons, "\n"); m.Status != c.status || c.says != "" && (!strings.Contains(text, c.says) || !strings.Contains(text, "latest observations")) {
			t.Errorf("%s: %s %q", name, m.Status, m.Reasons)
		}
		share := parsed(t, "sipipe.prom")["sipipe_implausible_observations_ratio t2m"]
		if share != m.Variables[0].LeftOut || (share > 0.5) != (c.status == StatusDegraded) {
			t.Errorf("%s: the metrics have a share of %g, the manifest %g", name, share, m.Variables[0].LeftOut)
		}
	}
	// Without the wrong ones the product is the same.
	last(2, func(float32) float32 { return 280 })
	got := productValues(t, must(t, sipipe(t, "run", "--date", "2020-01-18")).out)
	last(2, func(float32) float32 { return float32(math.NaN()) })
	if want := productValues(t, must(t, sipipe(t, "run", "--date", "2020-01-18")).out); !slices.Equal(got, want) {
		t.Error("observations that are one constant are learned from")
	}
}

// One value is no fault when the variable often has it, at few stations for a short time,
// or where a station differs.
func TestStuckObservations(t *testing.T) {
	place(t)
	open := func() *screenedArchive {
		t.Helper()
		s, err := (&Global{Streams: Streams{Out: io.Discard, Err: io.Discard}, clock: time.Now}).begin("status")
		must2(t, err)
		w, err := s.open(t.Context(), reading)
		must2(t, err)
		t.Cleanup(func() { must2(t, w.close()) })
		return w.archive.(*screenedArchive)
	}
	file := observationFiles(t)[0]
	rewrite(t, file, "t2m", func(v []float32) {
		for i := range v {
			switch k := i / 6; {
			case k < 2, k == 4 && i%6 > 0:
				v[i] = 280
			}
		}
	})
	a := open()
	times := a.ObservedTimes("t2m")
	check := func(k, want int) {
		t.Helper()
		if got, err := a.Screened(t.Context(), "t2m", times[k]); err != nil || got.out != want {
			t.Errorf("time %d: %+v (%v), want %d left out", k, got, err, want)
		}
	}
	for k, want := range []int{0, 6, 0, 0, 0} { // the first 6 alone are no 8 values
		check(k, want)
	}

	// One station, every six hours.
	o := simulate.Defaults()
	o.Dir, o.Places, o.Members, o.Steps = t.TempDir(), 1, 3, 2
	o.From, o.To = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2020, 1, 9, 0, 0, 0, 0, time.UTC)
	t.Chdir(o.Dir)
	_, err := simulate.Write(t.Context(), o, nil)
	must2(t, err)
	rewrite(t, file, "t2m", func(v []float32) {
		for i := range v[:20] {
			v[i] = 280
		}
	})
	a = open()
	for k := range 22 {
		want := 0
		if k >= 12 && k < 20 { // three days after the first
			want = 1
		}
		check(k, want)
	}
}
