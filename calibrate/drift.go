package calibrate

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"time"

	"sipipe/calibrate/frame"
	"sipipe/calibrate/score"
	"sipipe/ingest"
)

// Drift says whether the archived statistical forecasts have become worse than they
// were: those of the last seven days with observations against those of the weeks before.
type Drift struct {
	Units      string       // of the variable; empty without any score
	CRPS, Bias score.Change // in units of the variable; bias is forecast minus observation
}

// driftDays is how far back scores are looked at: the blocks of score.ChangeTest.
const driftDays = 91

// leadScore is the mean score of the places of one cycle and lead time.
type leadScore struct {
	Lead       time.Duration
	Cases      int
	CRPS, Bias float64
}

// cycleScores are kept in the store: they take little room, and forecasts a lot.
type cycleScores struct {
	Hash  [32]byte // of forecast and observations
	Units string
	Leads []leadScore
}

const scoresVersion = 1

func (h *History) scoresKey(c time.Time) string { return "scores/" + h.variable + "/" + stamp(c) }

// Drift compares recent archived forecasts with earlier ones, as far as forecasts are in
// the store and observations have come. A day's score is the mean over the lead times
// that are verified on it, each relative to its mean over all days, so that it does not
// matter which are.
func (h *History) Drift(ctx context.Context) (Drift, error) {
	type scored struct {
		day  int
		lead leadScore
	}
	var all []scored
	last, units := 0, ""
	for k, c := range slices.Backward(h.cycles) {
		if last > 0 && int(dayOf(c)) < last-2*driftDays {
			break // even the longest lead times are verified before that
		}
		if err := ctx.Err(); err != nil {
			return Drift{}, err
		}
		s, err := h.scores(ctx, k)
		if err != nil {
			return Drift{}, err
		}
		for _, l := range s.Leads {
			if l.Cases == 0 {
				continue
			}
			day := int(math.Floor(dayOf(c.Add(l.Lead))))
			last, units = max(last, day), s.Units
			all = append(all, scored{day, l})
		}
	}
	all = slices.DeleteFunc(all, func(s scored) bool { return s.day <= last-driftDays })
	change := func(value func(leadScore) float64, positive bool) score.Change {
		sum, n := map[time.Duration]float64{}, map[time.Duration]float64{}
		var mean float64
		for _, s := range all {
			sum[s.lead.Lead] += value(s.lead)
			n[s.lead.Lead]++
			mean += value(s.lead) / float64(len(all))
		}
		daily, count := make([]float64, driftDays), make([]float64, driftDays)
		for _, s := range all {
			i := s.day - last + driftDays - 1
			typical := sum[s.lead.Lead] / n[s.lead.Lead]
			if positive {
				daily[i] += mean * value(s.lead) / typical
			} else {
				daily[i] += mean + value(s.lead) - typical
			}
			count[i]++
		}
		for i := range daily {
			daily[i] /= count[i] // NaN without a value
		}
		return score.ChangeTest(daily, positive)
	}
	return Drift{
		Units: units,
		CRPS:  change(func(s leadScore) float64 { return s.CRPS }, true),
		Bias:  change(func(s leadScore) float64 { return s.Bias }, false),
	}, nil
}

// scores are those of link k; none when it is not in the store.
func (h *History) scores(ctx context.Context, k int) (kept cycleScores, err error) {
	c := h.cycles[k]
	if h.store.Get(h.scoresKey(c), scoresVersion, &kept) == nil && kept.Hash == h.scoresHash(k, kept.Leads) {
		return kept, nil
	}
	kept = cycleScores{}
	a, ok := h.load(k)
	if !ok {
		return kept, nil
	}
	ens, err := h.archive.Ensemble(ctx, h.variable, c)
	if broken := (*ingest.UnusableError)(nil); errors.As(err, &broken) {
		return kept, nil
	}
	if err != nil {
		return kept, err
	}
	kept.Units = ens.Variable.Units
	for l, lead := range a.Leads {
		one := leadScore{Lead: lead}
		obs, err := h.archive.Observed(ctx, h.variable, c.Add(lead))
		if err != nil {
			return kept, err
		}
		if p := a.Lead[l]; obs != nil && p.Mature() && !a.Unlike {
			one.add(ens, p, obs)
		}
		kept.Leads = append(kept.Leads, one)
	}
	kept.Hash = h.scoresHash(k, kept.Leads)
	return kept, h.store.Put(h.scoresKey(c), scoresVersion, &kept)
}

// scoresHash identifies what the scores of a link are made from.
func (h *History) scoresHash(k int, leads []leadScore) (sum [32]byte) {
	d := sha256.New()
	d.Write(h.hashes[k][:])
	for _, l := range leads {
		o := h.archive.ObservedHash(h.variable, h.cycles[k].Add(l.Lead))
		_ = binary.Write(d, binary.LittleEndian, int64(l.Lead))
		d.Write(o[:])
	}
	d.Sum(sum[:0])
	return sum
}

// add takes in the places of one lead time.
func (s *leadScore) add(e *ingest.Ensemble, p *frame.Prediction, obs *ingest.Observed) {
	w := WorkingSpace(e.Variable)
	for i, id := range e.Places.ID {
		at, found := slices.BinarySearch(obs.ID, id)
		if !found || !w.Plausible(obs.Values[at]) {
			continue
		}
		d := w.Distribution(p, i)
		if d == nil {
			continue
		}
		y := float64(obs.Values[at])
		s.CRPS += d.CRPS(y)
		s.Bias += d.Mean() - y
		s.Cases++
	}
	if s.Cases > 0 {
		s.CRPS, s.Bias = s.CRPS/float64(s.Cases), s.Bias/float64(s.Cases)
	}
}
