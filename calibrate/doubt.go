package calibrate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"sipipe/ingest"
)

// Doubt says why the calibrated members of a place cannot be right.
type Doubt struct {
	Place int
	Lead  int
	Why   string
}

// Past errors of the raw mean: of how many cycles at most, how many stored values of
// them at most, and how many cases of all places count as much as the place's own do
// by their number. Grids are large, and have many places to learn the error from.
const (
	pastCycles  = 30
	pastValues  = 1 << 25
	pastAtLeast = 8
	pastPseudo  = 5.
)

// Doubts examines calibrated members, of the places and lead times of raw, and returns
// the first doubt of each place that has any. Raw members that are handed on are never
// doubted; others are when
//
//   - one is missing or infinite where a raw member is there,
//   - one lies beyond what the variable can be,
//   - all are the same, not at a bound of the variable, and the raw ones are not,
//   - their mean departs from that of the raw ones by more than departure times the
//     root of the mean square of what the raw mean has been wrong by and of the variance
//     of the raw members, in the space in which the variable is calibrated. The place's own
//     errors count as they are many, with those of all places for 5 cases; without any,
//     nothing is said. After a dry month past errors say little of the first rain, which
//     may always be less than forecast.
//
// Past errors are those of the last 30 cycles whose observations were there at the
// cycle of raw, fewer on large grids.
func (h *History) Doubts(ctx context.Context, calibrated, raw *ingest.Ensemble, departure float64) ([]Doubt, error) {
	past, err := h.pastErrors(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("past errors of the raw forecast: %w", err)
	}
	w := WorkingSpace(raw.Variable)
	var doubts []Doubt
	for i := range raw.Places.Len() {
		for l, lead := range raw.Leads {
			farthest := departure * math.Hypot(past[l][i], w.sd(raw.At(l, i)))
			if why := w.doubt(calibrated.At(l, i), raw.At(l, i), farthest, raw.Variable.Units); why != "" {
				doubts = append(doubts, Doubt{i, l, fmt.Sprintf("lead time +%g h: %s", lead.Hours(), why)})
				break
			}
		}
	}
	return doubts, nil
}

// doubt examines the members of one place and lead time; "" is none. farthest [working
// space] is the largest plausible departure of the means, NaN when nothing is known.
func (w Working) doubt(members, raw []float32, farthest float64, units string) string {
	rawMean, rawSame, count := w.mean(raw)
	if count == 0 || ingest.HandedOn(members, raw) {
		return ""
	}
	for _, v := range members {
		switch {
		case v-v != 0:
			return fmt.Sprintf("a member is %g", v)
		case !w.Plausible(v) || float64(v) < w.Lower || float64(v) > w.Upper:
			return fmt.Sprintf("a member is %g %s, which it cannot be", v, units)
		}
	}
	mean, same, _ := w.mean(members)
	v := float64(members[0])
	switch {
	case same && !rawSame && len(members) > 1 && v != w.Lower && v != w.Upper:
		return fmt.Sprintf("all members are %g %s", v, units)
	case math.Abs(mean-rawMean) > farthest && !(w.Censored && mean < rawMean):
		of := "mean"
		if !w.Identity() {
			of += " " + w.Name
		}
		return fmt.Sprintf("the %s is %.4g and that of the raw ones %.4g; past errors and the spread allow a difference of %.3g", of, mean, rawMean, farthest)
	}
	return ""
}

// mean of the n finite members in working space; same says that these are all one value.
func (w Working) mean(members []float32) (mean float64, same bool, n int) {
	first := float32(0)
	same = true
	for _, v := range members {
		if v-v != 0 {
			continue
		}
		if n == 0 {
			first = v
		}
		same = same && v == first
		mean += float64(w.Forward(v))
		n++
	}
	return mean / float64(n), same, n
}

