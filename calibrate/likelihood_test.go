package calibrate

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"sipipe/calibrate/frame"
	"sipipe/ingest"
)

// onePlace is a hand-made case.
func onePlace(v ingest.Variable, p *frame.Prediction) (*ingest.Ensemble, *Archived) {
	e := &ingest.Ensemble{
		Variable: v, Cycle: at("2020-03-01"), Leads: []time.Duration{24 * time.Hour},
		Members: []int32{0, 1, 2}, Values: []float32{1, 2, 4},
		Places: &ingest.Places{ID: []string{"a"}, Latitude: []float64{45}, Longitude: []float64{7}, Altitude: []float64{300}},
	}
	return e, &Archived{Cycle: e.Cycle, Leads: e.Leads, Lead: []*frame.Prediction{p}}
}

// A frame alone has the closed form of its family, dispersed in normal scores, with
// the probability of its bound.
func TestLikelihoodOfTheFrame(t *testing.T) {
	normal := func(mu, sigma, y float64) (cdf, logDensity float64) {
		z := (y - mu) / sigma
		return normalCDF(z), -z*z/2 - math.Log(sigma*math.Sqrt(2*math.Pi))
	}
	temperature := ingest.Variable{Name: "t2m", StandardName: "air_temperature", Units: "K"}
	wind := ingest.Variable{Name: "ff", StandardName: "wind_speed", Units: "m s-1"}
	rain := ingest.Variable{Name: "tp", StandardName: "precipitation_amount", Units: "kg m-2"}
	for _, c := range []struct {
		name       string
		variable   ingest.Variable
		prediction frame.Prediction
		dispersion float64
		y          float64
		want       func(y float64) Likelihood
	}{
		{"temperature", temperature, frame.Prediction{Ready: true, Mu: []float32{280}, Sigma: []float32{2}}, 1.25, 283, func(y float64) Likelihood {
			p, l := normal(280, 2.5, y)
			return Likelihood{p, p, l}
		}},
		{"below 0 K", temperature, frame.Prediction{Ready: true, Mu: []float32{280}, Sigma: []float32{2}}, 1, -1, func(float64) Likelihood {
			return Likelihood{0, 0, math.Inf(-1)}
		}},
		// √y is normal: p(y) = p(√y)/(2√y).
		{"wind", wind, frame.Prediction{Ready: true, Mu: []float32{2}, Sigma: []float32{0.5}}, 1, 6.25, func(y float64) Likelihood {
			p, l := normal(2, 0.5, math.Sqrt(y))
			return Likelihood{p, p, l - math.Log(2*math.Sqrt(y))}
		}},
		{"calm", wind, frame.Prediction{Ready: true, Mu: []float32{1}, Sigma: []float32{1}}, 1, 0, func(float64) Likelihood {
			return Likelihood{normalCDF(-1), 0, math.Log(normalCDF(-1))}
		}},
		{"dry", rain, frame.Prediction{Ready: true, Family: frame.Logistic, Censored: true, Mu: []float32{0.6}, Sigma: []float32{1.2}}, 1, 0, func(float64) Likelihood {
			p := 1 / (1 + math.Exp(0.6/1.2))
			return Likelihood{p, 0, math.Log(p)}
		}},
		// √y is logistic.
		{"wet", rain, frame.Prediction{Ready: true, Family: frame.Logistic, Censored: true, Mu: []float32{0.6}, Sigma: []float32{1.2}}, 1, 9, func(y float64) Likelihood {
			p := 1 / (1 + math.Exp(-(math.Sqrt(y)-0.6)/1.2))
			return Likelihood{p, p, math.Log(p * (1 - p) / 1.2 / (2 * math.Sqrt(y)))}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, a := onePlace(c.variable, &c.prediction)
			m := &Model{Method: DefaultMethod(), Dispersion: c.dispersion, Start: 1.1}
			got, err := m.Likelihood(context.Background(), e, a, Case{}, []float64{c.y})
			if err != nil {
				t.Fatal(err)
			}
			// Parameters are in single precision.
			want := c.want(c.y)
			for _, v := range [][2]float64{{got[0].PIT, want.PIT}, {got[0].Below, want.Below}, {got[0].LogDensity, want.LogDensity}} {
				if v[0] != v[1] && math.Abs(v[0]-v[1]) > 1e-6 {
					t.Errorf("%+v, want %+v", got[0], want)
				}
			}
		})
	}
	e, a := onePlace(temperature, &frame.Prediction{Mu: []float32{280}, Sigma: []float32{2}})
	if _, err := (&Model{}).Likelihood(context.Background(), e, a, Case{}, []float64{280}); err == nil || !strings.Contains(err.Error(), "no statistical forecast") {
		t.Errorf("without a frame: %v", err)
	}
}

