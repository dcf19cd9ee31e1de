package score

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol*(1+math.Abs(want))) {
		t.Errorf("%s = %.14g, want %.14g", what, got, want)
	}
}

func TestCRPSHandWorked(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name            string
		y               float64
		members         []float64
		empirical, fair float64
	}{
		// |x-y| = 1, 0, 3: 4/3. Pairs: 1 + 3 + 4 = 8; 8/9 and 8/6.
		{"three, unsorted", 1, []float64{4, 0, 1}, 4./3 - 8./9, 0},
		{"two around", 0, []float64{1, -1}, 1 - 2./4, 1 - 2./2},
		{"one", 2, []float64{5}, 3, nan},
		{"equal members", 2, []float64{1, 1, 1}, 1, 1},
		{"missing member", 1, []float64{4, nan, 0, 1}, 4./3 - 8./9, 0},
		{"no member", 1, []float64{nan}, nan, nan},
		{"no observation", nan, []float64{1, 2}, nan, nan},
		{"fair below zero", 0, []float64{-1, 0, 1}, 2./3 - 4./9, 2./3 - 4./6},
	} {
		for e, want := range map[Estimator]float64{Empirical: c.empirical, Fair: c.fair} {
			got := CRPS(c.y, c.members, e)
			if math.IsNaN(want) != math.IsNaN(got) || math.Abs(got-want) > 1e-15 {
				t.Errorf("%s, estimator %d: %g, want %g", c.name, e, got, want)
			}
		}
	}
}

// The sums over all pairs, as the formulas are written.
func crpsByPairs(y float64, x []float64, divisor float64) float64 {
	var a, b float64
	for _, v := range x {
		a += math.Abs(v - y)
		for _, w := range x {
			b += math.Abs(v - w)
		}
	}
	return a/float64(len(x)) - b/2/divisor
}

func TestCRPSIdentities(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		m := 2 + rng.IntN(40)
		x := make([]float32, m)
		d := make([]float64, m)
		for i := range x {
			x[i] = 280 + float32(3*rng.NormFloat64())
			d[i] = float64(x[i])
		}
		y := 280 + 3*rng.NormFloat64()
		before := slices.Clone(x)
		emp, fair := CRPS(y, x, Empirical), CRPS(y, x, Fair)
		if !slices.Equal(x, before) {
			t.Fatal("CRPS changed the members")
		}
		near(t, "empirical", emp, crpsByPairs(y, d, float64(m*m)), 1e-13)
		near(t, "fair", fair, crpsByPairs(y, d, float64(m*(m-1))), 1e-13)

		// CRPS = ∫ (F - 1{x >= y})², exactly, as F has steps only.
		s := Sorted(nil, x)
		at := append(slices.Clone(s), y)
		slices.Sort(at)
		var integral float64
		for i := 1; i < len(at); i++ {
			mid := (at[i-1] + at[i]) / 2
			f := 1 - float64(s.Exceed(mid))/float64(m)
			if mid > y {
				f--
			}
			integral += f * f * (at[i] - at[i-1])
		}
		near(t, "integral", emp, integral, 1e-12)

		// Weights above and below a threshold add up to one.
		near(t, "above + below", s.CRPSAbove(y, 281, Fair)+s.CRPSBelow(y, 281, Fair), fair, 1e-12)

		// Twice the mean quantile score over the steps of the quantile function.
		var q float64
		const n = 2000
		for k := range n * m {
			p := (float64(k) + .5) / float64(n*m)
			q += 2 * QuantileScore(y, s[k/n], p) / float64(n*m)
		}
		near(t, "quantile scores", emp, q, 1e-6)
	}
}

// The fair CRPS estimates the CRPS of the distribution whatever M is; the
// empirical one is larger by E|X-X'|/2M.
func TestCRPSExpectation(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	const y, n = .7, 100000
	for _, m := range []int{2, 8} {
		var fair, emp float64
		x := make([]float64, m)
		var s Sample
		for range n {
			for i := range x {
				x[i] = rng.NormFloat64()
			}
			s = Sorted(s, x)
			fair += s.CRPS(y, Fair) / n
			emp += s.CRPS(y, Empirical) / n
		}
		want := CRPSNormal(y, 0, 1)
		near(t, "fair", fair, want, .006)
		near(t, "empirical", emp, want+invSqrtPi/float64(m), .006)
	}
}

