package calibrate

import (
	"context"
	"errors"
	"fmt"
	"math"

	"sipipe/calibrate/frame"
	"sipipe/calibrate/interpolant"
	"sipipe/calibrate/sde"
	"sipipe/ingest"
)

// Likelihood says how a value lies in the distribution that a model gives a case.
type Likelihood struct {
	PIT float64 // P(Y <= value)
	// Below is P(Y < value). It differs from PIT where a bound of the variable, such
	// as no rain, has a probability of its own.
	Below float64
	// LogDensity is the natural logarithm of the density at the value, per unit of
	// the variable; where PIT and Below differ, of the probability PIT - Below.
	// -Inf outside the bounds.
	LogDensity float64
}

// Case is one lead and place of a cycle, by index in its ensemble.
type Case struct{ Lead, Place int }

// densitySteps of Heun's method along the ODE: an error of 1e-6 in the PIT, see the
// tests.
const densitySteps = 256

// densityEnd keeps the ODE off t = 0 and 1 in slowed time, where weights such as γ̇
// of a Brownian latent scale are infinite: t = (π·densityEnd/2)², 2e-10.
const densityEnd = 1e-5

// Likelihood evaluates the distribution of a case at some values, in units of the
// variable, without sampling. With x the value's normal score,
//
//	x = Φ⁻¹(F(w(y))) / dispersion
//
// w the working-space transform and F the frame's distribution, the law of x is
// that which the probability-flow ODE makes of N(0, start²), conditional on the
// case, and the density in y is that of x times dx/dy. For a frame alone x is
// standard normal. With learned fields the members of an SDE have this law as far
// as velocity and denoiser are consistent with each other.
func (m *Model) Likelihood(ctx context.Context, ens *ingest.Ensemble, a *Archived, c Case, values []float64) ([]Likelihood, error) {
	if m.Method.Joint && m.Correction > 0 {
		return nil, errors.New("a joint model has no density of one place alone, since its drift depends on all places; use calibrate.model pointwise")
	}
	p := a.Lead[c.Lead]
	if !p.Ready || p.Mu[c.Place] != p.Mu[c.Place] {
		return nil, fmt.Errorf("%s has no statistical forecast at lead time +%g h yet: raw members have no density", ens.Places.ID[c.Place], ens.Leads[c.Lead].Hours())
	}
	w := WorkingSpace(ens.Variable)
	s := scoreMap{w, float64(p.Mu[c.Place]), float64(p.Sigma[c.Place]), m.Dispersion, p.Family}
	// Both ends of the variable's range may be among what is asked for.
	x := make([]float64, 0, len(values)+2)
	for _, y := range values {
		x = append(x, s.score(math.Min(math.Max(y, w.Lower), w.Upper)))
	}
	x = append(x, s.score(w.Lower), s.score(w.Upper))
	cdf, density, err := m.law(ctx, ens, c, p, x)
	if err != nil {
		return nil, err
	}
	n := len(values)
	out := make([]Likelihood, n)
	for i, y := range values {
		l := &out[i]
		switch {
		case y != y:
			*l = Likelihood{y, y, y}
		case y < w.Lower:
			l.LogDensity = math.Inf(-1)
		case y > w.Upper:
			*l = Likelihood{1, 1, math.Inf(-1)}
		case y == w.Lower:
			*l = Likelihood{cdf[n], 0, math.Log(cdf[n])}
		case y == w.Upper:
			*l = Likelihood{1, cdf[n+1], math.Log1p(-cdf[n+1])}
		default:
			*l = Likelihood{cdf[i], cdf[i], density[i] + s.logSlope(y)}
		}
	}
	return out, nil
}

