package ingest

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sipipe/ingest/ncio"
)

// ncgen compiles CDL, the text form of NetCDF, which shows a layout best.
func ncgen(t testing.TB, dir, name, cdl string) string {
	t.Helper()
	tool, err := exec.LookPath("ncgen")
	if err != nil {
		t.Skip("ncgen is not installed (package netcdf-bin): layouts of other writers are not tested")
	}
	src, dst := filepath.Join(t.TempDir(), "f.cdl"), filepath.Join(dir, name)
	if err := os.WriteFile(src, []byte("netcdf f {\n"+cdl+"\n}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(tool, "-k", "nc4", "-o", dst, src).CombinedOutput(); err != nil {
		t.Fatalf("ncgen: %v\n%s", err, out)
	}
	return dst
}

// count writes 1, 2, 3, ... n: every value of a test file is its own position, so that a
// wrong transposition cannot hide.
func count(n int) string {
	s := make([]string, n)
	for i := range s {
		s[i] = fmt.Sprint(i + 1)
	}
	return strings.Join(s, ",")
}

func hours(h ...int) []time.Duration {
	d := make([]time.Duration, len(h))
	for i, v := range h {
		d[i] = time.Duration(v) * time.Hour
	}
	return d
}

func date(y, m, d, h int) time.Time { return time.Date(y, time.Month(m), d, h, 0, 0, 0, time.UTC) }

// forecastLayouts are files of many origins with the same things in other shapes.
var forecastLayouts = []struct {
	name    string
	cdl     string
	file    string // name of the file; with the template below it may tell the cycle
	want    string // variable
	dims    map[string]string
	cycles  []time.Time
	leads   []time.Duration
	members []int32
	ids     []string
	// at gives the value of cycle c, lead k, place i, member m, by position.
	at func(c, k, i, m int) float64
}{
	{
		name: "EUPPBench forecasts", want: "t2m",
		cdl: `dimensions: station_id=2; time=2; step=3; number=2;
variables:
	int64 station_id(station_id); int64 step(step); step:units="hours"; int64 number(number);
	int64 time(time); time:units="days since 2017-01-01 00:00:00"; time:calendar="proleptic_gregorian";
	string station_name(station_id);
	double station_latitude(station_id); double station_longitude(station_id); double station_altitude(station_id); station_altitude:_FillValue=NaN;
	double model_latitude(station_id); double model_longitude(station_id); double model_altitude(station_id); double model_orography(station_id);
	double station_land_usage(station_id);
	int64 valid_time(time,step); valid_time:units="hours since 2017-01-01"; valid_time:calendar="proleptic_gregorian";
	float t2m(station_id,time,step,number); t2m:_FillValue=NaNf; t2m:units="K"; t2m:standard_name="unknown"; t2m:GRIB_paramId=167LL;
		t2m:model\ altitude\ source="x"; t2m:coordinates="valid_time station_name station_latitude station_longitude model_latitude model_longitude";
data: station_id=71,205; time=0,1; step=0,6,12; number=0,1; station_name="Zürich","Köln";
	station_latitude=47.4,50.9; station_longitude=8.5,6.9; station_altitude=556,NaN; station_land_usage=1,2;
	model_latitude=1,2; model_longitude=3,4; model_altitude=5,6; model_orography=500,90;
	valid_time=0,6,12,24,30,36; t2m=` + count(24) + `;`,
		cycles: []time.Time{date(2017, 1, 1, 0), date(2017, 1, 2, 0)}, leads: hours(0, 6, 12), members: []int32{0, 1}, ids: []string{"71", "205"},
		at: func(c, k, i, m int) float64 { return float64(1 + ((i*2+c)*3+k)*2 + m) },
	},
	{
		name: "EUPPBench reforecasts", want: "t2m",
		cdl: `dimensions: station_id=2; time=1; year=2; step=1; number=2;
variables: int64 station_id(station_id); int64 step(step); step:units="hours"; int64 number(number); int64 year(year);
	int64 time(time); time:units="seconds since 1970-01-01"; double station_latitude(station_id); double station_longitude(station_id);
	float t2m(station_id,time,year,step,number); t2m:units="K";
data: station_id=1,2; time=1483315200; year=1,20; step=6; number=0,1; station_latitude=1,2; station_longitude=3,4; t2m=` + count(8) + `;`,
		// 2017-01-02: year 1 is 1997, year 20 is 2016.
		cycles: []time.Time{date(1997, 1, 2, 0), date(2016, 1, 2, 0)}, leads: hours(6), members: []int32{0, 1}, ids: []string{"1", "2"},
		at: func(c, k, i, m int) float64 { return float64(1 + (i*2+c)*2 + m) },
	},
	{
		name: "cfgrib, one cycle, regular grid north to south", want: "t2m",
		cdl: `dimensions: number=2; step=2; latitude=2; longitude=3;
variables: int64 number(number); number:standard_name="realization"; number:units="1";
	int64 time; time:standard_name="forecast_reference_time"; time:units="seconds since 1970-01-01T00:00:00"; time:calendar="proleptic_gregorian";
	double step(step); step:standard_name="forecast_period"; step:units="hours";
	double heightAboveGround; heightAboveGround:units="m";
	double latitude(latitude); latitude:standard_name="latitude"; latitude:units="degrees_north"; latitude:stored_direction="decreasing";
	double longitude(longitude); longitude:standard_name="longitude"; longitude:units="degrees_east";
	double valid_time(step); valid_time:standard_name="time"; valid_time:units="seconds since 1970-01-01T00:00:00";
	float t2m(number,step,latitude,longitude); t2m:units="K"; t2m:standard_name="air_temperature"; t2m:coordinates="number time step heightAboveGround latitude longitude valid_time";
data: number=0,1; time=1720396800; step=24,48; heightAboveGround=2; latitude=50,49; longitude=358,359,0; valid_time=1720483200,1720569600; t2m=` + count(24) + `;`,
		cycles: []time.Time{date(2024, 7, 8, 0)}, leads: hours(24, 48), members: []int32{0, 1}, ids: []string{"0,0", "0,1", "0,2", "1,0", "1,1", "1,2"},
		at: func(c, k, i, m int) float64 { return float64(1 + (m*2+k)*6 + i) },
	},
	{
		name: "CDS names, many cycles, dimensions in another order, curvilinear stored by columns", want: "air_temperature",
		cdl: `dimensions: lon=2; realization=2; forecast_reference_time=2; lat=3; leadtime=2; plev=1;
variables: int realization(realization); double leadtime(leadtime); leadtime:units="days"; leadtime:standard_name="forecast_period";
	double forecast_reference_time(forecast_reference_time); forecast_reference_time:units="hours since 2024-07-08"; forecast_reference_time:standard_name="forecast_reference_time";
	double plev(plev); plev:units="Pa";
	float XLAT(lon,lat); XLAT:standard_name="latitude"; float XLONG(lon,lat); XLONG:standard_name="longitude";
	float x(lon,realization,plev,leadtime,forecast_reference_time,lat); x:units="K"; x:standard_name="air_temperature";
data: realization=7,3; leadtime=2,1; forecast_reference_time=0,12; plev=85000; XLAT=1,2,3,4,5,6; XLONG=7,8,9,10,11,12; x=` + count(48) + `;`,
		cycles: []time.Time{date(2024, 7, 8, 0), date(2024, 7, 8, 12)}, leads: hours(24, 48), members: []int32{3, 7},
		ids: []string{"0,0", "0,1", "1,0", "1,1", "2,0", "2,1"},
		at: func(c, k, i, m int) float64 {
			y, x := i/2, i%2
			return float64(1 + (((x*2+(1-m))*2+(1-k))*2+c)*3 + y)
		},
	},
	{
		name: "IMPROVER spot: valid times, scalar cycle, lead in seconds", want: "air_temperature",
		cdl: `dimensions: realization=2; time=2; spot_index=2; string5=5;
variables: int realization(realization); realization:units="1"; int spot_index(spot_index);
	int64 time(time); time:standard_name="time"; time:units="seconds since 1970-01-01 00:00:00"; time:calendar="gregorian";
	int64 forecast_reference_time; forecast_reference_time:standard_name="forecast_reference_time"; forecast_reference_time:units="seconds since 1970-01-01 00:00:00";
	int forecast_period(time); forecast_period:standard_name="forecast_period"; forecast_period:units="seconds";
	float altitude(spot_index); altitude:units="m"; float latitude(spot_index); latitude:units="degrees"; latitude:standard_name="latitude";
	float longitude(spot_index); longitude:units="degrees"; longitude:standard_name="longitude"; char wmo_id(spot_index,string5); float height; height:units="m";
	float air_temperature(realization,time,spot_index); air_temperature:units="K"; air_temperature:standard_name="air_temperature";
data: realization=0,1; spot_index=0,1; time=1720400400,1720404000; forecast_reference_time=1720396800; forecast_period=3600,7200;
	altitude=1,2; latitude=3,4; longitude=5,6; wmo_id="03772","10384"; height=1.5; air_temperature=` + count(8) + `;`,
		cycles: []time.Time{date(2024, 7, 8, 0)}, leads: hours(1, 2), members: []int32{0, 1}, ids: []string{"03772", "10384"},
		at: func(c, k, i, m int) float64 { return float64(1 + (m*2+k)*2 + i) },
	},
	{
		name: "unstructured ICON grid in radian, valid times, cycle in the file name", want: "t_2m", file: "fc_2024070800.nc",
		cdl: `dimensions: ens=2; time=2; height=1; ncells=2;
variables: double time(time); time:units="minutes since 2024-07-08 00:00:00"; time:standard_name="time"; time:axis="T"; float height(height);
	double clat(ncells); clat:units="radian"; clat:standard_name="latitude"; double clon(ncells); clon:units="radian"; clon:standard_name="longitude";
	float t_2m(time,ens,height,ncells); t_2m:units="K"; t_2m:CDI_grid_type="unstructured"; t_2m:coordinates="clat clon";
data: time=60,120; height=2; clat=0.5,0.6; clon=0.1,-0.1; t_2m=` + count(8) + `;`,
		cycles: []time.Time{date(2024, 7, 8, 0)}, leads: hours(1, 2), members: []int32{0, 1}, ids: []string{"0", "1"},
		at: func(c, k, i, m int) float64 { return float64(1 + (k*2+m)*2 + i) },
	},
	{
		name: "names that say nothing, with overrides; packed", want: "temp",
		dims: map[string]string{"member": "a", "station": "b", "cycle": "t", "lead": "k", "latitude": "phi", "longitude": "lambda", "identifier": "code"},
		cdl: `dimensions: a=2; b=2; t=2; k=1;
variables: double t(t); t:units="days since 2000-01-01"; double k(k); k:units="h"; string id(b); string code(b); float phi(b); float lambda(b);
	short temp(t,k,b,a); temp:scale_factor=0.5; temp:add_offset=200.; temp:units="K";
data: t=0,1; k=36; id="x","y"; code="A","B"; phi=1,2; lambda=3,4; temp=` + count(8) + `;`,
		cycles: []time.Time{date(2000, 1, 1, 0), date(2000, 1, 2, 0)}, leads: hours(36), members: []int32{0, 1}, ids: []string{"A", "B"},
		at: func(c, k, i, m int) float64 { return 200 + 0.5*float64(1+(c*2+i)*2+m) },
	},
	{
		name: "one place and one lead time as scalars, cycles along time, in a group", want: "t2m",
		cdl: `group: g { dimensions: time=2; member=2;
variables: int64 time(time); time:units="hours since 2000-01-01"; int member(member); double step; step:units="hours"; double latitude; double longitude; string station_id;
	float t2m(time,member); t2m:units="degC";
data: time=0,24; member=1,2; step=24; latitude=47; longitude=11; station_id="11120"; t2m=` + count(4) + `; }`,
		cycles: []time.Time{date(2000, 1, 1, 0), date(2000, 1, 2, 0)}, leads: hours(24), members: []int32{1, 2}, ids: []string{"11120"},
		at: func(c, k, i, m int) float64 { return 273.15 + float64(1+c*2+m) },
	},
	{
		name: "lagged ensemble with member numbers that occur twice", want: "t2m",
		cdl: `dimensions: number=3; step=1; station=1;
variables: int number(number); int64 time; time:units="hours since 2000-01-01"; double step(step); step:units="hours"; int64 station(station); float lat(station); float lon(station);
	float t2m(number,step,station); t2m:units="K";
data: number=1,0,1; time=0; step=6; station=9; lat=1; lon=2; t2m=1,2,3;`,
		cycles: []time.Time{date(2000, 1, 1, 0)}, leads: hours(6), members: []int32{0, 1, 2}, ids: []string{"9"},
		at: func(c, k, i, m int) float64 { return float64(1 + m) },
	},
}

// readForecast reads all cycles of a file.
func readForecast(t testing.TB, path, variable string, o parseOptions) (*forecastReader, map[time.Time][]float32, error) {
	t.Helper()
	tmpl, err := parseTemplate(filepath.Join(filepath.Dir(path), "fc_{date:%Y%m%d%H}.nc"))
	if err != nil {
		t.Fatal(err)
	}
	named, _ := tmpl.stampOf(path)
	f, err := ncio.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := newForecastReader(f, variable, o, named)
	if err != nil {
		return nil, nil, err
	}
	values := map[time.Time][]float32{}
	err = r.read(t.Context(), func(cycleAt) bool { return true }, func(c cycleAt, v []float32) error {
		values[c.time] = v
		return nil
	})
	return r, values, err
}

func TestForecastLayouts(t *testing.T) {
	for _, tt := range forecastLayouts {
		t.Run(tt.name, func(t *testing.T) {
			file := tt.file
			if file == "" {
				file = "all.nc"
			}
			r, values, err := readForecast(t, ncgen(t, t.TempDir(), file, tt.cdl), tt.want, parseOptions{Dims: tt.dims})
			if err != nil {
				t.Fatal(err)
			}
			var cycles []time.Time
			for _, c := range r.cycles {
				cycles = append(cycles, c.time)
			}
			got := []any{cycles, r.leads, r.members, r.places.ID}
			want := []any{tt.cycles, tt.leads, tt.members, tt.ids}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("-want +got\n%s", d)
			}
			for c, cycle := range tt.cycles {
				e := r.ensemble(cycle, values[cycle])
				for k := range e.Leads {
					for i := range e.Places.Len() {
						for m, v := range e.At(k, i) {
							if want := tt.at(c, k, i, m); math.Abs(float64(v)-want) > 1e-5*want {
								t.Fatalf("cycle %d, lead %d, place %d, member %d: %g, want %g", c, k, i, m, v, want)
							}
						}
					}
				}
			}
			if len(r.faults) > 0 {
				t.Errorf("faults: %v", r.faults)
			}
		})
	}
}

