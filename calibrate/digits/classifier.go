package digits

import (
	"context"
	"errors"
	"fmt"

	"sipipe/calibrate/net"
	"sipipe/calibrate/noise"
)

// Classifier tells two digits apart: a small perceptron on principal components,
// fitted by least squares to the labels -1 and +1, whose sign decides.
type Classifier struct {
	basis   *basis
	program *net.Program
}

// ClassifierOptions of NewClassifier. Zero values mean the defaults.
type ClassifierOptions struct {
	Seed       uint64
	Steps      int // of training, default 1200
	Components int // principal components, default 60
}

// NewClassifier fits a classifier to images of a first and a second digit.
func NewClassifier(ctx context.Context, first, second *Images, o ClassifierOptions) (*Classifier, error) {
	if first.size() != second.size() || len(first.Pixels) == 0 || len(second.Pixels) == 0 {
		return nil, errors.New("a classifier needs images of both digits, of one size")
	}
	if o.Steps == 0 {
		o.Steps = 1200
	}
	if o.Components == 0 {
		o.Components = 60
	}
	all := append(append([][]float64(nil), first.Pixels...), second.Pixels...)
	o.Components = min(o.Components, len(all)-1, first.size())
	b, err := newBasis(all, o.Components)
	if err != nil {
		return nil, err
	}
	c := &Classifier{basis: b}
	sets := [2][][]float64{c.basis.encodeAll(jitter(first)), c.basis.encodeAll(jitter(second))}
	key := noise.Seed(o.Seed).Text("digits").Text("classifier")
	config := net.Config{Dx: o.Components, Dout: 1, Hidden: 96, Blocks: 1, Seed: o.Seed}
	options := net.TrainOptions{Steps: o.Steps, Batch: 128, Rate: 2e-3, Decay: 1, Average: averaging(o.Steps)}
	n, _, err := net.Train(ctx, config, options, net.SourceFunc(func(step int, batch *net.Batch) error {
		k := key.Int(int64(step))
		for i := range batch.T {
			set := sets[i%2]
			for j, v := range set[k.Index(0, i, len(set))] {
				batch.X[i*o.Components+j] = float32(v)
			}
			// Time plays no part here.
			batch.T[i], batch.W[i], batch.Y[i] = 0, 1, float32(2*(i%2)-1)
		}
		return nil
	}))
	if err != nil {
		return nil, fmt.Errorf("train the classifier: %w", err)
	}
	c.program, err = net.Compile(n)
	return c, err
}

// averaging is the decay of the moving average of weights: over the last quarter of
// short trainings, over 500 steps of long ones.
func averaging(steps int) float64 { return min(0.998, max(0, 1-4/float64(steps))) }

// Share is the share of images that look like the second digit.
func (c *Classifier) Share(images [][]float64) float64 {
	var cond net.Cond
	c.program.Cond(&cond, nil, 1)
	out := make([]float64, len(images))
	x := make([][]float64, len(images))
	for i, p := range images {
		x[i] = c.basis.encode(p)
	}
	c.program.Eval(out, state(x), len(images), c.program.Time(0), &cond, c.program.NewScratch())
	n := 0
	for _, v := range out {
		if v > 0 {
			n++
		}
	}
	return float64(n) / float64(len(images))
}
