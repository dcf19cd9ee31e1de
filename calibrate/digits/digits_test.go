package digits

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sipipe/calibrate/interpolant"
	"sipipe/calibrate/net"
	"sipipe/calibrate/noise"
)

// By hand: a move is a move, a lean of half a column a row moves the upper row of
// two by a quarter to the right.
func TestShifted(t *testing.T) {
	s := &Images{Rows: 2, Cols: 3}
	p := []float64{1, 2, 3, 4, 5, 6}
	for _, c := range []struct {
		name        string
		down, right int
		lean        float64
		want        []float64
	}{
		{"stays", 0, 0, 0, p},
		{"down", 1, 0, 0, []float64{0, 0, 0, 1, 2, 3}},
		{"up", -1, 0, 0, []float64{4, 5, 6, 0, 0, 0}},
		{"right", 0, 1, 0, []float64{0, 1, 2, 0, 4, 5}},
		{"left", 0, -1, 0, []float64{2, 3, 0, 5, 6, 0}},
		{"leans", 0, 0, 0.5, []float64{0.75, 1.75, 2.75, 4.25, 5.25, 4.5}},
	} {
		if got := s.shifted(p, c.down, c.right, c.lean); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if n := len(jitter(&Images{2, 3, [][]float64{p}}).Pixels); n != 15 {
		t.Errorf("%d copies, want 3 leans of 5 moves", n)
	}
}

// The assignment costs as little as the best of all permutations.
func TestAssignment(t *testing.T) {
	key := noise.Seed(1)
	for trial := range 40 {
		n := 1 + trial%6
		cost := make([][]float64, n)
		for i := range cost {
			cost[i] = make([]float64, n)
			key.Int(int64(trial)).Normals(cost[i], uint32(i), 0)
		}
		got, used := 0.0, make([]bool, n)
		for i, j := range assignment(cost) {
			if used[j] {
				t.Fatalf("column %d has two partners", j)
			}
			used[j] = true
			got += cost[i][j]
		}
		best := math.Inf(1)
		var search func(i int, sum float64, free []bool)
		search = func(i int, sum float64, free []bool) {
			if i == n {
				best = math.Min(best, sum)
				return
			}
			for j := range n {
				if free[j] {
					free[j] = false
					search(i+1, sum+cost[i][j], free)
					free[j] = true
				}
			}
		}
		search(0, 0, slices.Repeat([]bool{true}, n))
		if math.Abs(got-best) > 1e-12 {
			t.Errorf("%d × %d: cost %v, the least is %v", n, n, got, best)
		}
	}
}

// Coordinates are white, and with all components the image comes back.
func TestBasis(t *testing.T) {
	images := make([][]float64, 30)
	for i := range images {
		images[i] = make([]float64, 4)
		noise.Seed(2).Uniforms(images[i], uint32(i), 0)
	}
	b, err := newBasis(images, 4)
	if err != nil {
		t.Fatal(err)
	}
	square := make([]float64, 4)
	for _, p := range images {
		x := b.encode(p)
		for k, v := range x {
			square[k] += v * v / 30
		}
		for j, v := range b.decode(x) {
			if math.Abs(v-p[j]) > 1e-12 {
				t.Fatalf("pixel %v came back as %v", p[j], v)
			}
		}
	}
	for k, v := range square {
		if math.Abs(v-1) > 1e-10 {
			t.Errorf("component %d has variance %v, want 1", k, v)
		}
	}
	if math.Abs(b.shares-1) > 1e-12 || !slices.IsSortedFunc(b.scale, func(a, b float64) int { return -cmpFloat(a, b) }) {
		t.Errorf("share %v, scales %v: want 1, descending", b.shares, b.scale)
	}
	if _, err := newBasis(images, 5); err == nil {
		t.Error("five components of four pixels were found")
	}
	for _, p := range images {
		p[3] = p[0]
	}
	if _, err := newBasis(images, 4); err == nil || !strings.Contains(err.Error(), "use fewer") {
		t.Errorf("four components of three independent pixels: %v", err)
	}
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Batches depend on the step alone, cover times evenly, and their targets are what
// is left of velocity and latent: with x0, x1 and the step's noise known, x_t less its
// parts is γ z.
func TestFill(t *testing.T) {
	i, err := interpolant.New("linear", "quadratic", amplitude)
	if err != nil {
		t.Fatal(err)
	}
	m := &model{interpolant: i, basis: &basis{scale: []float64{1}}, gaussian: []interpolant.Gaussian{{M0: 1, S0: 2, M1: -1, S1: 0.5}}}
	set := &trainingSet{model: m, key: noise.Seed(3), from: [][]float64{{1.5}}, to: [][]float64{{-0.8}}, weight: []float32{0.7}}
	batch := func(step int) *net.Batch {
		b := &net.Batch{X: make([]float32, 64), T: make([]float32, 64), Y: make([]float32, 128), W: make([]float32, 128)}
		if err := set.fill(step, b); err != nil {
			t.Fatal(err)
		}
		return b
	}
	b := batch(7)
	if !cmp.Equal(b, batch(7)) || cmp.Equal(b, batch(8)) {
		t.Error("a batch is not a function of its step")
	}
	for n, at := range b.T {
		if int(at*64) != n {
			t.Errorf("time %v is not in stratum %d of 64", at, n)
		}
		c := i.At(float64(at))
		vs, vo, es, eo := m.gaussian[0].Affine(c)
		x := float64(b.X[n])
		v, z := float64(b.Y[2*n])+vs*x+vo, float64(b.Y[2*n+1])+es*x+eo
		if math.Abs(v-(-0.8-1.5)) > 1e-4 || math.Abs(c.X(1.5, -0.8, z)-x) > 1e-3 || b.W[2*n+1] != 0.7 {
			t.Errorf("t = %v: velocity %v, latent %v, x %v", at, v, z, x)
		}
	}
}

// A classifier of 150 digits of each kind gets nearly all of the next 100 right.
func TestClassifier(t *testing.T) {
	threes, eights := digit(t, "digit3"), digit(t, "digit8")
	c, err := NewClassifier(t.Context(), threes.slice(0, 150), eights.slice(0, 150), ClassifierOptions{Seed: 1, Steps: 200, Components: 40})
	if err != nil {
		t.Fatal(err)
	}
	if wrong, right := c.Share(threes.Pixels[150:250]), c.Share(eights.Pixels[150:250]); wrong > 0.06 || right < 0.94 {
		t.Errorf("%.2f of threes and %.2f of eights are called eights", wrong, right)
	}
	if _, err := NewClassifier(t.Context(), threes, &Images{Rows: 28, Cols: 28}, ClassifierOptions{}); err == nil {
		t.Error("a classifier without second digits was made")
	}
}

// halved are images of half the size, for tests that need no detail.
func halved(s *Images) *Images {
	out := &Images{Rows: s.Rows / 2, Cols: s.Cols / 2}
	for _, p := range s.Pixels {
		q := make([]float64, out.size())
		for i := range q {
			at := 2*(i/out.Cols)*s.Cols + 2*(i%out.Cols)
			q[i] = (p[at] + p[at+1] + p[at+s.Cols] + p[at+s.Cols+1]) / 4
		}
		out.Pixels = append(out.Pixels, q)
	}
	return out
}

// A small network, trained for seconds, turns most threes into eights; the picture
// starts with the original; the same seed gives the same result and another another.
func TestRun(t *testing.T) {
	threes, eights := halved(digit(t, "digit3").slice(0, 400)), halved(digit(t, "digit8").slice(0, 400))
	o := Options{Seed: 1, Steps: 400, Components: 30, Hidden: 96, Judge: 300, Solver: 20, Shown: 2}
	r, err := Run(t.Context(), threes, eights, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", Result{Loss: r.Loss, Accuracy: r.Accuracy, Morphed: r.Morphed, ODE: r.ODE, SDE: r.SDE})
	if r.Loss > -0.01 || r.Accuracy < 0.94 || r.Morphed != 40 || r.Share() < 0.7 {
		t.Errorf("loss %.3f, accuracy %.3f, %d digits, called eights: ODE %.2f, SDE %.2f", r.Loss, r.Accuracy, r.Morphed, r.ODE, r.SDE)
	}
	if len(r.Strip.Lines) != 4 || r.Strip.Lines[0].Name != "ODE" || r.Strip.Lines[1].Name != "SDE" || len(r.Strip.Times) != shownTimes {
		t.Fatalf("strip of %d lines and %d times", len(r.Strip.Lines), len(r.Strip.Times))
	}
	first := r.Strip.Lines[0].Pixels
	if !slices.Equal(first[0], r.Strip.Lines[1].Pixels[0]) || slices.Equal(first[10], r.Strip.Lines[1].Pixels[10]) {
		t.Error("both ways must start alike and end differently")
	}
	// The first held-out three, but for what 30 components cannot show.
	apart, along := 0.0, 0.0
	for j, v := range threes.Pixels[360] {
		apart += (v - first[0][j]) * (v - first[0][j])
		along += v * v
	}
	if apart > 0.3*along {
		t.Errorf("the first picture is %.2f away from the held-out digit", apart/along)
	}

	o.Steps, o.Hidden, o.Judge = 5, 16, 5
	some := func(seed uint64) *Result {
		o.Seed = seed
		r, err := Run(t.Context(), threes.slice(0, 60), eights.slice(0, 60), o)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if one := some(1); !cmp.Equal(one, some(1)) || cmp.Equal(one, some(2)) {
		t.Error("results must follow from the seed")
	}
}

func TestRunRefuses(t *testing.T) {
	few := &Images{Rows: 2, Cols: 2, Pixels: make([][]float64, 39)}
	if _, err := Run(t.Context(), few, few, Options{}); err == nil || !strings.Contains(err.Error(), "at least 40") {
		t.Errorf("39 images: %v", err)
	}
	if _, err := Run(t.Context(), few, &Images{Rows: 3, Cols: 2}, Options{}); err == nil || !strings.Contains(err.Error(), "one size") {
		t.Errorf("two sizes: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, halved(digit(t, "digit3").slice(0, 60)), halved(digit(t, "digit8").slice(0, 60)), Options{Components: 10}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
