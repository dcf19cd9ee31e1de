package net

import (
	"math"
	"math/rand/v2"
	"testing"
)

// smallConfig has sizes that are no multiples of any vector width.
var smallConfig = Config{Dx: 2, Dc: 5, Dout: 3, Hidden: 10, Blocks: 2, Emb: 7, Fourier: 3, Seed: 4}

// perturbed is an untrained network whose every weight is moved, so that the output
// layer and biases matter.
func perturbed(t testing.TB, c Config) *Net {
	t.Helper()
	n, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(c.Seed, 99))
	for i := range n.Weights {
		n.Weights[i] += float32(0.3 * rng.NormFloat64())
	}
	return n
}

func randomBatch(c Config, n int, seed uint64) *Batch {
	rng := rand.New(rand.NewPCG(seed, 1))
	normals := func(k int) []float32 {
		s := make([]float32, k)
		for i := range s {
			s[i] = float32(rng.NormFloat64())
		}
		return s
	}
	b := &Batch{X: normals(n * c.Dx), T: normals(n), C: normals(n * c.Dc), Y: normals(n * c.Dout), W: normals(n * c.Dout)}
	for i := range b.T {
		b.T[i] = float32(rng.Float64())
	}
	for i, w := range b.W {
		b.W[i] = w * w
	}
	return b
}

// exactOutput is the network of doc.go, written out plainly in float64.
func exactOutput(n *Net, x []float32, t float64, c []float32) []float64 {
	return exactSet(n, x, t, c, make([]float32, Coordinates))[0]
}

// exactSet is the network for the places p of a set.
func exactSet(n *Net, x []float32, t float64, c, p []float32) [][]float64 {
	cfg, l := n.Config, newLayout(n.Config)
	places := len(p) / Coordinates
	mul := func(s span, x []float64) []float64 {
		w, y := s.of(n.Weights), make([]float64, s.rows)
		for i := range y {
			for j, v := range x {
				y[i] += float64(w[i*s.cols+j]) * v
			}
		}
		return y
	}
	plus := func(a, b []float64) []float64 {
		y := make([]float64, len(a))
		for i := range y {
			y[i] = a[i] + b[i]
		}
		return y
	}
	wide := func(s []float32) []float64 {
		y := make([]float64, len(s))
		for i, v := range s {
			y[i] = float64(v)
		}
		return y
	}
	act := func(z []float64) []float64 {
		y := make([]float64, len(z))
		for i, v := range z {
			y[i] = v / (1 + math.Exp(-v))
		}
		return y
	}
	lin := func(a affine, x []float64) []float64 { return plus(mul(a.w, x), wide(a.b.of(n.Weights))) }
	phi := []float64{2*t - 1}
	for k := 1; k <= cfg.Fourier; k++ {
		phi = append(phi, math.Sin(math.Pi*float64(k)*t), math.Cos(math.Pi*float64(k)*t))
	}
	embedded := make([][]float64, places)
	film := func(i, place int, u []float64) []float64 {
		m := mul(l.film[i], embedded[place])
		y := make([]float64, len(u))
		for r := range u {
			y[r] = (1+m[r])*u[r] + m[cfg.Hidden+r]
		}
		return act(y)
	}
	h := make([][]float64, places)
	for j := range h {
		embedded[j] = act(lin(l.time[1], act(lin(l.time[0], phi))))
		if cfg.Dc > 0 {
			embedded[j] = append(embedded[j], act(lin(l.cond[1], act(lin(l.cond[0], wide(c[j*cfg.Dc:(j+1)*cfg.Dc])))))...)
		}
		h[j] = film(0, j, lin(l.in, wide(x[j*cfg.Dx:(j+1)*cfg.Dx])))
	}
	for i, a := range l.blocks {
		next := make([][]float64, places)
		for j := range h {
			in := h[j]
			if cfg.Attention > 0 {
				in = append(in[:len(in):len(in)], attended(n, l.attend[i], h, j, p, mul)...)
			}
			next[j] = plus(h[j], film(i+1, j, lin(a, in)))
		}
		h = next
	}
	out := make([][]float64, places)
	for j := range out {
		out[j] = lin(l.out, h[j])
	}
	return out
}

