package calibrate

import (
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"time"

	"golang.org/x/sync/errgroup"
)

// TrainOptions of Train.
type TrainOptions struct {
	Seed     uint64
	Threads  int // no influence on the result
	Progress func(done, total int)
	// Networks, which may be nil, keeps trained networks by all that shapes them.
	// Neither solver, steps nor epsilon do: with another sampler the networks are
	// taken from there, and only their weight and the dispersion found anew.
	Networks NetworkStore
	// Checkpoints, which may be nil, keeps what training has come to, so that one that
	// is ended goes on where it was, to the same model.
	Checkpoints CheckpointStore
	// Clock says when the next checkpoint is due; it has no influence on the result.
	// nil: networks are kept when they are done, and when ctx ends.
	Clock func() time.Time
	// KeepNetworks of a model that is better off without them, for experiments.
	KeepNetworks bool
}

// NetworkStore keeps trained networks; a [Store] is one.
type NetworkStore interface {
	Put(key string, version int, v any) error
	Get(key string, version int, v any) error
}

// Train makes the model of an anchor: the networks, each blind for one block of
// days; the weight of their correction, chosen on those days; and the dispersion.
// With too few days the model is the frame alone and says so.
func Train(ctx context.Context, h *History, anchor time.Time, m Method, o TrainOptions) (*Model, error) {
	s, err := h.gather(ctx, anchor, m.Capacity)
	if err != nil {
		return nil, fmt.Errorf("gather training cases up to %s: %w", anchor.Format(time.RFC3339), err)
	}
	model := &Model{
		Variable: h.variable, Working: s.working, Method: m,
		Fit:    m.fit(h.variable, o.Seed, anchor, h.available(anchor)),
		Anchor: anchor, From: s.from, To: s.to, Cases: s.len(), Days: s.days, Seed: o.Seed,
		Start: s.start(m.Dress), Conditions: s.conditions, Dispersion: 1,
		Coherence: m.Coherence,
	}
	if s.len() == 0 {
		model.Report.Reason = "no archived forecasts with observations yet: the frame alone"
		return model, nil
	}
	folds := foldsOf(s, m.Folds)
	switch {
	case !m.Interpolant:
		model.Report.Reason = "the interpolant is switched off: the frame alone"
	case s.days < m.MinDays || s.len() < m.MinCases:
		model.Report.Reason = fmt.Sprintf("on the training day, %s, %d cases on %d days are too few for a network (it takes %d on %d): the frame alone",
			anchor.Format(time.DateOnly), s.len(), s.days, m.MinCases, m.MinDays)
	default:
		if m.Joint {
			// Networks are trained with noise as members will have it.
			if err := model.cohere(ctx, s, folds, o); err != nil {
				return nil, err
			}
		}
		fit := m.withoutSampler().fit(h.variable, o.Seed, anchor, h.available(anchor))
		if err := model.learn(ctx, s, folds, fit, o); err != nil {
			return nil, err
		}
		if err := model.weigh(ctx, s, folds, o); err != nil {
			return nil, err
		}
	}
	if err := model.disperse(ctx, s, folds, o); err != nil {
		return nil, err
	}
	if err := model.cohere(ctx, s, folds, o); err != nil {
		return nil, err
	}
	if model.Correction == 0 && !o.KeepNetworks {
		model.Nets, model.Second = nil, nil
	}
	return model, nil
}

// start is the sd of x0: the template's, about its mean of zero, and the dressing's.
func (s *trainingSet) start(dress float64) float64 {
	var q float64
	n := 0
	for _, v := range s.template {
		if v == v {
			q += float64(v) * float64(v)
			n++
		}
	}
	if n == 0 {
		return math.Hypot(1, dress)
	}
	return math.Sqrt(q/float64(n) + dress*dress)
}

// fold is a contiguous block of days that one network has not seen.
type fold struct {
	train, held []int32 // cases
}

// gap is the number of days on either side of a held-out block that its network
// does not see either: neighbouring days are alike.
const gap = 1

// foldsOf cuts the days into n contiguous blocks.
func foldsOf(s *trainingSet, n int) []fold {
	folds := make([]fold, n)
	for k := range folds {
		from, to := int32(s.days*k/n), int32(s.days*(k+1)/n)
		for i, d := range s.block {
			switch {
			case d >= from && d < to:
				folds[k].held = append(folds[k].held, int32(i))
			case d < from-gap || d >= to+gap:
				folds[k].train = append(folds[k].train, int32(i))
			}
		}
	}
	return folds
}

// networksVersion changes with the meaning or layout of stored networks.
const networksVersion = 1

// learn trains the networks of all folds, several at a time, unless they are kept.
func (m *Model) learn(ctx context.Context, s *trainingSet, folds []fold, fit [32]byte, o TrainOptions) error {
	key := fmt.Sprintf("networks/%s/%s-%s", m.Variable, m.Anchor.UTC().Format("20060102"), hex.EncodeToString(fit[:6]))
	var kept struct {
		Fit   [32]byte
		Folds []*learned
	}
	checkpoints := m.checkpoints(fit, o)
	if o.Networks == nil || o.Networks.Get(key, networksVersion, &kept) != nil || kept.Fit != fit || len(kept.Folds) != len(folds) {
		// Whatever is wrong with what is kept, it is made again.
		all, err := m.learnFolds(ctx, s, folds, checkpoints, o)
		if err != nil {
			return err
		}
		kept.Fit, kept.Folds = fit, all
		if o.Networks != nil {
			if err := o.Networks.Put(key, networksVersion, &kept); err != nil {
				return fmt.Errorf("save networks: %w", err)
			}
		}
	}
	if err := checkpoints.discard(len(folds)); err != nil {
		return err
	}
	for _, l := range kept.Folds {
		m.Nets = append(m.Nets, l.Nets[0])
		if len(l.Nets) > 1 {
			m.Second = append(m.Second, l.Nets[1])
		}
		m.Report.Losses, m.Report.Steps = append(m.Report.Losses, l.Loss), append(m.Report.Steps, l.Steps)
	}
	return nil
}

func (m *Model) learnFolds(ctx context.Context, s *trainingSet, folds []fold, c *checkpoints, o TrainOptions) ([]*learned, error) {
	out := make([]*learned, len(folds))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, o.Threads))
	done := newCounter(len(folds), o.Progress)
	for k := range folds {
		g.Go(func() error {
			var err error
			if out[k], err = m.learnFold(ctx, s, folds[k], k, c, o.Seed); err != nil {
				return fmt.Errorf("network %d of %d: %w", k+1, len(folds), err)
			}
			done.add()
			return nil
		})
	}
	return out, g.Wait()
}
