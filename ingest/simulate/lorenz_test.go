package simulate

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"
)

// Without forcing and damping both scales together keep their energy: the
// advection of each and the coupling between them cancel in
//
//	d/dt (sum X^2 + sum Y^2)/2 = F sum X - sum X^2 - c sum Y^2 .
func TestEnergyBudget(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		var s, d twoScale
		want, got, size := 0.0, 0.0, 0.0
		for k := range s.x {
			s.x[k] = 5 * r.NormFloat64()
			want += forcing*s.x[k] - s.x[k]*s.x[k]
		}
		for i := range s.y {
			s.y[i] = r.NormFloat64()
			want -= ratioC * s.y[i] * s.y[i]
		}
		s.tendency(&d)
		for k := range s.x {
			got += s.x[k] * d.x[k]
			size += math.Abs(s.x[k] * d.x[k])
		}
		for i := range s.y {
			got += s.y[i] * d.y[i]
			size += math.Abs(s.y[i] * d.y[i])
		}
		if math.Abs(got-want) > 1e-12*size {
			t.Fatalf("energy changes by %g, the budget says %g", got, want)
		}
	}
}

// A state in which all X_k, and all Y_i, are equal has no advection; one step of
// the derivative is then worked by hand: X = 2, Y = 0.1:
// dX = -2 + 20 - 1*32*0.1 = 14.8, dY = -10*0.1 + 1*2 = 1.
func TestTendencyOfUniformState(t *testing.T) {
	var s, d twoScale
	for k := range s.x {
		s.x[k] = 2
	}
	for i := range s.y {
		s.y[i] = 0.1
	}
	s.tendency(&d)
	for k, v := range d.x {
		if math.Abs(v-14.8) > 1e-12 {
			t.Errorf("dX[%d] = %g, want 14.8", k, v)
		}
	}
	for i, v := range d.y {
		if math.Abs(v-1) > 1e-12 {
			t.Errorf("dY[%d] = %g, want 1", i, v)
		}
	}
}

// One Y alone feeds its neighbours only through products, so that two non-zero
// neighbours show each index of the advection: with Y_5 = 1 and Y_6 = 2,
// -cb Y_{i+1} (Y_{i+2} - Y_{i-1}) is non-zero for i = 4 (-100*1*(2-0)) and
// i = 6 (0, since Y_7 = 0), i = 5: -100*2*(0-0) = 0. Shifted around the ring the
// pattern must stay, across the seam too.
func TestAdvectionOfFastVariablesIsCyclic(t *testing.T) {
	n := slots * fast
	for shift := range n {
		var s, d twoScale
		s.y[shift], s.y[(shift+1)%n] = 1, 2
		s.tendency(&d)
		for i := range n {
			want := -ratioC * s.y[i]
			if i == (shift+n-1)%n {
				want -= 200
			}
			if math.Abs(d.y[i]-want) > 1e-12 {
				t.Fatalf("pair at %d: dY[%d] = %g, want %g", shift, i, d.y[i], want)
			}
		}
	}
}

// The scheme is of fourth order: halving the step divides the error by 16.
func TestOrderOfConvergence(t *testing.T) {
	still := parametrisation{polynomial: residualModel.polynomial}
	run := func(step float64) slow {
		s := oneScale{x: slow{1, 5, -2, 8, 3, 0, 4, 7}}
		for range int(math.Round(0.4 / step)) {
			s.advance(step, &still, nil)
		}
		return s.x
	}
	exact := run(modelStep / 16)
	distance := func(x slow) (d float64) {
		for k := range x {
			d = max(d, math.Abs(x[k]-exact[k]))
		}
		return d
	}
	coarse, fine := distance(run(modelStep)), distance(run(modelStep/2))
	if order := math.Log2(coarse / fine); order < 3.7 || order > 4.3 {
		t.Errorf("errors %.3g and %.3g with half the step: order %.2f, want 4", coarse, fine, order)
	}
}

// climateRun samples X_k and the forcing of the fast variables on it each 0.05
// time units, [time][slot] flattened.
func climateRun(units float64) (xs, forcings []float64) {
	s := onAttractor(11, 0, time.Unix(0, 0))
	for range int(units / 0.05) {
		s.advance(0.05)
		for k, x := range s.x {
			sum := 0.0
			for _, y := range s.y[k*fast : (k+1)*fast] {
				sum += y
			}
			xs, forcings = append(xs, x), append(forcings, coupling*ratioC/ratioB*sum)
		}
	}
	return xs, forcings
}

// 400 time units give the mean of X_k within 0.02 and its standard deviation
// within 0.02 (one standard error, from blocks of a longer run).
func TestClimate(t *testing.T) {
	xs, _ := climateRun(400)
	var sum, squares float64
	product := [slots/2 + 1]float64{}
	for i := 0; i < len(xs); i += slots {
		for k := range slots {
			x := xs[i+k]
			sum += x
			squares += x * x
			for n := range product {
				product[n] += (x - climateMean) * (xs[i+(k+n)%slots] - climateMean)
			}
		}
	}
	n := float64(len(xs))
	mean := sum / n
	sd := math.Sqrt(squares/n - mean*mean)
	near(t, "mean of X", mean, climateMean, 0.06)
	near(t, "standard deviation of X", sd, climateSD, 0.06)
	for i, p := range product {
		near(t, "correlation of slots", p/product[0], climateCorrelation[i], 0.03)
	}
}

func TestParametrisation(t *testing.T) {
	xs, forcings := climateRun(400)
	powers := mat.NewDense(len(xs), 5, nil)
	for i, x := range xs {
		powers.SetRow(i, []float64{1, x, x * x, x * x * x, x * x * x * x})
	}
	var c mat.VecDense
	if err := c.SolveVec(powers, mat.NewVecDense(len(xs), forcings)); err != nil {
		t.Fatal(err)
	}
	fitted := parametrisation{polynomial: [5]float64(c.RawVector().Data)}
	// Wilks (2005) for F = 20.
	published := parametrisation{polynomial: [5]float64{0.262, 1.45, -0.0121, -0.00713, 0.000296}}
	for x := -5.0; x <= 12; x++ {
		near(t, "fitted polynomial", fitted.at(x), residualModel.at(x), 0.15)
		if x >= -2 {
			near(t, "published polynomial", published.at(x), residualModel.at(x), 1)
		}
	}
	var variance, lagged float64
	residual := make([]float64, len(xs))
	for i, x := range xs {
		residual[i] = forcings[i] - residualModel.at(x)
		variance += residual[i] * residual[i]
		if i >= slots {
			lagged += residual[i] * residual[i-slots]
		}
	}
	near(t, "standard deviation of the residual", math.Sqrt(variance/float64(len(xs))), residualModel.sd, 0.05)
	near(t, "correlation over 0.05 time units", lagged/variance, math.Exp(-0.05/residualModel.memory), 0.03)
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %.5g, want %.5g ± %.2g", what, got, want, tolerance)
	}
}
