package calibrate

import "sipipe/calibrate/frame"

// Unready is a without its predictions: sampling from it gives raw members at all
// lead times, in the form of every other product.
func (a *Archived) Unready() *Archived {
	u := *a
	u.Lead = make([]*frame.Prediction, len(a.Lead))
	for l := range u.Lead {
		u.Lead[l] = &frame.Prediction{}
	}
	return &u
}
