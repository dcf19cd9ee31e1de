// Package sde integrates ordinary and stochastic differential equations
//
//	dX = f(t, X) dt + √(2ε(t)) dW
//
// for a state of n components. It knows a drift and a source of noise, no network
// and no interpolant. Time may run either way: a descending grid integrates
// backward, with noise of variance 2ε|dt|, and the problem then gives the drift of
// the backward equation.
//
// Components are never mixed: with a drift that acts component by component and
// noise that is keyed by component, the result of one does not depend on which
// others share the slice. The one exception is the step control of [Adaptive].
//
// Orders below are in the step h, strong for ODEs and weak (of means of smooth
// functions) for SDEs with additive noise.
package sde
