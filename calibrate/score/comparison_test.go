package score

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

// python with numpy, or skip.
func python(t *testing.T) string {
	t.Helper()
	for _, p := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(p, "-c", "import numpy").Run() == nil {
			return p
		}
	}
	t.Skip("no python3 with numpy")
	return ""
}

// All figures of the report against their definitions in numpy.
func TestReportAgainstNumpy(t *testing.T) {
	type numpy struct {
		Cases   int
		Systems []struct {
			CRPS        float64
			CRPSFair    float64 `json:"crps_fair"`
			Spread      float64
			RMSE        float64
			SpreadError float64 `json:"spread_error"`
			Bias        float64
			Brier       float64
			BrierFair   float64            `json:"brier_fair"`
			ByStation   map[string]float64 `json:"by_station"`
			ByLead      map[string]float64 `json:"by_lead"`
		}
		CRPSS float64
		T     float64
	}
	const threshold = 281.
	py := python(t)
	o := Options{Ranks: 9, Thresholds: []float64{threshold}}
	c := NewComparison([]System{{"raw", o}, {"calibrated", Options{Ranks: 21, Thresholds: o.Thresholds}}})
	rng := rand.New(rand.NewPCG(8, 8))
	var cases []any
	missing := func(v []float32) []any {
		out := make([]any, len(v))
		for i, x := range v {
			if !math.IsNaN(float64(x)) {
				out[i] = float64(x) // JSON would round a float32
			}
		}
		return out
	}
	for d := range 40 {
		shift := rng.NormFloat64()
		for s := range 6 {
			for _, lead := range []int{24, 48} {
				raw, cal := make([]float32, 8), make([]float32, 20)
				for j := range raw {
					raw[j] = float32(280 + rng.NormFloat64())
				}
				for j := range cal {
					cal[j] = float32(281 + shift/2 + 1.5*rng.NormFloat64())
				}
				y := 281 + shift + rng.NormFloat64()
				switch i := rng.IntN(30); {
				case i == 0:
					y = math.NaN()
				case i == 1:
					raw[2], raw[7] = float32(math.NaN()), float32(math.NaN())
				case i == 2:
					for j := range cal {
						cal[j] = float32(math.NaN())
					}
				}
				var obs any
				if !math.IsNaN(y) {
					obs = y
				}
				cases = append(cases, []any{d, lead, strconv.Itoa(s), obs, missing(raw), missing(cal)})
				c.Add(Case{d, time.Duration(lead) * time.Hour, strconv.Itoa(s), ""}, y, []Forecast{{Members: raw}, {Members: cal}})
			}
		}
	}
	in, err := json.Marshal(map[string]any{"threshold": threshold, "cases": cases})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(py, "testdata/reference.py")
	cmd.Stdin = bytes.NewReader(in)
	cmd.Stderr = &strings.Builder{}
	text, err := cmd.Output()
	if err != nil {
		t.Fatal(err, cmd.Stderr)
	}
	var want numpy
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	r, err := c.Report(ReportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Cases != want.Cases || r.Cases < 400 || r.Incomplete == 0 {
		t.Fatalf("%d cases, numpy has %d; %d incomplete", r.Cases, want.Cases, r.Incomplete)
	}
	const tol = 1e-12
	for i, name := range []string{"raw", "calibrated"} {
		g, w := r.Systems[name], want.Systems[i]
		near(t, name+" crps", float64(g.CRPS), w.CRPS, tol)
		near(t, name+" crps_fair", float64(g.CRPSFair), w.CRPSFair, tol)
		near(t, name+" spread", float64(g.Spread), w.Spread, tol)
		near(t, name+" rmse", float64(g.RMSE), w.RMSE, tol)
		near(t, name+" spread_error", float64(g.SpreadError), w.SpreadError, tol)
		near(t, name+" bias", float64(g.Bias), w.Bias, tol)
		near(t, name+" brier", float64(r.Events[0].Systems[name].Brier), w.Brier, tol)
		near(t, name+" brier_fair", float64(r.Events[0].Systems[name].BrierFair), w.BrierFair, tol)
		for _, s := range r.ByStation {
			near(t, name+" crps at "+s.Station, float64(s.Systems[name].CRPS), w.ByStation[s.Station], tol)
		}
		for _, l := range r.ByLead {
			near(t, name+" crps by lead", float64(l.Systems[name].CRPS), w.ByLead[strconv.Itoa(int(l.LeadHours))], tol)
		}
	}
	var byDay float64
	for _, d := range r.ByDay {
		byDay += float64(d.Cases) * float64(d.Systems["raw"].CRPS)
	}
	near(t, "crps by day", byDay/float64(r.Cases), want.Systems[0].CRPS, tol)
	b := r.Events[0].Skill["calibrated_vs_raw"]
	near(t, "bss", float64(b.BSS), 1-want.Systems[1].BrierFair/want.Systems[0].BrierFair, tol)
	if !(b.CI95[0] < b.BSS && b.BSS < b.CI95[1]) || len(r.ByDay) != 40 {
		t.Errorf("Brier skill %+v, %d days", b, len(r.ByDay))
	}
	s := r.Skill["calibrated_vs_raw"]
	near(t, "crpss", float64(s.CRPSS), want.CRPSS, tol)
	near(t, "p", float64(s.P), 2*distuv.StudentsT{Sigma: 1, Nu: 39}.Survival(math.Abs(want.T)), 1e-9)
	if !(s.CI95[0] < s.CRPSS && s.CRPSS < s.CI95[1]) || len(r.ByStation) != 6 || len(r.ByLead) != 2 {
		t.Errorf("skill %+v, %d stations, %d leads", s, len(r.ByStation), len(r.ByLead))
	}
}

func TestReportJSON(t *testing.T) {
	o := Options{Ranks: 3, Thresholds: []float64{0}}
	c := NewComparison([]System{{"raw", o}, {"emos", o}, {"calibrated", o}})
	for d := range 2 {
		f := Forecast{Members: []float32{.5, 1}}
		c.Add(Case{Day: d, Lead: day, Station: "A"}, .4, []Forecast{f, {Distribution: uniform01{}}, f})
	}
	r, err := c.Report(ReportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		From, To string
		Cases    int
		Systems  map[string]map[string]any
		Skill    map[string]struct {
			CRPSS *float64
			CI95  []*float64
		}
		ByLead    []map[string]any `json:"by_lead"`
		ByStation []map[string]any `json:"by_station"`
	}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	for _, system := range []string{"raw", "emos", "calibrated"} {
		for _, key := range []string{"crps", "crps_fair", "spread", "rmse", "spread_error", "rank_histogram", "bias"} {
			if _, ok := m.Systems[system][key]; !ok {
				t.Errorf("%s has no %q: %s", system, key, b)
			}
		}
	}
	for _, pair := range []string{"calibrated_vs_raw", "calibrated_vs_emos"} {
		s, ok := m.Skill[pair]
		if !ok || s.CRPSS == nil || len(s.CI95) != 2 || s.CI95[0] != nil {
			t.Errorf("%s: %+v; two days have no interval, which is null", pair, s)
		}
	}
	if len(m.ByLead) != 1 || len(m.ByStation) != 1 || m.Cases != 2 {
		t.Errorf("%s", b)
	}
	var back Report
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if got := back.Skill["calibrated_vs_raw"].CI95[0]; !math.IsNaN(float64(got)) {
		t.Errorf("null came back as %g", got)
	}
	if _, err := c.Report(ReportOptions{Target: "none"}); err == nil {
		t.Error("an unknown target was accepted")
	}
	if back, err := c.Report(ReportOptions{Target: "raw"}); err != nil || len(back.Skill) != 2 {
		t.Errorf("target raw: %v, %v", back.Skill, err)
	}
}

// Skill of dependent members is from the CRPS of the members themselves.
func TestSkillOfDependentMembers(t *testing.T) {
	plain, dependent := Options{Ranks: 3}, Options{Ranks: 3, Dependent: true}
	c := NewComparison([]System{{"raw", plain}, {"fair", plain}, {"quantiles", dependent}})
	// |x-y| mean ½; pairs 1: CRPS ½-¼, fair 0. Raw: one at 3 and 2, mean 2, pairs 1.
	f := Forecast{Members: []float32{0, 1}}
	c.Add(Case{Station: "A"}, .5, []Forecast{{Members: []float32{3, 2}}, f, f})
	r, err := c.Report(ReportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "crpss", float64(r.Skill["quantiles_vs_raw"].CRPSS), 1-.25/1.5, 1e-14)
	r, err = c.Report(ReportOptions{Target: "fair"})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "crpss", float64(r.Skill["fair_vs_raw"].CRPSS), 1, 1e-14)
	near(t, "crpss at the station", float64(r.ByStation[0].CRPSS["fair_vs_raw"]), 1, 1e-14)
}

