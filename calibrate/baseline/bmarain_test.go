package baseline

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// The maximum that ensembleBMA reaches by the EM algorithm, in 24 steps with
// exchangeable members and in 1934 with others: testdata/reference.R.
func TestRainBMAReference(t *testing.T) {
	rain := sample(t, "rain.csv")
	three := make([]Row, len(rain))
	for i, r := range rain {
		three[i] = r
		three[i].Members = r.Members[:3]
	}
	for _, c := range []struct {
		name                 string
		rows                 []Row
		o                    BMAOptions
		dry, bias, v, weight []float64
		logLik               float64
		cdf, quantile, crps  []float64
	}{
		{
			"exchangeable", rain,
			BMAOptions{Exchangeable: true},
			[]float64{.5001579, -1.62094, 0},
			[]float64{.7180734, .505295},
			[]float64{.3032824, .001391408},
			[]float64{1. / 11, 1. / 11, 1. / 11},
			-1.064885,
			[]float64{.1627422, .3822072, .921661},
			[]float64{1.66509, 8.62986},
			[]float64{2.136643},
		},
		{
			"three members", three,
			BMAOptions{},
			[]float64{.558001, -1.672738, 0},
			[]float64{.6980763, .5178179},
			[]float64{.3074368, .002664617},
			[]float64{.5581, .34794, .093955},
			-1.073016,
			[]float64{.1683998, .3982365, .9234595},
			[]float64{1.56633, 8.48501},
			[]float64{2.145085},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := FitRainBMA(c.rows, c.o)
			if err != nil {
				t.Fatal(err)
			}
			for l, want := range c.dry {
				near(t, "coefficient of no rain", b.Dry[0][l], want, 1e-4)
			}
			near(t, "intercept", b.Intercept[0], c.bias[0], 1e-6)
			near(t, "slope", b.Slope[0], c.bias[1], 1e-6)
			near(t, "variance", b.Variance[0], c.v[0], 1e-3)
			near(t, "slope of the variance", b.Variance[1], c.v[1], 1e-3)
			for j, want := range c.weight {
				near(t, "weight", b.Weight[j], want, 5e-3)
			}
			var logLik float64
			for _, r := range c.rows {
				d := predicted[CubedGammas](t, &b, r.Members)
				var density float64
				for k, w := range d.Weight {
					if r.Obs == 0 {
						density += w * d.Zero[k]
					} else {
						density += w * (1 - d.Zero[k]) * distuv.Gamma{Alpha: d.Shape[k], Beta: d.Rate[k]}.Prob(math.Cbrt(r.Obs))
					}
				}
				logLik += math.Log(density) / float64(len(c.rows))
			}
			near(t, "log-likelihood", logLik, c.logLik, 1e-6)
			d := predicted[CubedGammas](t, &b, c.rows[6].Members)
			for i, x := range []float64{0, 1, 10} {
				near(t, "CDF", d.CDF(x), c.cdf[i], 1e-4)
			}
			for i, p := range []float64{.5, .9} {
				near(t, "quantile", d.Quantile(p), c.quantile[i], 1e-3)
			}
			// Of 10,000 draws for each of 200 forecasts, fair to about 0.5 %.
			near(t, "CRPS", meanCRPS(c.rows[:200], func(r Row) (Distribution, bool) { return b.Predict(r.Members) }), c.crps[0], 5e-3)
		})
	}
}

// rainRows follow the model: of three members the first two, with weights .7 and .3.
func rainRows(n int) (rows []Row, truth RainBMA) {
	truth = RainBMA{
		Weight:    []float64{.7, .3, 0},
		Dry:       [][3]float64{{.5, -1.5, 1}, {1, -1, .5}, {}},
		Intercept: []float64{.5, .8, 0},
		Slope:     []float64{.7, .4, 0},
		Variance:  [2]float64{.1, .02},
	}
	rng := rand.New(rand.NewPCG(5, 5))
	for range n {
		r := Row{Members: make([]float32, 3)}
		for j := range r.Members {
			if rng.Float64() > .3 {
				r.Members[j] = float32(math.Pow(2*rng.Float64(), 3))
			}
		}
		k := 0
		if rng.Float64() > .7 {
			k = 1
		}
		x := float64(r.Members[k])
		if dry, mean := truth.member(k, x); rng.Float64() > dry {
			v := truth.Variance[0] + truth.Variance[1]*x
			r.Obs = math.Pow(distuv.Gamma{Alpha: mean * mean / v, Beta: mean / v, Src: rng}.Rand(), 3)
		}
		rows = append(rows, r)
	}
	return rows, truth
}

