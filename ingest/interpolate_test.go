package ingest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// gridEnsemble is an ensemble with values f(lat, lon) + member on a grid.
func gridEnsemble(p *Places, f func(lat, lon float64) float64) *Ensemble {
	e := &Ensemble{Leads: hours(6, 12), Members: []int32{0, 1}, Places: p}
	for k := range e.Leads {
		for i := range p.Len() {
			for m := range e.Members {
				e.Values = append(e.Values, float32(f(p.Latitude[i], p.Longitude[i])+float64(m)+10*float64(k)))
			}
		}
	}
	return e
}

// regular is a grid from (south, west) with a step in degrees, rows from north to south.
func regular(ny, nx int, south, west, step float64) *Places {
	p := &Places{Grid: &Grid{NY: ny, NX: nx}}
	for y := range ny {
		for x := range nx {
			p.Latitude = append(p.Latitude, south+step*float64(ny-1-y))
			p.Longitude = append(p.Longitude, wrapLongitude(west+step*float64(x)))
		}
	}
	p.ID = cellIDs(p.Grid)
	return p
}

func stationsAt(lat, lon []float64) *Places {
	p := &Places{Latitude: lat, Longitude: lon}
	for i := range lat {
		p.ID = append(p.ID, fmt.Sprint("s", i))
		p.Altitude = append(p.Altitude, 100)
	}
	return p
}

// TestBilinear: a field that is linear in latitude and longitude is reproduced.
func TestBilinear(t *testing.T) {
	field := func(lat, lon float64) float64 { return 200 + 2*lat + 0.5*wrapLongitude(lon-175) }
	p := regular(5, 8, 40, 175, 2) // crosses the date line
	p.ModelAltitude = make([]float64, p.Len())
	for i := range p.ModelAltitude {
		p.ModelAltitude[i] = 10 * p.Latitude[i]
	}
	to := stationsAt([]float64{40, 41.3, 47.999, 44, 48, 39.9}, []float64{175, 178.2, -171.1, -179.5, 189, 180})
	e, err := Interpolate(gridEnsemble(p, field), to, Bilinear)
	if err != nil {
		t.Fatal(err)
	}
	for k := range e.Leads {
		for i := range to.Len() - 1 {
			for m, v := range e.At(k, i) {
				want := field(to.Latitude[i], to.Longitude[i]) + float64(m) + 10*float64(k)
				if math.Abs(float64(v)-want) > 1e-4 {
					t.Errorf("lead %d, station %d, member %d: %g, want %g", k, i, m, v, want)
				}
			}
			if want := 10 * to.Latitude[i]; math.Abs(e.Places.ModelAltitude[i]-want) > 1e-9 {
				t.Errorf("model altitude %d: %g, want %g", i, e.Places.ModelAltitude[i], want)
			}
		}
		if v := e.At(k, 5); v[0] == v[0] {
			t.Errorf("south of the grid: %v, want NaN", v)
		}
	}
	if e.Places.Grid != nil || !slices.Equal(e.Places.ID, to.ID) || to.ModelAltitude != nil {
		t.Errorf("places %+v", e.Places)
	}
}

