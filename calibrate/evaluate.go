package calibrate

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/floats"

	"sipipe/calibrate/interpolant"
	"sipipe/calibrate/noise"
	"sipipe/calibrate/score"
	"sipipe/calibrate/sde"
)

// The weights of the networks' correction that are tried.
var weights = []float64{0, 0.25, 0.5, 0.75, 1}

// Held-out ensembles: enough members that the fair CRPS of a day has little
// sampling noise, enough cases that all days count.
const (
	heldMembers = 24
	heldCases   = 6000
)

// caution is the number of standard errors by which a correction must beat the
// frame on held-out days: the frame is the safe choice.
const caution = 1.0

// thin leaves about heldCases of the held-out cases.
func (m *Model) thin(s *trainingSet, folds []fold) []fold {
	if m.Method.Joint {
		return s.thinSnapshots(folds)
	}
	total := 0
	for _, f := range folds {
		total += len(f.held)
	}
	stride := max(1, total/heldCases)
	out := make([]fold, len(folds))
	for k, f := range folds {
		for j := 0; j < len(f.held); j += stride {
			out[k].held = append(out[k].held, f.held[j])
		}
	}
	return out
}

// held samples held-out cases with the network that has not seen their days and
// calls visit for each case with its members as normal scores. The same random
// numbers serve all weights.
func (m *Model) held(ctx context.Context, s *trainingSet, folds []fold, weight float64, o TrainOptions, visit func(i int, x []float64)) error {
	p, times, err := m.Method.course()
	if err != nil {
		return err
	}
	var mu sync.Mutex
	h := &heldOut{
		model: m, set: s, process: p, times: times, weight: weight, begin: m.beginning(p),
		key: noise.Seed(o.Seed).Text("held").Text(m.Variable),
		visit: func(cases []int32, x []float64) {
			mu.Lock()
			defer mu.Unlock()
			for j, i := range cases {
				visit(int(i), x[j*heldMembers:(j+1)*heldMembers])
			}
		},
	}
	sample := h.places
	if m.Method.Joint {
		sample = h.snapshots
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, o.Threads))
	for k, f := range folds {
		g.Go(func() error {
			solver, err := m.Method.solver()
			if err != nil {
				return err
			}
			if err := sample(ctx, solver, k, f.held); err != nil {
				return fmt.Errorf("sample held-out cases: %w", err)
			}
			return nil
		})
	}
	return g.Wait()
}

// heldOut samples cases with the networks of a fold; it serves several at a time.
type heldOut struct {
	model   *Model
	set     *trainingSet
	process interpolant.Process
	times   []float64
	weight  float64 // of the networks
	begin   beginning
	key     noise.Key
	visit   func(cases []int32, x []float64) // x [case, member]
}

// places samples cases of fold k, each by itself.
func (h *heldOut) places(ctx context.Context, solver *sde.Solver, k int, cases []int32) error {
	s := h.set
	fl := newField(h.process, h.model.gaussian(), tilePlaces*heldMembers)
	var tn *tileNet
	if h.weight > 0 {
		var err error
		if tn, err = newTileNet(h.model.programs(k), &h.model.Conditions, tilePlaces, heldMembers); err != nil {
			return err
		}
		fl.learned, fl.weight = tn, h.weight
	}
	x := make([]float64, tilePlaces*heldMembers)
	d := s.conditions.len()
	for part := range slices.Chunk(cases, tilePlaces) {
		lanes := x[:len(part)*heldMembers]
		for j, i := range part {
			ck := h.key.Int(int64(i))
			for e := range heldMembers {
				z := ck.Normal(0, e)
				lanes[j*heldMembers+e] = h.begin.at(s.drawStart(int(i), ck.Uniform(1, e)), z)
			}
			if tn != nil {
				tn.set(j, s.condition[int(i)*d:(int(i)+1)*d])
			}
		}
		if tn != nil {
			tn.ready(len(part))
		}
		err := solver.Solve(ctx, lanes, h.times, fl, func(dst []float64, step int) {
			for j, i := range part {
				h.key.Int(int64(i)).Normals(dst[j*heldMembers:(j+1)*heldMembers], uint32(2+step), 0)
			}
		})
		if err != nil {
			return err
		}
		h.visit(part, lanes)
	}
	return nil
}

