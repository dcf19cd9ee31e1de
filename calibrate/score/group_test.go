package score

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Stratified members of a reliable forecast: the outer ranks are half as full, PIT is
// even, coverage is what it should be; and not with the ranks of independent draws.
func TestRanksOfStratifiedMembers(t *testing.T) {
	const n, m = 40000, 20
	fill := func(dependent, dry bool) *Accumulator {
		rng := rand.New(rand.NewPCG(3, 1))
		a := NewAccumulator(Options{Ranks: m + 1, Dependent: dependent, Level: 0.6, Seed: 1})
		x := make([]float32, m)
		for i := range n {
			mass := -1.
			if dry { // a point mass at zero, of another probability each time
				mass = rng.Float64()
			}
			for j := range x {
				x[j] = float32(math.Max((float64(j)+rng.Float64())/m-mass, 0))
			}
			a.AddMembers(Case{Day: i, Station: "A"}, math.Max(rng.Float64()-mass, 0), x)
		}
		return a
	}
	for _, dry := range []bool{false, true} {
		a := fill(true, dry)
		s := a.Where(nil).Summary()
		if f := DailyFlatness([][]int{s.RankHistogram}, EvenRanks(m+1, true)); f.P < .001 || math.Abs(float64(f.Dispersion)) > .02 {
			t.Errorf("point mass %v: stratified members are not even: %+v %v", dry, f, s.RankHistogram)
		}
		whole, _ := a.group(all, all)
		if f := NewFlatness(whole.Ranks); f.P < .001 {
			t.Errorf("point mass %v: PIT is not even: %v", dry, whole.Ranks)
		}
		if !dry {
			near(t, "coverage", float64(s.Coverage), float64(s.Nominal), .01)
			near(t, "nominal coverage", float64(s.Nominal), 1-2*(.2*(m+1)-.5)/m, 1e-12)
		}
	}
	if f := NewFlatness(fill(false, false).Where(nil).Ranks); f.P > 1e-9 {
		t.Errorf("ranks of independent draws fit stratified members: p = %g", f.P)
	}
}

// Reliable forecasts whose errors depend on each other within a day, and from day to
// day, are rejected about as often as the level says; the chi-square test of
// independent cases nearly always. Too little spread is found.
func TestFlatTest(t *testing.T) {
	const series, stations = 400, 30
	rng := rand.New(rand.NewPCG(5, 1))
	phi := func(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }
	for _, c := range []struct {
		days           int
		memory, spread float64
		low, high      float64
	}{
		{30, 0, 1, .02, .10},
		{90, 0, 1, .02, .09},
		{90, .4, 1, .02, .11},
		{90, 0, .8, .25, 1},
	} {
		var rejected, naive float64
		for range series {
			var days [][]int
			var sum []int
			common := rng.NormFloat64()
			for range c.days {
				common = c.memory*common + math.Sqrt(1-c.memory*c.memory)*rng.NormFloat64()
				h := make([]int, pitClasses)
				for range stations {
					z := math.Sqrt(.5)*common + math.Sqrt(.5)*rng.NormFloat64()
					h[bin(phi(z/c.spread), pitClasses)]++
				}
				days, sum = append(days, h), addCounts(sum, h)
			}
			if FlatTest(days, Bootstrap{Replicates: 199, Seed: 1}) < rejection {
				rejected++
			}
			if NewFlatness(sum).P < rejection {
				naive++
			}
		}
		if r := rejected / series; r < c.low || r > c.high {
			t.Errorf("%d days, memory %g, spread %g: %.3f rejected, want %g to %g", c.days, c.memory, c.spread, r, c.low, c.high)
		} else {
			t.Logf("%d days, memory %g, spread %g: %.3f rejected, %.2f without regard to days", c.days, c.memory, c.spread, r, naive/series)
		}
		if naive/series < .5 {
			t.Errorf("only %.2f are rejected by a test that takes stations for independent", naive/series)
		}
	}
	if p := FlatTest(make([][]int, leastGroupDays-1), Bootstrap{}); !math.IsNaN(p) {
		t.Errorf("p = %g of too few days", p)
	}
}

func TestGroups(t *testing.T) {
	o := Options{Ranks: 3}
	c := NewComparison([]System{{"raw", o}, {"calibrated", o}})
	const autumn = 273 // 1970-10-01
	for d := range 120 {
		for _, r := range []string{"east", "west"} {
			f := Forecast{Members: []float32{-1, 1}}
			y := 0.
			if r == "west" {
				y = 5
			}
			c.Add(Case{Day: autumn + d, Station: r, Region: r}, y, []Forecast{f, f})
		}
	}
	r, err := c.Report(ReportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		season, region string
		cases, days    int
	}{
		{"DJF", all, 118, 59},
		{"SON", all, 122, 61},
		{all, "east", 120, 120},
		{"DJF", "east", 59, 59},
		{"SON", "east", 61, 61},
		{all, "west", 120, 120},
		{"DJF", "west", 59, 59},
		{"SON", "west", 61, 61},
	}
	if len(r.Groups.List) != len(want) {
		t.Fatalf("%d groups: %+v", len(r.Groups.List), r.Groups.List)
	}
	for i, w := range want {
		g := r.Groups.List[i]
		if g.Season != w.season || g.Region != w.region || g.Cases != w.cases || g.Days != w.days {
			t.Errorf("group %d: %s %s, %d cases on %d days, want %+v", i, g.Season, g.Region, g.Cases, g.Days, w)
		}
	}
	if f := r.Groups.List[5].Systems["calibrated"]; f.PIT[9] < 25 || f.PIT[0] > 0 || f.Bias != -5 {
		t.Errorf("west: %+v, want all observations above two members", f)
	}
	if n := r.Groups.Tests["calibrated"]; n.Tested != 8 || n.Rejected != 8 {
		t.Errorf("tests: %+v", n)
	}
	if one := NewComparison([]System{{"raw", o}}); one.groups(Bootstrap{}) != nil {
		t.Error("groups of nothing")
	}
}
