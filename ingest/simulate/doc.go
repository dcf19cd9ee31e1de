// Package simulate writes an archive of forecasts and observations whose truth
// is known: a test bed for calibration and a load generator.
//
// # The atmosphere
//
// Two rings, a southern one (A) and a northern one (B), are each an independent
// realisation of the two-scale system of Lorenz (1996) with the constants of
// Wilks (2005): eight slow variables X_k, 32 fast ones under each. One model
// time unit is five days. The raw ensemble comes from an imperfect model: the
// slow variables alone, the fast ones replaced by a quartic polynomial and an
// AR(1) residual (Wilks 2005). Its members start around a noisy analysis.
// Started with perturbations as large as the analysis error and run with the
// full residual, this ensemble is reliable at all lead times (a test asserts
// it), so it stands for the true conditional distribution given the analysis of
// its cycle: the ideal ensemble, written on request to compare scores with.
// Earlier cycles know a little more, since analysis errors are independent.
// The raw ensemble uses both at a fraction of their size (dispersion), and is
// under-dispersed by that factor.
//
// Kind Gaussian replaces the rings by a martingale model of forecast evolution
// (Heath and Jackson 1994), in which the distribution of the truth given the
// raw ensemble is exactly known; see martingale.
//
// # From rings to places
//
// The rings lie along the two edges of the domain, 10 degrees of longitude a
// slot. Standardised slot values are interpolated to a place at longitude
// position u by cubic convolution and blended by latitude into two signals of
// unit variance, uncorrelated at a place:
//
//	p =  cos(a) A(u) + sin(a) B(u)
//	q = -sin(a) A(u) + cos(a) B(u),   a = 0 in the south, pi/2 in the north
//
// Each variable maps p and q of the truth to an observation, with noise of the
// place, and p and q of a member to a raw forecast, with a bias of the place
// that is persistent and partly smooth in space; see t2m, wind, rain, regime.
//
// # What depends on what
//
// Every random number is keyed by the seed and by what it is drawn for, and the
// truth runs on from the start of a decade, so that a cycle's file holds the
// same bytes whatever range was asked for (within ranges that start in the same
// decade), and a place keeps its data when more places are asked for.
//
// # References
//
//   - Heath and Jackson 1994, IIE Transactions 26(3), 17: modelling the evolution of forecasts.
//   - Lorenz 1996, Predictability: a problem partly solved. ECMWF Seminar on Predictability, vol. 1, 1.
//   - Wilks 2005, Q. J. R. Meteorol. Soc. 131, 389: stochastic parametrisations in the Lorenz '96 system.
package simulate
