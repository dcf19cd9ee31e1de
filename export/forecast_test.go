package export

import (
	"math"
	"path/filepath"
	"testing"
	"time"

	"sipipe/ingest"
	"sipipe/ingest/ncio"
)

var cycle = time.Date(2024, 7, 8, 0, 0, 0, 0, time.UTC)

// stations are three, one of them without a known altitude, one with a name beyond
// ASCII. Their positions are floats, as most files have them.
func stations() *ingest.Places {
	return &ingest.Places{
		ID:        []string{"06660", "A1", "ship-7"},
		Name:      []string{"Zürich", "Alp", ""},
		Latitude:  []float64{float64(float32(47.38)), float64(float32(46.5)), float64(float32(-12.25))},
		Longitude: []float64{float64(float32(8.57)), float64(float32(9.1)), float64(float32(-170.5))},
		Altitude:  []float64{556, 2107.5, math.NaN()},
	}
}

// ensemble has values that tell where they belong: 1000 a lead, 100 a place, 1 a
// member.
func ensemble(v ingest.Variable, places *ingest.Places, members int, leads ...time.Duration) *ingest.Ensemble {
	e := &ingest.Ensemble{Variable: v, Cycle: cycle, Leads: leads, Places: places}
	for m := range members {
		e.Members = append(e.Members, int32(m))
	}
	for l := range leads {
		for p := range places.Len() {
			for m := range members {
				e.Values = append(e.Values, float32(1000*l+100*p+m))
			}
		}
	}
	return e
}

func temperature() ingest.Variable {
	return ingest.Variable{Name: "t2m", StandardName: "air_temperature", LongName: "2 metre temperature", Units: "K"}
}

func rain() ingest.Variable {
	return ingest.Variable{Name: "tp", StandardName: "precipitation_amount", Units: "kg m-2", CellMethods: "step: sum"}
}

func provenance() Provenance {
	return Provenance{
		Version:      "0.1.0",
		Command:      "sipipe run --date 2024-07-08 --cycle 00",
		ConfigSHA256: "c0ffee",
		Seed:         18446744073709551615, // the largest: it must survive a classic file
		Degraded:     []string{"a reason", "another"},
		Inputs:       []ingest.Source{{Path: "fc 1.nc", SHA256: "ab"}, {Path: "fc2.nc", SHA256: "cd"}},
		Variables:    map[string]Method{"t2m": {Name: "interpolant", ModelSHA256: "ef", Sampler: "heun", Steps: 16}},
	}
}

// write writes a forecast into a new folder.
func write(t *testing.T, f *Forecast) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "2024", "product.nc")
	if err := Write(t.Context(), path, f, Options{Deflate: 4}); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, path string) *ncio.File {
	t.Helper()
	nc, err := ncio.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := nc.Close(); err != nil {
			t.Error(err)
		}
	})
	return nc
}

func mustVar(t *testing.T, nc *ncio.File, name string) ncio.Var {
	t.Helper()
	v, ok := nc.Var(name)
	if !ok {
		t.Fatalf("no variable %s", name)
	}
	return v
}
