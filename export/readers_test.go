package export

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipipe/ingest"
)

// tool finds a program, or skips the test.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("no %s: install it with scripts/setup test", name)
	}
	return path
}

// python finds a Python with the package, or skips the test. It is the system's:
// that is where its packages of netCDF are.
func python(t *testing.T, pkg string) string {
	t.Helper()
	path := tool(t, "/usr/bin/python3")
	if exec.Command(path, "-c", "import "+pkg).Run() != nil {
		t.Skipf("no Python package %s: install it with scripts/setup test", pkg)
	}
	return path
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// example is a product with stations and one with a grid; member m, lead l and place
// p have the value 1000 l + 100 p + m.
func example(t *testing.T, grid bool) string {
	places := stations()
	if grid {
		places = &ingest.Places{
			ID:        []string{"0,0", "0,1", "1,0", "1,1"},
			Latitude:  []float64{50, 50, 49, 49},
			Longitude: []float64{5, 6, 5, 6},
			Altitude:  []float64{0, 0, 0, 0},
			Grid:      &ingest.Grid{NY: 2, NX: 2, YName: "latitude", XName: "longitude"},
		}
	}
	return write(t, &Forecast{
		Vars:       []*ingest.Ensemble{ensemble(temperature(), places, 5, 6*time.Hour, 12*time.Hour), ensemble(rain(), places, 5, 6*time.Hour, 12*time.Hour)},
		Provenance: provenance(),
	})
}

func TestNcdumpReadsProducts(t *testing.T) {
	out := output(t, tool(t, "ncdump"), "-hs", example(t, false))
	for _, want := range []string{
		"float t2m(time, realization, station) ;",
		"t2m:_FillValue = 9.96921e+36f ;",
		"t2m:_DeflateLevel = 4 ;",
		`t2m:_Shuffle = "true" ;`,
		"t2m:_ChunkSizes = 1, 5, 3 ;",
		"char station_id(station, station_id_strlen) ;",
		"double forecast_reference_time ;",
		`tp:cell_methods = "time: sum" ;`,
		`time:bounds = "time_bnds" ;`,
		`altitude:standard_name = "surface_altitude" ;`,
		"tp:sipipe__steps", // written for t2m only
	} {
		if strings.Contains(out, want) == (want == "tp:sipipe__steps") {
			t.Errorf("ncdump -hs: %q should be there, and is not (or the reverse):\n%s", want, out)
		}
	}
	if strings.Contains(out, "string ") || strings.Contains(out, "int64 ") {
		t.Errorf("a type that classic NetCDF does not have:\n%s", out)
	}
}

func TestCdoReadsProducts(t *testing.T) {
	cdo := tool(t, "cdo")
	path := example(t, true)
	info := output(t, cdo, "-s", "sinfon", path)
	for _, want := range []string{"t2m", "lonlat", "points=4 (2x2)", "2024-07-08 06:00:00", "2024-07-08 12:00:00"} {
		if !strings.Contains(info, want) {
			t.Errorf("cdo sinfon does not show %q:\n%s", want, info)
		}
	}
	// The dimension realization is a vertical axis to CDO; its mean is that of the
	// members: 1000 l + 100 p + (0 + 1 + 2 + 3 + 4)/5.
	mean := filepath.Join(t.TempDir(), "mean.nc")
	output(t, cdo, "-s", "-O", "vertmean", "-selname,t2m", path, mean)
	got := strings.Fields(output(t, cdo, "-s", "output", mean))
	want := []string{"2", "102", "202", "302", "1002", "1102", "1202", "1302"}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("the mean of the members is %v, want %v", got, want)
	}
}

func TestCdoTakesStationsForAnUnstructuredGrid(t *testing.T) {
	info := output(t, tool(t, "cdo"), "-s", "sinfon", example(t, false))
	for _, want := range []string{"unstructured", "points=3"} {
		if !strings.Contains(info, want) {
			t.Errorf("cdo sinfon does not show %q:\n%s", want, info)
		}
	}
}

const pythonReader = `
import sys, xarray
d = xarray.open_dataset(sys.argv[1])
v = d["t2m"]
print(v.dims, v.shape, v.dtype, v.units)
print(sorted(set(v.coords)))
print(str(d.time.values[1])[:19], str(d.forecast_reference_time.values)[:19])
print([s.decode() if isinstance(s, bytes) else s for s in d.station_id.values])
print(float(v.sel(realization=3).isel(time=1, station=2)), int(d.altitude.isnull().sum()))
print(d.time_bnds.values.astype("datetime64[h]").tolist()[0])
`

func TestXarrayReadsProducts(t *testing.T) {
	out := output(t, python(t, "xarray, netCDF4"), "-c", pythonReader, example(t, false))
	want := `('time', 'realization', 'station') (2, 5, 3) float32 K
['altitude', 'forecast_period', 'forecast_reference_time', 'latitude', 'longitude', 'realization', 'station_id', 'station_name', 'time']
2024-07-08T12:00:00 2024-07-08T00:00:00
['06660', 'A1', 'ship-7']
1203.0 1
[datetime.datetime(2024, 7, 8, 0, 0), datetime.datetime(2024, 7, 8, 6, 0)]
`
	if out != want {
		t.Errorf("xarray sees\n%s\nwant\n%s", out, want)
	}
}