func TestComparisonOnCommonCases(t *testing.T) {
	c := NewComparison([]System{{"a", Options{}}, {"b", Options{}}})
	x := []float32{1, 2}
	none := []float32{float32(math.NaN())}
	for _, k := range []struct {
		y        float64
		f        []Forecast
		counted  bool
		complete int
	}{
		{1, []Forecast{{Members: x}, {Members: x}}, true, 0},
		{1, []Forecast{{Members: x}, {Members: none}}, false, 1},
		{1, []Forecast{{}, {Members: x}}, false, 2},
		{math.NaN(), []Forecast{{Members: x}, {Members: none}}, false, 2},
		{1, []Forecast{{Distribution: uniform01{}}, {Members: x}}, true, 2},
	} {
		if got := c.Add(Case{}, k.y, k.f); got != k.counted || c.Incomplete != k.complete {
			t.Errorf("y = %g: counted %v, %d incomplete; want %v, %d", k.y, got, c.Incomplete, k.counted, k.complete)
		}
	}
	if a, b := c.Scores[0].Where(nil).Cases, c.Scores[1].Where(nil).Cases; a != 2 || b != 2 {
		t.Errorf("%d and %d cases", a, b)
	}
	if err := c.Merge(NewComparison([]System{{"a", Options{}}, {"x", Options{}}})); err == nil {
		t.Error("different systems were merged")
	}
}

