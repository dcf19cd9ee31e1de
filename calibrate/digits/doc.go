// Package digits turns one handwritten digit into another: the interpolant of the
// weather job with a state of many components, on data that a person can judge.
//
// Images become coordinates in some tens of principal components, whitened, so
// that noise looks like digits and not like dust. x0 is an image of one digit and
// x1 one of the other, paired so that slim meets slim (a coupling that depends on
// the data: Albergo et al., arXiv 2310.03725). The fields of velocity and denoiser
// are those of the Gaussian with the two sets' means and variances, component by
// component, plus what a network of package net has learned. A classifier, trained
// on images that the interpolant has not seen, says what the results are.
package digits
