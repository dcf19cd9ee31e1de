package pipeline

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// figures are what verify prints of one system.
type figures struct {
	CRPS        float64 `json:"crps"`
	CRPSFair    float64 `json:"crps_fair"`
	Spread      float64 `json:"spread"`
	RMSE        float64 `json:"rmse"`
	SpreadError float64 `json:"spread_error"`
}

// TestSampleBeatsItsBaselines does the main job of "make run" on real forecasts: all
// nine days of February 2004, which no default was fitted to, with each day's
// training on what was there. The bounds are those the program was built to.
func TestSampleBeatsItsBaselines(t *testing.T) {
	if testing.Short() {
		t.Skip("trains networks three times: half a minute")
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	clean(t) // leaves this folder
	out := t.TempDir()
	run := func(command string, extra ...string) result {
		args := append([]string{
			command, "--config", filepath.Join(root, "sample/sipipe.yaml"),
			"--set", "export.path=" + out + "/{date:%Y%m%d%H}.nc", "--set", "state=" + out + "/state",
			"--from", "2004-01-30", "--to", "2004-02-12", "-q",
		}, extra...)
		return must(t, sipipe(t, args...))
	}
	products := strings.Fields(run("backfill").out)
	if len(products) != 9 {
		t.Fatalf("%d products, want 9: %q", len(products), products)
	}
	var report struct {
		Cases   int                `json:"cases"`
		Systems map[string]figures `json:"systems"`
	}
	if err := json.Unmarshal([]byte(run("verify", "--json").out), &report); err != nil {
		t.Fatal(err)
	}
	calibrated, raw := report.Systems["calibrated"], report.Systems["raw"]
	if report.Cases != 5831 {
		t.Errorf("%d cases, want 5831", report.Cases)
	}
	// raw and EMOS as published with the data: 2.121 (fair 2.063) and 1.741. BMA is that
	// of the R package ensembleBMA 5.1.8 on these cases, rolling 25 days. EMOS with features
	// is as it was first measured.
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"raw CRPS", raw.CRPS, 2.121},
		{"raw fair CRPS", raw.CRPSFair, 2.063},
		{"EMOS CRPS", report.Systems["emos"].CRPS, 1.741},
		{"BMA CRPS", report.Systems["bma"].CRPS, 1.735},
		{"CRPS of EMOS with features", report.Systems["emos_features"].CRPS, 1.527},
	} {
		if math.Abs(c.got-c.want) > 0.002 {
			t.Errorf("%s is %.4f, want %.3f", c.name, c.got, c.want)
		}
	}
	if calibrated.CRPS > 1.405 {
		t.Errorf("calibrated CRPS is %.4f, want at most 1.405", calibrated.CRPS)
	}
	if frame := report.Systems["frame"].CRPS; calibrated.CRPS > frame+0.01 {
		t.Errorf("calibrated CRPS is %.4f, more than 0.01 above the frame's %.4f", calibrated.CRPS, frame)
	}
	if s := calibrated.SpreadError; s < 0.85 || s > 1.10 {
		t.Errorf("spread over error is %.3f, want 0.85 to 1.10", s)
	}

	python := "/usr/bin/python3"
	if err := exec.CommandContext(t.Context(), python, "-c", "import netCDF4, numpy").Run(); err != nil {
		t.Skip("the independent check of verify needs Python with netCDF4 and numpy: make setup-test")
	}
	data := filepath.Join(root, "sample/pnw-t2m")
	args := append([]string{filepath.Join(root, "pipeline/testdata/scores.py"), data + "/observations/obs_*.nc", data + "/forecasts/%Y/%m/fc_%Y%m%d%H.nc"}, products...)
	text, err := exec.CommandContext(t.Context(), python, args...).Output()
	if err != nil {
		t.Fatalf("independent scores: %v", err)
	}
	var independent struct {
		Cases           int
		Raw, Calibrated figures
	}
	if err := json.Unmarshal(text, &independent); err != nil {
		t.Fatalf("independent scores: %v in %s", err, text)
	}
	if independent.Cases != report.Cases {
		t.Errorf("verify counts %d cases, the independent script %d", report.Cases, independent.Cases)
	}
	for _, c := range []struct {
		name string
		a, b figures
	}{{"raw", raw, independent.Raw}, {"calibrated", calibrated, independent.Calibrated}} {
		for _, v := range [][2]float64{{c.a.CRPS, c.b.CRPS}, {c.a.CRPSFair, c.b.CRPSFair}, {c.a.Spread, c.b.Spread}, {c.a.RMSE, c.b.RMSE}} {
			if math.Abs(v[0]-v[1]) > 1e-6 {
				t.Errorf("%s: verify says %.8f, the independent script %.8f", c.name, v[0], v[1])
			}
		}
	}
	entries, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2*9+1 { // products, manifests, state
		t.Errorf("%d entries beside the products, want 19: %v", len(entries), entries)
	}
}
