package export

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sipipe/ingest"
	"sipipe/ingest/ncio"
)

func TestReadReturnsWhatWriteWrote(t *testing.T) {
	grid := &ingest.Places{
		ID:        []string{"0,0", "0,1", "0,2", "1,0", "1,1", "1,2"},
		Latitude:  []float64{50, 50, 50, 49, 49, 49}, // north to south, as in the input
		Longitude: []float64{5, 6, 7, 5, 6, 7},
		Altitude:  []float64{1, 2, 3, 4, 5, math.NaN()},
		Grid:      &ingest.Grid{NY: 2, NX: 3, YName: "latitude", XName: "longitude"},
	}
	curvilinear := &ingest.Places{
		ID:        grid.ID,
		Latitude:  []float64{50, 50.1, 50.2, 49, 49.1, 49.2}, // not floats
		Longitude: []float64{5, 6.1, 7.2, 5.1, 6.2, 7.3},
		Altitude:  []float64{1, 2, 3, 4, 5, 6},
		Grid:      &ingest.Grid{NY: 2, NX: 3, YName: "y", XName: "x", Curvilinear: true},
	}
	oriented := stations()
	oriented.ModelAltitude = []float64{600, 1900, 0}
	for name, places := range map[string]*ingest.Places{
		"stations":         stations(),
		"model altitude":   oriented,
		"regular grid":     grid,
		"curvilinear grid": curvilinear,
		"grid of other name": func() *ingest.Places {
			g := *grid
			g.Grid = &ingest.Grid{NY: 2, NX: 3, YName: "y", XName: "lon"}
			return &g
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			e := ensemble(temperature(), places, 4, 6*time.Hour, 12*time.Hour, 90*time.Minute+24*time.Hour)
			missing := float32(math.NaN())
			e.Values[5] = missing
			raw := *e // handed through, so the same may be missing
			f := &Forecast{Vars: []*ingest.Ensemble{e}, Raw: []*ingest.Ensemble{&raw}, Provenance: provenance(), Metadata: map[string]string{"institution": "MétéoTest"}}
			got, err := Read(t.Context(), write(t, f))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(f.Vars, got.Vars, cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("variables (-written +read):\n%s", diff)
			}
			if diff := cmp.Diff(f.Provenance, got.Provenance); diff != "" {
				t.Errorf("provenance (-written +read):\n%s", diff)
			}
			if got.Metadata["institution"] != "MétéoTest" {
				t.Errorf("institution is %q", got.Metadata["institution"])
			}
		})
	}
}

func TestValuesLieWhereTheDimensionsSay(t *testing.T) {
	e := ensemble(temperature(), stations(), 4, 6*time.Hour, 12*time.Hour)
	nc := open(t, write(t, &Forecast{Vars: []*ingest.Ensemble{e}}))
	got, err := nc.Float64s("t2m", []int{1, 3, 2}, []int{1, 1, 1}) // second lead, member 3, third station
	if err != nil {
		t.Fatal(err)
	}
	if want := 1000.0*1 + 100*2 + 3; got[0] != want {
		t.Errorf("t2m[1, 3, 2] = %g, want %g", got[0], want)
	}
}

