package net

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Batch is one minibatch of n cases, row-major.
type Batch struct {
	X []float32 // [n, Dx] states x_t
	T []float32 // [n] interpolant times
	C []float32 // [n, Dc] conditions
	Y []float32 // [n, Dout] targets
	W []float32 // [n, Dout] weights of the loss, not negative; 0 masks a target, which may be NaN then

	// With attention: where the cases are, and how many of them make a set, one after
	// the other. What comes after the last set is not looked at.
	P    []float32 // [n, Coordinates]
	Sets []int
}

// cases is the number of them.
func (b *Batch) cases() int {
	if b.P == nil {
		return len(b.T)
	}
	n := 0
	for _, s := range b.Sets {
		n += s
	}
	return n
}

// tiles calls f with the first and the number of the cases that run together.
func (b *Batch) tiles(f func(from, n int)) {
	from := 0
	if b.P != nil {
		for _, n := range b.Sets {
			f(from, n)
			from += n
		}
		return
	}
	for ; from < len(b.T); from += tileLanes {
		f(from, min(tileLanes, len(b.T)-from))
	}
}

// Source makes training data.
type Source interface {
	// Fill overwrites every element of b with the batch of a step, counted from 1.
	// It must be a function of step alone if an interrupted training is to resume to
	// the same bits. It is called from one goroutine at a time, ahead of the step.
	Fill(step int, b *Batch) error
}

// SourceFunc is a Source that is a function.
type SourceFunc func(step int, b *Batch) error

// Fill calls f.
func (f SourceFunc) Fill(step int, b *Batch) error { return f(step, b) }

// TrainOptions of Train. Zero values mean the defaults, except where it says so.
type TrainOptions struct {
	Steps int // default 2000
	Batch int // cases a step, default 1024; with attention at most so many
	// Set is the largest number of cases of a set; it is needed with attention.
	Set int

	Rate    float64 // peak learning rate, default 2e-3
	Warmup  float64 // share of the steps in which the rate rises, default 0.1
	Decay   float64 // weight decay of matrices, zero is none
	Clip    float64 // largest norm of the gradient, default 1
	Beta1   float64 // decay of AdamW's first moment, default 0.9
	Beta2   float64 // decay of its second, default 0.99: trainings are short
	Average float64 // decay of the moving average of the weights, default 0.999

	// Validate, when set, judges the averaged weights before the first step, every
	// Every steps (default 100) and after the last. The best ones are kept; training
	// stops after Patience judgements without a better one (zero is never). n belongs
	// to the caller.
	Validate func(step int, n *Net) (loss float64, err error)
	Every    int
	Patience int

	// Checkpoint, when set, is handed the state after each step for which
	// CheckpointDue says so, and when ctx ends. The state belongs to the caller.
	Checkpoint func(State) error
	// CheckpointDue is asked after each step; nil is every 500 steps.
	CheckpointDue func() bool
	// Resume continues from a state of the same configuration, options and source, to
	// the bits of a training that was not interrupted.
	Resume *State
}

func (o TrainOptions) withDefaults() TrainOptions {
	set := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	set(&o.Steps, 2000)
	set(&o.Batch, 1024)
	set(&o.Every, 100)
	setf := func(v *float64, d float64) {
		if *v == 0 {
			*v = d
		}
	}
	setf(&o.Rate, 2e-3)
	setf(&o.Warmup, 0.1)
	setf(&o.Clip, 1)
	setf(&o.Beta1, 0.9)
	setf(&o.Beta2, 0.99)
	setf(&o.Average, 0.999)
	return o
}