// The density of a trained model integrates to one and to its distribution function,
// which is that of the members of the ODE and, as far as the fields are right, of
// those of the SDE; for each kind of sampler that has one.
func TestLikelihoodOfATrainedModel(t *testing.T) {
	w, s := twoRegimes(20, 6, 40), newMemory()
	for _, c := range []struct {
		name       string
		set        func(*Method)
		correction float64
		tolerance  float64 // of the distribution function, members against density
	}{
		{"ODE", func(*Method) {}, 1, 0.01},
		{"half the correction", func(*Method) {}, 0.5, 0.01},
		{"frame by weight", func(*Method) {}, 0, 0.01},
		{"brownian", func(m *Method) { m.Gamma = "brownian" }, 1, 0.01},
		{"from noise", func(m *Method) { m.Path, m.Gamma = "one-sided-linear", "" }, 1, 0.01},
		{"two networks", func(m *Method) { m.Separate = true }, 1, 0.01},
		// These fields, learned in seconds, are far from consistent.
		{"SDE", func(m *Method) { m.Epsilon, m.Dress = "gamma", 0.5 }, 1, 0.15},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := small()
			m.MaxSteps = 150
			// With much dressing raw members hardly differ from the normal law that the
			// density starts from.
			m.Epsilon, m.Steps, m.Dress = "zero", 40, 3
			c.set(&m)
			o := SampleOptions{Members: 500, Draw: DrawStratified}
			model, a, _ := calibrated(t, w, s, w.cycles[39], m, 2, SampleOptions{Members: 2})
			if model.Simple() {
				t.Fatal(model.Report.Reason)
			}
			model.Correction = c.correction
			ens, err := w.Ensemble(context.Background(), "t2m", w.cycles[39])
			if err != nil {
				t.Fatal(err)
			}
			o.Seed, o.First, o.Count = 1, 3, 1
			r, err := model.Sample(context.Background(), ens, a, o)
			if err != nil {
				t.Fatal(err)
			}
			mu, sigma := float64(a.Lead[0].Mu[3]), float64(a.Lead[0].Sigma[3])
			const n = 480
			step := 12 * sigma / n
			y := make([]float64, n+1)
			for i := range y {
				y[i] = mu + step*float64(i-n/2)
			}
			l, err := model.Likelihood(context.Background(), ens, a, Case{0, 3}, y)
			if err != nil {
				t.Fatal(err)
			}
			sum := 0.0
			density := func(i int) float64 { return math.Exp(l[i].LogDensity) }
			for i := 2; i <= n; i += 2 { // Simpson's rule
				sum += step / 3 * (density(i-2) + 4*density(i-1) + density(i))
				if math.Abs(sum-l[i].PIT) > 1e-3 || l[i].PIT < l[i-1].PIT || l[i-1].PIT < l[i-2].PIT {
					t.Fatalf("at %.2f the integral of the density is %.5f, the PIT %.5f after %.5f", y[i], sum, l[i].PIT, l[i-1].PIT)
				}
			}
			if math.Abs(sum-1) > 1e-3 {
				t.Errorf("the density integrates to %.5f", sum)
			}
			members := slices.Clone(r.Ensemble.Values)
			slices.Sort(members)
			worst := 0.0
			for i, v := range y {
				k, _ := slices.BinarySearch(members, float32(v))
				worst = max(worst, math.Abs(float64(k)/float64(len(members))-l[i].PIT))
			}
			if worst > c.tolerance {
				t.Errorf("the members' distribution function differs by %.4f", worst)
			}
		})
	}
	m := small()
	m.Path, m.Epsilon, m.Heads = "mirror", "constant", "v-s"
	model := &Model{Method: m, Correction: 1, Dispersion: 1}
	if _, err := model.flow(); err == nil || !strings.Contains(err.Error(), "use path linear") {
		t.Errorf("mirror: %v", err)
	}
}

// Over many cases the log density tells a model that knows the two regimes from the
// frame, and its PIT is uniform where the frame's is not.
func TestLikelihoodOfObservations(t *testing.T) {
	w, s := twoRegimes(40, 6, 40), newMemory()
	m := small()
	m.MaxSteps = 300
	model, a, _ := calibrated(t, w, s, w.cycles[38], m, 2, SampleOptions{Members: 2})
	frameAlone := *model
	frameAlone.Correction = 0
	frameAlone.Nets = nil
	ens, err := w.Ensemble(context.Background(), "t2m", w.cycles[38])
	if err != nil {
		t.Fatal(err)
	}
	obs, err := w.Observed(context.Background(), "t2m", w.cycles[39])
	if err != nil {
		t.Fatal(err)
	}
	var mean [2]float64
	for k, m := range []*Model{&frameAlone, model} {
		for i, y := range obs.Values {
			l, err := m.Likelihood(context.Background(), ens, a, Case{0, i}, []float64{float64(y)})
			if err != nil {
				t.Fatal(err)
			}
			mean[k] += l[0].LogDensity / float64(len(obs.Values))
		}
	}
	if mean[1] < mean[0]+0.2 {
		t.Errorf("mean log density %.3f, the frame's %.3f", mean[1], mean[0])
	}
}