// weigh chooses Correction: the weight with the largest gain over the frame on
// held-out days after subtracting its standard error, or 0 when none has any.
func (m *Model) weigh(ctx context.Context, s *trainingSet, folds []fold, o TrainOptions) error {
	var base []float64
	best := 0.0
	for _, w := range weights {
		sum, n := make([]float64, s.days), make([]float64, s.days)
		crps := make([]float64, s.len()) // by case, so that the order of work does not matter
		count := make([]bool, s.len())
		err := m.held(ctx, s, m.thin(s, folds), w, o, func(i int, x []float64) {
			members := make([]float32, len(x))
			for e, v := range x {
				members[e] = float32(m.Working.Back(fromScore(v, float64(s.mu[i]), float64(s.sigma[i]), s.family)))
			}
			crps[i], count[i] = score.CRPS(float64(s.observed[i]), members, score.Fair), true
		})
		if err != nil {
			return err
		}
		var mean, total float64
		for i, c := range crps {
			if count[i] {
				sum[s.block[i]] += c
				n[s.block[i]]++
				mean += c
				total++
			}
		}
		mean /= total
		for d := range sum {
			if n[d] > 0 {
				sum[d] /= n[d]
			}
		}
		if base == nil {
			base = sum
			m.Report.Frame = mean
			m.Report.Candidates = append(m.Report.Candidates, Candidate{0, mean, 0, 0})
			continue
		}
		gain, se := meanError(base, sum, n)
		m.Report.Candidates = append(m.Report.Candidates, Candidate{w, mean, gain, se})
		if sure := gain - caution*se; sure > best {
			best, m.Correction = sure, w
		}
	}
	unit := m.Report.Candidates[len(m.Report.Candidates)-1]
	switch {
	case m.Report.Untrained():
		m.Report.Reason = fmt.Sprintf("on %d held-out days training never lowered the loss, so networks are as they began and say nothing: the frame alone", s.days)
	case m.Correction == 0:
		m.Report.Reason = fmt.Sprintf("on %d held-out days no weight of the networks beats the frame by more than its standard error (weight 1: %s): the frame alone", s.days, s.gain(unit, m.Report.Frame))
	default:
		for _, c := range m.Report.Candidates {
			if c.Correction == m.Correction {
				m.Report.Reason = fmt.Sprintf("on %d held-out days the networks with weight %.2f: %s over the frame", s.days, c.Correction, s.gain(c, m.Report.Frame))
			}
		}
	}
	return nil
}

// gain of a candidate in words, in CRPS and its unit.
func (s *trainingSet) gain(c Candidate, frame float64) string {
	unit := " " + s.units
	if s.units == "" || s.units == "1" {
		unit = ""
	}
	return fmt.Sprintf("CRPS gain %.4f ± %.4f%s of %.4f%s", c.Gain, c.Error, unit, frame, unit)
}

// meanError returns the mean over days of a-b and its standard error, widened for
// days that resemble their neighbours by the lag-one correlation.
func meanError(a, b, n []float64) (mean, se float64) {
	var d []float64
	for i := range a {
		if n[i] > 0 {
			d = append(d, a[i]-b[i])
		}
	}
	if len(d) < 2 {
		return 0, math.Inf(1)
	}
	for _, v := range d {
		mean += v / float64(len(d))
	}
	var v0, v1 float64
	for i, v := range d {
		v0 += (v - mean) * (v - mean)
		if i > 0 {
			v1 += (v - mean) * (d[i-1] - mean)
		}
	}
	r := 0.0
	if v0 > 0 {
		r = math.Min(math.Max(v1/v0, 0), 0.9)
	}
	return mean, math.Sqrt(v0 / float64(len(d)-1) / float64(len(d)) * (1 + r) / (1 - r))
}

