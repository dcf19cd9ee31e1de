package report

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"sipipe/calibrate/score"
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
		{System: systems[0], Counts: make([]int, 9)},
		{System: systems[1], Counts: make([]int, 10)},
		{System: systems[3], Counts: make([]int, 51)},
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

// exampleMembers is a forecast every 6 hours with a daily cycle.
func exampleMembers(leads int) Members {
	rng := rand.New(rand.NewPCG(5, 6))
	d := Members{Variable: temperature, Station: seattle, Cycle: firstValid}
	raw, walk := make([]float64, 11), 0.
	for l := 1; l <= leads; l++ {
		hours := 6 * l
		if leads == 1 {
			hours = 48
		}
		expected := 279 + 3*math.Sin(2*math.Pi*float64(hours-15)/24) - 0.02*float64(hours)
		spread := 0.8 + 0.013*float64(hours)
		e := Ensemble{Cycle: d.Cycle, Valid: d.Cycle.Add(time.Duration(hours) * time.Hour)}
		walk = 0.8*walk + 0.6*rng.NormFloat64()
		e.Observed = expected + walk*spread
		for m := range raw {
			raw[m] = 0.9*raw[m] + 0.35*rng.NormFloat64()
			e.Raw = append(e.Raw, expected-1.8+raw[m]*spread*0.8)
		}
		for range 50 {
			e.Calibrated = append(e.Calibrated, expected+spread*rng.NormFloat64())
		}
		if hours > 96 {
			e.Observed = math.NaN()
		}
		d.Leads = append(d.Leads, e)
	}
	return d
}

var systems = []System{
	{Name: "raw", Label: "raw ensemble"},
	{Name: "emos", Label: "EMOS", Distribution: true},
	{Name: "frame", Label: "kriged ridge", Distribution: true},
	{Name: "calibrated"},
}

func exampleLeads() []LeadScores {
	var out []LeadScores
	for h := 6; h <= 120; h += 6 {
		x := float64(h) / 120
		day := 0.15 * math.Sin(2*math.Pi*float64(h)/24)
		out = append(out, LeadScores{Lead: time.Duration(h) * time.Hour, Scores: []Scores{
			{CRPS: 1.6 + 1.1*x + day, SpreadError: 0.35 + 0.3*x, Bias: -1.4 + 3*day},
			{CRPS: 1.2 + 0.9*x, SpreadError: 0.92 + 0.03*x, Bias: 0.05 + day},
			{CRPS: 1.02 + 0.85*x, SpreadError: 0.9, Bias: -0.03},
			{CRPS: 0.98 + 0.82*x, SpreadError: 0.99 - 0.02*x, Bias: 0.02},
		}})
	}
	return out
}

func exampleDays(n int) []DayScores {
	rng := rand.New(rand.NewPCG(7, 8))
	var out []DayScores
	for d := range n {
		if d == 4 {
			continue
		}
		w := math.Exp(0.25 * rng.NormFloat64())
		out = append(out, DayScores{Day: firstValid.AddDate(0, 0, d), Cases: 410 + d, CRPS: []float64{
			2.1 * w, 1.7 * w * math.Exp(0.06*rng.NormFloat64()), 1.42 * w * math.Exp(0.05*rng.NormFloat64()), 1.38 * w * math.Exp(0.05*rng.NormFloat64()),
		}})
	}
	return out
}

func exampleStations(n int) []StationSkill {
	rng := rand.New(rand.NewPCG(9, 10))
	var out []StationSkill
	for i := range n {
		s := Station{ID: "S" + string(rune('A'+i%26)) + string(rune('A'+i/26)), Longitude: -124 + 7*rng.Float64(), Latitude: 42 + 7.5*rng.Float64(), Altitude: 900 * rng.ExpFloat64()}
		if i%40 == 0 {
			s.Latitude = math.NaN()
		}
		out = append(out, StationSkill{Station: s, Cases: 9, CRPSS: 0.25 + 0.2*rng.NormFloat64() - 0.06*math.Abs(s.Longitude+120)})
	}
	return out
}

func exampleEvents() []Event {
	rng := rand.New(rand.NewPCG(11, 12))
	var out []Event
	for _, t := range []float64{0.1, 5, 20} {
		e := Event{Threshold: t}
		for k, slope := range []float64{0.55, 0.85, 0.93, 1} {
			var points []ReliabilityPoint
			for c := range 10 {
				f := (float64(c) + 0.5) / 10
				o := min(max(0.5+(f-0.5)*slope-0.08*(1-slope)+0.02*rng.NormFloat64(), 0), 1)
				n := int(3000 * math.Exp(-0.3*t*f) * (0.3 + math.Abs(f-0.5)))
				d := 1.64 * math.Sqrt(o*(1-o)/float64(n+1)) * 1.8
				points = append(points, ReliabilityPoint{f, o, max(o-d, 0), min(o+d, 1), n})
			}
			e.Points = append(e.Points, points)
			e.Brier = append(e.Brier, 0.22-0.02*float64(k))
		}
		out = append(out, e)
	}
	return out
}