// Regressions are of each member alone, and so not those of the mixture; given those
// that made the data, weights and variance are found.
func TestRainBMARecoversTruth(t *testing.T) {
	rows, truth := rainRows(20000)
	b := truth
	b.Weight = []float64{1. / 3, 1. / 3, 1. / 3}
	b.Dry[2], b.Intercept[2] = [3]float64{0, -1, 0}, 1
	if err := b.maximise(rows, 1, true); err != nil {
		t.Fatal(err)
	}
	for j, want := range truth.Weight {
		near(t, "weight", b.Weight[j], want, .02)
	}
	near(t, "variance", b.Variance[0], .1, .01)
	near(t, "slope of the variance", b.Variance[1], .02, .005)
	// With one member the regressions are those that made the data.
	var one []Row
	for _, r := range rows {
		r.Members = r.Members[:1]
		x := float64(r.Members[0])
		r.Obs = 0
		rng := rand.New(rand.NewPCG(uint64(len(one)), 1))
		if dry, mean := truth.member(0, x); rng.Float64() > dry {
			v := truth.Variance[0] + truth.Variance[1]*x
			r.Obs = math.Pow(distuv.Gamma{Alpha: mean * mean / v, Beta: mean / v, Src: rng}.Rand(), 3)
		}
		one = append(one, r)
	}
	b, err := FitRainBMA(one, BMAOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for l, want := range truth.Dry[0] {
		near(t, "coefficient of no rain", b.Dry[0][l], want, .05)
	}
	near(t, "intercept", b.Intercept[0], .5, .01)
	near(t, "slope", b.Slope[0], .7, .01)
	near(t, "variance", b.Variance[0], .1, .01)
	near(t, "slope of the variance", b.Variance[1], .02, .005)
}

// The CRPS is E|X - y| - E|X - X'|/2, here of independent draws.
func TestCubedGammasMonteCarlo(t *testing.T) {
	const n = 400000
	for name, d := range distributions {
		c, ok := d.(CubedGammas)
		if !ok {
			continue
		}
		rng := rand.New(rand.NewPCG(6, 6))
		draw := func() float64 {
			u, k := rng.Float64(), 0
			for ; k < len(c.Weight)-1 && u > c.Weight[k]; k++ {
				u -= c.Weight[k]
			}
			if rng.Float64() < c.Zero[k] {
				return 0
			}
			return math.Pow(distuv.Gamma{Alpha: c.Shape[k], Beta: c.Rate[k], Src: rng}.Rand(), 3)
		}
		for _, y := range []float64{0, .2, 3} {
			var sum, square float64
			for range n {
				a, b := draw(), draw()
				v := (math.Abs(a-y) + math.Abs(b-y) - math.Abs(a-b)) / 2
				sum += v
				square += v * v
			}
			mean := sum / n
			if got, se := c.CRPS(y), math.Sqrt((square/n-mean*mean)/n); math.Abs(got-mean) > 4*se {
				t.Errorf("%s: CRPS at %g is %.5f, of draws %.5f ± %.5f", name, y, got, mean, se)
			}
		}
	}
}

func TestRainBMAFaults(t *testing.T) {
	rain, nan := sample(t, "rain.csv"), float32(math.NaN())
	var few *TooFewError
	if _, err := FitRainBMA(rain[:30], BMAOptions{}); !errors.As(err, &few) || few.Need != 33 {
		t.Errorf("30 rows: %v", err)
	}
	// Dry months, and wet ones: no zero in the training rows.
	dry, wet := make([]Row, 60), make([]Row, 60)
	for i := range dry {
		dry[i], wet[i] = rain[i], rain[i]
		dry[i].Obs = 0
		wet[i].Obs = rain[i].Obs + 1
	}
	if _, err := FitRainBMA(dry, BMAOptions{}); !errors.As(err, &few) || few.Rows != 0 {
		t.Errorf("no rain: %v", err)
	}
	b, err := FitRainBMA(wet, BMAOptions{Exchangeable: true})
	if err != nil {
		t.Fatal(err)
	}
	if d := predicted[CubedGammas](t, &b, wet[0].Members); d.CDF(0) != 0 {
		t.Errorf("P(Y = 0) = %g where every day was wet", d.CDF(0))
	}
	// Members that tell wet from dry, and members that never change.
	for i := range wet {
		x := float32(i % 2 * 5)
		wet[i].Members, wet[i].Obs = []float32{x, 2, nan}, float64(x)+float64(i%2)*float64(i)/10
	}
	b, err = FitRainBMA(wet, BMAOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if b.Weight[2] != 0 {
		t.Errorf("weight %g of a member that never came", b.Weight[2])
	}
	d := predicted[CubedGammas](t, &b, []float32{0, 2, nan})
	if crps := d.CRPS(0); len(d.Weight) != 2 || !(crps >= 0 && crps < 5) {
		t.Errorf("prediction %+v with CRPS %g", d, crps)
	}
	if _, ok := b.Predict([]float32{nan, nan, 1}); ok {
		t.Error("a prediction from a member without weight")
	}
	// A forecast that is wrong about rain does not make it drier.
	for i := range wet {
		wet[i].Members, wet[i].Obs = []float32{float32((i + 1) % 2 * 5)}, float64(i%2)*float64(1+i)
	}
	if b, err = FitRainBMA(wet, BMAOptions{}); err != nil {
		t.Fatal(err)
	}
	if b.Dry[0][1] > 0 || b.Dry[0][2] < 0 {
		t.Errorf("more rain forecast makes it drier: %v", b.Dry[0])
	}
}
