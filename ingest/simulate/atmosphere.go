package simulate

import (
	"context"
	"math"
	"time"
)

const rings = 2

// state holds the slow variables of both rings, each standardised to mean 0 and
// variance 1 over the climate.
type state [rings]slow

// atmosphere is a truth and forecasts of it.
type atmosphere interface {
	// truth is the state at a multiple of the tick within the simulated range.
	truth(valid time.Time) state
	// ensemble fills dst, [lead][member], with a forecast; ideal asks for
	// members drawn from the true conditional distribution in place of raw ones.
	ensemble(dst [][]state, cycle time.Time, ideal bool)
	// correlation of slots of one ring that lie n apart.
	correlation(n int) float64
	// localNoise is the standard deviation, in units of the signal, of noise
	// that a raw member has at each place by itself.
	localNoise() float64
}

// Climate of X_k of the two-scale system with the constants of this package,
// and correlation of X_k with X_{k+n}; from a run of 20,000 time units
// (TestClimate repeats a shorter one).
const (
	climateMean = 3.77
	climateSD   = 5.07
)

// climateCorrelation is the correlation of X_k with X_{k+n}, n = 0 … 4.
var climateCorrelation = [slots/2 + 1]float64{1, 0.015, -0.465, -0.121, 0.310}

// residualModel is the least-squares quartic of the fast variables' forcing on
// X_k and the residual's standard deviation and memory (from its correlation over
// 0.05 time units), from the run that gave the climate (TestParametrisation
// repeats a shorter one). The polynomial is within 1 of the published one, which
// was fitted to differences over a model step (Wilks 2005), for X_k in -2 … 12.
var residualModel = parametrisation{
	polynomial: [5]float64{0.636, 1.2666, -0.00384, -0.00758, 0.000323},
	sd:         1.81,
	memory:     0.0475,
}

const (
	// analysisError is the standard deviation of the analysis about X_k.
	analysisError = 0.6
	// dispersion is the size of the raw ensemble's perturbations in units of
	// those that would make it reliable. Spread over error is that at first,
	// and rises slowly with lead time (to 0.67 at 48 h) as errors saturate.
	dispersion = 0.6
	// spinUp is the time from an arbitrary state to the attractor, time units.
	spinUp = 10.0
)

// lorenz is the two-scale truth and the one-scale model.
type lorenz struct {
	seed  uint64
	leads []time.Duration
	start time.Time // of states
	tick  time.Duration
	// states[i] is the truth at start + i*tick.
	states []state
}

// newLorenz runs the truth from the start of the decade of from to the last
// time needed. States before from are skipped.
func newLorenz(ctx context.Context, o Options, from, to time.Time) (*lorenz, error) {
	tick := o.tick()
	l := &lorenz{seed: o.Seed, leads: o.leads(), start: from, tick: tick}
	l.states = make([]state, to.Sub(from)/tick+1)
	decade := time.Date(from.Year()/10*10, 1, 1, 0, 0, 0, 0, time.UTC)
	done := make(chan error, rings)
	for ring := range rings {
		go func() { done <- l.runTruth(ctx, ring, decade) }()
	}
	var err error
	for range rings {
		if e := <-done; e != nil {
			err = e
		}
	}
	return l, err
}

// runTruth fills one ring of l.states. It advances by whole ticks of one hour,
// so that the trajectory does not depend on the tick.
func (l *lorenz) runTruth(ctx context.Context, ring int, decade time.Time) error {
	s := onAttractor(l.seed, ring, decade)
	hour := dayMTU / 24
	for at, i := decade, 0; i < len(l.states); at = at.Add(time.Hour) {
		if at.Equal(l.start.Add(time.Duration(i) * l.tick)) {
			for k, x := range s.x {
				l.states[i][ring][k] = (x - climateMean) / climateSD
			}
			i++
		}
		if at.Hour() == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		s.advance(hour)
	}
	return nil
}

// onAttractor is the state of a ring at the start of a decade.
func onAttractor(seed uint64, ring int, decade time.Time) *twoScale {
	r := source(seed, forTruth, int64(ring), decade.Unix())
	s := new(twoScale)
	for k := range s.x {
		s.x[k] = climateMean + climateSD*r.NormFloat64()
	}
	for i := range s.y {
		s.y[i] = 0.1 * r.NormFloat64()
	}
	s.advance(spinUp)
	return s
}

func (l *lorenz) truth(valid time.Time) state {
	return l.states[valid.Sub(l.start)/l.tick]
}

