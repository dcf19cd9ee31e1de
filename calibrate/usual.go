package calibrate

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"sipipe/calibrate/score"
	"sipipe/ingest"
)

// What is usual of a raw forecast is known from at least pastAtLeast cycles of its hour of
// the day in the usualDays before. The limits were chosen on real archives; see
// docs/how-to/operations.md.
const (
	usualDays      = 60
	usualDeparture = 8.  // of the mean, in robust standard deviations
	departsAtLeast = 15  // cycles before
	usualShare     = 0.6 // of the places and lead times that forecasts have
	usualMembers   = 0.7 // of the members that they have there
)

// Unusual says in what a raw forecast is unlike those of the recent cycles at its hour
// of the day, one reason each:
//
//   - it has values at less than 60 % of as many places and lead times as they have, in
//     the median;
//   - where it has values, it has less than 70 % of as many members, on average over these
//     places and lead times, as they have in the median;
//   - its ensemble means, in the space in which the variable is calibrated, depart from the
//     mean of the recent ones at each place and lead time, on average over these, by more
//     than 8 robust standard deviations (1.4826 median absolute deviations) of how the
//     recent ones do. Precipitation is not looked at: dry weeks end.
//
// departs says that the last is so and nothing should learn from raw: a mark can be wrong
// when few cycles tell what is usual, so that it takes departsAtLeast. Both depend on the
// archive up to the cycle of raw only.
func (h *History) Unusual(ctx context.Context, raw *ingest.Ensemble) (reasons []string, departs bool, err error) {
	w := WorkingSpace(raw.Variable)
	at := make(map[string]int, raw.Places.Len())
	for i, id := range raw.Places.ID {
		at[id] = i
	}
	// means are those of an ensemble, [lead, place] of raw, NaN where it has none; all and
	// members, of these on average, also count those at other places and lead times.
	means := func(e *ingest.Ensemble) (mean []float32, all, members float64) {
		mean = make([]float32, len(raw.Leads)*raw.Places.Len())
		for i := range mean {
			mean[i] = float32(math.NaN())
		}
		for l, lead := range e.Leads {
			k, common := slices.BinarySearch(raw.Leads, lead)
			for j, id := range e.Places.ID {
				m, _, count := w.mean(e.At(l, j))
				if count == 0 {
					continue
				}
				all++
				members += float64(count)
				if i, there := at[id]; common && there {
					mean[k*raw.Places.Len()+i] = float32(m)
				}
			}
		}
		return mean, all, members / all
	}
	var before [][]float32
	var counts, sizes []float64
	comparable := func(c time.Time) bool {
		ago := raw.Cycle.Sub(c)
		return ago > 0 && ago <= usualDays*24*time.Hour && ago%(24*time.Hour) == 0
	}
	if err := h.past(ctx, raw, affordable(raw), comparable, func(e *ingest.Ensemble) error {
		mean, n, members := means(e)
		before, counts, sizes = append(before, mean), append(counts, n), append(sizes, members)
		return nil
	}); err != nil {
		return nil, false, fmt.Errorf("what is usual: %w", err)
	}
	if len(before) < pastAtLeast {
		return nil, false, nil
	}
	now, n, members := means(raw)
	if usual := score.Median(counts); n < usualShare*usual {
		reasons = append(reasons, fmt.Sprintf("the raw forecast has values at %g places and lead times, those of the last %d cycles of this hour at %g", n, len(before), usual))
	}
	if usual := score.Median(sizes); members < usualMembers*usual {
		reasons = append(reasons, fmt.Sprintf("the raw forecast has %.3g members with values, those of the last %d cycles of this hour %.3g", members, len(before), usual))
	}
	departure := departures(before)
	var past []float64
	for _, mean := range before {
		if d := departure(mean); d == d {
			past = append(past, d)
		}
	}
	if len(past) < pastAtLeast || w.Censored {
		return reasons, false, nil
	}
	centre := score.Median(past)
	off := make([]float64, len(past))
	for k, d := range past {
		off[k] = math.Abs(d - centre)
	}
	scale := 1.4826 * score.Median(off) // of a normal distribution this is the standard deviation
	if d := departure(now) - centre; scale > 0 && math.Abs(d) > usualDeparture*scale {
		of, units := "mean", " "+raw.Variable.Units
		if !w.Identity() {
			of, units = "mean "+w.Name, ""
		}
		departs = len(past) >= departsAtLeast
		reasons = append(reasons, fmt.Sprintf("the %s of the raw forecast is %+.3g%s from that of the last %d cycles of this hour, %.1f times what they vary by; look for wrong values or units in its file",
			of, d, units, len(past), math.Abs(d)/scale))
	}
	return reasons, departs, nil
}

// departures returns the mean difference of fields from the mean of some, of their
// values that are not NaN.
func departures(fields [][]float32) func([]float32) float64 {
	mean := make([]float64, len(fields[0]))
	for i := range mean {
		n := 0.
		for _, f := range fields {
			if v := float64(f[i]); v == v {
				mean[i] += v
				n++
			}
		}
		mean[i] /= n // NaN without any
	}
	return func(field []float32) float64 {
		sum, n := 0., 0.
		for i, v := range field {
			if d := float64(v) - mean[i]; d == d {
				sum += d
				n++
			}
		}
		return sum / n
	}
}
