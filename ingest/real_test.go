package ingest

import (
	"bytes"
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sipipe/ingest/store"
)

func openReal(t testing.TB, forecasts, observations, variable string) *Archive {
	t.Helper()
	root, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	a, err := Open(t.Context(), Options{
		Forecasts: filepath.Join(root, forecasts), Observations: filepath.Join(root, observations),
		Variables: []string{variable}, Root: root, Store: s,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Faults()) != 0 || len(a.Notes()) != 0 {
		t.Errorf("faults %v, notes %q", a.Faults(), a.Notes())
	}
	return a
}

// TestPacificNorthwest compares with what xarray reads from the same files.
func TestPacificNorthwest(t *testing.T) {
	a := openReal(t, "pnw-t2m/forecasts/{date:%Y/%m}/fc_{date:%Y%m%d%H}.nc", "pnw-t2m/observations/obs_*.nc", "air_temperature")
	if got := a.Cycles("air_temperature"); !slices.Equal(got, days(date(2004, 1, 27, 0), 3)) {
		t.Fatalf("cycles %v", got)
	}
	e, err := a.Ensemble(t.Context(), "air_temperature", date(2004, 1, 29, 0))
	if err != nil {
		t.Fatal(err)
	}
	if e.Variable != (Variable{Name: "t2m", StandardName: "air_temperature", Units: "K"}) ||
		!slices.Equal(e.Leads, hours(48)) || !slices.Equal(e.Members, []int32{1, 2, 3, 4, 5, 6, 7, 8}) || e.Places.Len() != 712 {
		t.Errorf("%+v, %v, %v, %d places", e.Variable, e.Leads, e.Members, e.Places.Len())
	}
	if want := []string{"CMCG", "ETA", "GASP", "GFS", "JMA", "NGPS", "TCWB", "UKMO"}; !slices.Equal(e.MemberNames, want) {
		t.Errorf("member names %q", e.MemberNames)
	}
	i := slices.Index(e.Places.ID, "KSEA")
	if i < 0 || e.Places.Altitude[i] != 130 || math.Abs(e.Places.Latitude[i]-47.44) > 1e-5 || math.Abs(e.Places.Longitude[i]+122.31) > 1e-5 {
		t.Fatalf("KSEA is place %d: %+v", i, e.Places)
	}
	if want := []float32{279.379, 279.409, 279.322, 282.516, 278.045, 279.665, 282.351, 279.268}; !slices.Equal(e.At(0, i), want) {
		t.Errorf("KSEA %v, want %v", e.At(0, i), want)
	}
	unknown := 0
	for _, z := range e.Places.Altitude {
		if z != z {
			unknown++
		}
	}
	if unknown != 70 {
		t.Errorf("%d stations without altitude, want 70", unknown)
	}
	o, err := a.Observed(t.Context(), "air_temperature", date(2004, 1, 31, 0))
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, v := range o.Values {
		sum += float64(v)
	}
	k, found := slices.BinarySearch(o.ID, "KSEA")
	if len(o.Values) != 712 || math.Abs(sum-195938.424) > 1e-3 || !found || o.Values[k] != 279.261 {
		t.Errorf("%d observations, sum %.3f, KSEA %v", len(o.Values), sum, o.Values[k])
	}
}

// BenchmarkFirstStart reads an archive of 2030 cycles in one file into an empty store.
func BenchmarkFirstStart(b *testing.B) {
	for b.Loop() {
		openReal(b, "innsbruck-tmin/forecasts.nc", "innsbruck-tmin/observations.nc", "mn2t")
	}
}

// TestInnsbruck compares with what xarray reads.
func TestInnsbruck(t *testing.T) {
	a := openReal(t, "innsbruck-tmin/forecasts.nc", "innsbruck-tmin/observations.nc", "mn2t")
	cycles := a.Cycles("mn2t")
	if len(cycles) != 2030 || !cycles[1000].Equal(date(2006, 2, 7, 0)) {
		t.Fatalf("%d cycles", len(cycles))
	}
	sum, pairs := 0.0, 0
	for _, c := range cycles {
		e, err := a.Ensemble(t.Context(), "mn2t", c)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range e.Values {
			sum += float64(v)
		}
		o, err := a.Observed(t.Context(), "mn2t", c.Add(e.Leads[0]))
		if err != nil {
			t.Fatal(err)
		}
		if o != nil {
			pairs++
		}
		if c.Equal(cycles[1000]) {
			want := []float32{262.7413, 262.51328, 262.46146, 262.13174, 262.9869, 263.28217, 263.3025, 262.4787, 263.1903, 262.87036, 262.3101}
			if !slices.EqualFunc(e.Values, want, func(a, b float32) bool { return math.Abs(float64(a-b)) < 1e-4 }) || o.Values[0] != 272.65 {
				t.Errorf("cycle 1000: %v, observed %v", e.Values, o.Values)
			}
		}
	}
	if math.Abs(sum-6036984.1276) > 1e-3 || pairs != 2030 {
		t.Errorf("sum %.4f of all members, %d pairs", sum, pairs)
	}
}

func TestInspect(t *testing.T) {
	r, err := Inspect(t.Context(), "testdata/pnw-t2m/observations/obs_200401.nc")
	if err != nil || len(r.Variables) != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	v := r.Variables[0]
	// 27570 values, of which xarray finds 22.56 % missing; 319.8 K is a gross error of the data.
	if v.Kind != "observations" || v.ValidTimes != 30 || v.Places != 919 || v.NoAltitude != 83 || v.Values != 27570 ||
		math.Abs(v.MissingShare-0.225607) > 1e-6 || math.Abs(v.Range[1]-319.817) > 1e-3 || len(v.Problems) != 0 {
		t.Errorf("%+v", v)
	}
	if r, err = Inspect(t.Context(), "testdata/innsbruck-tmin/forecasts.nc"); err != nil {
		t.Fatal(err)
	}
	v = r.Variables[0]
	var roles []string
	for _, d := range v.Dims {
		roles = append(roles, d.Role)
	}
	if v.Kind != "forecasts" || v.Cycles != 2030 || !slices.Equal(v.LeadHours, []float64{30}) || len(v.Members) != 11 ||
		!slices.Equal(roles, []string{"station", "member", "cycle", "lead"}) || !v.FirstCycle.Equal(date(2000, 1, 1, 0)) {
		t.Errorf("%+v", v)
	}
	if b, err := json.Marshal(r); err != nil || !bytes.Contains(b, []byte(`"last_cycle":"2011-12-30T00:00:00Z"`)) {
		t.Errorf("%s, %v", b, err)
	}

	// What is wrong is said, and does not end the report.
	bad := strings.Replace(good, "283,284,285,286,287", "_,284,_,286,_", 1)
	bad = strings.Replace(bad, "284,_,286,_", "_,_,_,_", 1) // member 1 has no value
	bad = strings.Replace(bad, "float other(station);", "float q(depth,station);", 1)
	bad = strings.Replace(bad, "other=1,2;", "", 1)
	bad = strings.Replace(bad, "len=3;", "len=3; depth=2;", 1)
	if r, err = Inspect(t.Context(), ncgen(t, t.TempDir(), "f.nc", bad)); err != nil || len(r.Variables) != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	if got := strings.Join(r.Variables[0].Notes, "|"); got != "member 1 is missing in 1 of 1 cycles" {
		t.Errorf("notes %q", got)
	}
	if got := strings.Join(r.Variables[1].Problems, "|"); !strings.Contains(got, `"depth" has no known meaning`) {
		t.Errorf("problems %q", got)
	}
	if _, err := Inspect(t.Context(), "testdata/README.md"); err == nil {
		t.Error("a text was inspected")
	}
}
