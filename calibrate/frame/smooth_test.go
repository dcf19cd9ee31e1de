package frame

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// curve is a smooth function of two features that no linear one is near to.
func curve(x []float64) float64 { return 2*math.Sin(2*x[0]) + x[0]*x[1] }

// layerOf fits a layer to n rows, one a day, of f plus noise; a share of them has gross
// errors.
func layerOf(t *testing.T, n int, f func([]float64) float64, noise, gross float64) *smooth {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	g := &smooth{}
	for d := range n {
		x := []float64{rng.NormFloat64(), rng.NormFloat64()}
		y := f(x) + noise*rng.NormFloat64()
		if rng.Float64() < gross {
			y += 20
		}
		g.add(float64(d), x, y, 0)
	}
	if err := g.fit(func([]float64, int) float64 { return 0 }); err != nil {
		t.Fatal(err)
	}
	return g
}

// rms difference of a layer from f over the middle of the features.
func (g *smooth) rms(f func([]float64) float64) float64 {
	rng := rand.New(rand.NewPCG(3, 4))
	var sum, n float64
	for range 500 {
		x := []float64{3*rng.Float64() - 1.5, 3*rng.Float64() - 1.5}
		sum += math.Pow(g.at(x)-f(x), 2)
		n++
	}
	return math.Sqrt(sum / n)
}

func TestSmoothLayerFindsACurve(t *testing.T) {
	if r := layerOf(t, 1500, curve, 1, 0).rms(curve); r > 0.35 {
		t.Errorf("rms error %.3f of a curve of rms 1.8 in noise of 1", r)
	}
}

// Where there is nothing to find the layer is small, as of 20 coefficients whose errors are
// 1/sqrt(1500) each.
func TestSmoothLayerOfNoise(t *testing.T) {
	nothing := func([]float64) float64 { return 0 }
	if r := layerOf(t, 1500, nothing, 1, 0).rms(nothing); r > 0.14 {
		t.Errorf("rms %.3f where there is only noise of 1", r)
	}
}

// Least squares would move by 1 where one row in twenty is wrong by 20.
func TestSmoothLayerWithstandsGrossErrors(t *testing.T) {
	if r := layerOf(t, 1500, curve, 1, 0.05).rms(curve); r > 0.45 {
		t.Errorf("rms error %.3f with gross errors", r)
	}
}

// With a knot at every row the layer without weights is the mean of the Gaussian process
// given the rows, k·(K + 1)⁻¹y with K the sum of its three kernels (Rasmussen and Williams
// 2006, equation 2.25); the constant has a prior so wide that it is free.
func TestSmoothLayerIsAGaussianProcess(t *testing.T) {
	const n, free = 60, 1e6
	rng := rand.New(rand.NewPCG(5, 6))
	g := &smooth{}
	for d := range n {
		x := []float64{rng.NormFloat64(), rng.NormFloat64()}
		g.add(float64(d), x, curve(x)+rng.NormFloat64(), 0)
	}
	if err := g.fit(func([]float64, int) float64 { return 0 }); err != nil {
		t.Fatal(err)
	}
	y, ones, a := make([]float64, n), make([]float64, n), mat.NewDense(n, 1+2+n, nil)
	for i := range n {
		y[i], ones[i] = float64(g.Rows.Kept[i].Row.Y), 1
		copy(a.RawRowView(i)[1:], g.Knots[i])
		g.regressors(a.RawRowView(i))
	}
	coef, err := weightedRidge(a, y, ones, g.precision(1))
	if err != nil {
		t.Fatal(err)
	}
	kernel := func(a, b []float64) float64 {
		return free + a[0]*b[0] + a[1]*b[1] + smoothVariance*similar(a, b)
	}
	k := mat.NewSymDense(n, nil)
	for i := range n {
		for j := range i + 1 {
			k.SetSym(i, j, kernel(g.Knots[i], g.Knots[j]))
		}
		k.SetSym(i, i, k.At(i, i)+1)
	}
	var chol mat.Cholesky
	if !chol.Factorize(k) {
		t.Fatal("not positive definite")
	}
	var alpha mat.VecDense
	if err := chol.SolveVecTo(&alpha, mat.NewVecDense(n, y)); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		z := []float64{rng.NormFloat64(), rng.NormFloat64()}
		var want float64
		for i := range n {
			want += kernel(z, g.Knots[i]) * alpha.AtVec(i)
		}
		terms := make([]float64, 1+2+n)
		copy(terms[1:], z)
		g.regressors(terms)
		if got := dot(coef, terms); math.Abs(got-want) > 1e-3 {
			t.Errorf("layer %.6f, process %.6f", got, want)
		}
	}
}

// A frame of years learns what its linear experts cannot: errors that are the product of
// the anomalies of the forecast and of that of the day before.
func TestFrameOfYearsIsNotLinear(t *testing.T) {
	const days = 900
	rms := func(smooth bool) float64 {
		rng := rand.New(rand.NewPCG(7, 8))
		experts := DefaultExperts()
		for k := range experts {
			experts[k].Smooth = experts[k].Smooth && smooth
		}
		f, s := New(Options{Experts: experts, Exchangeable: true}), &Stations{}
		station := s.Lookup([]string{"a"}, []float64{47}, []float64{11}, []float64{500})
		var sum, n, before float64
		for d := range days {
			centre := 280 + 5*rng.NormFloat64()
			c := &Cases{Day: float64(d), Cycle: float64(d) - 1, Station: station, Members: 2}
			c.Values = []float32{float32(centre - 0.5), float32(centre + 0.5)}
			y := centre + (centre-280)*(before-280)/10 + 0.5*rng.NormFloat64()
			before = centre
			p, err := f.Predict(s, c)
			if err != nil {
				t.Fatal(err)
			}
			f.Note(s, c)
			if d >= days*2/3 {
				sum += math.Pow(y-float64(p.Mu[0]), 2)
				n++
			}
			if err := f.Update(s, c, []float32{float32(y)}, p); err != nil {
				t.Fatal(err)
			}
		}
		return math.Sqrt(sum / n)
	}
	linear, smooth := rms(false), rms(true)
	if smooth > 0.8*linear {
		t.Errorf("rms error %.3f with the smooth layer, %.3f without", smooth, linear)
	}
}
