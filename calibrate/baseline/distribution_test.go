package baseline

import (
	"bytes"
	"encoding/gob"
	"maps"
	"math"
	"reflect"
	"testing"

	"gonum.org/v1/gonum/integrate/quad"
)

var distributions = map[string]Distribution{
	"normal":                       Normal{1, 2},
	"logistic":                     Logistic{-1, .7},
	"censored normal":              Censored{FamilyNormal, .5, 1, false},
	"censored normal, mostly zero": Censored{FamilyNormal, -1, .8, false},
	"censored logistic":            Censored{FamilyLogistic, 1, .5, false},
	"squared normal":               Censored{FamilyNormal, 1, .9, true},
	"squared normal, mostly zero":  Censored{FamilyNormal, -.6, .9, true},
	"squared logistic":             Censored{FamilyLogistic, 1.2, .3, true},
	"squared logistic, dry":        Censored{FamilyLogistic, -.5, .4, true},
	"cubed gammas":                 CubedGammas{[]float64{.3, .7}, []float64{.1, .4}, []float64{6, 2}, []float64{4, 3}},
	"cubed gamma, mostly zero":     CubedGammas{[]float64{1}, []float64{.9}, []float64{.6}, []float64{.7}},
	"mixture":                      Mixture{[]float64{.3, .5, .2}, []float64{-2, 1, 4}, []float64{.5, 1, 1}},
}

// Every distribution agrees with its own CDF: quantiles, moments and CRPS.
func TestDistributions(t *testing.T) {
	for name, d := range distributions {
		t.Run(name, func(t *testing.T) {
			for _, p := range []float64{.01, .2, .5, .77, .99} {
				q := d.Quantile(p)
				if at, below := d.CDF(q+1e-9), d.CDF(q-1e-9); at < p-1e-8 || below > p+1e-8 {
					t.Errorf("quantile %g = %g with CDF %g … %g", p, q, below, at)
				}
			}
			// ∫ x dF and ∫ x² dF by parts, in pieces that are small above zero, where the
			// CDF may jump and then grow like a root.
			lo, hi := d.Quantile(1e-13)-1, d.Quantile(1-1e-13)+1
			integral := func(f func(x float64) float64, cuts ...float64) float64 {
				var sum float64
				last := lo
				for _, c := range append(cuts, hi) {
					const pieces = 100
					edge := func(k int) float64 { return last + (c-last)*math.Pow(float64(k)/pieces, 4) }
					for k := range pieces {
						sum += quad.Fixed(f, edge(k), edge(k+1), 16, quad.Legendre{}, 0)
					}
					last = c
				}
				return sum
			}
			mean := integral(func(x float64) float64 { return 1 - d.CDF(x) }, 0) + lo
			square := integral(func(x float64) float64 { return 2 * (x - lo) * (1 - d.CDF(x)) }, 0)
			near(t, "mean", d.Mean(), mean, 1e-6)
			near(t, "sd", d.SD(), math.Sqrt(square-(mean-lo)*(mean-lo)), 1e-6)
			for _, y := range []float64{0, .3, 2.5} {
				want := integral(func(x float64) float64 {
					f := d.CDF(x)
					if x >= y {
						f--
					}
					return f * f
				}, append([]float64{0}, y)...)
				near(t, "crps", d.CRPS(y), want, 1e-6)
			}
		})
	}
}

func TestEmpirical(t *testing.T) {
	d := NewEmpirical([]float64{3, 1, math.NaN(), 2, 2})
	for x, want := range map[float64]float64{0: 0, 1: .25, 1.5: .25, 2: .75, 3: 1} {
		near(t, "cdf", d.CDF(x), want, 0)
	}
	for p, want := range map[float64]float64{.01: 1, .25: 1, .26: 2, .75: 2, .76: 3, .99: 3} {
		near(t, "quantile", d.Quantile(p), want, 0)
	}
	near(t, "mean", d.Mean(), 2, 0)
	near(t, "sd", d.SD(), math.Sqrt(.5), 1e-15)
	// Mean distance to 1: (0+1+1+2)/4; pairs 1 1 2 0 1 1 = 6, over 16.
	near(t, "crps", d.CRPS(1), 1-6./16, 1e-15)
}

func TestDistributionsByGob(t *testing.T) {
	Register()
	all := maps.Clone(distributions)
	all["empirical"] = NewEmpirical([]float64{1, 2})
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(all); err != nil {
		t.Fatal(err)
	}
	var back map[string]Distribution
	if err := gob.NewDecoder(&b).Decode(&back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, all) {
		t.Errorf("%v became %v", all, back)
	}
}
