package report

import (
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// keep names a folder that the example figures are written to, to be looked at:
// go test ./export/report -keep /tmp/pictures.
var keep = flag.String("keep", "", "write the example figures to this folder")

func keepFigure(t *testing.T, f *Figure) {
	t.Helper()
	if *keep == "" {
		return
	}
	for _, kind := range []string{"png", "svg"} {
		w, err := os.Create(filepath.Join(*keep, f.Name+"."+kind))
		if err != nil {
			t.Fatal(err)
		}
		write := f.WriteSVG
		if kind == "png" {
			write = f.WritePNG
		}
		if err := write(w); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

var (
	temperature = Variable{Name: "t2m", LongName: "2-m temperature", Units: "K"}
	seattle     = Station{ID: "KSEA", Name: "Seattle-Tacoma", Latitude: 47.45, Longitude: -122.31, Altitude: 131}
	firstValid  = time.Date(2004, 2, 1, 0, 0, 0, 0, time.UTC)
)

// exampleCycles are forecasts whose raw members are too cold by 2 K and too close
// together, and whose calibrated members are right.
func exampleCycles(days int) Cycles {
	rng := rand.New(rand.NewPCG(1, 2))
	c := Cycles{Variable: temperature, Station: seattle, Lead: 48 * time.Hour}
	weather := 0.
	for d := range days {
		weather = 0.7*weather + 2.2*rng.NormFloat64()
		valid := firstValid.AddDate(0, 0, d)
		expected := 279.5 + weather
		e := Ensemble{Cycle: valid.Add(-c.Lead), Valid: valid, Observed: expected + 1.6*rng.NormFloat64()}
		shift := -2.2 + 1.1*rng.NormFloat64()
		for range 8 {
			e.Raw = append(e.Raw, expected+shift+0.8*rng.NormFloat64())
		}
		for range 50 {
			e.Calibrated = append(e.Calibrated, expected+1.6*rng.NormFloat64())
		}
		if d == 5 {
			e.Observed = math.NaN()
		}
		c.Forecasts = append(c.Forecasts, e)
	}
	return c
}

// exampleHistograms are of a raw forecast that is too cold and too sure, of a PIT
// and of a reliable ensemble, 5,000 cases each.
func exampleHistograms() []Histogram {
	rng := rand.New(rand.NewPCG(3, 4))
	h := []Histogram{
		{System: System{"raw", "raw ensemble"}, Counts: make([]int, 9)},
		{System: System{"emos", "EMOS"}, Counts: make([]int, 10), PIT: true},
		{System: System{"calibrated", "calibrated"}, Counts: make([]int, 51)},
	}
	for range 5000 {
		rank := 0
		y := 2 + 2.2*rng.NormFloat64()
		for range 8 {
			if rng.NormFloat64() < y {
				rank++
			}
		}
		h[0].Counts[rank]++
		pit := 0.5 * (1 + math.Erf(rng.NormFloat64()*1.1/math.Sqrt2))
		h[1].Counts[min(int(pit*10), 9)]++
		h[2].Counts[rng.IntN(51)]++
	}
	return h
}
