package baseline

import (
	"bytes"
	"encoding/gob"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"sipipe/calibrate/score"
)

// Values and derivatives of the objective: package score and finite differences.
func TestCRPSDerivatives(t *testing.T) {
	for name, c := range map[string]struct {
		f      crps
		closed func(y, mu, scale float64) float64
	}{
		"normal":            {crpsNormal, score.CRPSNormal},
		"logistic":          {crpsLogistic, score.CRPSLogistic},
		"censored normal":   {crpsCensoredNormal, score.CRPSCensoredNormal},
		"censored logistic": {crpsCensoredLogistic, score.CRPSCensoredLogistic},
	} {
		for _, x := range [][3]float64{{1, .3, 2}, {0, -1, .7}, {0, 2, 1}, {4, .5, .6}, {.1, 5, 1.5}} {
			y, mu, s := x[0], x[1], x[2]
			v, dmu, ds := c.f(y, mu, s)
			near(t, name, v, c.closed(y, mu, s), 1e-12)
			const h = 1e-6
			near(t, name+" by location", dmu, (c.closed(y, mu+h, s)-c.closed(y, mu-h, s))/(2*h), 1e-8)
			near(t, name+" by scale", ds, (c.closed(y, mu, s+h)-c.closed(y, mu, s-h))/(2*h), 1e-8)
		}
	}
}

// Fits agree with testdata/reference.py, which minimises without gradients.
func TestEMOSReference(t *testing.T) {
	pnw := sample(t, "pnw.csv")
	train, test := Window(pnw, 0, february1-1), Window(pnw, february1, math.MaxInt)
	e, err := FitEMOS(train, EMOSOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{11.8467, .9601716, 7.913052, 3.174328} {
		near(t, "coefficient", append(e.Location, e.Scale...)[i], want, 5e-3)
	}
	near(t, "crps in training", emosCRPS(&e, train), 1.805707, 2e-7)
	near(t, "crps in test", emosCRPS(&e, test), 1.803904, 1e-4)

	e, err = FitEMOS(train, EMOSOptions{MemberWeights: true})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "crps with member weights", emosCRPS(&e, train), 1.747703, 2e-7)
	for i, want := range []float64{.1076956, .4718963, .4640033, -.390863, .1962884, -.1413215, -.3516568, .5792075} {
		near(t, "weight", e.Location[1+i], want, 2e-2)
	}

	tmin := sample(t, "tmin.csv")
	e, err = FitEMOS(tmin, EMOSOptions{LogScale: true, Harmonics: 1})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "crps, seasonal", emosCRPS(&e, tmin), 1.125128, 1e-6)
	d, _ := e.Predict(tmin[0].Members, tmin[0].Day)
	near(t, "seasonal location", d.Mean(), 272.9699, 2e-4)
	near(t, "seasonal scale", d.SD(), 2.589611, 5e-3)

	rain := sample(t, "rain.csv")
	e, err = FitEMOS(rain, EMOSOptions{Family: FamilyLogistic, Censored: true, Sqrt: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{-.03226204, .8017843, .4704274, .1440612} {
		near(t, "coefficient for rain", append(e.Location, e.Scale...)[i], want, 2e-3)
	}
	var tenth []Row
	for i := 0; i < len(rain); i += 10 {
		tenth = append(tenth, rain[i])
	}
	near(t, "crps of the amount", emosCRPS(&e, tenth), 2.390145, 2e-4)
}

// simulated rows from the model itself.
func simulated(n, m int, truth func(rng *rand.Rand, mean, variance float64, day int) float64) []Row {
	rng := rand.New(rand.NewPCG(1, 1))
	rows := make([]Row, n)
	for i := range rows {
		centre, sd := 5*rng.NormFloat64(), math.Exp(rng.NormFloat64()/2)
		r := Row{Day: i, Members: make([]float32, m)}
		for j := range r.Members {
			r.Members[j] = float32(centre + sd*rng.NormFloat64())
		}
		_, mean, variance := moments(r.Members)
		r.Obs = truth(rng, mean, variance, i)
		rows[i] = r
	}
	return rows
}

func TestEMOSRecoversTruth(t *testing.T) {
	for _, c := range []struct {
		name            string
		o               EMOSOptions
		truth           func(rng *rand.Rand, mean, variance float64, day int) float64
		location, scale []float64
		tol             float64
	}{
		{
			"variance",
			EMOSOptions{},
			func(rng *rand.Rand, m, v float64, _ int) float64 {
				return 2 + .8*m + math.Sqrt(.5+1.5*v)*rng.NormFloat64()
			},
			[]float64{2, .8},
			[]float64{.5, 1.5},
			.06,
		},
		{
			"season, log scale",
			EMOSOptions{LogScale: true, Harmonics: 1},
			func(rng *rand.Rand, m, v float64, day int) float64 {
				s, c := math.Sincos(2 * math.Pi * float64(day) / year)
				return 1 + m + 3*s - .2*c*m + math.Exp(.3+.5*math.Log(v)/2+.4*c)*rng.NormFloat64()
			},
			[]float64{1, 1, 3, 0, 0, -.2},
			[]float64{.3, .5, 0, .4},
			.06,
		},
		{
			"logistic, censored",
			EMOSOptions{Family: FamilyLogistic, Censored: true},
			func(rng *rand.Rand, m, v float64, _ int) float64 {
				p := rng.Float64()
				return math.Max(0, -1+m+math.Sqrt(.3+.2*v)*math.Log(p/(1-p)))
			},
			[]float64{-1, 1},
			[]float64{.3, .2},
			.06,
		},
		{
			// Perfect calibration with no spread-error relation: the variance gets no weight.
			"constant scale",
			EMOSOptions{},
			func(rng *rand.Rand, m, _ float64, _ int) float64 { return m + 2*rng.NormFloat64() },
			[]float64{0, 1},
			[]float64{4, 0},
			.06,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := FitEMOS(simulated(20000, 10, c.truth), c.o)
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range append(c.location, c.scale...) {
				near(t, "coefficient", append(e.Location, e.Scale...)[i], want, c.tol)
			}
		})
	}
}

