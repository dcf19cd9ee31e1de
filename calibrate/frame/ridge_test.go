package frame

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// The solution from moments must be that of the weighted ridge regression on
// standardised features, computed here from the rows themselves.
func TestSolveMatchesRowwiseRidge(t *testing.T) {
	const p, n, days = 3, 240, 12
	rng := rand.New(rand.NewPCG(1, 1))
	m := newMoments(p)
	row := make([]float64, p+2)
	x, y, w := make([][]float64, n), make([]float64, n), make([]float64, n)
	const memory = 5.0
	for d := range days {
		if d > 0 {
			m.discount(decay(1, memory))
		}
		m.Days++
		for k := range n / days {
			i := d*n/days + k
			x[i] = []float64{rng.NormFloat64() + 280, 3 * rng.NormFloat64(), rng.Float64()}
			y[i] = 2 + 0.7*x[i][0] - 0.2*x[i][1] + rng.NormFloat64()
			w[i] = math.Exp(-float64(days-1-d) / memory)
			m.add(x[i], y[i], row)
		}
	}
	const penaltyDays = 0.6
	got, err := m.solve(penaltyDays)
	if err != nil {
		t.Fatal(err)
	}

	var total, dayWeight float64
	mean := make([]float64, p+1)
	for i := range n {
		total += w[i]
		for j := range p {
			mean[j] += w[i] * x[i][j]
		}
		mean[p] += w[i] * y[i]
	}
	for d := range days {
		dayWeight += math.Exp(-float64(d) / memory)
	}
	for j := range mean {
		mean[j] /= total
	}
	sd := make([]float64, p)
	for j := range p {
		for i := range n {
			sd[j] += w[i] * (x[i][j] - mean[j]) * (x[i][j] - mean[j])
		}
		sd[j] = math.Sqrt(sd[j] / total)
	}
	a, b := mat.NewDense(p, p, nil), mat.NewVecDense(p, nil)
	for j := range p {
		for k := range p {
			var s float64
			for i := range n {
				s += w[i] * (x[i][j] - mean[j]) / sd[j] * (x[i][k] - mean[k]) / sd[k]
			}
			if j == k {
				s += penaltyDays * total / dayWeight
			}
			a.Set(j, k, s)
		}
		for i := range n {
			b.SetVec(j, b.AtVec(j)+w[i]*(x[i][j]-mean[j])/sd[j]*(y[i]-mean[p]))
		}
	}
	var beta mat.VecDense
	if err := beta.SolveVec(a, b); err != nil {
		t.Fatal(err)
	}
	for j := range p {
		if want := beta.AtVec(j) / sd[j]; math.Abs(got.Slope[j]-want) > 1e-7 {
			t.Errorf("slope %d: got %.10f, want %.10f", j, got.Slope[j], want)
		}
	}
	var ss float64
	for i := range n {
		r := y[i] - got.at(x[i])
		ss += w[i] * r * r
	}
	if want := ss / total; math.Abs(got.Variance-want) > 1e-6*want {
		t.Errorf("variance: got %.9f, want %.9f", got.Variance, want)
	}
}

func TestSolveIgnoresConstantFeature(t *testing.T) {
	m := newMoments(2)
	row := make([]float64, 4)
	m.Days = 10
	for i := range 10 {
		m.add([]float64{float64(i), 0.579}, 3+2*float64(i), row)
	}
	c, err := m.solve(1e-9)
	if err != nil {
		t.Fatal(err)
	}
	if c.Slope[1] != 0 || math.Abs(c.Slope[0]-2) > 1e-6 || math.Abs(c.Intercept-3) > 1e-5 {
		t.Errorf("got %+v, want y = 3 + 2 x", c)
	}
}