// attended is what place j attends to.
func attended(n *Net, a attention, h [][]float64, j int, p []float32, mul func(span, []float64) []float64) []float64 {
	each := n.Config.Hidden / n.Config.Attention
	out := make([]float64, n.Config.Hidden)
	q := mul(a.q, h[j])
	for head, slope := range a.slopes.of(n.Weights) {
		var sum float64
		part := make([]float64, each)
		for i := range h {
			k, v := mul(a.k, h[i]), mul(a.v, h[i])
			var d, logit float64
			for c := range 3 {
				d += math.Pow(float64(p[Coordinates*i+c]-p[Coordinates*j+c]), 2)
			}
			d = math.Sqrt(d) + math.Abs(float64(p[Coordinates*i+3]-p[Coordinates*j+3]))
			for r := range each {
				logit += k[head*each+r] * q[head*each+r] / math.Sqrt(float64(each))
			}
			w := math.Exp(logit - float64(slope)*d)
			sum += w
			for r := range each {
				part[r] += w * v[head*each+r]
			}
		}
		for r := range each {
			out[head*each+r] = part[r] / sum
		}
	}
	return out
}

// exactLoss is the loss of a batch in float64.
func exactLoss(n *Net, b *Batch) float64 {
	c, sum := n.Config, 0.0
	for i := range b.T {
		p := exactOutput(n, b.X[i*c.Dx:(i+1)*c.Dx], float64(b.T[i]), b.C[i*c.Dc:(i+1)*c.Dc])
		for j, v := range p {
			sum += float64(b.W[i*c.Dout+j]) * (v*v/2 - v*float64(b.Y[i*c.Dout+j]))
		}
	}
	return sum / float64(len(b.T)*c.Dout)
}

func TestUntrainedIsZero(t *testing.T) {
	for _, c := range []Config{smallConfig, {Dx: 1, Dout: 2}, {Dx: 1, Dout: 2, Dc: 3, Blocks: -1, Fourier: -1}} {
		n, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Compile(n)
		if err != nil {
			t.Fatal(err)
		}
		b := randomBatch(n.Config, 33, 1)
		var cond Cond
		p.Cond(&cond, b.C, 33)
		x, dst := make([]float64, 33*c.Dx), make([]float64, 33*c.Dout)
		for i := range x {
			x[i] = float64(b.X[i])
		}
		for i := range dst {
			dst[i] = 9
		}
		p.Eval(dst, x, 1, p.Time(0.4), &cond, p.NewScratch())
		for i, v := range dst {
			if v != 0 {
				t.Fatalf("%+v: output %d of an untrained network is %g", c, i, v)
			}
		}
	}
}

func TestNewDependsOnSeedAlone(t *testing.T) {
	a, _ := New(smallConfig)
	b, _ := New(smallConfig)
	other := smallConfig
	other.Seed++
	c, _ := New(other)
	same := true
	for i := range a.Weights {
		if a.Weights[i] != b.Weights[i] {
			t.Fatalf("weight %d differs between equal seeds", i)
		}
		same = same && a.Weights[i] == c.Weights[i]
	}
	if same {
		t.Error("another seed gives the same weights")
	}
}

func TestConfigValidate(t *testing.T) {
	for _, c := range []Config{{}, {Dx: 1}, {Dout: 1}, {Dx: 1, Dout: 1, Dc: -1}, {Dx: 1, Dout: 1, Hidden: -3}, {Dx: 1, Dout: 1, Hidden: 1 << 20}, {Dx: 1, Dout: 1, Blocks: 1000}} {
		if c.Validate() == nil {
			t.Errorf("%+v passes", c)
		}
		if _, err := New(c); err == nil {
			t.Errorf("New(%+v) passes", c)
		}
	}
	n := perturbed(t, smallConfig)
	if err := n.Validate(); err != nil {
		t.Error(err)
	}
	n.Weights[3] = float32(math.NaN())
	if n.Validate() == nil {
		t.Error("NaN weight passes")
	}
	n.Weights = n.Weights[1:]
	if n.Validate() == nil {
		t.Error("too few weights pass")
	}
}

func TestFeatures(t *testing.T) {
	dst := make([]float32, 9*3-2)
	for _, x := range []float64{0, 0.25, 0.7, 1} {
		Features(dst, 3, x)
		for i := range 9 {
			want := 2*x - 1
			if k := float64((i + 1) / 2); i > 0 && i%2 == 1 {
				want = math.Sin(math.Pi * k * x)
			} else if i > 0 {
				want = math.Cos(math.Pi * k * x)
			}
			if math.Abs(float64(dst[3*i])-want) > 1e-6 {
				t.Errorf("feature %d at %g is %g, want %g", i, x, dst[3*i], want)
			}
		}
	}
}