// TestBilinearCurvilinear: on a rotated, sheared grid in the plane that touches the globe
// at its centre, a field linear in that plane is reproduced to the curvature of a cell.
func TestBilinearCurvilinear(t *testing.T) {
	const ny, nx = 12, 15
	p := &Places{Grid: &Grid{NY: ny, NX: nx, Curvilinear: true}}
	for y := range ny {
		for x := range nx {
			u, v := float64(x)-7, float64(y)-6
			p.Latitude = append(p.Latitude, 70+0.05*v+0.03*u)
			p.Longitude = append(p.Longitude, 20+0.2*u-0.06*v)
		}
	}
	p.ID = cellIDs(p.Grid)
	field := func(lat, lon float64) float64 { return 3*lat - lon }
	to := stationsAt([]float64{70, 70.013, 69.95, 70.2}, []float64{20, 20.37, 19.5, 20.9})
	e, err := Interpolate(gridEnsemble(p, field), to, Bilinear)
	if err != nil {
		t.Fatal(err)
	}
	for i := range to.Len() {
		want := field(to.Latitude[i], to.Longitude[i])
		if got := float64(e.At(0, i)[0]); math.Abs(got-want) > 2e-3 {
			t.Errorf("station %d: %g, want %g", i, got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	p := regular(3, 4, 0, 0, 1)
	field := func(lat, lon float64) float64 { return 100*lat + lon }
	to := stationsAt([]float64{0.4, 1.6, 2.9, 5, 0.4}, []float64{0.4, 2.6, 3.2, 1, -0.9})
	e, err := Interpolate(gridEnsemble(p, field), to, Nearest)
	if err != nil {
		t.Fatal(err)
	}
	nan := float32(math.NaN())
	var got []float32
	for i := range to.Len() {
		got = append(got, e.At(0, i)[0])
	}
	// The last but one is three cells off, the last not quite one.
	if d := cmp.Diff([]float32{0, 203, 203, nan, 0}, got, cmpopts.EquateNaNs()); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

// TestPeriodic: between the last and the first column of a global grid.
func TestPeriodic(t *testing.T) {
	p := regular(5, 36, -20, 0, 10)
	field := func(lat, lon float64) float64 { return math.Cos(lon * math.Pi / 180) }
	e, err := Interpolate(gridEnsemble(p, field), stationsAt([]float64{5, 5}, []float64{355, -2.5}), Bilinear)
	if err != nil {
		t.Fatal(err)
	}
	ten := math.Cos(10 * math.Pi / 180)
	for i, want := range []float64{0.5 + 0.5*ten, 0.75 + 0.25*ten} {
		if got := float64(e.At(0, i)[0]); math.Abs(got-want) > 1e-6 {
			t.Errorf("station %d: %g, want %g", i, got, want)
		}
	}
}

func TestMissingCells(t *testing.T) {
	p := regular(2, 3, 0, 0, 1)
	e := gridEnsemble(p, func(lat, lon float64) float64 { return lon })
	nan := float32(math.NaN())
	e.At(0, 2)[0] = nan // north-east corner, member 0
	out, err := Interpolate(e, stationsAt([]float64{0.5, 0.5, 1}, []float64{0.5, 1.5, 1}), Bilinear)
	if err != nil {
		t.Fatal(err)
	}
	got := [][]float32{out.At(0, 0), out.At(0, 1), out.At(0, 2)}
	if d := cmp.Diff([][]float32{{0.5, 1.5}, {nan, 2.5}, {1, 2}}, got, cmpopts.EquateNaNs()); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func TestInterpolateRefused(t *testing.T) {
	stations := stationsAt([]float64{1}, []float64{1})
	if _, err := Interpolate(gridEnsemble(stations, func(lat, lon float64) float64 { return 0 }), stations, Nearest); err == nil {
		t.Error("stations were interpolated")
	}
	nowhere := stationsAt([]float64{math.NaN()}, []float64{1})
	if _, err := Interpolate(gridEnsemble(regular(2, 2, 0, 0, 1), func(lat, lon float64) float64 { return 0 }), nowhere, Nearest); err == nil || !strings.Contains(err.Error(), `"s0"`) {
		t.Errorf("station without coordinates: %v", err)
	}
}

const gridCDL = `dimensions: number=2; step=1; y=2; x=2;
variables: int number(number); int64 time; time:units="hours since 2024-01-01"; time:standard_name="forecast_reference_time"; double step(step); step:units="hours";
	float latitude(y,x); float longitude(y,x); float t2m(number,step,y,x); t2m:units="K";
data: number=0,1; time=%d; step=24; latitude=10,10,11,11; longitude=20,21,20,21; t2m=280,281,282,283, 290,291,292,293;`

// TestArchiveAtStations delivers a forecast on a grid at the stations that had reported.
func TestArchiveAtStations(t *testing.T) {
	a := newTestArchive(t)
	a.o.Forecasts = a.path("fc_*.nc")
	for i := range 2 {
		ncgen(t, a.dir, fmt.Sprintf("fc_%d.nc", i), fmt.Sprintf(gridCDL, 24*i))
	}
	observedFile{times: days(date(2024, 1, 1, 0), 1), ids: []string{"A"}, lat: []float64{10.5}}.write(t, a.path("obs/a.nc"))
	archive := a.open()
	faults := archive.Faults()
	if len(faults) != 1 || !strings.Contains(faults[0].Err.Error(), "ingest.grid_to_stations") {
		t.Fatalf("without interpolation: faults %v", faults)
	}
	raw := archive.EnsembleHash("t2m", date(2024, 1, 1, 0))

	// The file has longitude 0: write a station in the grid and one that comes later.
	a.o.Interpolation = Bilinear
	a.o.Observations = a.path("at/*.nc")
	cdl := `dimensions: time=2; station=2;
variables: double time(time); time:units="days since 2024-01-01"; string id(station); id:cf_role="timeseries_id"; float lat(station); float lon(station); float t2m(time,station); t2m:units="K";
data: time=0,1; id="late","early"; lat=10,10.5; lon=21,20.5; t2m=NaN,1,2,3;`
	observedFile{times: days(date(2023, 1, 1, 0), 1), ids: []string{"none"}, lat: []float64{math.NaN()}}.write(t, a.path("at/a.nc"))
	ncgen(t, a.path("at"), "b.nc", cdl)
	archive = a.open()
	if f := archive.Faults(); len(f) != 0 {
		t.Fatalf("faults %v", f)
	}
	want := map[int]map[string][]float32{
		1: {"early": {281.5, 291.5}},
		2: {"early": {281.5, 291.5}, "late": {281, 291}},
	}
	for day, places := range want {
		e, err := archive.Ensemble(t.Context(), "t2m", date(2024, 1, day, 0))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string][]float32{}
		for i, id := range e.Places.ID {
			got[id] = e.At(0, i)
		}
		if d := cmp.Diff(places, got, cmpopts.EquateApprox(0, 1e-3)); d != "" {
			t.Errorf("day %d: -want +got\n%s", day, d)
		}
	}
	if archive.EnsembleHash("t2m", date(2024, 1, 1, 0)) == raw {
		t.Error("interpolation does not change the hash")
	}
	stations, err := archive.Stations(t.Context(), "t2m")
	if err != nil || !slices.Equal(stations.ID, []string{"early", "late", "none"}) || stations.Longitude[1] != 21 {
		t.Errorf("stations %+v, %v", stations, err)
	}
}

// TestGriddedObservations: an analysis on the same grid is matched cell by cell, one on
// another grid refused.
func TestGriddedObservations(t *testing.T) {
	cdl := `dimensions: time=1; lat=2; lon=2;
variables: double time(time); time:units="days since 2024-01-01"; float lat(lat); float lon(lon); float t2m(lon,time,lat); t2m:units="K";
data: time=1; lat=10,11; lon=20,%d; t2m=280,282,281,283;`
	for east, want := range map[int]string{21: "", 22: "different grids: cell 0,1 is at 10.000, 21.000 in one and at 10.000, 22.000"} {
		a := newTestArchive(t)
		a.o.Forecasts, a.o.Observations = a.path("fc.nc"), a.path("an.nc")
		ncgen(t, a.dir, "fc.nc", fmt.Sprintf(gridCDL, 0))
		ncgen(t, a.dir, "an.nc", fmt.Sprintf(cdl, east))
		archive := a.open()
		o, err := archive.Observed(t.Context(), "t2m", date(2024, 1, 2, 0))
		if want != "" {
			if err == nil || !strings.Contains(err.Error(), want) || len(archive.Faults()) != 1 {
				t.Errorf("other grid: %v, faults %v", err, archive.Faults())
			}
			continue
		}
		if err != nil || !slices.Equal(o.ID, []string{"0,0", "0,1", "1,0", "1,1"}) || !slices.Equal(o.Values, []float32{280, 281, 282, 283}) {
			t.Errorf("analysis %+v, %v", o, err)
		}
		e, err := archive.Ensemble(t.Context(), "t2m", date(2024, 1, 1, 0))
		if err != nil || !slices.Equal(e.Places.ID, o.ID) || e.Places.Grid == nil {
			t.Errorf("forecast %v, %v", e.Places, err)
		}
	}
}
