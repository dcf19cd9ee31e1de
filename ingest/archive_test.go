package ingest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sipipe/ingest/ncio"
	"sipipe/ingest/store"
)

// forecastFile is what a test writes to a forecast file, in the layout of EUPPBench.
type forecastFile struct {
	cycles []time.Time
	ids    []string // default "A", "B"
	units  string   // default "K"
	name   string   // of the variable, default "t2m"
	value  func(c time.Time, lead, station, member int) float32
	lat    []float64
	level  int // of compression
}

const testMembers, testLeads = 3, 2

// testValue tells cycle, lead, station and member apart.
func testValue(c time.Time, lead, station, member int) float32 {
	return 270 + float32(c.Day()) + 0.25*float32(c.Hour()/6) + 0.1*float32(lead) + 0.01*float32(station) + 0.001*float32(member)
}

func (f forecastFile) write(t testing.TB, path string) {
	t.Helper()
	if f.ids == nil {
		f.ids = []string{"A", "B"}
	}
	if f.units == "" {
		f.units = "K"
	}
	if f.name == "" {
		f.name = "t2m"
	}
	if f.value == nil {
		f.value = testValue
	}
	n := len(f.ids)
	if f.lat == nil {
		f.lat = make([]float64, n)
		for i := range f.lat {
			f.lat[i] = 40 + float64(i)
		}
	}
	times := make([]int64, len(f.cycles))
	var data []float32
	for s := range n {
		for i, c := range f.cycles {
			times[i] = c.Unix()
			for lead := range testLeads {
				for m := range testMembers {
					data = append(data, f.value(c, lead, s, m))
				}
			}
		}
	}
	lon := make([]float64, n)
	err := ncio.WriteAtomic(t.Context(), path, func(nc *ncio.File) error {
		def := func(name string, typ ncio.Type, units string, dims ...string) error {
			return nc.AddVar(ncio.VarDef{Name: name, Type: typ, Dims: dims, Attrs: []ncio.Attr{{Name: "units", Value: units}}, Deflate: f.level})
		}
		return errors.Join(
			nc.AddDim("station_id", n), nc.AddDim("time", len(times)), nc.AddDim("step", testLeads), nc.AddDim("number", testMembers), nc.AddDim("len", 8),
			def("station_id", ncio.Char, "", "station_id", "len"), def("latitude", ncio.Double, "degrees_north", "station_id"),
			def("longitude", ncio.Double, "degrees_east", "station_id"), def("time", ncio.Int64, "seconds since 1970-01-01", "time"),
			def("step", ncio.Int, "hours", "step"), def("number", ncio.Int, "1", "number"),
			def(f.name, ncio.Float, f.units, "station_id", "time", "step", "number"),
			nc.WriteStrings("station_id", f.ids), nc.WriteFloat64s("latitude", nil, nil, f.lat), nc.WriteFloat64s("longitude", nil, nil, lon),
			nc.WriteInt64s("time", nil, nil, times), nc.WriteInt32s("step", nil, nil, []int32{24, 48}), nc.WriteInt32s("number", nil, nil, []int32{0, 1, 2}),
			nc.WriteFloat32s(f.name, nil, nil, data),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// observedFile is what a test writes to a file of observations.
type observedFile struct {
	times []time.Time
	ids   []string // default "A", "B"
	units string   // default "K"
	value func(t time.Time, station int) float32
	lat   []float64
}

func (f observedFile) write(t testing.TB, path string) {
	t.Helper()
	if f.ids == nil {
		f.ids = []string{"A", "B"}
	}
	if f.units == "" {
		f.units = "K"
	}
	if f.value == nil {
		f.value = func(at time.Time, station int) float32 { return 270 + float32(at.Day()) + 0.1*float32(station) }
	}
	n := len(f.ids)
	if f.lat == nil {
		f.lat = make([]float64, n)
	}
	times := make([]int64, len(f.times))
	var data []float32
	for i, at := range f.times {
		times[i] = at.Unix()
		for s := range n {
			data = append(data, f.value(at, s))
		}
	}
	err := ncio.WriteAtomic(t.Context(), path, func(nc *ncio.File) error {
		def := func(name string, typ ncio.Type, units string, dims ...string) error {
			return nc.AddVar(ncio.VarDef{Name: name, Type: typ, Dims: dims, Attrs: []ncio.Attr{{Name: "units", Value: units}}})
		}
		return errors.Join(
			nc.AddDim("station", n), nc.AddDim("time", len(times)), nc.AddDim("len", 8),
			def("station", ncio.Char, "", "station", "len"), def("time", ncio.Int64, "seconds since 1970-01-01", "time"),
			def("latitude", ncio.Double, "degrees_north", "station"), def("longitude", ncio.Double, "degrees_east", "station"),
			def("t2m", ncio.Float, f.units, "time", "station"),
			nc.WriteStrings("station", f.ids), nc.WriteInt64s("time", nil, nil, times),
			nc.WriteFloat64s("latitude", nil, nil, f.lat), nc.WriteFloat64s("longitude", nil, nil, make([]float64, n)),
			nc.WriteFloat32s("t2m", nil, nil, data),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// testArchive is a folder with an archive and a store.
type testArchive struct {
	t     testing.TB
	dir   string
	store *store.Store
	o     Options
	read  []string // files read by the last open
}

func newTestArchive(t testing.TB) *testArchive {
	t.Helper()
	a := &testArchive{t: t, dir: t.TempDir()}
	a.forget()
	a.o = Options{
		Forecasts:    a.path("fc/{date:%Y%m}/fc_{date:%Y%m%d%H}.nc"),
		Observations: a.path("obs/*.nc"),
		Variables:    []string{"t2m"},
		Root:         a.dir,
		Progress:     func(p Progress) { a.read = append(a.read, p.Path) },
	}
	return a
}

// forget gives the archive a new, empty store.
func (a *testArchive) forget() {
	a.t.Helper()
	s, err := store.Open(filepath.Join(a.t.TempDir(), "state"))
	if err != nil {
		a.t.Fatal(err)
	}
	a.store = s
}

func (a *testArchive) path(name string) string { return filepath.Join(a.dir, name) }

func (a *testArchive) open() *Archive {
	a.t.Helper()
	a.read = nil
	o := a.o
	o.Store = a.store
	archive, err := Open(a.t.Context(), o)
	if err != nil {
		a.t.Fatal(err)
	}
	return archive
}

// daily writes one file a cycle.
func (a *testArchive) daily(cycles ...time.Time) {
	a.t.Helper()
	for _, c := range cycles {
		forecastFile{cycles: []time.Time{c}}.write(a.t, a.path(c.Format("fc/200601/fc_2006010215.nc")))
	}
}

// content is all that an archive says, to compare two states of it.
type content struct {
	Cycles    []time.Time
	Ensembles []*Ensemble
	Hashes    [][32]byte
	Observed  []*Observed
	ObsHashes [][32]byte
}

func contentOf(t testing.TB, a *Archive) content {
	t.Helper()
	var c content
	c.Cycles = a.Cycles("t2m")
	for _, at := range c.Cycles {
		e, err := a.Ensemble(t.Context(), "t2m", at)
		if err != nil {
			t.Fatal(err)
		}
		c.Ensembles = append(c.Ensembles, e)
		c.Hashes = append(c.Hashes, a.EnsembleHash("t2m", at))
	}
	for _, at := range a.ObservedTimes("t2m") {
		o, err := a.Observed(t.Context(), "t2m", at)
		if err != nil {
			t.Fatal(err)
		}
		c.Observed = append(c.Observed, o)
		c.ObsHashes = append(c.ObsHashes, a.ObservedHash("t2m", at))
	}
	return c
}

func diff(a, b content) string { return cmp.Diff(a, b, cmpopts.EquateNaNs()) }

func days(first time.Time, n int) []time.Time {
	out := make([]time.Time, n)
	for i := range out {
		out[i] = first.AddDate(0, 0, i)
	}
	return out
}

func TestDailyRun(t *testing.T) {
	a := newTestArchive(t)
	cycles := days(date(2024, 1, 29, 0), 5)
	a.daily(cycles...)
	observedFile{times: days(date(2024, 1, 30, 0), 4)}.write(t, a.path("obs/a.nc"))
	archive := a.open()
	if len(a.read) != 6 || len(archive.Faults()) != 0 || len(archive.Notes()) != 0 {
		t.Errorf("read %q, faults %v, notes %q", a.read, archive.Faults(), archive.Notes())
	}
	if got := archive.Cycles("t2m"); !slices.Equal(got, cycles) {
		t.Fatalf("cycles %v, want %v", got, cycles)
	}
	e, err := archive.Ensemble(t.Context(), "t2m", cycles[3])
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(e.Leads, hours(24, 48)) || !slices.Equal(e.Members, []int32{0, 1, 2}) || !slices.Equal(e.Places.ID, []string{"A", "B"}) {
		t.Errorf("leads %v, members %v, places %v", e.Leads, e.Members, e.Places.ID)
	}
	for k := range e.Leads {
		for i := range e.Places.ID {
			for m, v := range e.At(k, i) {
				if v != testValue(cycles[3], k, i, m) {
					t.Errorf("lead %d, place %d, member %d: %g, want %g", k, i, m, v, testValue(cycles[3], k, i, m))
				}
			}
		}
	}
	if e.Source.Path != "fc/202402/fc_2024020100.nc" || len(e.Source.SHA256) != 64 {
		t.Errorf("source %+v", e.Source)
	}
	o, err := archive.Observed(t.Context(), "t2m", date(2024, 2, 1, 0))
	want := &Observed{Variable: Variable{Name: "t2m", Units: "K"}, Valid: date(2024, 2, 1, 0), ID: []string{"A", "B"}, Values: []float32{271, 271.1}}
	if d := cmp.Diff(want, o, cmpopts.IgnoreFields(Observed{}, "Source")); err != nil || d != "" {
		t.Errorf("observed: %v -want +got\n%s", err, d)
	}
	if o, err := archive.Observed(t.Context(), "t2m", date(2024, 2, 3, 0)); o != nil || err != nil {
		t.Errorf("not measured: %v, %v, want nil, nil", o, err)
	}

	if again := a.open(); len(a.read) != 0 || diff(contentOf(t, archive), contentOf(t, again)) != "" {
		t.Errorf("opened again: read %q", a.read)
	}
	a.daily(date(2024, 2, 3, 0))
	archive = a.open()
	if want := []string{"fc/202402/fc_2024020300.nc"}; !slices.Equal(a.read, want) || len(archive.Cycles("t2m")) != 6 {
		t.Errorf("a new day: read %q, want %q", a.read, want)
	}
	grown := contentOf(t, archive)
	a.forget()
	if d := diff(grown, contentOf(t, a.open())); d != "" {
		t.Errorf("made anew from the archive: -grown +anew\n%s", d)
	}
}

// TestAnyOrder: hashes do not depend on how an archive is cut into files, or on how
// they are compressed.
func TestAnyOrder(t *testing.T) {
	cycles := days(date(2024, 1, 29, 0), 5)
	a := newTestArchive(t)
	a.daily(cycles...)
	files := contentOf(t, a.open())
	b := newTestArchive(t)
	b.o.Forecasts = b.path("all.nc")
	shuffled := []time.Time{cycles[3], cycles[0], cycles[4], cycles[1], cycles[2]}
	forecastFile{cycles: shuffled, level: 9}.write(t, b.path("all.nc"))
	one := contentOf(t, b.open())
	for i := range files.Ensembles {
		files.Ensembles[i].Source, one.Ensembles[i].Source = Source{}, Source{}
	}
	if d := diff(files, one); d != "" {
		t.Errorf("-one file a cycle +one file\n%s", d)
	}
}

func TestHashes(t *testing.T) {
	base := forecastFile{cycles: []time.Time{date(2024, 1, 1, 0)}}
	hash := func(f forecastFile) [32]byte {
		a := newTestArchive(t)
		a.o.Forecasts = a.path("f.nc")
		f.write(t, a.path("f.nc"))
		archive := a.open()
		return archive.EnsembleHash("t2m", f.cycles[0])
	}
	want := hash(base)
	if want == ([32]byte{}) {
		t.Fatal("no hash")
	}
	same := base
	same.level = 5
	if hash(same) != want {
		t.Error("compression changes the hash")
	}
	changed := map[string]forecastFile{"value": base, "station": base, "position": base, "cycle": base}
	for name, f := range changed {
		switch name {
		case "value":
			f.value = func(c time.Time, lead, station, member int) float32 {
				v := testValue(c, lead, station, member)
				if lead == 1 && station == 1 && member == 2 {
					v = math.Nextafter32(v, 300)
				}
				return v
			}
		case "station":
			f.ids = []string{"A", "C"}
		case "position":
			f.lat = []float64{40, 41.001}
		case "cycle":
			f.cycles = []time.Time{date(2024, 1, 2, 0)}
			f.value = func(_ time.Time, lead, station, member int) float32 {
				return testValue(base.cycles[0], lead, station, member)
			}
		}
		if hash(f) == want {
			t.Errorf("a changed %s does not change the hash", name)
		}
	}
}

func TestGrowingFile(t *testing.T) {
	cycles := days(date(2024, 1, 1, 0), 8)
	newArchive := func() *testArchive {
		a := newTestArchive(t)
		a.o.Forecasts = a.path("all.nc")
		forecastFile{cycles: cycles[:6]}.write(t, a.path("all.nc"))
		a.open()
		return a
	}
	blocks := func(a *Archive) (keys []string) {
		for _, c := range a.variables["t2m"].files[0].Cycles {
			keys = append(keys, c.Block)
		}
		return slices.Compact(keys)
	}
	plusOne := func(from int) func(time.Time, int, int, int) float32 {
		return func(c time.Time, lead, station, member int) float32 {
			v := testValue(c, lead, station, member)
			if !c.Before(cycles[from]) {
				v++
			}
			return v
		}
	}
	tests := []struct {
		name   string
		file   forecastFile
		blocks int // 2 when old cycles were kept, 1 when all were read
	}{
		{"two more cycles", forecastFile{cycles: cycles}, 2},
		{"and the newest have changed", forecastFile{cycles: cycles, value: plusOne(5)}, 1},
		{"and a station is new", forecastFile{cycles: cycles, ids: []string{"A", "B", "C"}}, 1},
		{"and an old cycle is gone", forecastFile{cycles: cycles[1:]}, 1},
		{"no cycle is new", forecastFile{cycles: cycles[:6], value: plusOne(0)}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newArchive()
			tt.file.write(t, a.path("all.nc"))
			archive := a.open()
			if got := blocks(archive); len(got) != tt.blocks {
				t.Errorf("blocks %q, want %d", got, tt.blocks)
			}
			grown := contentOf(t, archive)
			stored, err := a.store.List("forecasts/")
			if err != nil || len(stored) != tt.blocks+1 { // and the index
				t.Errorf("stored %q, %v", stored, err)
			}
			a.forget()
			if d := diff(grown, contentOf(t, a.open())); d != "" {
				t.Errorf("-grown +anew\n%s", d)
			}
		})
	}
}

func TestVanishedAndTouched(t *testing.T) {
	a := newTestArchive(t)
	a.daily(days(date(2024, 1, 1, 0), 3)...)
	observedFile{times: days(date(2024, 1, 2, 0), 2)}.write(t, a.path("obs/a.nc"))
	observedFile{times: days(date(2024, 1, 4, 0), 2)}.write(t, a.path("obs/b.nc"))
	before := contentOf(t, a.open())
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(a.path("fc/202401/fc_2024010300.nc"), later, later); err != nil {
		t.Fatal(err)
	}
	if d := diff(before, contentOf(t, a.open())); d != "" {
		t.Errorf("touched: %s", d)
	}
	if err := errors.Join(os.Remove(a.path("fc/202401/fc_2024010200.nc")), os.Remove(a.path("obs/b.nc"))); err != nil {
		t.Fatal(err)
	}
	archive := a.open()
	if got, want := archive.Cycles("t2m"), []time.Time{date(2024, 1, 1, 0), date(2024, 1, 3, 0)}; !slices.Equal(got, want) {
		t.Errorf("cycles %v, want %v", got, want)
	}
	if got := archive.ObservedTimes("t2m"); len(got) != 2 {
		t.Errorf("observed at %v, want two times", got)
	}
	_, err := archive.Ensemble(t.Context(), "t2m", date(2024, 1, 2, 0))
	var missing *MissingCycleError
	if !errors.As(err, &missing) || !errors.Is(err, fs.ErrNotExist) || missing.Place != "fc/202401/fc_2024010200.nc" || missing.Latest != "2024-01-03 00:00 UTC" {
		t.Errorf("removed cycle: %v", err)
	}
	keys, err := a.store.List("")
	if err != nil || len(keys) != 2+1+2+1 { // cycles and index; stations and period, and index
		t.Errorf("stored %q, %v", keys, err)
	}
}

// TestDamagedStore damages or removes each stored file in turn, before and after opening.
func TestDamagedStore(t *testing.T) {
	a := newTestArchive(t)
	a.o.Forecasts = a.path("all.nc")
	forecastFile{cycles: days(date(2024, 1, 1, 0), 4)}.write(t, a.path("all.nc"))
	observedFile{times: days(date(2024, 1, 2, 0), 4)}.write(t, a.path("obs/a.nc"))
	want := contentOf(t, a.open())
	keys, err := a.store.List("")
	if err != nil || len(keys) != 5 {
		t.Fatalf("stored %q, %v", keys, err)
	}
	for _, key := range keys {
		for _, damage := range []string{"removed", "cut", "of another version"} {
			for _, when := range []string{"before", "after"} {
				t.Run(strings.Join([]string{key, damage, when, "opening"}, " "), func(t *testing.T) {
					spoil := func() {
						path := filepath.Join(a.store.Dir(), key+".gob")
						var err error
						switch damage {
						case "removed":
							err = os.Remove(path)
						case "cut":
							err = os.Truncate(path, 50)
						default:
							err = a.store.Put(key, formatVersion+1, 0)
						}
						if err != nil {
							t.Fatal(err)
						}
					}
					if when == "before" {
						spoil()
					}
					archive := a.open()
					if when == "after" {
						archive.cache.purge()
						spoil()
					}
					if d := diff(want, contentOf(t, archive)); d != "" {
						t.Errorf("-whole +damaged\n%s", d)
					}
					a.open() // makes an index that was spoiled after opening anew
				})
			}
		}
	}
}

// TestFaults breaks one file in each way; the other days must not notice.
func TestFaults(t *testing.T) {
	day := date(2024, 1, 2, 0)
	name := "fc/202401/fc_2024010200.nc"
	cut := func(t *testing.T, path string, n int64) {
		forecastFile{cycles: []time.Time{day}}.write(t, path)
		if err := os.Truncate(path, n); err != nil {
			t.Fatal(err)
		}
	}
	allMissing := func(time.Time, int, int, int) float32 { return float32(math.NaN()) }
	tests := []struct {
		name    string
		spoil   func(t *testing.T, path string)
		missing bool // a MissingVarError, else an UnusableError
		want    string
	}{
		{"truncated", func(t *testing.T, path string) { cut(t, path, 3000) }, false, "not a complete NetCDF file"},
		{"empty", func(t *testing.T, path string) { cut(t, path, 0) }, false, "not a NetCDF file"},
		{"text", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte("<html>502 Bad Gateway</html>"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, false, "not a NetCDF file"},
		{"a folder", func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o755); err != nil {
				t.Fatal(err)
			}
		}, false, "regular file"},
		{"wrong units", func(t *testing.T, path string) {
			forecastFile{cycles: []time.Time{day}, units: "m"}.write(t, path)
		}, false, `cannot become "K"`},
		{"missing variable", func(t *testing.T, path string) {
			forecastFile{cycles: []time.Time{day}, name: "d2m"}.write(t, path)
		}, true, "it has d2m"},
		{"stations without coordinates", func(t *testing.T, path string) {
			forecastFile{cycles: []time.Time{day}, lat: []float64{math.NaN(), math.NaN()}}.write(t, path)
		}, false, "no station has coordinates"},
		{"another day inside", func(t *testing.T, path string) {
			forecastFile{cycles: []time.Time{day.AddDate(0, 0, 5)}}.write(t, path)
		}, false, "its time stamp is 2024-01-07 00:00 UTC, not that of its name"},
		{"all missing", func(t *testing.T, path string) {
			forecastFile{cycles: []time.Time{day}, value: allMissing}.write(t, path)
		}, false, "all its values are missing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newTestArchive(t)
			a.daily(date(2024, 1, 1, 0), date(2024, 1, 3, 0))
			tt.spoil(t, a.path(name))
			for _, again := range []string{"first", "second"} { // the fault must not be forgotten
				archive := a.open()
				if got := archive.Cycles("t2m"); !slices.Equal(got, []time.Time{date(2024, 1, 1, 0), date(2024, 1, 3, 0)}) {
					t.Errorf("%s: cycles %v", again, got)
				}
				_, err := archive.Ensemble(t.Context(), "t2m", day)
				var missing *MissingVarError
				var unusable *UnusableError
				if tt.missing && !errors.As(err, &missing) || !tt.missing && !errors.As(err, &unusable) || !strings.Contains(fmt.Sprint(err), tt.want) {
					t.Errorf("%s: error %T %v, want one that says %q", again, err, err, tt.want)
				}
				if err != nil && !strings.Contains(err.Error(), "fc_2024010200.nc") {
					t.Errorf("%s: %v does not name the file", again, err)
				}
				faults := archive.Faults()
				if len(faults) != 1 || faults[0].Path != name || !faults[0].Cycle.Equal(day) || faults[0].Variable != "t2m" {
					t.Errorf("%s: faults %+v", again, faults)
				}
				for _, other := range archive.Cycles("t2m") {
					if _, err := archive.Ensemble(t.Context(), "t2m", other); err != nil {
						t.Errorf("%s: another day: %v", again, err)
					}
				}
			}
			if err := os.RemoveAll(a.path(name)); err != nil {
				t.Fatal(err)
			}
			a.daily(day)
			archive := a.open()
			if _, err := archive.Ensemble(t.Context(), "t2m", day); err != nil || len(archive.Faults()) != 0 {
				t.Errorf("repaired: %v, faults %v", err, archive.Faults())
			}
			cut(t, a.path(name), 3000) // a good file that breaks must not be believed any more
			if _, err := a.open().Ensemble(t.Context(), "t2m", day); err == nil {
				t.Error("broken again: no error")
			}
		})
	}
}

func TestFaultsInManyCycles(t *testing.T) {
	a := newTestArchive(t)
	a.o.Forecasts = a.path("all.nc")
	cycles := days(date(2024, 1, 1, 0), 4)
	nan := float32(math.NaN())
	forecastFile{cycles: cycles, value: func(c time.Time, lead, station, member int) float32 {
		if c.Equal(cycles[1]) || c.Equal(cycles[2]) && member == 1 {
			return nan
		}
		return testValue(c, lead, station, member)
	}}.write(t, a.path("all.nc"))
	archive := a.open()
	if got := archive.Cycles("t2m"); len(got) != 3 {
		t.Errorf("cycles %v", got)
	}
	var unusable *UnusableError
	if _, err := archive.Ensemble(t.Context(), "t2m", cycles[1]); !errors.As(err, &unusable) {
		t.Errorf("cycle without values: %v", err)
	}
	e, err := archive.Ensemble(t.Context(), "t2m", cycles[2])
	if err != nil {
		t.Fatal(err)
	}
	if v := e.At(1, 1); v[0] != v[0] || v[1] == v[1] || v[2] != v[2] {
		t.Errorf("member 1 is missing, got %v", v)
	}
	if got, want := archive.Warnings("t2m", cycles[2]), []string{"1 of 3 members are missing (1)"}; !slices.Equal(got, want) {
		t.Errorf("warnings %q, want %q", got, want)
	}
	if got := archive.Warnings("t2m", cycles[3]); got != nil {
		t.Errorf("warnings of a good cycle: %q", got)
	}
}

// Values that a variable cannot have are missing in what is stored, also in a block that was
// lost and is read again, and a cycle that repeats an earlier one is left out.
func TestScreenedForecasts(t *testing.T) {
	a := newTestArchive(t)
	a.o.Forecasts, a.o.Screen = a.path("all.nc"), true
	cycles := days(date(2024, 1, 1, 0), 4)
	write := func(wrong float32) {
		forecastFile{cycles: cycles, value: func(c time.Time, lead, station, member int) float32 {
			switch {
			case c.Equal(cycles[1]) && member == 1:
				return wrong
			case c.Equal(cycles[3]):
				c = cycles[2]
			}
			return testValue(c, lead, station, member)
		}}.write(t, a.path("all.nc"))
	}
	write(5000)
	archive := a.open()
	read := func() [32]byte {
		t.Helper()
		e, err := archive.Ensemble(t.Context(), "t2m", cycles[1])
		if err != nil {
			t.Fatal(err)
		}
		if v := e.At(1, 1); v[0] != v[0] || v[1] == v[1] || v[2] != v[2] {
			t.Errorf("member 1 is missing, got %v", v)
		}
		return archive.EnsembleHash("t2m", cycles[1])
	}
	hash := read()
	if why := archive.Doubt("t2m", cycles[1]); !strings.Contains(why, "4 of 12 values count as missing") {
		t.Errorf("doubt of 5000 K: %q", why)
	}
	if why := archive.Doubt("t2m", cycles[2]); why != "" {
		t.Errorf("doubt of a good cycle: %q", why)
	}
	keys, err := a.store.List("forecasts/t2m/2024")
	if err != nil || len(keys) == 0 {
		t.Fatal(keys, err)
	}
	for _, key := range keys {
		if err := a.store.Delete(key); err != nil {
			t.Fatal(err)
		}
	}
	archive = a.open()
	if read() != hash {
		t.Error("a block that is read again has another hash")
	}
	var wrong *ImplausibleError
	if _, err := archive.Ensemble(t.Context(), "t2m", cycles[3]); !errors.As(err, &wrong) || len(archive.Cycles("t2m")) != 3 {
		t.Errorf("a copy of an earlier cycle: %v", err)
	}
	write(float32(math.NaN()))
	if archive = a.open(); read() != hash {
		t.Error("values that count as missing give another hash than missing ones")
	}
}

// TestLaterFileCounts: of two files with the same cycle, or the same station and time,
// the later by name counts, in whatever order they came.
func TestLaterFileCounts(t *testing.T) {
	shift := func(by float32) func(time.Time, int, int, int) float32 {
		return func(c time.Time, lead, station, member int) float32 {
			return testValue(c, lead, station, member) + by
		}
	}
	for _, order := range [][]string{{"a", "b"}, {"b", "a"}} {
		a := newTestArchive(t)
		a.o.Forecasts = a.path("fc/*.nc")
		cycles := days(date(2024, 1, 1, 0), 3)
		nan := float32(math.NaN())
		for _, name := range order {
			by := map[string]float32{"a": 0, "b": 1}[name]
			span := map[string][]time.Time{"a": cycles[:2], "b": cycles[1:]}[name]
			forecastFile{cycles: span, value: shift(by)}.write(t, a.path("fc/"+name+".nc"))
			ids := map[string][]string{"a": {"C", "A"}, "b": {"B", "A"}}[name]
			observedFile{times: cycles[:2], ids: ids, value: func(at time.Time, station int) float32 {
				if name == "b" && at.Equal(cycles[1]) && station == 1 {
					return nan // does not take away what the other file has
				}
				return 10*by + float32(station)
			}}.write(t, a.path("obs/"+name+".nc"))
			a.open()
		}
		archive := a.open()
		for i, by := range []float32{0, 1, 1} {
			e, err := archive.Ensemble(t.Context(), "t2m", cycles[i])
			if err != nil || e.Values[0] != testValue(cycles[i], 0, 0, 0)+by {
				t.Errorf("%v: cycle %d: %v, %v", order, i, e.Values[0], err)
			}
		}
		for i, want := range []*Observed{
			{ID: []string{"A", "B", "C"}, Values: []float32{11, 10, 0}},
			{ID: []string{"A", "B", "C"}, Values: []float32{1, 10, 0}},
		} {
			o, err := archive.Observed(t.Context(), "t2m", cycles[i])
			if err != nil || !slices.Equal(o.ID, want.ID) || !slices.Equal(o.Values, want.Values) || o.Source.Path != "obs/b.nc" {
				t.Errorf("%v: observed %d: %+v, %v, want %+v", order, i, o, err, want)
			}
		}
		stations, err := archive.Stations(t.Context(), "t2m")
		if err != nil || !slices.Equal(stations.ID, []string{"A", "B", "C"}) {
			t.Errorf("stations %+v, %v", stations, err)
		}
	}
}

func TestObservationsThatChange(t *testing.T) {
	a := newTestArchive(t)
	times := days(date(2024, 1, 1, 0), 3)
	observedFile{times: times[:2]}.write(t, a.path("obs/a.nc"))
	before := a.open()
	observedFile{times: times, value: func(at time.Time, station int) float32 {
		if at.Equal(times[1]) && station == 1 {
			return 300
		}
		return 270 + float32(at.Day()) + 0.1*float32(station)
	}}.write(t, a.path("obs/a.nc"))
	after := a.open()
	if before.ObservedHash("t2m", times[0]) != after.ObservedHash("t2m", times[0]) {
		t.Error("the hash of a time that did not change has changed")
	}
	if before.ObservedHash("t2m", times[1]) == after.ObservedHash("t2m", times[1]) {
		t.Error("the hash of a corrected value has not changed")
	}
	if before.ObservedHash("t2m", times[2]) != ([32]byte{}) || after.ObservedHash("t2m", times[2]) == ([32]byte{}) {
		t.Error("hash of a new time")
	}
	if o, err := after.Observed(t.Context(), "t2m", times[1]); err != nil || o.Values[1] != 300 {
		t.Errorf("corrected: %+v, %v", o, err)
	}
}

// TestNothingToMatch: forecasts and observations that cannot belong together are a
// fault, with advice.
func TestNothingToMatch(t *testing.T) {
	tests := []struct {
		name     string
		observed observedFile
		want     string
		unusable bool // Observed fails
	}{
		{"other identifiers", observedFile{ids: []string{"X", "Y"}}, "forecasts: A, B; observations: X, Y", false},
		{"other units", observedFile{units: "Pa"}, `units "Pa"`, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newTestArchive(t)
			a.daily(date(2024, 1, 1, 0))
			tt.observed.times = days(date(2024, 1, 2, 0), 1)
			tt.observed.write(t, a.path("obs/a.nc"))
			archive := a.open()
			faults := archive.Faults()
			if len(faults) != 1 || !strings.Contains(faults[0].Err.Error(), tt.want) {
				t.Fatalf("faults %v, want one that says %q", faults, tt.want)
			}
			o, err := archive.Observed(t.Context(), "t2m", date(2024, 1, 2, 0))
			if tt.unusable && o != nil || !tt.unusable && err != nil {
				t.Errorf("observed %v, %v", o, err)
			}
		})
	}
}

func TestVariablesInFilesOfTheirOwn(t *testing.T) {
	a := newTestArchive(t)
	a.o.Forecasts = a.path("fc/*.nc")
	a.o.Variables = []string{"t2m", "d2m"}
	forecastFile{cycles: days(date(2024, 1, 1, 0), 2)}.write(t, a.path("fc/t.nc"))
	forecastFile{cycles: days(date(2024, 1, 1, 0), 3), name: "d2m"}.write(t, a.path("fc/d.nc"))
	archive := a.open()
	if len(archive.Cycles("t2m")) != 2 || len(archive.Cycles("d2m")) != 3 {
		t.Errorf("cycles %v and %v", archive.Cycles("t2m"), archive.Cycles("d2m"))
	}
	// Only the third cycle really lacks a variable.
	faults := archive.Faults()
	if len(faults) != 1 || !faults[0].Cycle.Equal(date(2024, 1, 3, 0)) || faults[0].Variable != "t2m" {
		t.Errorf("faults %+v", faults)
	}
	a.open()
	if len(a.read) != 0 {
		t.Errorf("read again: %q", a.read)
	}
}

func TestOptionsChange(t *testing.T) {
	a := newTestArchive(t)
	forecastFile{cycles: []time.Time{date(2024, 1, 1, 0)}, units: "degC", value: func(time.Time, int, int, int) float32 { return 10 }}.
		write(t, a.path("fc/202401/fc_2024010100.nc"))
	for units, want := range map[string]float32{"": 283.15, "K": 10, "degF": 260.92778} {
		a.o.Units = map[string]string{"t2m": units}
		e, err := a.open().Ensemble(t.Context(), "t2m", date(2024, 1, 1, 0))
		if err != nil || math.Abs(float64(e.Values[0]-want)) > 1e-4 {
			t.Errorf("units %q: %v, %v, want %g", units, e.Values[0], err, want)
		}
	}
}

func TestOpenRefused(t *testing.T) {
	s := newTestArchive(t).store
	good := Options{Forecasts: "/a/*.nc", Variables: []string{"t2m"}, Store: s}
	tests := map[string]func(o *Options){
		"no store":           func(o *Options) { o.Store = nil },
		"no variables":       func(o *Options) { o.Variables = nil },
		"variable twice":     func(o *Options) { o.Variables = []string{"a", "a"} },
		"unknown role":       func(o *Options) { o.Dims = map[string]string{"memmber": "ens"} },
		"interpolation":      func(o *Options) { o.Interpolation = "cubic" },
		"bad template":       func(o *Options) { o.Forecasts = "{date" },
		"bad observations":   func(o *Options) { o.Observations = "{dat}" },
		"forecasts a folder": func(o *Options) { o.Forecasts = s.Dir() },
	}
	for name, spoil := range tests {
		o := good
		spoil(&o)
		if _, err := Open(t.Context(), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	archive, err := Open(t.Context(), good) // nothing there yet is no error
	if err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Ensemble(t.Context(), "t2m", date(2024, 1, 1, 0)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("empty archive: %v", err)
	}
	if _, err := archive.Ensemble(t.Context(), "tp", date(2024, 1, 1, 0)); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("variable that was not asked for: %v", err)
	}
}

// TestInterrupted stops reading in the middle; the next start goes on from there.
func TestInterrupted(t *testing.T) {
	a := newTestArchive(t)
	a.daily(days(date(2024, 1, 1, 0), 6)...)
	ctx, cancel := context.WithCancel(t.Context())
	o := a.o
	o.Store = a.store
	o.Progress = func(p Progress) {
		if p.Done == 4 {
			cancel()
		}
	}
	if _, err := Open(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want that of the context", err)
	}
	archive := a.open()
	if len(a.read) != 2 || len(archive.Cycles("t2m")) != 6 || len(archive.Faults()) != 0 {
		t.Errorf("read %q, cycles %v, faults %v", a.read, archive.Cycles("t2m"), archive.Faults())
	}
}

func TestConcurrentUse(t *testing.T) {
	a := newTestArchive(t)
	a.o.Forecasts = a.path("all.nc")
	cycles := days(date(2024, 1, 1, 0), 6)
	forecastFile{cycles: cycles}.write(t, a.path("all.nc"))
	observedFile{times: cycles}.write(t, a.path("obs/a.nc"))
	archive := a.open()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for _, c := range cycles {
				e, err := archive.Ensemble(t.Context(), "t2m", c)
				if err != nil || e.Values[0] != testValue(c, 0, 0, 0) {
					t.Errorf("%v: %v", c, err)
					return
				}
				e.Values[0] = 0 // is the caller's
				if _, err := archive.Observed(t.Context(), "t2m", c); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

// TestNotes: an assumption is told once, however many files it concerns.
func TestNotes(t *testing.T) {
	a := newTestArchive(t)
	a.o.Forecasts = a.path("fc/*.nc")
	noUnits := strings.Replace(good, `step:units="hours";`, "", 1)
	for i := range 3 {
		path := a.path("fc")
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		ncgen(t, path, fmt.Sprintf("%d.nc", i), strings.Replace(noUnits, "time=0", fmt.Sprintf("time=%d", 24*i), 1))
	}
	archive := a.open()
	// Three files, and the valid times of two of them do not fit.
	want := []string{`"step" has no units; its values are taken as hours (3 files, the first is fc/0.nc)`}
	if got := archive.Notes(); !slices.Equal(got, want) {
		t.Errorf("notes %q, want %q", got, want)
	}
	if f := archive.Faults(); len(f) != 2 || len(archive.Cycles("t2m")) != 1 {
		t.Errorf("faults %v", f)
	}
}

// A station without coordinates is left out, and no other.
func TestStationWithoutCoordinates(t *testing.T) {
	day := date(2024, 1, 2, 0)
	const name = "fc/202401/fc_2024010200.nc"
	get := func(lat []float64) (*Ensemble, []string) {
		a := newTestArchive(t)
		a.daily(date(2024, 1, 1, 0))
		forecastFile{cycles: []time.Time{day}, lat: lat}.write(t, a.path(name))
		archive := a.open()
		e, err := archive.Ensemble(t.Context(), "t2m", day)
		if err != nil {
			t.Fatal(err)
		}
		return e, archive.Warnings("t2m", day)
	}
	whole, none := get([]float64{1, 2})
	if len(none) > 0 {
		t.Errorf("warnings %q of a good file", none)
	}
	for k, lat := range [][]float64{{math.NaN(), 2}, {1, math.NaN()}} {
		part, warnings := get(lat)
		kept, lost := 1-k, whole.Places.ID[k]
		if part.Places.Len() != 1 || part.Places.ID[0] != whole.Places.ID[kept] || part.Places.Latitude[0] != whole.Places.Latitude[kept] {
			t.Errorf("without %s: places %v", lost, part.Places.ID)
		}
		for l := range whole.Leads {
			if !slices.Equal(part.At(l, 0), whole.At(l, kept)) {
				t.Errorf("without %s: values %v, want %v", lost, part.At(l, 0), whole.At(l, kept))
			}
		}
		if want := "1 of 2 stations are left out, because they have no coordinates: " + lost; !slices.Equal(warnings, []string{want}) {
			t.Errorf("warnings %q, want %q", warnings, want)
		}
	}
}
