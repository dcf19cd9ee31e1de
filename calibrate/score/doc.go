// Package score verifies probabilistic forecasts: scores of single cases as pure
// functions, and accumulators that gather them over an archive.
//
// # Symbols
//
// A case is one forecast and its observation y. An ensemble has M members x_i,
// ascending x_(0) <= … <= x_(M-1); a distribution has the function F. Scores are
// negatively oriented (lower is better), in units of the variable unless stated.
//
// # Missing values
//
// NaN marks what is missing, in members and observations alike. Members that
// are missing are left out, so M is the number of those present and may differ
// between cases. A score that cannot be computed — no observation, no member, or
// one member where two are needed — is NaN; accumulators leave such cases out and
// count the cases behind each figure.
//
// # References
//
//   - Gneiting and Raftery 2007, J. Amer. Stat. Assoc. 102, 359: proper scores.
//   - Ferro 2014, Q. J. R. Meteorol. Soc. 140, 1917: fair scores.
//   - Jordan et al. 2019, J. Stat. Softw. 90(12): closed forms of the CRPS.
//   - Fortin et al. 2014, J. Hydrometeor. 15, 1708: spread and error.
//   - Dimitriadis et al. 2021, Proc. Natl. Acad. Sci. 118, e2016191118: reliability and resolution.
//   - Scheuerer and Hamill 2015, Mon. Wea. Rev. 143, 1321: variogram score.
package score
