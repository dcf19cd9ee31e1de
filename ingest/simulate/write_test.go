package simulate

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sipipe/ingest/ncio"
)

// small are options of an archive that is written in a moment.
func small(dir, from, to string) Options {
	o := Defaults()
	o.Dir, o.From, o.To = dir, day(from), day(to)
	o.Places, o.Members, o.Steps = 6, 4, 5
	o.Step = 12 * time.Hour
	return o
}

func simulated(t *testing.T, o Options) Summary {
	t.Helper()
	s, err := Write(t.Context(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// read returns all of a variable.
func read(t *testing.T, path, name string) []float64 {
	t.Helper()
	f, err := ncio.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	x, err := f.Float64s(name, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func fileBytes(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCycleDoesNotDependOnTheRange(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	simulated(t, small(a, "2020-02-03", "2020-02-08"))
	simulated(t, small(b, "2020-02-05", "2020-02-06"))
	cycle := "archive/forecasts/2020/02/fc_2020020600.nc"
	if !bytes.Equal(fileBytes(t, filepath.Join(a, cycle)), fileBytes(t, filepath.Join(b, cycle))) {
		t.Error("the file of a cycle depends on the range asked for")
	}
	o := small(t.TempDir(), "2020-02-05", "2020-02-06")
	o.Seed++
	simulated(t, o)
	if bytes.Equal(fileBytes(t, filepath.Join(a, cycle)), fileBytes(t, filepath.Join(o.Dir, cycle))) {
		t.Error("another seed gives the same forecasts")
	}
}

// More stations, members or variables leave the data of the first ones as they are.
func TestLargerArchiveContainsSmaller(t *testing.T) {
	few := small(t.TempDir(), "2020-02-05", "2020-02-05")
	many := small(t.TempDir(), "2020-02-05", "2020-02-05")
	many.Places, many.Members, many.Variables = 9, 7, []string{"wind", "t2m"}
	simulated(t, few)
	simulated(t, many)
	cycle := "archive/forecasts/2020/02/fc_2020020500.nc"
	a, b := read(t, filepath.Join(few.Dir, cycle), "t2m"), read(t, filepath.Join(many.Dir, cycle), "t2m")
	for m := range few.Members {
		for step := range few.Steps {
			x := a[(m*few.Steps+step)*few.Places:][:few.Places]
			y := b[(m*few.Steps+step)*many.Places:][:few.Places]
			if !slices.Equal(x, y) {
				t.Fatalf("member %d step %d: %v and %v", m, step, x, y)
			}
		}
	}
}

// Both layouts hold the same numbers; observations end with the last cycle.
func TestLayoutsAgree(t *testing.T) {
	for _, kind := range []Kind{Lorenz96, Gaussian} {
		t.Run(string(kind), func(t *testing.T) {
			o := small(t.TempDir(), "2020-01-30", "2020-02-03")
			o.Kind, o.Variables, o.Ideal = kind, Variables(), 3
			e := o
			e.Layout, e.Dir = EUPP, t.TempDir()
			simulated(t, o)
			simulated(t, e)
			cycles, leads := o.cycles(), o.leads()
			for _, name := range o.Variables {
				compareForecasts(t, o, e, "archive/forecasts", name, o.Members)
				compareForecasts(t, o, e, "ideal", name, o.Ideal)
				paired := read(t, filepath.Join(e.Dir, "archive/observations/observations.nc"), name)
				at := observations(t, o.Dir, name, o.Places)
				for c, cycle := range cycles {
					for l, lead := range leads {
						valid := cycle.Add(lead)
						for i := range o.Places {
							got := paired[(i*len(cycles)+c)*len(leads)+l]
							want := math.NaN()
							if row, ok := at[valid]; ok {
								want = row[i]
							}
							if got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
								t.Fatalf("%s at %v station %d: paired %g, by month %g", name, valid, i, got, want)
							}
						}
						if _, ok := at[valid]; ok == valid.After(day("2020-02-03")) {
							t.Fatalf("observations of %v: %v", valid, ok)
						}
					}
				}
			}
		})
	}
}

// compareForecasts compares the files of layout Cycle with that of layout EUPP.
func compareForecasts(t *testing.T, o, e Options, root, name string, members int) {
	t.Helper()
	cycles, steps := o.cycles(), o.Steps
	all := read(t, filepath.Join(e.Dir, root, "forecasts.nc"), name)
	for c, cycle := range cycles {
		one := read(t, cyclePath(filepath.Join(o.Dir, root), cycle), name)
		for i := range o.Places {
			for s := range steps {
				for m := range members {
					x := one[(m*steps+s)*o.Places+i]
					y := all[((i*len(cycles)+c)*steps+s)*members+m]
					if x != y {
						t.Fatalf("%s %s cycle %v station %d step %d member %d: %g and %g", root, name, cycle, i, s, m, x, y)
					}
				}
			}
		}
	}
}

// observations reads the monthly files, by valid time.
func observations(t *testing.T, dir, name string, places int) map[time.Time][]float64 {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "archive/observations/obs_*.nc"))
	if err != nil {
		t.Fatal(err)
	}
	at := map[time.Time][]float64{}
	for _, path := range paths {
		values := read(t, path, name)
		for i, s := range read(t, path, "time") {
			at[time.Unix(int64(s), 0).UTC()] = values[i*places : (i+1)*places]
		}
	}
	return at
}

// The truth file explains the data: t2m less climate and signal is noise of the
// stated size in the observations, and the stated bias in the forecasts.
func TestTruthFileExplainsTheData(t *testing.T) {
	o := small(t.TempDir(), "2020-01-01", "2020-12-31")
	o.Layout, o.Members, o.Steps, o.Missing = EUPP, 2, 1, 0.1
	summary := simulated(t, o)
	truth := filepath.Join(o.Dir, truthFile)
	slow, weight := read(t, truth, "slow"), read(t, truth, "weight_p")
	noise, bias := read(t, truth, "t2m_noise"), read(t, truth, "t2m_bias")
	lat, lon := read(t, truth, "latitude"), read(t, truth, "longitude")
	alt, modelAlt := read(t, truth, "altitude"), read(t, truth, "model_altitude")
	observed := read(t, filepath.Join(o.Dir, "archive/observations/observations.nc"), "t2m")
	raw := read(t, filepath.Join(o.Dir, "archive/forecasts/forecasts.nc"), "t2m")
	climate := func(valid time.Time, i int, height, daily float64) float64 {
		hours := valid.Sub(time.Unix(0, 0)).Hours()
		return 286 - 0.6*(lat[i]-45) - 0.0065*height + 9*math.Cos(2*math.Pi*(hours/8765.82-200/365.2422)) +
			daily*math.Cos(2*math.Pi*(hours+lon[i]/15-15)/24)
	}
	cycles := o.cycles()[:365] // the last one is not observed
	seen, signals := 0, 0.0
	for i := range o.Places {
		var n, sum, squares, raws float64
		for c, cycle := range cycles {
			valid := cycle.Add(o.Step)
			now := slow[int(valid.Sub(o.From)/o.Step)*rings*slots:]
			p := 0.0
			for j := range rings * slots {
				p += weight[i*rings*slots+j] * now[j]
			}
			signals += p * p / float64(len(cycles)*o.Places)
			row := i*(len(cycles)+1) + c
			for _, x := range raw[row*o.Members:][:o.Members] {
				raws += (x - climate(valid, i, modelAlt[i], 2.5) - 5.4*p) / float64(o.Members*len(cycles))
			}
			if r := observed[row] - climate(valid, i, alt[i], 3.5) - 6*p; !math.IsNaN(r) {
				n, sum, squares = n+1, sum+r, squares+r*r
			}
		}
		// Some 330 independent residuals: 4 standard errors.
		near(t, "mean residual over noise", sum/n/noise[i], 0, 4/math.Sqrt(n))
		near(t, "residual sd over noise", math.Sqrt(squares/n)/noise[i], 1, 4/math.Sqrt(2*n))
		// Errors of 0.13 signals, 0.7 K, shared by both members: standard error 0.04 K.
		near(t, "bias of station", raws, bias[i], 0.16)
		seen += int(n)
	}
	near(t, "variance of the signal", signals, 1, 0.2) // 365 days of weather
	near(t, "share of missing observations", 1-float64(seen)/float64(o.Places*len(cycles)), o.Missing, 0.02)
	if summary.Observations != seen {
		t.Errorf("summary counts %d observations, the file has %d", summary.Observations, seen)
	}
}

// Distributions of the other variables: bounds, point mass, modes.
func TestMarginalsOfVariables(t *testing.T) {
	o := small(t.TempDir(), "2020-01-01", "2020-04-30")
	o.Variables, o.Places, o.Missing = Variables(), 20, 0
	simulated(t, o)
	count := func(name string, is func(float64) bool) float64 {
		n, all := 0, 0
		for _, row := range observations(t, o.Dir, name, o.Places) {
			for _, x := range row {
				all++
				if is(x) {
					n++
				}
			}
		}
		return float64(n) / float64(all)
	}
	// P(q + 0.4 z < 0.6) = Phi(0.6/sqrt(1.16)) = 0.711 if q were normal.
	near(t, "share of dry observations", count("tp", func(x float64) bool { return x == 0 }), 0.711, 0.05)
	near(t, "share of negative rain", count("tp", func(x float64) bool { return x < 0 }), 0, 0)
	near(t, "share of negative wind", count("wind", func(x float64) bool { return x < 0 }), 0, 0)
	// Between the modes ±4, of width 0.5, beyond 6 standard deviations from both.
	near(t, "share between the modes", count("regime", func(x float64) bool { return math.Abs(x) < 1 }), 0, 0)
	near(t, "share of the upper mode", count("regime", func(x float64) bool { return x > 0 }), 0.5, 0.1)
}

func TestRefusesAFolderOfSomethingElse(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, "thesis.tex")
	if err := os.WriteFile(mine, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Write(t.Context(), small(dir, "2020-01-01", "2020-01-01"), nil)
	var folder *FolderError
	if !errors.As(err, &folder) || folder.Dir != dir {
		t.Fatalf("error %v, want a FolderError", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("the folder has changed: %v %v", entries, err)
	}
}

// A second simulation replaces the first and keeps what else has come about.
func TestReplacesASimulation(t *testing.T) {
	o := small(filepath.Join(t.TempDir(), "demo"), "2020-01-01", "2020-01-03")
	simulated(t, o)
	var folder *FolderError
	if _, err := Write(t.Context(), o, nil); !errors.As(err, &folder) || !folder.Simulated {
		t.Fatalf("error %v, want that the folder holds an archive", err)
	}
	o.Force = true
	config := filepath.Join(o.Dir, "sipipe.yaml")
	mine := []byte("# mine\n")
	for _, path := range []string{config, filepath.Join(o.Dir, "notes.txt")} {
		if err := os.WriteFile(path, mine, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o.From, o.To = day("2020-01-05"), day("2020-01-05")
	simulated(t, o)
	if got, _ := filepath.Glob(filepath.Join(o.Dir, "archive/forecasts/*/*/*")); len(got) != 1 {
		t.Errorf("forecasts after the second simulation: %v", got)
	}
	if !bytes.Equal(fileBytes(t, config+".old"), mine) || !bytes.Equal(fileBytes(t, filepath.Join(o.Dir, "notes.txt")), mine) {
		t.Error("the user's files are lost")
	}
	if !strings.Contains(string(fileBytes(t, config)), "sipipe run --date 2020-01-05") {
		t.Errorf("configuration:\n%s", fileBytes(t, config))
	}
}

func TestCancelLeavesNoPartOfAFile(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	o := small(t.TempDir(), "2020-01-01", "2020-01-09")
	_, err := Write(ctx, o, func(done, total int) {
		if total != 9+1 {
			t.Errorf("total %d, want 9 cycles and 1 month", total)
		}
		if done == 2 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want context.Canceled", err)
	}
	if got, _ := filepath.Glob(filepath.Join(o.Dir, "archive/forecasts/2020/01/*")); len(got) != 2 {
		t.Errorf("forecast files after two cycles: %v", got)
	}
}

func TestValidateNamesWhatWouldFit(t *testing.T) {
	good := small("demo", "2020-01-01", "2020-01-02")
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"no folder", func(o *Options) { o.Dir = "" }, "--out"},
		{"range reversed", func(o *Options) { o.To = day("2019-12-31") }, "before --from 2020-01-01"},
		{"unknown layout", func(o *Options) { o.Layout = "zarr" }, "cycle, eupp, grid"},
		{"unknown kind", func(o *Options) { o.Kind = "l63" }, "lorenz96, gaussian"},
		{"unknown variable", func(o *Options) { o.Variables = []string{"t2m", "msl"} }, "t2m, wind, tp, regime"},
		{"variable twice", func(o *Options) { o.Variables = []string{"tp", "tp"} }, "twice"},
		{"one member", func(o *Options) { o.Members = 1 }, "need 2"},
		{"negative steps", func(o *Options) { o.Steps = -1 }, "need 1"},
		{"step of 5 h", func(o *Options) { o.Step = 5 * time.Hour }, "does not divide a day"},
		{"cycle hours descending", func(o *Options) { o.CycleHours = []int{12, 0} }, "not ascending"},
		{"all missing", func(o *Options) { o.Missing = 1 }, "missing observations"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o := good
			c.change(&o)
			if err := o.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v does not say %q", err, c.want)
			}
		})
	}
}

// A cycle each 12 h makes a tick of 12 h although the step is 24 h, and both
// cycles of a day see the same observations.
func TestTickDividesStepAndCycles(t *testing.T) {
	o := small("demo", "2020-01-01", "2020-01-02")
	o.Step, o.CycleHours = 24*time.Hour, []int{0, 18}
	if got := o.tick(); got != 6*time.Hour {
		t.Errorf("tick %v, want 6h, the largest common divisor of 24 h and 18 h", got)
	}
	if got := o.cycles(); len(got) != 4 || !got[3].Equal(day("2020-01-02").Add(18*time.Hour)) {
		t.Errorf("cycles %v", got)
	}
}

// BenchmarkCycle writes one cycle of a global station network.
func BenchmarkCycle(b *testing.B) {
	o := Defaults()
	o.From, o.To = day("2020-01-01"), day("2020-01-01")
	o.Places, o.Members, o.Steps = 10_000, 50, 20
	for b.Loop() {
		o.Dir = b.TempDir()
		if _, err := Write(b.Context(), o, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(o.Places*o.Members*o.Steps)*float64(b.N)/b.Elapsed().Seconds(), "values/s")
}