func (o TrainOptions) check() error {
	for _, v := range []struct {
		name          string
		value, lo, hi float64
	}{
		{"Steps", float64(o.Steps), 1, math.MaxInt32},
		{"Batch", float64(o.Batch), 1, 1 << 20},
		{"Every", float64(o.Every), 1, math.MaxInt32},
		{"Patience", float64(o.Patience), 0, math.MaxInt32},
		{"Set", float64(o.Set), 0, maxSet},
		{"Rate", o.Rate, 0, 1},
		{"Warmup", o.Warmup, 0, 1},
		{"Decay", o.Decay, 0, 1e3},
		{"Clip", o.Clip, 0, math.MaxFloat64},
		{"Beta1", o.Beta1, 0, 1 - 1e-9},
		{"Beta2", o.Beta2, 0, 1 - 1e-9},
		{"Average", o.Average, 0, 1},
	} {
		if !(v.value >= v.lo && v.value <= v.hi) {
			return fmt.Errorf("training: %s is %v, valid are %v to %v", v.name, v.value, v.lo, v.hi)
		}
	}
	return nil
}

// State is all that a training needs to go on. It is a plain value for gob.
type State struct {
	Config  Config
	Step    int // steps done
	Weights []float32
	M, V    []float32 // AdamW's moments
	Average []float32
	Best    []float32 // the averaged weights with the least validation loss, nil without Validate
	Report  TrainReport
}

func (s State) clone() State {
	s.Weights, s.M, s.V = slices.Clone(s.Weights), slices.Clone(s.M), slices.Clone(s.V)
	s.Average, s.Best = slices.Clone(s.Average), slices.Clone(s.Best)
	s.Report.Validations = slices.Clone(s.Report.Validations)
	return s
}

// TrainReport says how a training went.
type TrainReport struct {
	Steps       int     // steps done
	Stopped     bool    // Patience ended it
	Loss        float64 // moving average of the minibatch loss, over about 100 steps
	Clipped     int     // steps whose gradient was clipped
	Validations []Validation
	Best        Validation // zero without Validate
}

// Validation is one judgement of the averaged weights.
type Validation struct {
	Step int
	Loss float64
}

// DivergedError tells that a loss or gradient was not finite.
type DivergedError struct{ Step int }

func (e *DivergedError) Error() string {
	return fmt.Sprintf("training diverged at step %d: the loss or its gradient is not finite; check the data for NaN, or lower the rate", e.Step)
}

// Train fits a network by weighted regression: it minimises the mean over batch and
// outputs of
//
//	W (p²/2 - p Y),
//
// p being the network's output. Step s uses the batch s of the source. The result
// is a function of the arguments: the same on every run, whatever else runs.
// It uses one thread beside that of the source; several may run at once. When ctx
// ends it returns ctx's error.
func Train(ctx context.Context, c Config, o TrainOptions, data Source) (*Net, TrainReport, error) {
	return train(ctx, c, o, data, fastest())
}

func train(ctx context.Context, c Config, o TrainOptions, data Source, k kernels) (*Net, TrainReport, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, TrainReport{}, err
	}
	first, err := New(c)
	if err != nil {
		return nil, TrainReport{}, err
	}
	t := &trainer{kernels: k, options: o, state: State{
		Config:  first.Config,
		Weights: first.Weights,
		M:       make([]float32, len(first.Weights)),
		V:       make([]float32, len(first.Weights)),
		Average: slices.Clone(first.Weights),
	}}
	if r := o.Resume; r != nil {
		n := len(first.Weights)
		if r.Config != first.Config || len(r.Weights) != n || len(r.M) != n || len(r.V) != n || len(r.Average) != n {
			return nil, TrainReport{}, errors.New("training: the state to resume is of another network; train from the start")
		}
		t.state = r.clone()
	}
	if err := t.compile(); err != nil {
		return nil, TrainReport{}, err
	}
	if err := t.run(ctx, data); err != nil {
		return nil, t.state.Report, err
	}
	n := &Net{Config: t.state.Config, Weights: t.state.Average}
	if t.state.Best != nil {
		n.Weights = t.state.Best
	}
	return n, t.state.Report, nil
}

// trainer is one training.
type trainer struct {
	kernels   kernels
	options   TrainOptions
	state     State
	tape      *tape
	loader    *loader
	optimiser optimiser
}

