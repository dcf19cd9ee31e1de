package export

import (
	"strings"
	"testing"
	"time"

	"sipipe/ingest"
)

func TestGlobalAttributes(t *testing.T) {
	f := &Forecast{
		Vars:       []*ingest.Ensemble{ensemble(temperature(), stations(), 2, 6*time.Hour, 12*time.Hour, 18*time.Hour)},
		Provenance: provenance(),
		Metadata:   map[string]string{"title": "Mine", "license": "CC BY 4.0"},
	}
	nc := open(t, write(t, f))
	for name, want := range map[string]string{
		"Conventions":                  "CF-1.11, ACDD-1.3",
		"featureType":                  "timeSeries",
		"title":                        "Mine",
		"license":                      "CC BY 4.0",
		"institution":                  "", // not known, so not there
		"date_created":                 "", // not asked for
		"keywords":                     "air_temperature",
		"history":                      "sipipe run --date 2024-07-08 --cycle 00 [sipipe 0.1.0] [config sha256:c0ffee]",
		"time_coverage_start":          "2024-07-08T06:00:00Z",
		"time_coverage_end":            "2024-07-08T18:00:00Z",
		"time_coverage_duration":       "PT12H",
		"time_coverage_resolution":     "PT6H",
		"geospatial_vertical_positive": "up",
		"sipipe__seed":                 "18446744073709551615",
		"sipipe__status":               "degraded",
		"sipipe__degraded":             "a reason\nanother",
		"sipipe__inputs":               "ab  fc 1.nc\ncd  fc2.nc",
	} {
		if got := nc.Text(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for _, a := range nc.Attrs() {
		if a.Name == "geospatial_lat_min" {
			if got := a.Value.([]float64)[0]; got != -12.25 {
				t.Errorf("geospatial_lat_min is %g, want -12.25", got)
			}
		}
	}
}

func TestCreationIsStampedOnRequest(t *testing.T) {
	p := provenance()
	p.Created = time.Date(2024, 7, 8, 9, 30, 0, 0, time.FixedZone("", 2*3600))
	nc := open(t, write(t, &Forecast{Vars: []*ingest.Ensemble{ensemble(temperature(), stations(), 2, 0)}, Provenance: p}))
	if got := nc.Text("date_created"); got != "2024-07-08T07:30:00Z" {
		t.Errorf("date_created is %q", got)
	}
	if got := nc.Text("history"); !strings.HasPrefix(got, "2024-07-08T07:30:00Z: sipipe run") {
		t.Errorf("history is %q", got)
	}
}

func TestVariableAttributes(t *testing.T) {
	celsius := temperature()
	celsius.Units = "degC"
	spread := ingest.Variable{Name: "wind", StandardName: "wind_speed", Units: "m s-1"}
	f := &Forecast{Vars: []*ingest.Ensemble{
		ensemble(temperature(), stations(), 2, 6*time.Hour), ensemble(spread, stations(), 2, 6*time.Hour),
	}, Provenance: provenance()}
	nc := open(t, write(t, f))
	for _, c := range []struct{ variable, attr, want string }{
		{"t2m", "units_metadata", "temperature: on_scale"},
		{"t2m", "standard_name", "air_temperature"},
		{"t2m", "coordinates", "latitude longitude altitude forecast_reference_time forecast_period station_id station_name"},
		{"t2m", "sipipe__method", "interpolant"},
		{"t2m", "sipipe__sampler", "heun"},
		{"wind", "units_metadata", ""},
		{"wind", "sipipe__method", ""},
		{"station_name", "_Encoding", "utf-8"},
		{"station_id", "_Encoding", ""},
		{"station_id", "cf_role", "timeseries_id"},
		{"time", "bounds", ""},
	} {
		v, ok := nc.Var(c.variable)
		if !ok {
			t.Fatalf("no variable %s", c.variable)
		}
		if got := v.Text(c.attr); got != c.want {
			t.Errorf("%s:%s is %q, want %q", c.variable, c.attr, got, c.want)
		}
	}
	if _, ok := mustVar(t, nc, "time").Attr("_FillValue"); ok {
		t.Error("the coordinate variable time has a _FillValue")
	}
}

// Raw members must not be taken for calibrated ones.
func TestRawProductSaysSo(t *testing.T) {
	f := &Forecast{
		Vars:       []*ingest.Ensemble{ensemble(temperature(), stations(), 2, 6*time.Hour)},
		Provenance: Provenance{Variables: map[string]Method{temperature().Name: {Name: "raw"}}},
	}
	nc := open(t, write(t, f))
	for _, name := range []string{"title", "summary", "processing_level"} {
		if text := strings.ToLower(nc.Text(name)); !strings.Contains(text, "raw ensemble forecast") || strings.Contains(text, "post-processed") {
			t.Errorf("%s is %q", name, nc.Text(name))
		}
	}
}