func TestTypesAreClassic(t *testing.T) {
	nc := open(t, write(t, &Forecast{Vars: []*ingest.Ensemble{ensemble(rain(), stations(), 2, 6*time.Hour, 12*time.Hour)}}))
	want := map[string]ncio.Type{
		"realization": ncio.Int, "forecast_reference_time": ncio.Double, "time": ncio.Double, "forecast_period": ncio.Int,
		"time_bnds": ncio.Double, "forecast_period_bnds": ncio.Int, "station_id": ncio.Char, "station_name": ncio.Char,
		"latitude": ncio.Float, "longitude": ncio.Float, "altitude": ncio.Float, "tp": ncio.Float,
	}
	got := map[string]ncio.Type{}
	for _, v := range nc.Vars() {
		got[v.Name] = v.Type
		for _, a := range v.Attrs {
			if _, wide := a.Value.([]int64); wide {
				t.Errorf("%s:%s is a 64-bit integer", v.Name, a.Name)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
}

func TestPositionsAreThoseOfTheInput(t *testing.T) {
	for name, c := range map[string]struct {
		latitude float64
		want     ncio.Type
	}{
		"a float stays one":             {float64(float32(47.38)), ncio.Float},
		"a double is not made shorter":  {47.38, ncio.Double},
		"a whole number fits a float":   {47, ncio.Float},
		"one that fits no float at all": {1.0 / 3, ncio.Double},
	} {
		t.Run(name, func(t *testing.T) {
			p := stations()
			p.Latitude[0] = c.latitude
			nc := open(t, write(t, &Forecast{Vars: []*ingest.Ensemble{ensemble(temperature(), p, 2, 0)}}))
			v, _ := nc.Var("latitude")
			x, err := nc.Float64s("latitude", nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if v.Type != c.want || x[0] != c.latitude {
				t.Errorf("latitude is %s %v, want %s %v", v.Type, x[0], c.want, c.latitude)
			}
		})
	}
}

func TestVariablesOfDifferentAxesShareAFile(t *testing.T) {
	few := &ingest.Places{ID: []string{"B2", "A1"}, Latitude: []float64{1, 46.5}, Longitude: []float64{2, 9}, Altitude: []float64{3, 2107.5}}
	t2m := ensemble(temperature(), stations(), 3, 0, 6*time.Hour)
	tp := ensemble(rain(), few, 2, 6*time.Hour, 12*time.Hour)
	f, err := Read(t.Context(), write(t, &Forecast{Vars: []*ingest.Ensemble{t2m, tp}}))
	if err != nil {
		t.Fatal(err)
	}
	got := f.Vars[1]
	if diff := cmp.Diff([]string{"06660", "A1", "ship-7", "B2"}, got.Places.ID); diff != "" {
		t.Errorf("stations (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]time.Duration{0, 6 * time.Hour, 12 * time.Hour}, got.Leads); diff != "" {
		t.Errorf("leads (-want +got):\n%s", diff)
	}
	nan := float32(math.NaN())
	for _, c := range []struct {
		what        string
		lead, place int
		want        []float32 // [member]
	}{
		{"no rain at lead 0", 0, 1, []float32{nan, nan, nan}},
		{"A1, second of the rain's places, its first lead", 1, 1, []float32{100, 101, nan}},
		{"B2, first of the rain's places, its second lead", 2, 3, []float32{1000, 1001, nan}},
		{"no rain at the ship", 1, 2, []float32{nan, nan, nan}},
	} {
		if diff := cmp.Diff(c.want, got.At(c.lead, c.place), cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}
}

func TestDifferentGridsAreRefused(t *testing.T) {
	grid := func(nx int) *ingest.Places {
		p := &ingest.Places{Grid: &ingest.Grid{NY: 1, NX: nx, YName: "y", XName: "x"}}
		for i := range nx {
			p.ID = append(p.ID, string(rune('a'+i)))
			p.Latitude, p.Longitude, p.Altitude = append(p.Latitude, 1), append(p.Longitude, float64(i)), append(p.Altitude, 0)
		}
		return p
	}
	f := &Forecast{Vars: []*ingest.Ensemble{ensemble(temperature(), grid(2), 2, 0), ensemble(rain(), grid(3), 2, 0)}}
	err := Write(t.Context(), filepath.Join(t.TempDir(), "x.nc"), f, Options{})
	const want = "t2m and tp lie on different grids; calibrate them with a configuration each"
	if err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error is %v, want %s", err, want)
	}
}

func TestNonFiniteValuesAreNotPublished(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	all := func(v float32) func(e *ingest.Ensemble) {
		return func(e *ingest.Ensemble) {
			for i := range e.At(0, 1) {
				e.At(0, 1)[i] = v
			}
		}
	}
	one := func(v float32) func(e *ingest.Ensemble) {
		return func(e *ingest.Ensemble) { e.At(0, 1)[1] = v }
	}
	none := func(*ingest.Ensemble) {}
	for name, c := range map[string]struct {
		raw, calibrated func(e *ingest.Ensemble)
		members         int // calibrated; raw has 3
		refused         bool
	}{
		"all there":                                {none, none, 5, false},
		"missing where the raw forecast is":        {all(nan), all(nan), 5, false},
		"there where the raw forecast is not":      {all(nan), none, 5, false},
		"a member missing, raw there":              {none, one(nan), 5, true},
		"a member missing, one raw missing":        {one(nan), one(nan), 5, true},
		"raw members handed through, one missing":  {one(nan), one(nan), 3, false},
		"raw members handed through, one got lost": {none, one(nan), 3, true},
		"infinite": {none, one(inf), 5, true},
		"infinite where the raw forecast is missing": {all(nan), one(inf), 5, true},
		"handed through, infinite in the raw too":    {one(inf), one(inf), 3, true},
	} {
		t.Run(name, func(t *testing.T) {
			raw, calibrated := ensemble(temperature(), stations(), 3, 0), ensemble(temperature(), stations(), c.members, 0)
			c.raw(raw)
			c.calibrated(calibrated)
			path := filepath.Join(t.TempDir(), "x.nc")
			err := Write(t.Context(), path, &Forecast{Vars: []*ingest.Ensemble{calibrated}, Raw: []*ingest.Ensemble{raw}}, Options{})
			var refused *NonFiniteError
			if errors.As(err, &refused) != c.refused {
				t.Fatalf("error is %v, refused should be %v", err, c.refused)
			}
			if !c.refused {
				return
			}
			if refused.Place != "A1" || refused.Member != 1 || refused.Variable != "t2m" {
				t.Errorf("the error names %+v", refused)
			}
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Error("a file was left")
			}
		})
	}
}

func TestEmptyProductIsRefused(t *testing.T) {
	e := ensemble(temperature(), stations(), 2, 0)
	for i := range e.Values {
		e.Values[i] = float32(math.NaN())
	}
	var empty *EmptyError
	if err := Write(t.Context(), filepath.Join(t.TempDir(), "x.nc"), &Forecast{Vars: []*ingest.Ensemble{e}}, Options{}); !errors.As(err, &empty) {
		t.Errorf("error is %v", err)
	}
}

func TestSameForecastSameBytes(t *testing.T) {
	product := func() []byte {
		f := &Forecast{Vars: []*ingest.Ensemble{ensemble(rain(), stations(), 20, 6*time.Hour, 12*time.Hour)}, Provenance: provenance()}
		b, err := os.ReadFile(write(t, f))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	first := product()
	time.Sleep(1100 * time.Millisecond) // HDF5 can store times in seconds
	if second := product(); string(first) != string(second) {
		t.Error("two products of the same forecast differ")
	}
}

func TestFailureLeavesWhatWasThere(t *testing.T) {
	f := &Forecast{Vars: []*ingest.Ensemble{ensemble(temperature(), stations(), 2, 0)}}
	t.Run("folder is a file", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		var create *CreateError
		if err := Write(t.Context(), filepath.Join(file, "x.nc"), f, Options{}); !errors.As(err, &create) {
			t.Errorf("error is %v, want a *CreateError", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		path := write(t, f)
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := Write(ctx, path, &Forecast{Vars: []*ingest.Ensemble{ensemble(temperature(), stations(), 9, 0)}}, Options{}); !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v, want context.Canceled", err)
		}
		after, err := os.ReadFile(path)
		if err != nil || string(before) != string(after) {
			t.Errorf("the earlier product has changed (%v)", err)
		}
		entries, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(entries) != 1 {
			t.Errorf("the folder holds %v (%v), want the product alone", entries, err)
		}
	})
}

func TestChunksHoldWholeLeadsOrBoundedParts(t *testing.T) {
	for _, c := range []struct {
		what            string
		members, places int
		grid            *ingest.Grid
		want            []int
	}{
		{"stations", 50, 1000, nil, []int{1, 50, 1000}},
		{"many stations: 2^16/50 of them", 50, 100_000, nil, []int{1, 50, 1310}},
		{"a grid", 50, 0, &ingest.Grid{NY: 300, NX: 400}, []int{1, 1, 163, 400}},
		{"a large grid: 2^16/4000 rows", 50, 0, &ingest.Grid{NY: 3000, NX: 4000}, []int{1, 1, 16, 4000}},
	} {
		w := &writer{axes: &axes{members: make([]int32, c.members), places: &ingest.Places{ID: make([]string, c.places), Grid: c.grid}}}
		if diff := cmp.Diff(c.want, w.chunks()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	p := &ingest.Places{}
	for i := range 5000 {
		p.ID = append(p.ID, string(rune('A'+i%26))+string(rune('0'+i%10))+time.Duration(i).String())
		p.Latitude, p.Longitude, p.Altitude = append(p.Latitude, 1), append(p.Longitude, 2), append(p.Altitude, 3)
	}
	leads := make([]time.Duration, 21)
	for i := range leads {
		leads[i] = time.Duration(i) * 6 * time.Hour
	}
	f := &Forecast{Vars: []*ingest.Ensemble{ensemble(temperature(), p, 50, leads...)}}
	b.SetBytes(int64(4 * len(f.Vars[0].Values)))
	path := filepath.Join(b.TempDir(), "x.nc")
	for b.Loop() {
		if err := Write(b.Context(), path, f, Options{Deflate: 4}); err != nil {
			b.Fatal(err)
		}
	}
}
