package digits

import (
	"context"
	"fmt"
	"math"

	"sipipe/calibrate/interpolant"
	"sipipe/calibrate/net"
	"sipipe/calibrate/noise"
)

// model is a trained interpolant between two sets of images.
type model struct {
	interpolant interpolant.Interpolant
	basis       *basis
	gaussian    []interpolant.Gaussian // by component
	program     *net.Program
	report      net.TrainReport
}

// train fits the networks to images of two digits.
func train(ctx context.Context, from, to *Images, o Options) (*model, error) {
	m := &model{}
	var err error
	if m.interpolant, err = interpolant.New("linear", "quadratic", amplitude); err != nil {
		return nil, err
	}
	if m.basis, err = newBasis(append(append([][]float64(nil), from.Pixels...), to.Pixels...), o.Components); err != nil {
		return nil, err
	}
	t := &trainingSet{model: m, key: noise.Seed(o.Seed).Text("digits"), from: m.basis.encodeAll(jitter(from)), to: m.basis.encodeAll(jitter(to))}
	// Pairs are not independent, but nearly so component by component; what is left
	// the network learns.
	m.gaussian = make([]interpolant.Gaussian, o.Components)
	for k := range m.gaussian {
		g := &m.gaussian[k]
		g.M0, g.S0 = moments(t.from, k)
		g.M1, g.S1 = moments(t.to, k)
	}
	// Components count by their part of the picture: an error of one unit moves
	// pixels by the component's scale. The square root keeps strokes sharp.
	t.weight = make([]float32, o.Components)
	for k, s := range m.basis.scale {
		t.weight[k] = float32(math.Sqrt(s / m.basis.scale[0]))
	}
	config := net.Config{Dx: o.Components, Dout: 2 * o.Components, Hidden: o.Hidden, Blocks: 2, Emb: 32, Seed: o.Seed}
	options := net.TrainOptions{Steps: o.Steps, Batch: o.Batch, Rate: 2e-3, Decay: 1, Average: averaging(o.Steps)}
	n, report, err := net.Train(ctx, config, options, net.SourceFunc(func(step int, b *net.Batch) error {
		o.Progress(step, o.Steps)
		return t.fill(step, b)
	}))
	if err != nil {
		return nil, fmt.Errorf("train the interpolant: %w", err)
	}
	m.report = report
	m.program, err = net.Compile(n)
	return m, err
}

// amplitude of γ = a t(1-t): one standard deviation of noise half-way. The fields are
// smoother than with less, so that fewer digits teach them.
const amplitude = 4

// moments are the mean and standard deviation of a component.
func moments(x [][]float64, k int) (mean, sd float64) {
	for _, v := range x {
		mean += v[k] / float64(len(x))
	}
	for _, v := range x {
		sd += (v[k] - mean) * (v[k] - mean) / float64(len(x))
	}
	// A component that one digit does not have still needs a law.
	return mean, math.Max(math.Sqrt(sd), 0.05)
}

// trainingSet makes batches: random pairs, times that cover [0, 1] evenly, noise.
type trainingSet struct {
	*model
	key      noise.Key
	from, to [][]float64
	weight   []float32
}

// fill implements [net.SourceFunc]. Targets are the residuals of velocity and
// denoiser against the Gaussian fields.
func (t *trainingSet) fill(step int, b *net.Batch) error {
	key := t.key.Int(int64(step))
	n, d := len(b.T), len(t.weight)
	x0s, x1s := t.pairs(key, n)
	z := make([]float64, d)
	for i := range n {
		at := (float64(i) + key.Text("time").Uniform(0, i)) / float64(n)
		b.T[i] = float32(at)
		c := t.interpolant.At(at)
		x0, x1 := x0s[i], x1s[i]
		key.Text("latent").Normals(z, uint32(i), 0)
		for k := range d {
			x := c.X(x0[k], x1[k], z[k])
			vs, vo, es, eo := t.gaussian[k].Affine(c)
			b.X[i*d+k] = float32(x)
			b.Y[i*2*d+k] = float32(c.Velocity(x0[k], x1[k]) - (vs*x + vo))
			b.Y[i*2*d+d+k] = float32(z[k] - (es*x + eo))
			b.W[i*2*d+k], b.W[i*2*d+d+k] = t.weight[k], t.weight[k]
		}
	}
	return nil
}

// problem integrates n images at once. The state is [component, image].
type problem struct {
	*model
	process interpolant.Process
	images  int
	out     []float64
	cond    net.Cond
	scratch *net.Scratch
}

// newProblem is that of n images with ε = scale·γ.
func (m *model) newProblem(scale float64, images int) (*problem, error) {
	d, err := interpolant.NewDiffusion("gamma", scale)
	if err != nil {
		return nil, err
	}
	k := len(m.gaussian)
	p := &problem{
		model: m, images: images,
		process: interpolant.Process{Interpolant: m.interpolant, Diffusion: d},
		out:     make([]float64, 2*k*images),
		scratch: m.program.NewScratch(),
	}
	m.program.Cond(&p.cond, nil, 1)
	return p, nil
}

// Eps implements [sde.Problem].
func (p *problem) Eps(t float64) float64 { return p.process.Eps(t) }

// Drift implements [sde.Problem].
func (p *problem) Drift(dst []float64, t float64, x []float64) error {
	p.program.Eval(p.out, x, p.images, p.program.Time(t), &p.cond, p.scratch)
	c, mix := p.interpolant.At(t), p.process.Drift(t)
	half := len(x)
	for k, g := range p.gaussian {
		vs, vo, es, eo := g.Affine(c)
		for i := k * p.images; i < (k+1)*p.images; i++ {
			dst[i] = mix.Of(vs*x[i]+vo+p.out[i], es*x[i]+eo+p.out[half+i], x[i])
		}
	}
	return nil
}

// state lays out coordinates of images as [component, image].
func state(x [][]float64) []float64 {
	out := make([]float64, 0, len(x)*len(x[0]))
	for k := range x[0] {
		for _, v := range x {
			out = append(out, v[k])
		}
	}
	return out
}

// decodeAll is the images of a state.
func (m *model) decodeAll(x []float64, images int) [][]float64 {
	out := make([][]float64, images)
	v := make([]float64, len(m.gaussian))
	for i := range out {
		for k := range v {
			v[k] = x[k*images+i]
		}
		out[i] = m.basis.decode(v)
	}
	return out
}

// pairSize is the number of images that are paired together.
const pairSize = 64

// pairs draws n pairs. Within each group the images of the second digit are those
// that are nearest to those of the first as a whole, so that a slim, leaning three
// meets a slim, leaning eight; each image is drawn as often as any other.
func (t *trainingSet) pairs(key noise.Key, n int) (from, to [][]float64) {
	for i := range n {
		from = append(from, t.from[key.Text("from").Index(0, i, len(t.from))])
		to = append(to, t.to[key.Text("to").Index(0, i, len(t.to))])
	}
	for first := 0; first < n; first += pairSize {
		a, b := from[first:min(first+pairSize, n)], to[first:min(first+pairSize, n)]
		cost := make([][]float64, len(a))
		for i := range a {
			cost[i] = make([]float64, len(b))
			for j := range b {
				cost[i][j] = t.distance(a[i], b[j])
			}
		}
		chosen := append([][]float64(nil), b...)
		for i, j := range assignment(cost) {
			b[i] = chosen[j]
		}
	}
	return from, to
}

// distance is the squared one of two images.
func (t *trainingSet) distance(a, b []float64) float64 {
	sum := 0.0
	for k, s := range t.basis.scale {
		d := s * (a[k] - b[k])
		sum += d * d
	}
	return sum
}
