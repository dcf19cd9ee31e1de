package ingest

import (
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sipipe/ingest/ncio"
)

// readObserved reads a file into valid time -> station -> value, without what is missing.
func readObserved(t *testing.T, path string, wanted []string, o parseOptions, units string) (map[time.Time]map[string]float32, *observedReader, error) {
	t.Helper()
	f, err := ncio.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := newObservedReader(f, wanted, o, units)
	if err != nil {
		return nil, nil, err
	}
	got := map[time.Time]map[string]float32{}
	err = r.read(t.Context(), func(_ string, p *observedPeriod) error {
		n := r.places.Len()
		if len(p.Values) != n*len(p.Times) || !slices.IsSorted(p.Times) {
			t.Errorf("%d values of %d stations at %v", len(p.Values), n, p.Times)
		}
		for i, at := range p.Times {
			for s, v := range p.Values[i*n : (i+1)*n] {
				if v == v {
					key := time.Unix(at, 0).UTC()
					if got[key] == nil {
						got[key] = map[string]float32{}
					}
					got[key][r.places.ID[s]] = v
				}
			}
		}
		return nil
	})
	return got, r, err
}

func TestObservedLayouts(t *testing.T) {
	type values = map[time.Time]map[string]float32
	tests := []struct {
		name, cdl string
		wanted    []string
		units     string
		want      values
	}{
		{
			name: "valid times and stations, char identifiers, Celsius", wanted: []string{"t2m"},
			cdl: `dimensions: time=2; station=3; len=4;
variables: double time(time); time:units="hours since 2004-01-31 18:00"; char station_id(station,len);
	float t2m(time,station); t2m:units="degC"; t2m:_FillValue=-99.f;
data: time=0,12; station_id="zz","a","mm"; t2m=1,-99,3, 4,5,_;`,
			want: values{
				date(2004, 1, 31, 18): {"zz": 274.15, "mm": 276.15},
				date(2004, 2, 1, 6):   {"zz": 277.15, "a": 278.15},
			},
		},
		{
			name: "stations first, by standard name, ids in NC_STRING", wanted: []string{"t2m", "air_temperature"},
			cdl: `dimensions: time=2; site=2;
variables: int64 time(time); time:standard_name="time"; time:units="seconds since 1970-01-01"; string id(site); id:cf_role="timeseries_id"; float lat(site); float lon(site);
	double ta(site,time); ta:units="K"; ta:standard_name="air_temperature"; ta:missing_value=-1.;
data: time=0,3600; id="A","B"; lat=1,2; lon=3,4; ta=280,281,-1,Infinity;`,
			want: values{date(1970, 1, 1, 0): {"A": 280}, date(1970, 1, 1, 1): {"A": 281}},
		},
		{
			// The same valid time comes from two cycles; a value missing in the later does
			// not take away the earlier one.
			name: "EUPPBench: paired with forecasts, no units", wanted: []string{"t2m"}, units: "K",
			cdl: `dimensions: station_id=2; time=2; step=3;
variables: int64 station_id(station_id); int64 time(time); time:units="days since 2017-01-01 00:00:00"; int64 step(step); step:units="hours";
	double latitude(station_id); double longitude(station_id); double altitude(station_id); string station_name(station_id);
	float t2m(station_id,time,step); t2m:_FillValue=NaNf;
data: station_id=71,9; time=0,1; step=0,24,48; latitude=1,2; longitude=3,4; altitude=5,NaN; station_name="x","y"; t2m=1,2,3, 2,NaN,5, 11,12,13, 12,13,15;`,
			want: values{
				date(2017, 1, 1, 0): {"71": 1, "9": 11},
				date(2017, 1, 2, 0): {"71": 2, "9": 12},
				date(2017, 1, 3, 0): {"71": 3, "9": 13},
				date(2017, 1, 4, 0): {"71": 5, "9": 15},
			},
		},
		{
			name: "EUPPBench: paired with reforecasts", wanted: []string{"t2m"},
			cdl: `dimensions: station_id=1; time=1; year=2; step=2;
variables: int64 station_id(station_id); int64 time(time); time:units="days since 2017-01-01 00:00:00"; int64 step(step); step:units="hours"; int64 year(year);
	float t2m(station_id,time,year,step); t2m:units="K";
data: station_id=71; time=1; year=19,20; step=0,6; t2m=1,2,3,4;`,
			want: values{
				date(2015, 1, 2, 0): {"71": 1}, date(2015, 1, 2, 6): {"71": 2},
				date(2016, 1, 2, 0): {"71": 3}, date(2016, 1, 2, 6): {"71": 4},
			},
		},
		{
			name: "one time, a grid", wanted: []string{"t2m"},
			cdl: `dimensions: lat=2; lon=2;
variables: double valid_time; valid_time:units="hours since 2017-01-01"; float lat(lat); lat:units="degrees_north"; float lon(lon); lon:units="degrees_east";
	float t2m(lon,lat); t2m:units="K";
data: valid_time=6; lat=1,2; lon=3,4; t2m=1,2,3,4;`,
			want: values{date(2017, 1, 1, 6): {"0,0": 1, "1,0": 2, "0,1": 3, "1,1": 4}},
		},
		{
			name: "a missing time, one station without dimension", wanted: []string{"tp"},
			cdl: `dimensions: time=3;
variables: double time(time); time:units="hours since 2017-01-01"; char station(time); string station_id;
	float tp(time); tp:units="m";
data: time=0,NaN,2; station_id="X"; tp=0.001,0.002,0.003;`,
			want: values{date(2017, 1, 1, 0): {"X": 1}, date(2017, 1, 1, 2): {"X": 3}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _, err := readObserved(t, ncgen(t, t.TempDir(), "o.nc", tt.cdl), tt.wanted, parseOptions{}, tt.units)
			if err != nil {
				t.Fatal(err)
			}
			equal := cmp.Comparer(func(a, b float32) bool { return math.Abs(float64(a-b)) < 1e-4 })
			if d := cmp.Diff(tt.want, got, equal); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		})
	}
}

