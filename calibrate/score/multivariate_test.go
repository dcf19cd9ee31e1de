package score

import (
	"math"
	"math/rand/v2"
	"testing"
)

func vectors(t *testing.T, y []float64, x []float32) *Vectors {
	t.Helper()
	v, err := NewVectors(y, x)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEnergyHandWorked(t *testing.T) {
	// Members (3, 4) and (0, 0) against (0, 0): distances 5, 0; between them 5.
	v := vectors(t, []float64{0, 0}, []float32{3, 0, 4, 0})
	near(t, "energy", v.Energy(Empirical), 5./2-5./4, 1e-15)
	near(t, "fair energy", v.Energy(Fair), 0, 1e-15)
	// √|3-4| and √0, mean ½; observed 0.
	near(t, "variogram", v.Variogram(.5, nil), .25, 1e-15)
	near(t, "weighted variogram", v.Variogram(.5, func(i, j int) float64 { return float64(10*i + j) }), 10*.25, 1e-14)
	// (1² + 0)/2 against 0.
	near(t, "madogram order 2", v.Variogram(2, nil), .25, 1e-15)
}

func TestEnergyIdentities(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	const m = 12
	x := make([]float32, m)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	one := vectors(t, []float64{.3}, x)
	for _, e := range []Estimator{Empirical, Fair} {
		near(t, "energy of one component", one.Energy(e), CRPS(.3, x, e), 1e-13)
		// Equal components: the score grows by √2.
		two := vectors(t, []float64{.3, .3}, append(append([]float32{}, x...), x...))
		near(t, "energy of two equal components", two.Energy(e), math.Sqrt2*CRPS(.3, x, e), 1e-13)
		near(t, "variogram of two equal components", two.Variogram(.5, nil), 0, 1e-15)
	}
}

func TestVectorsMissing(t *testing.T) {
	nan := float32(math.NaN())
	// Three components, three members: the second component is not observed, the
	// third has no member; of the first, member 1 is missing.
	v := vectors(t, []float64{1, math.NaN(), 5}, []float32{2, nan, 4, 1, 1, 1, nan, nan, nan})
	if len(v.Y) != 1 || v.Y[0] != 1 || len(v.X) != 2 || v.X[1][0] != 4 {
		t.Fatalf("complete part: %+v", v)
	}
	if _, err := NewVectors([]float64{1, 2}, []float32{1, 2, 3}); err == nil {
		t.Error("ragged ensemble was accepted")
	}
	none := vectors(t, []float64{math.NaN()}, []float32{1, 2})
	if !math.IsNaN(none.Energy(Empirical)) || !math.IsNaN(none.Variogram(.5, nil)) {
		t.Error("no component has a score")
	}
}
