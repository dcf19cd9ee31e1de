package net

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// gaussianPath is training data with a closed form: x0 ~ N(0, 1) and x1 ~ N(c, s²)
// independent, x_t = (1-t) x0 + t x1, target x1 - x0. The best prediction is
//
//	E[x1 - x0 | x_t = x] = c + ((t s² - (1-t)) / S) (x - t c),  S = (1-t)² + t² s².
type gaussianPath struct{ sd float64 }

func (g gaussianPath) Fill(step int, b *Batch) error {
	rng := rand.New(rand.NewPCG(uint64(step), 5))
	for i := range b.T {
		t, c := rng.Float64(), rng.NormFloat64()
		x0, x1 := rng.NormFloat64(), c+g.sd*rng.NormFloat64()
		b.T[i], b.C[i] = float32(t), float32(c)
		b.X[i] = float32((1-t)*x0 + t*x1)
		b.Y[i], b.W[i] = float32(x1-x0), 1
	}
	return nil
}

func (g gaussianPath) best(x, t, c float64) float64 {
	s := (1-t)*(1-t) + t*t*g.sd*g.sd
	return c + (t*g.sd*g.sd-(1-t))/s*(x-t*c)
}

var pathConfig = Config{Dx: 1, Dc: 1, Dout: 1, Hidden: 16, Blocks: 1, Emb: 8, Fourier: 2, Seed: 1}

// The trained network approaches the conditional expectation.
func TestTrainFindsConditionalExpectation(t *testing.T) {
	g := gaussianPath{0.5}
	n, report, err := Train(t.Context(), pathConfig, TrainOptions{Steps: 1500, Batch: 512, Rate: 1e-2, Average: 0.99}, g)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Compile(n)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 3))
	sum, scale := 0.0, 0.0
	const cases = 64
	for _, tau := range []float64{0.05, 0.3, 0.5, 0.8, 0.95} {
		x, c := make([]float64, cases), make([]float32, cases)
		for i := range x {
			c[i] = float32(rng.NormFloat64())
			x[i] = (1-tau)*rng.NormFloat64() + tau*(float64(c[i])+g.sd*rng.NormFloat64())
		}
		for i, v := range evaluate(p, x, c, cases, 1, tau) {
			want := g.best(x[i], tau, float64(c[i]))
			sum += (v - want) * (v - want)
			scale += want * want
		}
	}
	if r := math.Sqrt(sum / scale); r > 0.05 {
		t.Errorf("relative root mean square distance to the conditional expectation is %.3f", r)
	}
	// The best prediction has loss -E[best²]/2 = -0.732, by integration over t; an
	// untrained network has 0.
	if report.Loss > -0.65 || report.Steps != 1500 {
		t.Errorf("report %+v", report)
	}
}

func TestTrainRepeats(t *testing.T) {
	o := TrainOptions{Steps: 30, Batch: 300}
	want, _, err := Train(t.Context(), pathConfig, o, gaussianPath{0.5})
	if err != nil {
		t.Fatal(err)
	}
	nets := make([]*Net, 3)
	var wg sync.WaitGroup
	for i := range nets {
		wg.Go(func() { nets[i], _, _ = Train(t.Context(), pathConfig, o, gaussianPath{0.5}) })
	}
	wg.Wait()
	for i, n := range nets {
		if n == nil || !slices.Equal(n.Weights, want.Weights) {
			t.Errorf("training %d of several at once differs", i)
		}
	}
	other := pathConfig
	other.Seed++
	n, _, err := Train(t.Context(), other, o, gaussianPath{0.5})
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(n.Weights, want.Weights) {
		t.Error("another seed trains to the same weights")
	}
}