// TestPlaces looks at what the layouts say of their places.
func TestPlaces(t *testing.T) {
	nan := math.NaN()
	want := map[string]*Places{
		"EUPPBench forecasts": {
			ID: []string{"71", "205"}, Name: []string{"Zürich", "Köln"}, Latitude: []float64{47.4, 50.9}, Longitude: []float64{8.5, 6.9},
			Altitude: []float64{556, nan}, ModelAltitude: []float64{500, 90},
		},
		"cfgrib, one cycle, regular grid north to south": {
			ID:        []string{"0,0", "0,1", "0,2", "1,0", "1,1", "1,2"},
			Latitude:  []float64{50, 50, 50, 49, 49, 49},
			Longitude: []float64{-2, -1, 0, -2, -1, 0},
			Altitude:  []float64{nan, nan, nan, nan, nan, nan},
			Grid:      &Grid{NY: 2, NX: 3, YName: "latitude", XName: "longitude"},
		},
		"CDS names, many cycles, dimensions in another order, curvilinear stored by columns": {
			ID:       []string{"0,0", "0,1", "1,0", "1,1", "2,0", "2,1"},
			Latitude: []float64{1, 4, 2, 5, 3, 6}, Longitude: []float64{7, 10, 8, 11, 9, 12},
			Altitude: []float64{nan, nan, nan, nan, nan, nan},
			Grid:     &Grid{NY: 3, NX: 2, YName: "lat", XName: "lon", Curvilinear: true},
		},
		"unstructured ICON grid in radian, valid times, cycle in the file name": {
			ID: []string{"0", "1"}, Latitude: []float64{0.5 * 180 / math.Pi, 0.6 * 180 / math.Pi},
			Longitude: []float64{18 / math.Pi, -18 / math.Pi}, Altitude: []float64{nan, nan},
		},
	}
	for _, tt := range forecastLayouts {
		p, ok := want[tt.name]
		if !ok {
			continue
		}
		file := tt.file
		if file == "" {
			file = "all.nc"
		}
		r, _, err := readForecast(t, ncgen(t, t.TempDir(), file, tt.cdl), tt.want, parseOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(p, r.places, cmpopts.EquateNaNs(), cmpopts.EquateApprox(1e-12, 0)); d != "" {
			t.Errorf("%s: -want +got\n%s", tt.name, d)
		}
	}
}

// good is a small station forecast; each test below spoils it in one way.
const good = `dimensions: number=2; step=2; station=2; len=3;
variables: int number(number);
	int64 time; time:units="hours since 2024-07-08"; time:standard_name="forecast_reference_time";
	double step(step); step:units="hours"; int64 valid_time(step); valid_time:units="hours since 2024-07-08"; valid_time:standard_name="time";
	char station_id(station,len); station_id:cf_role="timeseries_id"; float latitude(station); float longitude(station); float altitude(station);
	float t2m(number,step,station); t2m:units="K"; t2m:standard_name="air_temperature";
	float other(station);
data: number=0,1; time=0; step=24,48; valid_time=24,48; station_id="abc","def"; latitude=1,2; longitude=3,4; altitude=5,6; t2m=280,281,282,283,284,285,286,287; other=1,2;`

func TestUnusableForecasts(t *testing.T) {
	tests := []struct {
		name, old, new string
		want           string // part of the message
	}{
		{"stations without coordinates", "latitude=1,2", "latitude=NaN,NaN", "no station has coordinates"},
		{"latitude out of range", "latitude=1,2", "latitude=1,91", "latitude 91 is not in"},
		{"longitude in metres", "longitude=3,4", "longitude=3,400000", "is not an angle"},
		{"empty identifier", `"abc","def"`, `"abc",""`, "empty identifier"},
		{"same identifier twice", `"abc","def"`, `"abc","abc"`, `"abc" occurs twice`},
		{"wrong units", `t2m:units="K"`, `t2m:units="m"`, `units "m", which cannot become "K"`},
		{"no units", `t2m:units="K";`, ``, "has no units"},
		{"time units", `time:units="hours since 2024-07-08"; time:s`, `time:units="fortnights"; time:s`, "fortnights"},
		{"calendar", `time:standard_name="forecast`, `time:calendar="360_day"; time:standard_name="forecast`, "360_day"},
		{"lead twice", "step=24,48; valid_time=24,48", "step=24,24; valid_time=24,24", "occurs twice"},
		{"negative lead", "step=24,48; valid_time=24,48", "step=-24,48; valid_time=-24,48", "negative"},
		{"missing lead", "step=24,48", "step=24,NaN", "is missing"},
		{"lead units", `step:units="hours"`, `step:units="metres"`, "metres"},
		{"no cycle", "int64 time; time:units=\"hours since 2024-07-08\"; time:standard_name=\"forecast_reference_time\";", "int64 time;", "hours since"},
		{"unknown dimension", "number", "fruit", `"fruit" has no known meaning`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cdl := strings.ReplaceAll(good, tt.old, tt.new)
			if cdl == good {
				t.Fatalf("%q is not in the file", tt.old)
			}
			path := ncgen(t, t.TempDir(), "f.nc", cdl)
			_, _, err := readForecast(t, path, "t2m", parseOptions{})
			var unusable *UnusableError
			if !errors.As(err, &unusable) {
				t.Fatalf("error %v, want an UnusableError", err)
			}
			if !strings.Contains(err.Error(), tt.want) || unusable.Path != path || unusable.Remedy == "" {
				t.Errorf("error %q (path %q, remedy %q) does not say %q", err, unusable.Path, unusable.Remedy, tt.want)
			}
		})
	}
	var units *UnitsError
	_, _, err := readForecast(t, ncgen(t, t.TempDir(), "f.nc", strings.Replace(good, `t2m:units="K"`, `t2m:units="m"`, 1)), "t2m", parseOptions{})
	if !errors.As(err, &units) || units.Got != "m" || units.Want != "K" {
		t.Errorf("wrong units: %v", err)
	}
	wrong := strings.Replace(good, `t2m:units="K"`, `t2m:units="m"; t2m:standard_name="air_temperature"`, 1)
	for _, key := range []string{"t2m", "air_temperature"} {
		for _, want := range []string{"t2m", "air_temperature"} {
			o := parseOptions{Units: map[string]string{key: "K"}}
			if _, _, err := readForecast(t, ncgen(t, t.TempDir(), "f.nc", wrong), want, o); err != nil {
				t.Errorf("%s with units set by the user for %s: %v", want, key, err)
			}
		}
	}
}

