package digits

import (
	"context"
	"fmt"

	"sipipe/calibrate/noise"
	"sipipe/calibrate/sde"
)

// Options of Run. Zero values mean the defaults.
type Options struct {
	Seed       uint64
	Steps      int // of training, default 4000
	Batch      int // default 256
	Components int // principal components, default 60
	Hidden     int // width of the network, default 384
	Judge      int // training steps of the classifier, default that of ClassifierOptions
	Solver     int // steps of the solver, a multiple of 10, default 40
	Shown      int // digits that are followed, default 5
	Progress   func(done, total int)
}

func (o Options) withDefaults() Options {
	set := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	set(&o.Steps, 4000)
	set(&o.Batch, 256)
	set(&o.Components, 60)
	set(&o.Hidden, 384)
	set(&o.Solver, 40)
	set(&o.Shown, 5)
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	return o
}

// Result of Run.
type Result struct {
	Strip    Strip   `json:"-"`
	Loss     float64 `json:"loss"`     // of training, below 0: better than the Gaussian fields
	Variance float64 `json:"variance"` // share of the images' variance that the components hold
	Accuracy float64 `json:"accuracy"` // of the classifier on digits that nobody has seen before
	Morphed  int     `json:"morphed"`  // held-out digits that were turned
	ODE      float64 `json:"ode"`      // shares of them that are called the second digit
	SDE      float64 `json:"sde"`
}

// Share is the share of all results that are called the second digit.
func (r *Result) Share() float64 { return (r.ODE + r.SDE) / 2 }

// Strip is a picture: digits on their way.
type Strip struct {
	Rows, Cols int
	Times      []float64
	Lines      []Line
}

// Line is one digit on its way.
type Line struct {
	Name   string      // "ODE" or "SDE"
	Pixels [][]float64 // [time][pixel], the first is the original
}

// parts of the images: the interpolant is trained on the first, the classifier on
// the second; the rest is seen by nobody before it is morphed and classified.
const (
	interpolantShare = 0.65
	classifierShare  = 0.25
)

// leastImages of a digit that leave a few for each part.
const leastImages = 40

// Run trains an interpolant from images of one digit to those of another, and a
// classifier; turns held-out images of the first by the ODE and by an SDE, and tells
// what the classifier calls them. It is a function of images and options.
func Run(ctx context.Context, from, to *Images, o Options) (*Result, error) {
	o = o.withDefaults()
	if from.Rows != to.Rows || from.Cols != to.Cols {
		return nil, fmt.Errorf("images of %d × %d and of %d × %d pixels; both digits need one size", from.Rows, from.Cols, to.Rows, to.Cols)
	}
	if n := min(len(from.Pixels), len(to.Pixels)); n < leastImages {
		return nil, fmt.Errorf("%d images of a digit are too few; at least %d are needed", n, leastImages)
	}
	from0, from1, from2 := split(from)
	to0, to1, to2 := split(to)
	o.Components = min(o.Components, from0.size(), len(from0.Pixels)+len(to0.Pixels)-1)
	m, err := train(ctx, from0, to0, o)
	if err != nil {
		return nil, err
	}
	judge, err := NewClassifier(ctx, from1, to1, ClassifierOptions{Seed: o.Seed, Steps: o.Judge})
	if err != nil {
		return nil, err
	}
	right := float64(len(from2.Pixels))*(1-judge.Share(from2.Pixels)) + float64(len(to2.Pixels))*judge.Share(to2.Pixels)
	r := &Result{
		Loss: m.report.Loss, Variance: m.basis.shares,
		Accuracy: right / float64(len(from2.Pixels)+len(to2.Pixels)),
		Morphed:  len(from2.Pixels),
		Strip:    Strip{Rows: from.Rows, Cols: from.Cols},
	}
	for k := range shownTimes {
		r.Strip.Times = append(r.Strip.Times, float64(k)/(shownTimes-1))
	}
	o.Shown = min(o.Shown, len(from2.Pixels))
	ode, end, err := m.morph(ctx, from2, 0, o)
	if err != nil {
		return nil, fmt.Errorf("morph by the ODE: %w", err)
	}
	r.ODE = judge.Share(end)
	random, end, err := m.morph(ctx, from2, noisy, o)
	if err != nil {
		return nil, fmt.Errorf("morph by the SDE: %w", err)
	}
	r.SDE = judge.Share(end)
	for i := range o.Shown {
		r.Strip.Lines = append(r.Strip.Lines, Line{"ODE", ode[i]}, Line{"SDE", random[i]})
	}
	return r, nil
}

// noisy is the factor of ε = noisy·γ of the SDE.
const noisy = 4

// shownTimes is the number of columns of a strip.
const shownTimes = 11

// split cuts images into those for the interpolant, for the classifier, and the rest.
func split(s *Images) (interpolant, classifier, rest *Images) {
	n := len(s.Pixels)
	a, b := int(interpolantShare*float64(n)), int((interpolantShare+classifierShare)*float64(n))
	return s.slice(0, a), s.slice(a, b), s.slice(b, n)
}

// morph carries images from t = 0 to 1 with ε = scale·γ. It returns the first o.Shown
// of them on their way, [image][time][pixel], and the ends of all.
func (m *model) morph(ctx context.Context, from *Images, scale float64, o Options) (ways [][][]float64, ends [][]float64, err error) {
	n := len(from.Pixels)
	p, err := m.newProblem(scale, n)
	if err != nil {
		return nil, nil, err
	}
	solver, err := sde.New(sde.Options{Method: "stochastic-heun"})
	if err != nil {
		return nil, nil, err
	}
	key := noise.Seed(o.Seed).Text("digits").Text("morph")
	x := state(m.basis.encodeAll(from))
	ways = make([][][]float64, o.Shown)
	record := func() {
		ends = m.decodeAll(x, n)
		for i := range ways {
			ways[i] = append(ways[i], ends[i])
		}
	}
	record()
	// Each column of the strip is an equal part of the way, in so many steps.
	each := max(1, o.Solver/(shownTimes-1))
	for k := range shownTimes - 1 {
		times, err := sde.Grid{Steps: each, First: float64(k) / (shownTimes - 1), Last: 1 - float64(k+1)/(shownTimes-1)}.Times()
		if err != nil {
			return nil, nil, err
		}
		row := k * each
		if err := solver.Solve(ctx, x, times, p, func(dst []float64, step int) { key.Normals(dst, uint32(row+step), 0) }); err != nil {
			return nil, nil, err
		}
		record()
	}
	return ways, ends, nil
}
