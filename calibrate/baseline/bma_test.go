package baseline

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// The maximum that the EM algorithm of testdata/reference.py reaches in 20,000 steps.
func TestBMAReference(t *testing.T) {
	train := Window(sample(t, "pnw.csv"), 0, february1-1)
	b, err := FitBMA(train, BMAOptions{})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "intercept", b.Intercept[0], 16.39392, 1e-5)
	near(t, "slope", b.Slope[0], .9436797, 1e-6)
	near(t, "sigma", b.Sigma, 3.165425, 1e-3)
	var sum float64
	for j, want := range []float64{.141717, .001472943, .2802024, 0, .08368117, 0, 0, .4929265} {
		near(t, "weight", b.Weight[j], want, 5e-3)
		sum += b.Weight[j]
	}
	near(t, "sum of weights", sum, 1, 1e-12)
	var logLik float64
	for _, r := range train {
		m := predicted[Mixture](t, &b, r.Members)
		var density float64
		for k, w := range m.Weight {
			z := (r.Obs - m.Mu[k]) / m.Sigma[k]
			density += w * math.Exp(-z*z/2) / (m.Sigma[k] * math.Sqrt(2*math.Pi))
		}
		logLik += math.Log(density) / float64(len(train))
	}
	near(t, "log-likelihood", logLik, -2.584321, 1e-6)
}

func predicted[D Distribution](t *testing.T, a Averaging, members []float32) D {
	t.Helper()
	d, ok := a.Predict(members)
	if !ok {
		t.Fatal("no prediction")
	}
	return d.(D)
}

// Each observation follows one of three members: with weight .6, .3, .1, biased.
func bmaRows(missing float64) []Row {
	rng := rand.New(rand.NewPCG(4, 4))
	rows := make([]Row, 4000)
	for i := range rows {
		x := make([]float32, 3)
		for j := range x {
			x[j] = float32(4 * rng.NormFloat64())
		}
		k := 0
		if u := rng.Float64(); u > .9 {
			k = 2
		} else if u > .6 {
			k = 1
		}
		rows[i] = Row{Members: x, Obs: float64(x[k]) + .5*rng.NormFloat64()}
		for j := range x {
			if j != k && rng.Float64() < missing {
				x[j] = float32(math.NaN())
			}
		}
	}
	return rows
}

// With the bias correction switched off by construction (members of the same
// law), weights and sigma are those that made the data.
func TestBMAWeights(t *testing.T) {
	rows := bmaRows(0)
	b := BMA{Weight: []float64{1. / 3, 1. / 3, 1. / 3}, Intercept: make([]float64, 3), Slope: []float64{1, 1, 1}}
	if err := b.maximise(rows, true); err != nil {
		t.Fatal(err)
	}
	for j, want := range []float64{.6, .3, .1} {
		near(t, "weight", b.Weight[j], want, .02)
	}
	near(t, "sigma", b.Sigma, .5, .02)
}

func TestBMAMissing(t *testing.T) {
	nan := float32(math.NaN())
	rows := bmaRows(.2)
	for i := range rows {
		rows[i].Members = append(rows[i].Members, nan) // a member that never came
	}
	b, err := FitBMA(rows, BMAOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if b.Weight[3] != 0 {
		t.Errorf("weight %g of a member that never came", b.Weight[3])
	}
	m := predicted[Mixture](t, &b, []float32{1, nan, 3, nan})
	if len(m.Weight) != 2 {
		t.Fatalf("prediction %+v", m)
	}
	near(t, "weight of those present", m.Weight[0], b.Weight[0]/(b.Weight[0]+b.Weight[2]), 1e-14)
	near(t, "their mean", m.Mu[1], b.Intercept[2]+3*b.Slope[2], 1e-14)
	if _, ok := b.Predict([]float32{nan, nan, nan, 5}); ok {
		t.Error("a prediction from a member without weight")
	}
	var few *TooFewError
	if _, err := FitBMA(rows[:10], BMAOptions{}); !errors.As(err, &few) {
		t.Errorf("ten rows: %v", err)
	}
	none := []Row{}
	for range 30 {
		none = append(none, Row{Members: []float32{nan}, Obs: 1})
	}
	if _, err := FitBMA(none, BMAOptions{}); !errors.As(err, &few) {
		t.Errorf("no members: %v", err)
	}
}

// An ensemble that has grown: the rows before lack the members that came later.
func TestBMAGrownEnsemble(t *testing.T) {
	full := bmaRows(0)
	var grown, missing []Row
	for i, r := range full {
		short := r
		if i < len(full)/2 {
			short.Members = r.Members[:2]
			r.Members = append(slices.Clone(r.Members[:2]), float32(math.NaN()))
		}
		grown, missing = append(grown, short), append(missing, r)
	}
	for _, exchangeable := range []bool{false, true} {
		got, err := FitBMA(grown, BMAOptions{Exchangeable: exchangeable})
		if err != nil {
			t.Fatal(err)
		}
		want, err := FitBMA(missing, BMAOptions{Exchangeable: exchangeable})
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, with missing members marked %+v", got, want)
		}
		if m := predicted[Mixture](t, &got, []float32{1, 2, 3, 4}); len(m.Weight) != 3 {
			t.Errorf("a fourth member that no row had: %+v", m)
		}
	}
}

func TestBMAExchangeable(t *testing.T) {
	b, err := FitBMA(sample(t, "tmin.csv"), BMAOptions{Exchangeable: true})
	if err != nil {
		t.Fatal(err)
	}
	for j := range b.Weight {
		near(t, "weight", b.Weight[j], 1./11, 1e-14)
		if b.Slope[j] != b.Slope[0] || b.Intercept[j] != b.Intercept[0] {
			t.Errorf("member %d is corrected in its own way", j)
		}
	}
	// The order of the members is of no account.
	x := []float32{270, 272, 269, 271, 270, 274, 268, 270, 271, 272, 275}
	p, _ := b.Predict(x)
	x[0], x[10] = x[10], x[0]
	q, _ := b.Predict(x)
	near(t, "crps", p.CRPS(271), q.CRPS(271), 1e-13)
}
