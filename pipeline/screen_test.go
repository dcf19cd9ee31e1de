package pipeline

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
