package calibrate

import (
	"context"
	"fmt"
	"math"

	"sipipe/calibrate/interpolant"
	"sipipe/calibrate/sde"
)

// Method chooses the interpolant, its network and its sampler. The zero value is
// not usable; start from DefaultMethod.
type Method struct {
	Interpolant bool // false: the frame alone, sampled exactly

	Path      string  // interpolant.Paths
	Gamma     string  // interpolant.Gammas; "" for paths with a scale of their own
	Amplitude float64 // of gamma
	Heads     string  // interpolant.HeadNames
	Epsilon   string  // interpolant.Diffusions
	Scale     float64 // of epsilon
	Dress     float64 // sd of the noise added to the standardised raw member

	Solver string  // sde.Methods
	Churn  float64 // of solver edm, sde.Options
	Grid   string  // spacing of sde.Grid
	Steps  int
	// FirstTime and LastTime are where the solver's times begin and end, 0 and 1
	// unless the drift is singular there. Last says what is done from LastTime on;
	// up to FirstTime it is the exact ODE of the Gaussian part.
	FirstTime, LastTime float64
	Last                string // sde.ParseLast

	Hidden, Blocks, Embed int
	// Joint: the state of the interpolant is that of all places at a lead time, and
	// networks see them all by Attention heads. Else each place is a state by itself.
	Joint     bool
	Attention int
	// Separate: a network for each head, trained with the loss of that head alone,
	// instead of one network with two outputs. Twice the cost, and neither head
	// bends what the other has in common with it.
	Separate             bool
	Folds                int // networks, each trained without one block of days
	Batch, MaxSteps      int
	Times                string // density of training times, interpolant.NewTimes
	Antithetic           bool   // latents are used with both signs
	Rate, Decay, Dropout float64
	MinDays, MinCases    int // fewer: no network
	Capacity             int // most cases held in memory for training

	// Coherence of members, or what a learned one is pulled towards.
	Coherence      Coherence
	LearnCoherence bool
}

// DefaultMethod is the method of choice; docs/explanation says how each value was
// chosen.
func DefaultMethod() Method {
	return Method{
		Interpolant: true,
		Path:        "linear", Gamma: "quadratic", Amplitude: 1,
		Heads: "v-eta", Epsilon: "gamma", Scale: 5, Dress: 0.5,
		Solver: "exponential", Grid: "uniform", Steps: 10, LastTime: 1, Last: "none",
		Hidden: 32, Blocks: 2, Embed: 16, Attention: 4,
		Folds: 4, Batch: 512, MaxSteps: 1500, Times: "uniform", Antithetic: true,
		Rate: 3e-3, Decay: 0.05,
		MinDays: 12, MinCases: 300, Capacity: 200000,
		Coherence:      Coherence{Regional: 0.1, Range: 127, Height: 874, LeadRange: 24},
		LearnCoherence: true,
	}
}

// withoutSampler is the method with what does not shape the networks left out.
func (m Method) withoutSampler() Method {
	if m.Joint {
		return m // trained with the coherence, which the sampler has a part in
	}
	m.Epsilon, m.Scale, m.Solver, m.Grid, m.Last, m.Steps = "", 0, "", "", "", 0
	m.FirstTime, m.LastTime, m.Churn = 0, 0, 0
	m.Coherence, m.LearnCoherence, m.Attention = Coherence{}, false, 0
	return m
}

// grid describes the times of the solver.
func (m Method) grid() sde.Grid {
	return sde.Grid{Spacing: m.Grid, Steps: m.Steps, First: m.FirstTime, Last: 1 - m.LastTime}
}

// SharesNetworks tells whether two methods have the same networks: they differ in the
// sampler alone.
func (m Method) SharesNetworks(o Method) bool { return m.withoutSampler() == o.withoutSampler() }

// process builds what the names stand for, or says what is wrong with them.
func (m Method) process() (interpolant.Process, error) {
	i, err := interpolant.New(m.Path, m.Gamma, m.Amplitude)
	if err != nil {
		return interpolant.Process{}, err
	}
	h, err := interpolant.ParseHeads(m.Heads)
	if err != nil {
		return interpolant.Process{}, err
	}
	d, err := interpolant.NewDiffusion(m.Epsilon, m.Scale)
	if err != nil {
		return interpolant.Process{}, err
	}
	p := interpolant.Process{Interpolant: i, Heads: h, Diffusion: d}
	return p, p.Validate()
}

// course is the process and the times at which the solver follows it.
func (m Method) course() (interpolant.Process, []float64, error) {
	p, err := m.process()
	if err != nil {
		return p, nil, err
	}
	times, err := m.grid().Times()
	return p, times, err
}

// Validate says what of the method cannot work, and what would. It tries the
// sampler on one small state, which costs microseconds a step.
func (m Method) Validate() error {
	if _, err := m.process(); err != nil {
		return err
	}
	if _, err := interpolant.NewTimes(m.Times, timeMargin); err != nil {
		return err
	}
	for _, c := range []struct {
		name string
		ok   bool
		want string
	}{
		{"steps", m.Steps >= 1, "at least 1"},
		{"dress", m.Dress >= 0, "0 or more"},
		{"hidden", m.Hidden >= 4, "at least 4"},
		{"folds", m.Folds >= 2, "at least 2"},
		{"network.attention", !m.Joint || m.Attention >= 1 && m.Hidden%max(m.Attention, 1) == 0, "a divisor of calibrate.network.hidden with calibrate.model joint"},
		{"network.separate", !m.Joint || !m.Separate, "false with calibrate.model joint"},
		{"capacity", m.Capacity >= m.MinCases, "at least min_cases"},
	} {
		if !c.ok {
			return fmt.Errorf("calibrate.%s must be %s", c.name, c.want)
		}
	}
	s, err := m.sampler(math.Hypot(1, m.Dress))
	if err != nil {
		return err
	}
	return s.Validate(context.Background())
}