// Interrupting and resuming, through gob, gives the bits of an uninterrupted training.
func TestTrainResumes(t *testing.T) {
	judge := func(step int, n *Net) (float64, error) {
		return math.Abs(float64(step)-40) + float64(n.Weights[0]), nil
	}
	o := TrainOptions{Steps: 70, Batch: 128, Validate: judge, Every: 10}
	want, report, err := Train(t.Context(), pathConfig, o, gaussianPath{0.5})
	if err != nil {
		t.Fatal(err)
	}
	if report.Best.Step != 40 || len(report.Validations) != 8 {
		t.Errorf("report %+v", report)
	}
	var file bytes.Buffer
	save := func(s State) error {
		file.Reset()
		return gob.NewEncoder(&file).Encode(s)
	}
	load := func() *State {
		s := new(State)
		if err := gob.NewDecoder(&file).Decode(s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	ctx, cancel := context.WithCancel(t.Context())
	o.Checkpoint = save
	o.Validate = func(step int, n *Net) (float64, error) {
		if step == 50 {
			cancel()
		}
		return judge(step, n)
	}
	if _, _, err := Train(ctx, pathConfig, o, gaussianPath{0.5}); !errors.Is(err, context.Canceled) {
		t.Fatalf("a cancelled training ends with %v", err)
	}
	o.Resume, o.Validate = load(), judge
	if o.Resume.Step != 50 {
		t.Errorf("state of step %d", o.Resume.Step)
	}
	got, again, err := Train(t.Context(), pathConfig, o, gaussianPath{0.5})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Weights, want.Weights) {
		t.Error("the resumed training differs")
	}
	if !slices.Equal(again.Validations, report.Validations) || again.Loss != report.Loss {
		t.Errorf("reports differ: %+v and %+v", again, report)
	}
	other := pathConfig
	other.Hidden = 8
	if _, _, err := Train(t.Context(), other, o, gaussianPath{0.5}); err == nil {
		t.Error("the state of another network passes")
	}
}

func TestTrainStopsEarly(t *testing.T) {
	var judged []int
	o := TrainOptions{Steps: 500, Batch: 64, Every: 10, Patience: 3, Validate: func(step int, n *Net) (float64, error) {
		judged = append(judged, step)
		return math.Abs(float64(step) - 20), nil
	}}
	n, r, err := Train(t.Context(), pathConfig, o, gaussianPath{0.5})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(judged, []int{0, 10, 20, 30, 40, 50}) || !r.Stopped || r.Steps != 50 || r.Best.Step != 20 {
		t.Errorf("judged at %v, %+v", judged, r)
	}
	short, _, err := Train(t.Context(), pathConfig, TrainOptions{Steps: 500, Batch: 64, Every: 10, Patience: 1, Validate: o.Validate}, gaussianPath{0.5})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(short.Weights, n.Weights) {
		t.Error("the best weights do not come from step 20")
	}
}

// When nothing beats the untrained network it is kept, whose output is 0.
func TestTrainKeepsUntrained(t *testing.T) {
	n, r, err := Train(t.Context(), pathConfig, TrainOptions{Steps: 20, Batch: 64, Every: 5, Validate: func(step int, _ *Net) (float64, error) {
		return float64(step), nil
	}}, gaussianPath{0.5})
	if err != nil {
		t.Fatal(err)
	}
	first, _ := New(pathConfig)
	if r.Best.Step != 0 || !slices.Equal(n.Weights, first.Weights) {
		t.Errorf("kept step %d", r.Best.Step)
	}
}

func TestTrainFaults(t *testing.T) {
	broken := errors.New("broken")
	fill := SourceFunc(gaussianPath{0.5}.Fill)
	o := TrainOptions{Steps: 20, Batch: 32, Every: 5}
	t.Run("source", func(t *testing.T) {
		_, _, err := Train(t.Context(), pathConfig, o, SourceFunc(func(step int, b *Batch) error {
			if step == 7 {
				return broken
			}
			return fill(step, b)
		}))
		if !errors.Is(err, broken) {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("NaN", func(t *testing.T) {
		_, _, err := Train(t.Context(), pathConfig, o, SourceFunc(func(step int, b *Batch) error {
			err := fill(step, b)
			if step == 7 {
				b.X[3] = float32(math.NaN())
			}
			return err
		}))
		var d *DivergedError
		if !errors.As(err, &d) || d.Step != 7 {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("validate", func(t *testing.T) {
		o := o
		o.Validate = func(int, *Net) (float64, error) { return 0, broken }
		if _, _, err := Train(t.Context(), pathConfig, o, fill); !errors.Is(err, broken) {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("checkpoint", func(t *testing.T) {
		o := o
		o.Checkpoint, o.CheckpointDue = func(State) error { return broken }, func() bool { return true }
		if _, _, err := Train(t.Context(), pathConfig, o, fill); !errors.Is(err, broken) {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("options", func(t *testing.T) {
		for _, o := range []TrainOptions{{Steps: -1}, {Batch: -1}, {Rate: math.NaN()}, {Beta1: 1}, {Average: 2}, {Patience: -1}} {
			if _, _, err := Train(t.Context(), pathConfig, o, fill); err == nil {
				t.Errorf("%+v passes", o)
			}
		}
	})
}

// Masked targets have no influence, whatever they hold.
func TestTrainMasksTargets(t *testing.T) {
	masked := func(y float32) Source {
		return SourceFunc(func(step int, b *Batch) error {
			err := gaussianPath{0.5}.Fill(step, b)
			for i := 0; i < len(b.W); i += 3 {
				b.W[i], b.Y[i] = 0, y
			}
			return err
		})
	}
	o := TrainOptions{Steps: 10, Batch: 40}
	a, _, err := Train(t.Context(), pathConfig, o, masked(float32(math.NaN())))
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := Train(t.Context(), pathConfig, o, masked(5))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.Weights, b.Weights) {
		t.Error("a masked target matters")
	}
}

// A batch in tiles has the gradient of the batch in one piece.
func TestTilesSum(t *testing.T) {
	c := smallConfig
	n := perturbed(t, c)
	b := randomBatch(n.Config, 2*tileLanes+57, 6)
	want := exactLoss(n, b)
	for _, k := range available() {
		tr := &trainer{kernels: k, options: TrainOptions{}.withDefaults(), state: State{Config: n.Config, Weights: slices.Clone(n.Weights)}}
		tr.state.M, tr.state.V = make([]float32, len(n.Weights)), make([]float32, len(n.Weights))
		tr.state.Average = slices.Clone(n.Weights)
		if err := tr.compile(); err != nil {
			t.Fatal(err)
		}
		if err := tr.step(b); err != nil {
			t.Fatal(err)
		}
		if got := float64(tr.tape.loss[0]); math.Abs(got-want) > 1e-5*(1+math.Abs(want)) {
			t.Errorf("%s: loss %g, want %g", k.name(), got, want)
		}
		// Along the gradient the loss rises by the gradient's norm.
		norm := math.Sqrt(k.sumSquares(tr.tape.gradients))
		shifted := func(by float64) float64 {
			m := &Net{Config: n.Config, Weights: slices.Clone(n.Weights)}
			for i, g := range tr.tape.gradients {
				m.Weights[i] += float32(by * float64(g) / norm)
			}
			return exactLoss(m, b)
		}
		if d := (shifted(1e-2) - shifted(-1e-2)) / 2e-2; math.Abs(d-norm) > 1e-3*norm {
			t.Errorf("%s: slope %g, by differences %g", k.name(), norm, d)
		}
		if a := testing.AllocsPerRun(5, func() { _ = tr.step(b) }); a != 0 {
			t.Errorf("%s: %v allocations a step", k.name(), a)
		}
	}
}

// AdamW by hand: with one weight 1, gradient 0.5 twice, rate 0.1 and decay 0.2, the
// normalised moments are 0.5 and 0.25, so that each step subtracts
// 0.1 (0.5/0.5) + 0.1·0.2 w: 1 → 0.88 → 0.7624. The average decays by
// min(0.9, (1+s)/(10+s)): 1 + 9/11 (0.88-1), then + 3/4 (0.7624 - that).
func TestOptimiserByHand(t *testing.T) {
	for _, k := range available() {
		o := TrainOptions{Steps: 1 << 30, Rate: 0.1, Warmup: 1e-12, Decay: 0.2, Average: 0.9}.withDefaults()
		w, m, v, ema := []float32{1, 1}, make([]float32, 2), make([]float32, 2), []float32{1, 1}
		opt := optimiser{kernels: k, options: o, spans: []span{{rows: 1, cols: 1}, {offset: 1, rows: 1, cols: 1, bias: true}}, weights: w, m: m, v: v, ema: ema}
		for s := 1; s <= 2; s++ {
			opt.step([]float32{0.5, -0.5}, s)
		}
		e1 := 1 + 9.0/11*(0.88-1)
		for _, c := range []struct {
			name      string
			got, want float64
		}{
			{"matrix", float64(w[0]), 0.7624},
			{"bias", float64(w[1]), 1.2}, // no decay
			{"average", float64(ema[0]), e1 + 0.75*(0.7624-e1)},
		} {
			if math.Abs(c.got-c.want) > 1e-5 {
				t.Errorf("%s: %s is %g, want %g", k.name(), c.name, c.got, c.want)
			}
		}
		// A gradient of norm 5 is cut to 1: (0.6, 0.8).
		m2 := make([]float32, 2)
		clip := optimiser{kernels: k, options: o, spans: []span{{rows: 1, cols: 2}}, weights: []float32{0, 0}, m: m2, v: make([]float32, 2), ema: []float32{0, 0}}
		if norm := clip.step([]float32{3, 4}, 1); norm != 5 || math.Abs(float64(m2[0])-0.06) > 1e-7 || math.Abs(float64(m2[1])-0.08) > 1e-7 {
			t.Errorf("%s: norm %g, first moment %v", k.name(), norm, m2)
		}
	}
}

func TestRate(t *testing.T) {
	o := TrainOptions{Steps: 1000, Rate: 2, Warmup: 0.1}.withDefaults()
	for step, want := range map[int]float64{1: 0.02, 50: 1, 100: 2, 550: 1.01, 1000: 0.02} {
		if got := o.rate(step); math.Abs(got-want) > 1e-12 {
			t.Errorf("rate of step %d is %g, want %g", step, got, want)
		}
	}
}
