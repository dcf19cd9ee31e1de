// Package exact holds problems whose answers are known in closed form, to test
// solvers, paths and networks against: Gaussian mixtures carried by an interpolant.
package exact
