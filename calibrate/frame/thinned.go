package frame

import (
	"math"
	"slices"

	"sipipe/calibrate/noise"
)

// thinned keeps a bounded number of rows of an archive of any length: all of the latest,
// and of those before with a probability that falls as one over age, so that each doubling
// of age has about as many. A regression on them knows every season and place of the
// archive, and recent days best. Age is counted in rows, so that it is the same for few
// places over years and for a grid over days.
//
// Which rows stay is a function of their days and places.
type thinned[R any] struct {
	Kept  []thinnedRow[R] // in the order they came
	Seen  int             // rows, with those let go
	Limit float64         // age up to which all rows stay; 0: none was let go
	// Day of the last row, and rows before that day.
	Day    float64
	Before int
}

type thinnedRow[R any] struct {
	Row    R
	Before int     // rows before its day
	Chance float32 // (0, 1), drawn by day and place
}

// add takes a row in; days ascend.
func (t *thinned[R]) add(day float64, place int, row R) {
	if t.Seen == 0 || day != t.Day {
		t.Day, t.Before = day, t.Seen
	}
	chance := noise.Seed(0).Text("thinned").Int(int64(math.Float64bits(day))).Uniform(0, place)
	t.Kept = append(t.Kept, thinnedRow[R]{row, t.Before, float32(chance)})
	t.Seen++
}

// age of kept row i: rows from its day on.
func (t *thinned[R]) age(i int) float64 { return float64(t.Seen - t.Kept[i].Before) }

// weight is one over the probability that kept row i is there.
func (t *thinned[R]) weight(i int) float64 {
	if t.Limit == 0 {
		return 1
	}
	return math.Max(1, t.age(i)/t.Limit)
}

// thin lets rows go until there are no more than most.
func (t *thinned[R]) thin(most int) {
	if len(t.Kept) <= most {
		return
	}
	product := make([]float64, len(t.Kept)) // of age and chance
	for i := range product {
		product[i] = t.age(i) * float64(t.Kept[i].Chance)
	}
	t.Limit = slices.Sorted(slices.Values(product))[most-1]
	n := 0
	for i, p := range product {
		if p <= t.Limit {
			t.Kept[n] = t.Kept[i]
			n++
		}
	}
	clear(t.Kept[n:])
	t.Kept = t.Kept[:n]
}