// dispersionPrior is the sd of the log of Dispersion that is expected before anything
// is known. A few days tell little: their estimate counts as far as its standard
// error is smaller than that.
const dispersionPrior = 0.15

// dispersionSteps halve the interval of its log, 0.76, to 0.0002.
const dispersionSteps = 12

// disperse sets Dispersion so that the spread of held-out ensembles matches their
// error, in the units of the variable. With too few days for a network it stays 1, and
// where a factor on normal scores would also move the probability of the point mass at
// zero and, of a skew variable, the mean.
func (m *Model) disperse(ctx context.Context, s *trainingSet, folds []fold, o TrainOptions) error {
	if s.days < m.Method.MinDays || s.censored {
		return nil
	}
	members := make([][]float64, s.len()) // nil where not sampled: too many cases
	err := m.held(ctx, s, m.thin(s, folds), m.Correction, o, func(i int, x []float64) {
		members[i] = slices.Clone(x)
	})
	if err != nil {
		return err
	}
	// The spread grows with the factor, and faster than it where the variable is a
	// power of the normal score; the error hardly depends on it. se/2 is the error of
	// the logarithm of a factor that the spread is proportional to, else it is less.
	lo, hi, se := math.Log(0.7), math.Log(1.5), 0.0
	for range dispersionSteps {
		middle := (lo + hi) / 2
		var ratio float64
		if ratio, se = m.unspread(s, members, math.Exp(middle)); ratio == 0 {
			return nil
		}
		if ratio > 1 {
			lo = middle
		} else {
			hi = middle
		}
	}
	m.Dispersion = math.Exp((lo + hi) / 2 * shrink(se/2))
	return nil
}

// unspread is the squared error of ensembles whose normal scores are multiplied by
// factor, divided by their variance, and the standard error of its logarithm; 0 if there
// is nothing to divide.
func (m *Model) unspread(s *trainingSet, members [][]float64, factor float64) (ratio, se float64) {
	squared, variance, n := make([]float64, s.days), make([]float64, s.days), make([]float64, s.days)
	var y [heldMembers]float64
	for i, x := range members {
		if x == nil {
			continue
		}
		var mean, v float64
		for e := range x {
			y[e] = m.Working.Back(fromScore(factor*x[e], float64(s.mu[i]), float64(s.sigma[i]), s.family))
			mean += y[e] / float64(len(x))
		}
		for _, e := range y {
			v += (e - mean) * (e - mean) / float64(len(x)-1)
		}
		// The error of the mean of n members has variance v/n on top of that of the
		// true mean.
		d := s.block[i]
		variance[d] += v * (1 + 1/float64(len(x)))
		squared[d] += (float64(s.observed[i]) - mean) * (float64(s.observed[i]) - mean)
		n[d]++
	}
	a, b := floats.Sum(variance), floats.Sum(squared)
	if a == 0 || b == 0 {
		return 0, 0
	}
	// The error of the log of b/a is about that of the mean of daily b/mean b - a/mean a.
	floats.Scale(float64(s.days)/b, squared)
	floats.Scale(float64(s.days)/a, variance)
	_, se = meanError(squared, variance, n)
	return b / a, se
}

// shrink is how much of the log of the dispersion counts, of standard error se.
func shrink(se float64) float64 {
	return dispersionPrior * dispersionPrior / (dispersionPrior*dispersionPrior + se*se)
}

// counter reports progress from several goroutines.
type counter struct {
	mu          sync.Mutex
	done, total int
	report      func(done, total int)
}

func newCounter(total int, report func(done, total int)) *counter {
	return &counter{total: total, report: report}
}

func (c *counter) add() {
	if c.report == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done++
	c.report(c.done, c.total)
}
