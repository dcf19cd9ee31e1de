package calibrate

import (
	"context"
	"fmt"
	"math"
	"time"

	"golang.org/x/sync/errgroup"

	"sipipe/calibrate/net"
)

// TrainOptions of Train.
type TrainOptions struct {
	Seed     uint64
	Threads  int // no influence on the result
	Progress func(done, total int)
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
		model.Report.Reason = fmt.Sprintf("%d cases on %d days are too few for a network (it takes %d on %d): the frame alone", s.len(), s.days, m.MinCases, m.MinDays)
	default:
		if err := model.learn(ctx, s, folds, o); err != nil {
			return nil, err
		}
		if err := model.weigh(ctx, s, folds, o); err != nil {
			return nil, err
		}
	}
	if err := model.disperse(ctx, s, folds, o); err != nil {
		return nil, err
	}
	if model.Correction == 0 {
		model.Nets = nil
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

// learn trains the networks, several at a time.
func (m *Model) learn(ctx context.Context, s *trainingSet, folds []fold, o TrainOptions) error {
	m.Nets = make([]*net.Net, len(folds))
	m.Report.Losses, m.Report.Steps = make([]float64, len(folds)), make([]int, len(folds))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, o.Threads))
	done := newCounter(len(folds), o.Progress)
	for k := range folds {
		g.Go(func() error {
			n, loss, steps, err := m.learnFold(ctx, s, folds[k], k, o.Seed)
			if err != nil {
				return fmt.Errorf("network %d of %d: %w", k+1, len(folds), err)
			}
			m.Nets[k], m.Report.Losses[k], m.Report.Steps[k] = n, loss, steps
			done.add()
			return nil
		})
	}
	return g.Wait()
}
