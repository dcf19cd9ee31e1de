package theory

import (
	"context"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"

	"sipipe/calibrate/internal/exact"
	"sipipe/calibrate/noise"
)

// The pictures' orders are those that the solvers' documentation states.
func TestOrders(t *testing.T) {
	panels, err := Orders(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{
		"euler": 1, "ddim": 1, "euler-maruyama": 1, "heun": 2, "exponential": 2, "stochastic-heun": 2, "ddim-heun": 2,
		"ε = 0 (ODE)": 2, "ε = γ": 2, "ε = 4 γ": 2, "ε = 16 γ": 2,
	}
	for _, p := range panels {
		for _, c := range p.Curves {
			t.Logf("%s: %s: order %.2f, %.2g", p.Title, c.Name, c.Order, c.Error)
			if w, ok := want[c.Name]; ok && math.Abs(c.Order-w) > 0.25 {
				t.Errorf("%s: %s has order %.2f, want %g: %.2g", p.Title, c.Name, c.Order, w, c.Error)
			}
		}
	}
}

// The adaptive solver chooses its own steps, so its error does not depend on the grid.
func TestAdaptive(t *testing.T) {
	p, err := linear("quadratic", 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 8} {
		if e, err := quantileError(context.Background(), "dopri5", n, p); err != nil || e > 1e-6 {
			t.Errorf("%d grid steps: error %.2g, %v", n, e, err)
		}
	}
}

// Whatever ε, the sample ends with the exact law: modes ±0.8 with 35 % and 65 %.
func TestPathsEndAlike(t *testing.T) {
	bundles, density, err := Paths(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bundles {
		upper := 0.0
		for _, v := range b.Final {
			if v > 0 {
				upper += 1 / float64(len(b.Final))
			}
		}
		mean, sd := stat.PopMeanStdDev(b.Final, nil)
		// Mean 0.3·0.8, variance 0.04 + 0.64(1 - 0.09); four standard errors of 5000 draws.
		if math.Abs(upper-0.65) > 0.027 || math.Abs(mean-0.24) > 0.045 || math.Abs(sd-0.789) > 0.02 {
			t.Errorf("ε = %g γ: %.3f in the upper mode, mean %.3f, sd %.3f", b.Scale, upper, mean, sd)
		}
		if len(b.Paths) == 0 || len(b.Paths[0]) != len(b.Times) || b.Paths[0][0] > b.Paths[1][0] {
			t.Errorf("ε = %g γ: paths are not complete or do not start in order", b.Scale)
		}
	}
	// Paths of the ODE do not cross.
	for k := range bundles[0].Times {
		for i := 1; i < len(bundles[0].Paths); i++ {
			if bundles[0].Paths[i][k] <= bundles[0].Paths[i-1][k] {
				t.Fatalf("paths %d and %d of the ODE cross at %g", i-1, i, bundles[0].Times[k])
			}
		}
	}
	for i, row := range density.P {
		sum := 0.0
		for _, p := range row {
			sum += p * (density.X[1] - density.X[0])
		}
		if math.Abs(sum-1) > 0.01 {
			t.Errorf("density at t = %g sums to %.3f", density.Times[i], sum)
		}
	}
}

// Without a latent the law half-way has the four modes of the four pairs of modes;
// with the largest γ it has one.
func TestLatentsFillGaps(t *testing.T) {
	latents, err := Latents()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"γ = 0": 4, "γ = sin²(πt)": 1} {
		for _, l := range latents {
			if l.Name != name {
				continue
			}
			p := l.Density.P[2]
			modes := 0
			for i := 1; i+1 < len(p); i++ {
				if p[i] > p[i-1] && p[i] > p[i+1] {
					modes++
				}
			}
			if l.Density.Times[2] != 0.5 || modes != want {
				t.Errorf("%s: %d modes at t = %g, want %d", name, modes, l.Density.Times[2], want)
			}
		}
	}
}

// disturbed is a problem whose fields are wrong as a model's may be.
type disturbed struct {
	exact.Problem
	v, eta float64 // amplitudes of the waves that are added to velocity and denoiser
}

func (d disturbed) Drift(dst []float64, t float64, x []float64) error {
	c, mix := d.Process.Interpolant.At(t), d.Process.Drift(t)
	for i, xi := range x {
		v, eta := d.Data.Fields(c, xi)
		wave := math.Sin(3 * xi)
		dst[i] = mix.Of(v+d.v*wave, eta+d.eta*wave, xi)
	}
	return nil
}

// What the theory page says of models with errors: a larger ε forgives errors of the
// velocity, and not those of the denoiser, on which the ODE hardly depends here. The
// table of the page is this test's.
func TestModelErrors(t *testing.T) {
	law := exact.Bimodal(start, math.Sqrt(0.91), 0.3, 0.5)
	excess := func(v, eta, scale float64) float64 {
		p, err := linear("quadratic", 1, scale)
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float64, 8000)
		law.Start(p.Interpolant.At(0), x)
		solver, times, err := sampler("stochastic-heun", 32)
		if err != nil {
			t.Fatal(err)
		}
		if err := solver.Solve(context.Background(), x, times, disturbed{exact.New(p, law), v, eta}, normals(noise.Seed(3), 0)); err != nil {
			t.Fatal(err)
		}
		slices.Sort(x)
		end := p.Interpolant.At(1)
		perfect := 0.5616 // ½ E|X - X'| of the two modes, worked by hand
		return law.Excess(end, x) / perfect
	}
	for _, scale := range []float64{0, 1, 5} {
		t.Logf("ε = %g γ: velocity off by 0.1 sin 3x: %.3f %%, denoiser: %.3f %%", scale, 100*excess(0.1, 0, scale), 100*excess(0, 0.1, scale))
	}
	if ode, noisy := excess(0.1, 0, 0), excess(0.1, 0, 5); noisy > ode/5 {
		t.Errorf("error of the velocity: CRPS excess %.5f by the ODE, %.5f with ε = 5 γ", ode, noisy)
	}
	if ode, noisy := excess(0, 0.1, 0), excess(0, 0.1, 5); ode > noisy/5 {
		t.Errorf("error of the denoiser: CRPS excess %.5f by the ODE, %.5f with ε = 5 γ", ode, noisy)
	}
}