func TestMissingVariable(t *testing.T) {
	path := ncgen(t, t.TempDir(), "f.nc", good)
	_, _, err := readForecast(t, path, "t2n", parseOptions{})
	var missing *MissingVarError
	if !errors.As(err, &missing) || !slices.Equal(missing.Have, []string{"t2m", "other"}) {
		t.Fatalf("error %v, want a MissingVarError that lists t2m and other", err)
	}
	if !strings.Contains(err.Error(), `did you mean "t2m"?`) {
		t.Errorf("%v gives no hint", err)
	}
	two := strings.Replace(good, "float other(station);", `float mx2t(number,step,station); mx2t:units="K"; mx2t:standard_name="air_temperature";`, 1)
	two = strings.Replace(two, "other=1,2;", "", 1)
	_, _, err = readForecast(t, ncgen(t, t.TempDir(), "f.nc", two), "air_temperature", parseOptions{})
	var unusable *UnusableError
	if !errors.As(err, &unusable) || !strings.Contains(err.Error(), "t2m, mx2t") {
		t.Errorf("two variables of one standard name: %v", err)
	}
}

// TestValidTimes: a valid time that contradicts cycle and lead time spoils its cycle only.
func TestValidTimes(t *testing.T) {
	cdl := `dimensions: number=1; time=3; step=2; station=1;
variables: int64 time(time); time:units="hours since 2024-07-08"; double step(step); step:units="hours";
	int64 valid_time(step,time); valid_time:units="hours since 2024-07-08"; float latitude(station); float longitude(station); int station(station);
	float t2m(number,time,step,station); t2m:units="K";
data: time=0,24,48; step=6,12; valid_time=6,30,54, 12,37,60; station=1; latitude=1; longitude=1; t2m=1,2,3,4,5,6;`
	r, _, err := readForecast(t, ncgen(t, t.TempDir(), "f.nc", cdl), "t2m", parseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.faults) != 1 || !strings.Contains(r.faults[1], "2024-07-09 13:00 UTC where cycle and lead time give 2024-07-09 12:00 UTC") {
		t.Errorf("faults = %v", r.faults)
	}
}

// TestBatches reads a file in pieces of every size.
func TestBatches(t *testing.T) {
	for _, tt := range []struct{ n, each, chunk, want int }{
		{10, 1, 1, 10},
		{1000, readBudget / 4, 1, 4},
		{1000, 2 * readBudget, 1, 1},
		{1000, readBudget / 10, 4, 8},  // whole chunks
		{1000, readBudget / 4, 16, 16}, // one chunk above the budget
		{1000, readBudget, 16, 1},      // a chunk far above it
		{3, 1, 16, 3},
	} {
		if got := batchSize(tt.n, tt.each, tt.chunk); got != tt.want {
			t.Errorf("batchSize(%d, %d, %d) = %d, want %d", tt.n, tt.each, tt.chunk, got, tt.want)
		}
	}
}
