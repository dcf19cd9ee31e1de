package sde

// Problem is an SDE with additive noise.
type Problem interface {
	// Drift writes f(t, x) to dst. dst and x have equal length and do not overlap; x is not changed.
	Drift(dst []float64, t float64, x []float64) error
	// Eps is ε(t) ≥ 0; the noise has variance 2ε per unit time.
	Eps(t float64) float64
}

// Incremental is a problem whose drift is a sum of fields with known weights in
// time, f = Σ w_k(t) f_k(t, x). Integrating the weights over a step instead of
// sampling them removes singular weights, such as γ̇ at the ends.
type Incremental interface {
	Problem
	// Increment writes Σ_k f_k(t, x) ∫ w_k over [from, to] to dst; t is one of from and to.
	Increment(dst []float64, t float64, x []float64, from, to float64) error
	// Spread is the variance of the noise of a step, ∫ 2ε dt over [from, to], not negative.
	Spread(from, to float64) float64
}

// Linear is a problem that is close to one with a linear drift, whose exact steps
// are known: f = linear drift + remainder.
type Linear interface {
	Problem
	// Transition writes, for each component, the exact step of the linear problem
	// over [from, to]: x becomes scale·x + shift + sd·ξ with ξ ~ N(0, 1).
	Transition(scale, shift, sd []float64, from, to float64) error
	// Remainder is Increment of the drift's remainder.
	Remainder(dst []float64, t float64, x []float64, from, to float64) error
}

// Rewinder is a problem that can go back in time by adding noise, for [EDM]'s churn.
type Rewinder interface {
	Problem
	// Rewind returns the earlier time at which the ratio of noise to signal is
	// 1 + growth times that at t, and the map x -> scale·x + sd·ξ that goes there.
	// It returns t, 1, 0 where it cannot.
	Rewind(t, growth float64) (back, scale, sd float64, err error)
}

// Noise writes to dst independent standard normals, one a component, for a step.
// Components may be correlated with each other, never across steps. A step is
// asked for once; the numbers are 0, 1, … in order of use.
type Noise func(dst []float64, step int)

// Ender is a problem that knows more of its end than its drift, for the last steps [LastEuler] and [LastTweedie].
type Ender interface {
	Problem
	// ODE writes the drift of the ODE with the same marginals, the drift for ε = 0.
	ODE(dst []float64, t float64, x []float64) error
	// End writes E[x at the end | x at t].
	End(dst []float64, t float64, x []float64) error
}
