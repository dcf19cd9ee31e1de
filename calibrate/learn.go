package calibrate

import (
	"context"
	"fmt"

	"sipipe/calibrate/interpolant"
	"sipipe/calibrate/net"
	"sipipe/calibrate/noise"
)

// Training times keep off the ends, where a Brownian latent scale has infinite
// slope.
const timeMargin = 1e-3

// A network is judged while it trains on so many held-out rows, at so many times.
const (
	heldRows  = 4096
	heldTimes = 16
)

// Judgements come every so many steps, and training ends after so many without a
// better one: a network that has begun to learn its days by heart gets no better
// on others.
const (
	judgeEvery = 50
	patience   = 6
)

// batcher returns the source of rows from some of the cases.
func (m *Model) batcher(s *trainingSet, cases []int32, key noise.Key) (*batcher, error) {
	p, err := m.Method.process()
	if err != nil {
		return nil, err
	}
	times, err := interpolant.NewTimes(m.Method.Times, timeMargin)
	if err != nil {
		return nil, err
	}
	return &batcher{
		set: s, cases: cases, process: p, gaussian: m.gaussian(), dress: m.Method.Dress,
		times: times, antithetic: m.Method.Antithetic, key: key,
	}, nil
}

// learned is what came of the training of a fold.
type learned struct {
	Nets  []*net.Net // by part
	Loss  float64    // mean over heads
	Steps int        // of all parts
}

// learnFold trains the networks that are blind for fold k, from where the checkpoint
// is.
func (m *Model) learnFold(ctx context.Context, s *trainingSet, f fold, k int, c *checkpoints, seed uint64) (*learned, error) {
	if len(f.train) == 0 || len(f.held) == 0 {
		return nil, fmt.Errorf("a fold of %d training and %d held-out cases", len(f.train), len(f.held))
	}
	key := noise.Seed(seed).Text("training").Text(m.Variable).Int(int64(k))
	at := c.load(k)
	for i, p := range m.Method.parts() {
		if i < len(at.Done.Nets) {
			continue
		}
		n, report, err := m.learnPart(ctx, s, f, p, key, at)
		if err != nil {
			return nil, err
		}
		at.Done.Nets = append(at.Done.Nets, n)
		at.Done.Loss += report.Best.Loss * float64(p.heads) / 2
		at.Done.Steps += report.Steps
		at.Running = nil
		if err := at.save(); err != nil {
			return nil, err
		}
	}
	return &at.Done, nil
}

// learnPart trains one network of a fold, and stops when it gets no better on the
// days of that fold.
func (m *Model) learnPart(ctx context.Context, s *trainingSet, f fold, p part, key noise.Key, at *foldCheckpoint) (*net.Net, net.TrainReport, error) {
	if m.Method.Joint {
		return m.learnJoint(ctx, s, f, p, key, at)
	}
	train, err := m.batcher(s, f.train, key.Text("rows"))
	if err != nil {
		return nil, net.TrainReport{}, err
	}
	held, err := m.batcher(s, f.held, key.Text("held rows"))
	if err != nil {
		return nil, net.TrainReport{}, err
	}
	d := s.conditions.len()
	held.levels = heldTimes
	judge := newRows(heldRows, d, p)
	held.fill(judge, 0)
	weights := key.Text("weights")
	if p.first > 0 {
		weights = weights.Int(int64(p.first))
	}
	o := m.Method.training(at)
	o.Batch = 2 * m.Method.Batch
	o.Validate = func(_ int, n *net.Net) (float64, error) { return judge.loss(n) }
	return net.Train(ctx, m.Method.network(d, p, weights), o, net.SourceFunc(func(step int, b *net.Batch) error {
		train.fill(rows{p, b.X, b.T, b.C, b.Y, b.W}, step)
		return nil
	}))
}

// network is the form of a network of d conditions.
func (m Method) network(d int, p part, weights noise.Key) net.Config {
	return net.Config{
		Dx: 1, Dc: d, Dout: p.heads,
		Hidden: m.Hidden, Blocks: m.Blocks, Emb: m.Embed,
		Seed: uint64(weights.Bits(0, 0)),
	}
}

// training is how networks are trained, going on from a checkpoint.
func (m Method) training(at *foldCheckpoint) net.TrainOptions {
	return net.TrainOptions{
		Steps: m.MaxSteps, Rate: m.Rate, Decay: m.Decay, Average: 0.99,
		Every: judgeEvery, Patience: patience,
		Resume: at.Running, Checkpoint: at.keep, CheckpointDue: at.due,
	}
}

// loss of a network on rows that come in heldTimes runs of equal time: the mean of
// w (h²/2 - h y), which is 0 for a correction that says nothing.
func (r rows) loss(n *net.Net) (float64, error) {
	p, err := net.Compile(n)
	if err != nil {
		return 0, err
	}
	var (
		sum     float64
		cond    net.Cond
		scratch = p.NewScratch()
		run     = len(r.x) / heldTimes
		x, out  = make([]float64, run), make([]float64, r.heads*run)
		d       = len(r.c) / len(r.x)
	)
	for k := range heldTimes {
		from := k * run
		for i := range x {
			x[i] = float64(r.x[from+i])
		}
		p.Cond(&cond, r.c[from*d:(from+run)*d], run)
		p.Eval(out, x, 1, p.Time(float64(r.t[from])), &cond, scratch)
		for i := range run {
			for head := range r.heads {
				j := r.heads*(from+i) + head
				sum += float64(r.w[j]) * interpolant.Loss(out[head*run+i], float64(r.y[j]))
			}
		}
	}
	return sum / float64(r.heads*len(r.x)), nil
}