func TestUnusableObservations(t *testing.T) {
	const good = `dimensions: time=1; station=2; number=2;
variables: double time(time); time:units="hours since 2017-01-01"; int station(station); int number(number); float t2m(time,station); t2m:units="K"; float m(number,time,station); m:units="K";
data: time=0; station=1,2; t2m=1,2;`
	tests := []struct{ name, old, new, variable, want string }{
		{"members", "", "", "m", "2 members"},
		{"units", `t2m:units="K"`, `t2m:units="m"`, "t2m", "cannot become"},
		{"no units", `t2m:units="K";`, ``, "t2m", "has no units"},
		{"no times", `double time(time); time:units="hours since 2017-01-01";`, `double x(time);`, "t2m", "valid times"},
		{"two stations of one name", "station=1,2; t2m", "station=1,1; t2m", "t2m", "occurs twice"},
	}
	for _, tt := range tests {
		cdl := strings.Replace(good, tt.old, tt.new, 1)
		cdl = strings.Replace(cdl, "time=0; ", map[bool]string{true: "", false: "time=0; "}[tt.name == "no times"], 1)
		_, _, err := readObserved(t, ncgen(t, t.TempDir(), "o.nc", cdl), []string{tt.variable}, parseOptions{}, "")
		var unusable *UnusableError
		if !errors.As(err, &unusable) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want an UnusableError that says %q", tt.name, err, tt.want)
		}
	}
}

// TestPeriods: a file of many stations is handed on month by month, each once, also
// when its times are in no order.
func TestPeriods(t *testing.T) {
	path := ncgen(t, t.TempDir(), "o.nc", `dimensions: time=4; station=200;
variables: double time(time); time:units="days since 2004-01-31"; float t2m(time,station); t2m:units="K"; int station(station);
data: time=0,1,30,-1; t2m=`+count(800)+`; station=`+count(200)+`;`)
	f, err := ncio.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := newObservedReader(f, []string{"t2m"}, parseOptions{}, "")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]int64{}
	err = r.read(t.Context(), func(name string, p *observedPeriod) error {
		if _, twice := got[name]; twice {
			t.Errorf("period %s comes twice", name)
		}
		got[name] = p.Times
		return nil
	})
	at := func(y, m, d int) int64 { return date(y, m, d, 0).Unix() }
	want := map[string][]int64{"200401": {at(2004, 1, 30), at(2004, 1, 31)}, "200402": {at(2004, 2, 1)}, "200403": {at(2004, 3, 1)}}
	if err != nil || !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
}
