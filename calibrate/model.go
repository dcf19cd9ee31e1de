package calibrate

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"sipipe/calibrate/interpolant"
	"sipipe/calibrate/net"
	"sipipe/calibrate/sde"
)

// Model is a trained interpolant of one variable. Without networks, or with
// Correction 0, sampling gives the frame's distribution exactly.
type Model struct {
	Variable string
	Working  Working
	Method   Method
	// Fit identifies what the model was made from: method, options and every
	// archived forecast and observation. A model whose Fit is not the one asked for
	// does not fit.
	Fit      [32]byte
	Anchor   time.Time // it knows what was available then
	From, To time.Time // valid times of its cases
	Cases    int
	Days     int
	Seed     uint64

	Start      float64 // sd of x0, the dressed template
	Conditions conditions
	Nets       []*net.Net // [fold], of both heads; of the first head alone when there is Second
	Second     []*net.Net // [fold], of the second head; nil unless Method.Separate
	Correction float64    // weight of the networks, 0 … 1, chosen on days they had not seen
	Dispersion float64    // factor on normal scores, learned on days the networks had not seen
	Coherence  Coherence  // of the noise of members
	Report     Report
}

// Report says how a model was chosen. Scores are mean CRPS in units of the
// variable over archived days that the network in question had not seen.
type Report struct {
	Reason     string // in words, why Correction is what it is
	Frame      float64
	Candidates []Candidate
	Losses     []float64 // [fold] on its held-out days, mean of both heads; negative is better than the frame
	Steps      []int     // [fold] of training; with separate networks of both together
}

// Untrained tells that networks were trained and remained as they began, since no step
// lowered the loss on held-out days: they are the frame at any weight.
func (r *Report) Untrained() bool {
	rounding := 1e-9 * r.Frame
	for _, c := range r.Candidates {
		if math.Abs(c.Gain) > rounding || c.Error > rounding {
			return false
		}
	}
	return len(r.Candidates) > 0
}

// Candidate is a weight that was tried.
type Candidate struct {
	Correction float64
	CRPS       float64
	Gain       float64 // mean over days of the frame's CRPS minus this
	Error      float64 // standard error of Gain, by day
}

const modelVersion = 7

func (m *Model) gaussian() interpolant.Gaussian {
	return interpolant.Gaussian{S0: m.Start, S1: 1}
}

// beginning says where members start: its coefficients belong to the standardised
// raw member and to z.
type beginning struct{ template, z float64 }

// beginning of members. A one-sided path starts from z alone. A mirror starts from
// the law it ends with: the raw member is scaled to unit variance, that of x1 as far
// as the frame is right, and the noise of the SDE does the rest. Where the times
// begin later than 0, the state is what the Gaussian part has made of it by then.
func (m *Model) beginning(p interpolant.Process) beginning {
	enter := p.Enter(m.gaussian(), m.Method.FirstTime)
	switch p.Interpolant.Kind() {
	case interpolant.OneSided:
		return beginning{z: enter * p.Interpolant.Start(0, 1)}
	case interpolant.Mirror:
		return beginning{enter / m.Start, enter * m.Method.Dress / m.Start}
	default:
		return beginning{enter, enter * m.Method.Dress}
	}
}

// at is the state at the first time, with z standard normal.
func (b beginning) at(template, z float64) float64 { return b.template*template + b.z*z }

// gaussianSD is the sd of what the Gaussian sampler makes of standard normal noise:
// 1 when the template is as spread as in training.
func (m *Model) gaussianSD(response []float64, spread float64) float64 {
	template := math.Max(m.Start*m.Start-m.Method.Dress*m.Method.Dress, 0)
	return math.Sqrt(response[0]*response[0]*template + spread)
}

func (m Method) solver() (*sde.Solver, error) {
	last, err := sde.ParseLast(m.Last)
	if err != nil {
		return nil, err
	}
	return sde.New(sde.Options{Method: m.Solver, Last: last, Churn: m.Churn})
}

// programs are the networks of some folds, by program: one of both heads, or one
// of each.
func (m *Model) programs(folds ...int) [][]*net.Net {
	var first, second []*net.Net
	for _, k := range folds {
		first = append(first, m.Nets[k])
		if m.Second != nil {
			second = append(second, m.Second[k])
		}
	}
	if second == nil {
		return [][]*net.Net{first}
	}
	return [][]*net.Net{first, second}
}

// all are the networks of all folds.
func (m *Model) all() [][]*net.Net {
	if m.Second == nil {
		return [][]*net.Net{m.Nets}
	}
	return [][]*net.Net{m.Nets, m.Second}
}

// Simple tells whether the model is the frame alone.
func (m *Model) Simple() bool { return m.Correction == 0 || len(m.Nets) == 0 }

// Hash identifies the model's numbers.
func (m *Model) Hash() ([32]byte, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return [32]byte{}, fmt.Errorf("hash the model: %w", err)
	}
	return sha256.Sum256(text), nil
}

// fit identifies what a model trained at an anchor is made from: archive is the
// hash of all that was available then.
func (m Method) fit(variable string, seed uint64, anchor time.Time, archive [32]byte) [32]byte {
	text, err := json.Marshal(struct {
		Version  int
		Variable string
		Method   Method
		Seed     uint64
		Anchor   int64
		Archive  [32]byte
	}{modelVersion, variable, m, seed, anchor.Unix(), archive})
	if err != nil {
		panic("calibrate: " + err.Error()) // plain numbers and strings always marshal
	}
	return sha256.Sum256(text)
}