// pointMass is zero with probability 0.6, else uniform on (0, 1].
type pointMass struct{ uniform01 }

func (pointMass) CDF(x float64) float64 {
	if x < 0 {
		return 0
	}
	return math.Min(.6+.4*x, 1)
}

func TestPITAtPointMass(t *testing.T) {
	near(t, "inside", PIT(pointMass{}, .5, .3), .8, 1e-12)
	near(t, "at the mass", PIT(pointMass{}, 0, .5), .3, 1e-12)
	rng := rand.New(rand.NewPCG(6, 1))
	h := make([]int, 10)
	for range 20000 {
		y := math.Max(0, (rng.Float64()-.6)/.4)
		h[int(PIT(pointMass{}, y, rng.Float64())*10)]++
	}
	if f := NewFlatness(h); f.P < .001 {
		t.Errorf("not flat: %v", h)
	}
}

// Raw members that were handed on in the place of dependent ones are scored as what they
// are: nothing is gained or lost.
func TestMembersHandedOnHaveNoSkill(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	o := Options{Thresholds: []float64{0}}
	dependent := o
	dependent.Dependent = true
	for _, handed := range []bool{true, false} {
		c := NewComparison([]System{{"raw", o}, {"calibrated", dependent}})
		for d := range 40 {
			members := make([]float32, 8)
			for i := range members {
				members[i] = float32(rng.NormFloat64())
			}
			c.Add(Case{Day: d, Station: "A"}, rng.NormFloat64(), []Forecast{{Members: members}, {Members: members, Independent: handed}})
		}
		r, err := c.Report(ReportOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := float64(r.Skill["calibrated_vs_raw"].CRPSS); handed != (got == 0) {
			t.Errorf("handed on %v: skill %g", handed, got)
		}
	}
}