// sd of the finite members in working space.
func (w Working) sd(members []float32) float64 {
	mean, _, n := w.mean(members)
	var square float64
	for _, v := range members {
		if v-v == 0 {
			square += math.Pow(float64(w.Forward(v))-mean, 2)
		}
	}
	return math.Sqrt(square / float64(n))
}

// pastErrors is the root mean square error of the raw mean, [lead][place] in working
// space, as far as it was known at the cycle of raw.
func (h *History) pastErrors(ctx context.Context, raw *ingest.Ensemble) ([][]float64, error) {
	n := raw.Places.Len()
	squares, counts := make([][]float64, len(raw.Leads)), make([][]float64, len(raw.Leads))
	for l := range raw.Leads {
		squares[l], counts[l] = make([]float64, n), make([]float64, n)
	}
	place := make(map[string]int, n)
	for i, id := range raw.Places.ID {
		place[id] = i
	}
	w := WorkingSpace(raw.Variable)
	known := func(c time.Time, lead time.Duration) bool { return !c.Add(lead + h.options.Delay).After(raw.Cycle) }
	observed := func(c time.Time) bool {
		return slices.ContainsFunc(raw.Leads, func(lead time.Duration) bool { return known(c, lead) })
	}
	err := h.past(ctx, raw, affordable(raw), observed, func(e *ingest.Ensemble) error {
		for l, lead := range raw.Leads {
			at, found := slices.BinarySearch(e.Leads, lead)
			if !found || !known(e.Cycle, lead) {
				continue
			}
			obs, err := h.archive.Observed(ctx, h.variable, e.Cycle.Add(lead))
			if err != nil {
				return err
			}
			if obs == nil {
				continue
			}
			for j, y := range observedAt(e.Places, obs, w) {
				i, there := place[e.Places.ID[j]]
				mean, _, count := w.mean(e.At(at, j))
				if !there || count == 0 || y != y {
					continue
				}
				squares[l][i] += (float64(y) - mean) * (float64(y) - mean)
				counts[l][i]++
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for l := range squares {
		var all, count float64
		for i := range n {
			all, count = all+squares[l][i], count+counts[l][i]
		}
		for i := range n { // 0/0 is NaN: nothing is known
			squares[l][i] = math.Sqrt((squares[l][i] + pastPseudo*all/count) / (counts[l][i] + pastPseudo))
		}
	}
	return squares, nil
}

// affordable is how many past forecasts like raw are looked at.
func affordable(raw *ingest.Ensemble) int {
	return min(pastCycles, max(pastAtLeast, pastValues/max(1, len(raw.Values))))
}

// past gives to use the latest forecasts, up to the cycle of raw, of the most cycles that
// are wanted.
func (h *History) past(ctx context.Context, raw *ingest.Ensemble, most int, wanted func(cycle time.Time) bool, use func(*ingest.Ensemble) error) error {
	left := most
	for k := h.before(raw.Cycle) - 1; k >= 0 && left > 0; k-- {
		if !wanted(h.cycles[k]) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		left--
		e, err := h.archive.Ensemble(ctx, h.variable, h.cycles[k])
		if broken := (*ingest.UnusableError)(nil); errors.As(err, &broken) {
			continue // as the frame leaves it out
		}
		if err == nil {
			err = use(e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// LastLearned is the latest valid time whose observations the statistical forecast of a
// cycle has learned from; zero when there is none. leads are those of the forecast.
func (h *History) LastLearned(ctx context.Context, cycle time.Time, leads []time.Duration) (time.Time, error) {
	for _, v := range slices.Backward(h.seen) {
		if v.Add(h.options.Delay).After(cycle) {
			continue
		}
		if !slices.ContainsFunc(leads, func(lead time.Duration) bool {
			_, found := slices.BinarySearchFunc(h.cycles, v.Add(-lead), time.Time.Compare)
			return found
		}) {
			continue
		}
		// None of them may be of use.
		if o, err := h.archive.Observed(ctx, h.variable, v); err != nil || o != nil {
			return v, err
		}
	}
	return time.Time{}, nil
}