// ensemble starts members around a noisy analysis and runs them on:
//
//	analysis = truth + N(0, analysisError^2)
//	member   = analysis + N(0, (f analysisError)^2),  residual sd = f * sd
//
// with f = 1 for the ideal ensemble and f = dispersion for the raw one.
func (l *lorenz) ensemble(dst [][]state, cycle time.Time, ideal bool) {
	size, use := dispersion, forMember
	if ideal {
		size, use = 1, forIdealMember
	}
	model := residualModel
	model.sd *= size
	truth := l.truth(cycle)
	for ring := range rings {
		r := source(l.seed, forAnalysis, cycle.Unix(), int64(ring))
		var analysis slow
		for k := range analysis {
			analysis[k] = climateMean + climateSD*truth[ring][k] + analysisError*r.NormFloat64()
		}
		for member := range dst[0] {
			r := source(l.seed, use, cycle.Unix(), int64(ring), int64(member))
			var s oneScale
			for k := range s.x {
				s.x[k] = analysis[k] + size*analysisError*r.NormFloat64()
				s.e[k] = model.sd * r.NormFloat64()
			}
			lead := time.Duration(0)
			for step, next := range l.leads {
				s.advance((next-lead).Hours()*dayMTU/24, &model, r.NormFloat64)
				lead = next
				for k, x := range s.x {
					dst[step][member][ring][k] = (x - climateMean) / climateSD
				}
			}
		}
	}
}

func (l *lorenz) correlation(n int) float64 {
	n = min(n, slots-n)
	return climateCorrelation[n]
}

func (l *lorenz) localNoise() float64 { return 0.05 }

// martingale is a model of forecast evolution in which what is known of a valid
// time grows by independent Gaussian parts as the lead time shrinks. Slot by
// slot, with V(l) the variance unknown at lead l and l_1 < … < l_K the leads,
//
//	truth(t)     = b + sum_{i=1..K} sqrt(V(l_i) - V(l_{i-1})) u_i,   V(l_0) = 0
//	signal(t, l_j) = b + sum_{i>j} sqrt(V(l_i) - V(l_{i-1})) u_i,    b ~ N(0, 1 - V(l_K))
//	member       = signal + dispersion sqrt(V(l)) e,                 u_i, e ~ N(0, 1)
//
// so truth ~ N(0, 1), and truth given signal is N(signal, V(l)). Older cycles
// know nothing that the newest does not. The ideal ensemble is signal + sqrt(V) e.
type martingale struct {
	seed  uint64
	leads []time.Duration
}

// unknown is V(l) = 0.04 + 0.7 (1 - exp(-l / 72 h)).
func unknown(lead time.Duration) float64 {
	return 0.04 + 0.7*(1-math.Exp(-lead.Hours()/72))
}

// known returns what is known of a valid time at each lead, longest lead first
// summed up; entry 0 is the truth, entry j the signal at lead j.
func (m *martingale) known(valid time.Time) []state {
	n := len(m.leads)
	r := source(m.seed, forInnovation, valid.Unix())
	out := make([]state, n+1)
	add := func(to, from *state, sd float64) {
		for ring := range rings {
			for k := range slots {
				to[ring][k] = from[ring][k] + sd*r.NormFloat64()
			}
		}
	}
	add(&out[n], new(state), math.Sqrt(1-unknown(m.leads[n-1])))
	for j := n - 1; j >= 0; j-- {
		v := unknown(m.leads[j])
		if j > 0 {
			v -= unknown(m.leads[j-1])
		}
		add(&out[j], &out[j+1], math.Sqrt(v))
	}
	return out
}

func (m *martingale) truth(valid time.Time) state { return m.known(valid)[0] }

func (m *martingale) ensemble(dst [][]state, cycle time.Time, ideal bool) {
	size, use := dispersion, forMember
	if ideal {
		size, use = 1, forIdealMember
	}
	for step, lead := range m.leads {
		signal := m.known(cycle.Add(lead))[step+1]
		sd := size * math.Sqrt(unknown(lead))
		for member := range dst[step] {
			r := source(m.seed, use, cycle.Unix(), int64(lead), int64(member))
			for ring := range rings {
				for k := range slots {
					dst[step][member][ring][k] = signal[ring][k] + sd*r.NormFloat64()
				}
			}
		}
	}
}

// conditional gives the distribution of a place's true signal given the mean of
// its raw members' signals: N(weight*mean, variance). The members' mean is the
// signal blurred by (dispersion^2 V)/members, and the signal is N(0, 1 - V).
func (m *martingale) conditional(lead time.Duration, members int) (weight, variance float64) {
	v := unknown(lead)
	blur := dispersion * dispersion * v / float64(members)
	weight = (1 - v) / (1 - v + blur)
	return weight, weight*blur + v
}

func (m *martingale) correlation(n int) float64 {
	if n%slots == 0 {
		return 1
	}
	return 0
}

func (m *martingale) localNoise() float64 { return 0 }