// compile makes the tape and the optimiser for the state.
func (t *trainer) compile() error {
	c, s := t.state.Config, &t.state
	ld := tileStride
	if c.Attention > 0 {
		ld = lanesOf(max(t.options.Set, 1))
	}
	g, err := newGraph(c, ld, t.kernels)
	if err != nil {
		return err
	}
	if err := g.differentiate(); err != nil {
		return err
	}
	if t.tape, err = newTape(g, s.Weights, t.kernels); err != nil {
		return err
	}
	t.loader = newLoader(t.tape, g)
	t.optimiser = optimiser{
		kernels: t.kernels, options: t.options, spans: newLayout(c).all,
		weights: s.Weights, m: s.M, v: s.V, ema: s.Average,
	}
	return nil
}

// run makes the steps.
func (t *trainer) run(ctx context.Context, data Source) error {
	s := &t.state
	if s.Step == 0 {
		if err := t.validate(); err != nil {
			return err
		}
	}
	feed := newFeed(data, s.Config, t.options.Batch, s.Step+1, t.options.Steps)
	defer feed.close()
	for s.Step < t.options.Steps && !s.Report.Stopped {
		if err := ctx.Err(); err != nil {
			return errors.Join(err, t.checkpoint())
		}
		b, err := feed.next()
		if err != nil {
			return fmt.Errorf("training data of step %d: %w", s.Step+1, err)
		}
		if err := t.step(b); err != nil {
			return err
		}
		feed.release(b)
		if s.Step%t.options.Every == 0 || s.Step == t.options.Steps {
			if err := t.validate(); err != nil {
				return err
			}
		}
		if t.checkpointDue() {
			if err := t.checkpoint(); err != nil {
				return err
			}
		}
	}
	return nil
}

// step makes one step; it does not allocate.
func (t *trainer) step(b *Batch) error {
	s := &t.state
	if s.Config.Attention > 0 {
		for _, n := range b.Sets {
			if n < 1 || n > t.options.Set || b.cases() > len(b.T) {
				return fmt.Errorf("training: a set of %d cases, of at most %d, in a batch of %d", n, t.options.Set, len(b.T))
			}
		}
	}
	b.tiles(func(from, n int) {
		t.tape.run(t.loader.load(b, from, n), from > 0)
	})
	s.Step++
	loss := float64(t.tape.loss[0])
	norm := t.optimiser.step(t.tape.gradients, s.Step)
	if math.IsNaN(loss+norm) || math.IsInf(loss+norm, 0) {
		return &DivergedError{s.Step}
	}
	r := &s.Report
	if norm > t.options.Clip {
		r.Clipped++
	}
	r.Steps = s.Step
	r.Loss += (loss - r.Loss) / math.Min(float64(s.Step), 100)
	return nil
}

// validate judges the averaged weights.
func (t *trainer) validate() error {
	if t.options.Validate == nil {
		return nil
	}
	s := &t.state
	n := (&Net{Config: s.Config, Weights: s.Average}).clone()
	loss, err := t.options.Validate(s.Step, n)
	if err != nil {
		return fmt.Errorf("validate at step %d: %w", s.Step, err)
	}
	v := Validation{s.Step, loss}
	r := &s.Report
	r.Validations = append(r.Validations, v)
	if s.Best == nil || loss < r.Best.Loss || math.IsNaN(r.Best.Loss) {
		s.Best, r.Best = append(s.Best[:0], s.Average...), v
		return nil
	}
	stale := 0
	for i := len(r.Validations) - 1; r.Validations[i].Step > r.Best.Step; i-- {
		stale++
	}
	r.Stopped = t.options.Patience > 0 && stale >= t.options.Patience
	return nil
}

// checkpointEvery is the number of steps between two checkpoints unless
// TrainOptions.CheckpointDue says otherwise.
const checkpointEvery = 500

func (t *trainer) checkpointDue() bool {
	if t.options.CheckpointDue != nil {
		return t.options.CheckpointDue()
	}
	return t.state.Step%checkpointEvery == 0
}

func (t *trainer) checkpoint() error {
	if t.options.Checkpoint == nil {
		return nil
	}
	if err := t.options.Checkpoint(t.state.clone()); err != nil {
		return fmt.Errorf("checkpoint at step %d: %w", t.state.Step, err)
	}
	return nil
}
