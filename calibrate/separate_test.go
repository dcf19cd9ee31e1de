package calibrate

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"sipipe/calibrate/interpolant"
	"sipipe/calibrate/net"
	"sipipe/calibrate/noise"
)

// twoRegimes is a world whose truth has two modes.
func twoRegimes(places, members, days int) *world {
	w := newWorld(places, members, days)
	w.observe = func(mean, _, local float64) float64 {
		return mean + math.Copysign(2, local) + 0.4*(local-math.Copysign(0.8, local))
	}
	return w
}

// gathered is the training set of a world's last cycle.
func gathered(t *testing.T, w *world, s Store) *trainingSet {
	t.Helper()
	h, err := NewHistory(w, s, "t2m", HistoryOptions{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	set, err := h.gather(context.Background(), w.cycles[len(w.cycles)-1], 100000)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// A network of one head sees the inputs of a network of both, and its own targets.
func TestRowsOfParts(t *testing.T) {
	set := gathered(t, newWorld(10, 6, 20), newMemory())
	m := &Model{Method: small(), Start: set.start(0.5), Conditions: set.conditions}
	all := make([]int32, set.len())
	for i := range all {
		all[i] = int32(i)
	}
	fill := func(antithetic bool, p part) rows {
		m.Method.Antithetic = antithetic
		b, err := m.batcher(set, all, noise.Seed(3))
		if err != nil {
			t.Fatal(err)
		}
		r := newRows(64, set.conditions.len(), p)
		b.fill(r, 7)
		return r
	}
	both := fill(true, part{0, 2})
	for head := range 2 {
		r := fill(true, part{head, 1})
		if !equalBits(r.x, both.x) || !equalBits(r.t, both.t) || !equalBits(r.c, both.c) {
			t.Errorf("head %d: other inputs", head)
		}
		for i := range r.x {
			if r.y[i] != both.y[2*i+head] || r.w[i] != both.w[2*i+head] {
				t.Fatalf("head %d, row %d: target %v with weight %v, want %v with %v", head, i, r.y[i], r.w[i], both.y[2*i+head], both.w[2*i+head])
			}
		}
	}
	// The denoiser's target is z itself once the Gaussian part is added: the rows of
	// a pair have opposite ones at the same time.
	p, err := m.Method.process()
	if err != nil {
		t.Fatal(err)
	}
	latent := func(r rows, i int) float64 {
		_, _, slope, offset := m.gaussian().Affine(p.Interpolant.At(float64(r.t[i])))
		return float64(r.y[2*i+1]) + slope*float64(r.x[i]) + offset
	}
	single := fill(false, part{0, 2})
	pairs := 0
	for i := 0; i < 64; i += 2 {
		if both.t[i] != both.t[i+1] || math.Abs(latent(both, i)+latent(both, i+1)) > 1e-4 {
			t.Errorf("rows %d and %d are no pair: z = %.4f and %.4f", i, i+1, latent(both, i), latent(both, i+1))
		}
		if single.t[i] == single.t[i+1] {
			pairs++
		}
	}
	if pairs > 0 {
		t.Errorf("%d pairs without antithetic", pairs)
	}
}

// The outputs of separate networks follow each other, head by head.
func TestTileNetOfSeparateNetworks(t *testing.T) {
	set := gathered(t, newWorld(10, 6, 20), newMemory())
	d := set.conditions.len()
	var nets []*net.Net
	for seed := range uint64(2) {
		n, err := net.New(net.Config{Dx: 1, Dc: d, Dout: 1, Hidden: 8, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		for i := range n.Weights {
			n.Weights[i] += 0.01 * float32(i%7)
		}
		nets = append(nets, n)
	}
	x := []float64{-1, 0.5, 2, 0, 1, 1}
	eval := func(programs ...[]*net.Net) []float64 {
		tn, err := newTileNet(programs, &set.conditions, 2, 3)
		if err != nil {
			t.Fatal(err)
		}
		for j := range 2 {
			tn.set(j, set.condition[j*d:(j+1)*d])
		}
		tn.ready(2)
		out := make([]float64, len(programs)*len(x))
		if err := tn.Eval(out, 0.3, x); err != nil {
			t.Fatal(err)
		}
		return out
	}
	want := append(eval(nets[:1]), eval(nets[1:])...)
	if got := eval(nets[:1], nets[1:]); !slices.Equal(got, want) || slices.Equal(want[:6], want[6:]) {
		t.Errorf("%v, want %v", got, want)
	}
}

// Two networks learn what one with two heads does, and beat the frame.
func TestSeparateNetworks(t *testing.T) {
	w, s := twoRegimes(30, 6, 40), newMemory()
	m := small()
	m.MaxSteps = 400
	var loss, gain [2]float64
	for k, separate := range []bool{false, true} {
		m.Separate = separate
		model, _, r := calibrated(t, w, s, w.cycles[39], m, 2, SampleOptions{Members: 10, Draw: DrawStratified})
		if model.Simple() || (model.Second != nil) != separate || len(model.Nets) != m.Folds {
			t.Fatalf("separate %t: %d and %d networks; %s", separate, len(model.Nets), len(model.Second), model.Report.Reason)
		}
		if i := slices.IndexFunc(r.Ensemble.Values, func(v float32) bool { return v != v }); i >= 0 {
			t.Errorf("separate %t: member %d is missing", separate, i)
		}
		for _, l := range model.Report.Losses {
			loss[k] += l / float64(m.Folds)
		}
		gain[k] = model.Report.Candidates[len(weights)-1].Gain / model.Report.Frame
	}
	if loss[1] > 0.8*loss[0] || gain[1] < 0.8*gain[0] || gain[0] < 0.03 {
		t.Errorf("losses %.4f, gains %.3f of the frame (one network, two)", loss, gain)
	}
}

// counting counts what is stored by the first part of its key.
type counting struct {
	*memory
	puts map[string]int
}

func (c counting) Put(key string, version int, v any) error {
	first, _, _ := strings.Cut(key, "/")
	c.puts[first]++
	return c.memory.Put(key, version, v)
}

// Another sampler takes the networks that are there, to the bits of a fresh start;
// another training does not.
func TestNetworksServeAllSamplers(t *testing.T) {
	w := twoRegimes(20, 6, 30)
	s := counting{newMemory(), map[string]int{}}
	o := SampleOptions{Members: 10, Draw: DrawStratified}
	m := small()
	calibrated(t, w, s, w.cycles[29], m, 1, o)
	other := m
	other.Steps, other.Epsilon, other.Scale, other.Solver = 6, "zero", 0, "heun"
	_, _, got := calibrated(t, w, s, w.cycles[29], other, 1, o)
	if s.puts["networks"] != 1 || s.puts["model"] != 2 {
		t.Errorf("stored %v, want the networks once and two models", s.puts)
	}
	if _, _, want := calibrated(t, w, newMemory(), w.cycles[29], other, 1, o); !equalBits(got.Ensemble.Values, want.Ensemble.Values) {
		t.Error("networks that were there give other bits than fresh ones")
	}
	m.Rate /= 2
	if calibrated(t, w, s, w.cycles[29], m, 1, o); s.puts["networks"] != 2 {
		t.Errorf("another rate: stored %v", s.puts)
	}
}

// A mirror starts from the law it ends with.
func TestMirrorStartsFromUnitVariance(t *testing.T) {
	m := &Model{Method: small(), Start: math.Hypot(1, 0.5)}
	m.Method.Path, m.Method.Epsilon = "mirror", "constant"
	p, err := m.Method.process()
	if err != nil {
		t.Fatal(err)
	}
	begin := m.beginning(p)
	a, b := begin.at(1, 0), begin.at(0, 1)
	if math.Abs(a*a+b*b-1) > 1e-12 || p.Interpolant.Kind() != interpolant.Mirror {
		t.Errorf("variance %.4f, want 1", a*a+b*b)
	}
}
