// Package frame is the statistical baseline that sipipe can run on its own and
// in whose standardised residuals the interpolant lives.
//
// For one lead time it predicts, for every place, a location mu and a scale
// sigma in the working space of the variable (see Transform):
//
//	mu    = sum_e w_e mu_e                  a weighted mean of a few experts
//	mu_e  = ridge(features) + station bias  each expert has its own memory
//	sigma = exp(a . [1, log s_station, log sd, season])
//
// The ridge regression works on exponentially discounted moments, so that a
// day's work does not depend on the archive's length. Station biases are kriged
// in position and altitude, so that sparse and unseen stations gain from their
// neighbours. The experts' weights follow their absolute errors on archived
// forecasts, the scale minimises the CRPS of archived forecasts: every residual
// used was made by a forecast that did not know its observation (prequential;
// Dawid 1984).
//
// # References
//
//   - Gneiting et al. 2005, Mon. Wea. Rev. 133, 1098: minimum-CRPS regression.
//   - Kleiber et al. 2011, J. Amer. Stat. Assoc. 106, 1291: geostatistical local calibration.
//   - Freund et al. 1997, STOC '97, 334: experts that sleep.
package frame