// law returns the distribution function and the log density of a case at normal
// scores before dispersion.
func (m *Model) law(ctx context.Context, ens *ingest.Ensemble, c Case, p *frame.Prediction, x []float64) (cdf, logDensity []float64, err error) {
	cdf, logDensity = make([]float64, len(x)), make([]float64, len(x))
	if m.Simple() {
		for i, v := range x {
			cdf[i], logDensity[i] = normalCDF(v), logNormal(v, 1)
		}
		return cdf, logDensity, nil
	}
	process, err := m.flow()
	if err != nil {
		return nil, nil, err
	}
	f := newField(process, m.gaussian(), len(x))
	// The same case in every lane, as the only member of its own.
	tn, err := newTileNet(m.all(), &m.Conditions, 1, len(x))
	if err != nil {
		return nil, nil, err
	}
	w := WorkingSpace(ens.Variable)
	members := make([]float32, len(ens.Members))
	for i, v := range ens.At(c.Lead, c.Place) {
		members[i] = w.Forward(v)
	}
	lead := ens.Leads[c.Lead]
	tn.condition(0, members, float64(p.Mu[c.Place]), float64(p.Sigma[c.Place]), dayOf(ens.Cycle.Add(lead)), lead.Hours()/24)
	tn.ready(1)
	f.learned, f.weight = tn, m.Correction
	times := make([]float64, densitySteps+1)
	for k := range times {
		times[k] = 1 - densityEnd - (1-2*densityEnd)*float64(k)/densitySteps
	}
	start := make([]float64, len(x))
	for i, v := range x {
		// What lies further out is beyond what a double tells apart from the end.
		start[i] = math.Min(math.Max(v, -farthest), farthest)
		if v != v {
			start[i] = 0
		}
	}
	d := sde.Density{Step: 1e-2} // the network is in single precision
	if err := d.LogRatio(ctx, logDensity, start, times, slowed{f}); err != nil {
		return nil, nil, fmt.Errorf("density of %s at lead time +%g h: %w", ens.Places.ID[c.Place], lead.Hours(), err)
	}
	_, variance := m.gaussian().Moments(process.Interpolant.At(slow(densityEnd)))
	sd := math.Sqrt(variance)
	for i, v := range start {
		cdf[i] = normalCDF(v / sd)
		logDensity[i] += logNormal(v, sd)
		if x[i] != math.Min(math.Max(x[i], -farthest), farthest) {
			logDensity[i] = math.Inf(-1)
		}
	}
	return cdf, logDensity, nil
}

// farthest normal score that is followed along the ODE.
const farthest = 12

// flow is the process of the probability-flow ODE.
func (m *Model) flow() (interpolant.Process, error) {
	ode := m.Method
	ode.Epsilon, ode.Scale, ode.Solver, ode.Last = "zero", 0, "exponential", "none"
	ode.FirstTime, ode.LastTime = 0, 1
	p, err := ode.process()
	switch {
	case err != nil:
	case p.Interpolant.Kind() == interpolant.Mirror:
		err = errors.New("the ODE of a mirror path leads from the law to itself and so tells nothing of it; use path linear")
	default:
		err = ode.Validate()
	}
	if err != nil {
		return p, fmt.Errorf("the model has no density: %w", err)
	}
	return p, nil
}

// slow is the time t = sin²(πs/2), in which a drift that grows as t^-½ and (1-t)^-½
// towards the ends is bounded.
func slow(s float64) float64 { h := math.Sin(math.Pi / 2 * s); return h * h }

// slowed is a problem in slow time.
type slowed struct{ *field }

// Drift implements sde.Problem: f(t, x) dt/ds.
func (p slowed) Drift(dst []float64, s float64, x []float64) error {
	if err := p.field.Drift(dst, slow(s), x); err != nil {
		return err
	}
	rate := math.Pi / 2 * math.Sin(math.Pi*s)
	for i := range dst {
		dst[i] *= rate
	}
	return nil
}

// logNormal is the log density of N(0, sd²).
func logNormal(x, sd float64) float64 {
	x /= sd
	return -x*x/2 - math.Log(sd) - math.Log(2*math.Pi)/2
}

// scoreMap takes values of a case to normal scores before dispersion.
type scoreMap struct {
	working               Working
	mu, sigma, dispersion float64
	family                frame.Family
}

// score of a value within the bounds; infinite where there is no bound.
func (s scoreMap) score(y float64) float64 {
	if math.IsInf(y, 0) {
		return y
	}
	return normalScore(s.forward(y), s.mu, s.sigma, s.family) / s.dispersion
}

// forward is Working.Forward in double precision.
func (s scoreMap) forward(y float64) float64 {
	if s.working.Identity() {
		return y
	}
	return math.Sqrt(y)
}

// logSlope is log d(score)/dy for y inside the bounds.
func (s scoreMap) logSlope(y float64) float64 {
	slope := -math.Log(s.sigma * s.dispersion)
	if !s.working.Identity() {
		slope -= math.Log(2 * math.Sqrt(y))
	}
	if s.family == frame.Logistic {
		// d/dz Φ⁻¹(L(z)) = l(z)/φ(Φ⁻¹(L(z))) with L the logistic distribution and l its density.
		z := (s.forward(y) - s.mu) / s.sigma
		slope += -math.Abs(z) - 2*math.Log1p(math.Exp(-math.Abs(z))) - logNormal(logisticToNormal(z), 1)
	}
	return slope
}