func TestCRPSClosedForms(t *testing.T) {
	// ∫ (F(x) - 1{x >= y})² dx by scipy.integrate.quad (scipy 1.10.1, epsabs 1e-13,
	// broken at y and 0) for scipy.stats.norm and logistic; the squared ones in
	// v = √x, with weight 2v.
	for _, c := range []struct {
		family                           string
		y, mu, scale                     float64
		plain, censored, squaredCensored float64
	}{
		{"normal", 0.3, -0.2, 1.3, 0.37959119223, 0.171314012602, 0.202399407498},
		{"normal", 0, -2, 1, 1.45279182169, 0.000101901541598, 3.78703063383e-05},
		{"normal", 2.5, 1, 0.5, 1.21828736254, 1.21823641177, 0.90347472612},
		{"normal", 0, 0.7, 2, 0.564145132218, 0.461512526339, 0.83728751928},
		{"normal", 9, 1.5, 1.2, 6.82297249982, 6.81950227567, 4.1315044472},
		{"normal", 0.04, 3, 0.8, 2.50868980717, 2.50868980641, 6.8918916562},
		{"logistic", 0.3, -0.2, 1.3, 0.5499661504, 0.244934062434, 0.410218566423},
		{"logistic", 0, -2, 1, 1.25385602209, 0.00772508902085, 0.0081689473429},
		{"logistic", 2.5, 1, 0.5, 1.04858735157, 1.04472480706, 0.831379150914},
		{"logistic", 0, 0.7, 2, 0.833528621675, 0.593529153003, 1.71273928153},
		{"logistic", 9, 1.5, 1.2, 6.30462862369, 6.26955389267, 3.63240666065},
		{"logistic", 0.04, 3, 0.8, 2.19907655349, 2.19886207792, 6.20799983321},
	} {
		plain, censored, squared := CRPSNormal, CRPSCensoredNormal, CRPSSquaredNormal
		if c.family == "logistic" {
			plain, censored, squared = CRPSLogistic, CRPSCensoredLogistic, CRPSSquaredLogistic
		}
		near(t, c.family, plain(c.y, c.mu, c.scale), c.plain, 1e-10)
		near(t, "censored "+c.family, censored(c.y, c.mu, c.scale), c.censored, 1e-10)
		near(t, "squared "+c.family, squared(c.y, c.mu, c.scale), c.squaredCensored, 1e-10)
	}
	// The standard normal at its centre: (√2 - 1)/√π.
	near(t, "normal at 0", CRPSNormal(0, 0, 1), (math.Sqrt2-1)/math.SqrtPi, 1e-15)
	// The standard logistic at its centre: 2 log 2 - 1.
	near(t, "logistic at 0", CRPSLogistic(0, 0, 1), 2*math.Ln2-1, 1e-15)
	for _, c := range []struct{ y, want float64 }{ // same quadrature
		{-2, 2.01619205336617}, {0.4, 0.523577324199948}, {3.1, 1.23768924292385},
	} {
		got := CRPSNormalMixture(c.y, []float64{.2, .5, .3}, []float64{-1, .5, 3}, []float64{.5, 1, .2})
		near(t, "mixture", got, c.want, 1e-10)
	}
	near(t, "mixture of one", CRPSNormalMixture(1.3, []float64{1}, []float64{.4}, []float64{2}), CRPSNormal(1.3, .4, 2), 1e-14)
}

func TestCRPSLimits(t *testing.T) {
	type closed func(y, mu, scale float64) float64
	for name, f := range map[string]closed{
		"normal": CRPSNormal, "logistic": CRPSLogistic, "censored normal": CRPSCensoredNormal,
		"censored logistic": CRPSCensoredLogistic,
	} {
		near(t, name+", scale 0", f(3, 1, 0), 2, 1e-15)
		near(t, name+", small scale", f(3, 1, 1e-9), 2, 1e-8)
		near(t, name+", far off", f(1e6, 1, 1), 1e6-1, 1e-5)
		if !math.IsNaN(f(math.NaN(), 1, 1)) {
			t.Errorf("%s: missing observation has a score", name)
		}
	}
	for name, f := range map[string]closed{"squared normal": CRPSSquaredNormal, "squared logistic": CRPSSquaredLogistic} {
		near(t, name+", scale 0", f(9, 2, 0), 5, 1e-15)
		near(t, name+", small scale", f(9, 2, 1e-9), 5, 1e-6)
		near(t, name+", all below zero", f(0, -80, 1), 0, 1e-12)
		near(t, name+", observation below the mass", f(-1, 2, .5), 1+f(0, 2, .5), 1e-13)
	}
	// Far above zero censoring has no effect.
	near(t, "censored normal far above", CRPSCensoredNormal(41, 40, 2), CRPSNormal(41, 40, 2), 1e-15)
	near(t, "censored logistic far above", CRPSCensoredLogistic(81, 80, 2), CRPSLogistic(81, 80, 2), 1e-15)
}

func TestIntervalScore(t *testing.T) {
	for _, c := range []struct{ y, want float64 }{{1, 2}, {0, 2}, {-1, 2 + 20}, {2.5, 2 + 10}} {
		near(t, "interval score", IntervalScore(c.y, 0, 2, .9), c.want, 1e-14)
	}
	// The sum of two quantile scores: IS = (2/(1-level)) (QS_lower + QS_upper).
	near(t, "from quantile scores", 20*(QuantileScore(3, 0, .05)+QuantileScore(3, 2, .95)), IntervalScore(3, 0, 2, .9), 1e-13)
}

func BenchmarkCRPS50(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	x := make([]float32, 50)
	for i := range x {
		x[i] = rng.Float32()
	}
	var s Sample
	for b.Loop() {
		s = Sorted(s, x)
		_ = s.CRPS(.5, Fair)
	}
}