// Units do not matter: rows in °C give the predictions of rows in K.
func TestEMOSUnits(t *testing.T) {
	rows := sample(t, "pnw.csv")
	for _, o := range []EMOSOptions{{}, {MemberWeights: true}, {LogScale: true}, {Family: FamilyLogistic}} {
		k, err := FitEMOS(rows, o)
		if err != nil {
			t.Fatal(err)
		}
		celsius := make([]Row, len(rows))
		for i, r := range rows {
			celsius[i] = Row{Obs: r.Obs - 273.15, Day: r.Day, Members: make([]float32, len(r.Members))}
			for j, v := range r.Members {
				celsius[i].Members[j] = float32(float64(v) - 273.15)
			}
		}
		c, err := FitEMOS(celsius, o)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := k.Predict(rows[7].Members, 0)
		b, _ := c.Predict(celsius[7].Members, 0)
		near(t, "mean", a.Mean(), b.Mean()+273.15, 2e-6)
		near(t, "sd", a.SD(), b.SD(), 2e-4)
	}
}

func TestEMOSFaults(t *testing.T) {
	nan := float32(math.NaN())
	rows := sample(t, "pnw.csv")[:200]
	whole, err := FitEMOS(rows, EMOSOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// Rows without observation or members change nothing.
	more := append([]Row{{Members: rows[0].Members, Obs: math.NaN()}, {Members: []float32{nan, nan}, Obs: 280}}, rows...)
	if again, err := FitEMOS(more, EMOSOptions{}); err != nil || !reflect.DeepEqual(again, whole) {
		t.Errorf("unusable rows change the fit: %v, %v", again, err)
	}
	if _, ok := whole.Predict([]float32{nan, nan}, 0); ok {
		t.Error("a prediction without members")
	}
	// A missing member is left out of mean and variance.
	a, _ := whole.Predict([]float32{280, nan, 282}, 0)
	b, _ := whole.Predict([]float32{280, 282}, 0)
	if a != b {
		t.Errorf("with a missing member %v, without it %v", a, b)
	}
	var few *TooFewError
	if _, err := FitEMOS(rows[:19], EMOSOptions{}); !errors.As(err, &few) || few.Rows != 19 || few.Need != 20 {
		t.Errorf("19 rows: %v", err)
	}
	if _, err := FitEMOS(rows[:25], EMOSOptions{MemberWeights: true}); !errors.As(err, &few) || few.Need != 33 {
		t.Errorf("25 rows for 11 coefficients: %v", err)
	}
	if _, err := FitEMOS(rows, EMOSOptions{Family: "cauchy"}); err == nil {
		t.Error("an unknown family was accepted")
	}
	if _, err := FitEMOS(rows, EMOSOptions{Sqrt: true}); err == nil {
		t.Error("Sqrt was accepted without Censored")
	}
	// Observations that are the forecasts: an error, not a scale of zero.
	same := make([]Row, 50)
	for i := range same {
		same[i] = Row{Members: []float32{float32(i)}, Obs: float64(i)}
	}
	if _, err := FitEMOS(same, EMOSOptions{}); !errors.Is(err, ErrDegenerate) {
		t.Errorf("a perfect forecast: %v", err)
	}
	// A month without rain.
	dry := simulated(50, 5, func(*rand.Rand, float64, float64, int) float64 { return 0 })
	if _, err := FitEMOS(dry, EMOSOptions{Family: FamilyLogistic, Censored: true, Sqrt: true}); !errors.Is(err, ErrDegenerate) {
		t.Errorf("no rain: %v", err)
	}
}

// Degenerate ensembles still give a usable forecast.
func TestEMOSDegenerate(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for name, members := range map[string]func() []float32{
		"one member":      func() []float32 { return []float32{float32(rng.NormFloat64())} },
		"equal members":   func() []float32 { x := float32(rng.NormFloat64()); return []float32{x, x, x} },
		"always the same": func() []float32 { return []float32{1, 2, 3} },
	} {
		for _, o := range []EMOSOptions{{}, {LogScale: true}, {MemberWeights: true}} {
			rows := make([]Row, 500)
			for i := range rows {
				x := members()
				rows[i] = Row{Members: x, Obs: float64(x[0]) + .5*rng.NormFloat64(), Day: i}
			}
			e, err := FitEMOS(rows, o)
			if err != nil {
				t.Errorf("%s, %+v: %v", name, o, err)
				continue
			}
			d, _ := e.Predict(rows[0].Members, 0)
			near(t, name+": mean", d.Mean(), float64(rows[0].Members[0]), .08)
			near(t, name+": sd", d.SD(), .5, .08)
		}
	}
}

// A fit depends on its rows only, and is kept by gob.
func TestEMOSRepeats(t *testing.T) {
	rows := sample(t, "rain.csv")
	o := EMOSOptions{Family: FamilyLogistic, Censored: true, Sqrt: true, LogScale: true, Harmonics: 1}
	a, err := FitEMOS(rows, o)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := FitEMOS(rows, o); !reflect.DeepEqual(a, b) {
		t.Error("the same rows gave another fit")
	}
	var buffer bytes.Buffer
	if err := gob.NewEncoder(&buffer).Encode(a); err != nil {
		t.Fatal(err)
	}
	var back EMOS
	if err := gob.NewDecoder(&buffer).Decode(&back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, back) {
		t.Errorf("%+v became %+v", a, back)
	}
}

// 20,000 rows of eight members, a month of 650 stations.
func BenchmarkFitEMOS(b *testing.B) {
	rows := simulated(20000, 8, func(rng *rand.Rand, m, v float64, _ int) float64 {
		return 2 + .8*m + math.Sqrt(.5+1.5*v)*rng.NormFloat64()
	})
	for b.Loop() {
		if _, err := FitEMOS(rows, EMOSOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

// Of a season with nine wet days censored EMOS is not fitted; a window that has them is
// widened to the season before.
func TestCensoredEMOSNeedsWetDays(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 9))
	day := func(d int, wet bool) Row {
		r := Row{Day: d, Members: []float32{0, 0, 0}}
		if wet {
			a := 1 + 9*rng.Float64()
			r.Members, r.Obs = []float32{float32(a), float32(1.3 * a), float32(0.5 * a)}, a*rng.Float64()*2
		}
		return r
	}
	var p Pool
	var dry []Row
	for d := range 200 {
		wet := d < 100 && d%2 == 0 || d >= 170 && d%4 == 0 // 8 of the last 30 days
		r := day(d, wet)
		p.Add([]Row{r})
		if d >= 170 {
			dry = append(dry, r)
		}
	}
	o := EMOSOptions{Family: FamilyLogistic, Censored: true, Sqrt: true}
	var few *TooFewError
	if _, err := FitEMOS(dry, o); !errors.As(err, &few) || few.Rows > 9 {
		t.Errorf("fitted to a dry month: %v", err)
	}
	e, err := Rolling{Censored: true}.EMOS(&p, 199)
	if err != nil {
		t.Fatal(err)
	}
	if d, ok := e.Predict([]float32{5, 6, 4}, 200); !ok || !(d.Mean() > 1 && d.Mean() < 12) {
		t.Errorf("mean %v of a forecast of 5 mm", d.Mean())
	}
}
