// Package baseline has the statistical methods that a weather service could run
// in place of sipipe, to be verified beside it: EMOS, BMA and climatology.
//
// Each method is fitted to the rows of one lead time (Fit…) and predicts a
// distribution for an ensemble and a day. A fit depends on its rows only: there
// is no warm start and no random number. Fitted models and distributions have
// exported fields only, so encoding/gob stores them; Register makes the
// distributions known to gob where they are stored as a Distribution.
//
// NaN marks missing members and observations: rows without observation or
// without any member are left out, missing members are skipped.
package baseline