func exampleSpread() [][]SpreadBin {
	rng := rand.New(rand.NewPCG(13, 14))
	out := make([][]SpreadBin, 4)
	for k, factor := range []float64{0.4, 0.9, 0.95, 1} {
		var cases []SpreadError
		for range 4000 {
			sd := math.Exp(0.5 + 0.4*rng.NormFloat64())
			cases = append(cases, SpreadError{factor * factor * sd * sd, sd * rng.NormFloat64()})
		}
		out[k] = SpreadBins(cases, 10)
	}
	return out
}

// normal is a distribution to be scored.
type normal struct{ distuv.Normal }

func (n normal) Mean() float64 { return n.Mu }
func (n normal) SD() float64   { return n.Sigma }

func (n normal) CRPS(y float64) float64 {
	z := (y - n.Mu) / n.Sigma
	unit := distuv.UnitNormal
	return n.Sigma * (z*(2*unit.CDF(z)-1) + 2*unit.Prob(z) - 1/math.SqrtPi)
}

// exampleVerification scores forecasts of 60 stations on 20 days at two lead times:
// raw members that are cold and close together, EMOS that knows no station, a frame
// and members that do.
func exampleVerification(t testing.TB) Verification {
	rng := rand.New(rand.NewPCG(15, 16))
	var list []score.System
	thresholds := []float64{273.15, 278.15, 283.15}
	for i, s := range systems {
		list = append(list, score.System{Name: s.Name, Options: score.Options{Ranks: []int{9, 10, 10, 51}[i], Thresholds: thresholds}})
	}
	c := score.NewComparison(list)
	v := Verification{Variable: temperature, Systems: systems, Stations: map[string]Station{}}
	spread := make([][]SpreadError, len(systems))
	var local []float64
	for s := range 60 {
		id := fmt.Sprintf("S%03d", s)
		v.Stations[id] = Station{ID: id, Name: "Station " + id, Longitude: -124 + 7*rng.Float64(), Latitude: 42 + 7.5*rng.Float64(), Altitude: math.Round(600 * rng.ExpFloat64())}
		local = append(local, 1.5*rng.NormFloat64())
	}
	day0 := int(firstValid.Unix() / 86400)
	for d := range 20 {
		weather := 3 * rng.NormFloat64()
		for s := range 60 {
			for _, lead := range []time.Duration{24 * time.Hour, 48 * time.Hour} {
				error := 1 + lead.Hours()/80
				expected := 278 + weather + rng.NormFloat64()
				y := expected + local[s] + error*rng.NormFloat64()
				members := func(n int, mean, sd float64) []float32 {
					out := make([]float32, n)
					for i := range out {
						out[i] = float32(mean + sd*rng.NormFloat64())
					}
					return out
				}
				emos := normal{distuv.Normal{Mu: expected, Sigma: math.Hypot(error, 1.5)}}
				frame := normal{distuv.Normal{Mu: expected + 0.9*local[s], Sigma: 0.93 * error}}
				f := []score.Forecast{
					{Members: members(8, expected-1.5, 0.7)},
					{Distribution: emos},
					{Distribution: frame},
					{Members: members(50, expected+0.95*local[s], error)},
				}
				c.Add(score.Case{Day: day0 + d, Lead: lead, Station: fmt.Sprintf("S%03d", s)}, y, f)
				spread[1] = append(spread[1], SpreadError{emos.Sigma * emos.Sigma, emos.Mu - y})
				spread[2] = append(spread[2], SpreadError{frame.Sigma * frame.Sigma, frame.Mu - y})
				for _, k := range []int{0, 3} {
					x := score.Sorted(nil, f[k].Members)
					m := float64(len(x))
					spread[k] = append(spread[k], SpreadError{x.Variance() * (m + 1) / m, x.Mean() - y})
				}
			}
		}
	}
	var err error
	if v.Scores, err = c.Report(score.ReportOptions{Bootstrap: score.Bootstrap{Replicates: 100, Seed: 1}}); err != nil {
		t.Fatal(err)
	}
	v.Scores.From, v.Scores.To = "2004-02-01", "2004-02-20"
	for k := range systems {
		v.Spread = append(v.Spread, SpreadBins(spread[k], 8))
	}
	if v.Days, err = DailyScores(c, systems); err != nil {
		t.Fatal(err)
	}
	example, err := exampleCycles(14).Figure()
	if err != nil {
		t.Fatal(err)
	}
	v.Examples = []*Figure{example}
	return v
}

func examplePage(t testing.TB) *Page {
	return &Page{
		Verifications: []Verification{exampleVerification(t)},
		Command:       "sipipe verify --from 2004-02-01 --to 2004-02-20 --report <DIR>",
		ConfigSHA256:  strings.Repeat("0123456789abcdef", 4),
		Version:       "1.0.0",
		Notes:         []string{"Simulated forecasts & observations."},
	}
}
