package pipeline

import (
	"slices"
	"time"
)

// usualInterval is the time between two cycles of the archive that at least two thirds
// of its neighbours have; 0 when there is none, as with cycles on Mondays and Thursdays.
func usualInterval(cycles []time.Time) time.Duration {
	count := map[time.Duration]int{}
	for i := 1; i < len(cycles); i++ {
		d := cycles[i].Sub(cycles[i-1])
		if count[d]++; 3*count[d] >= 2*(len(cycles)-1) {
			return d
		}
	}
	return 0
}

// expected are the cycles that are seen, those that are missing between them, and after
// the last one those up to the latest product that was made from an earlier forecast.
func (w *workspace) expected() ([]time.Time, error) {
	all := w.timely(w.seen())
	step := usualInterval(all)
	if step == 0 {
		return all, nil
	}
	var out []time.Time
	for i, c := range all {
		for i > 0 && out[len(out)-1].Add(step).Before(c) {
			out = append(out, out[len(out)-1].Add(step))
		}
		out = append(out, c)
	}
	for c := out[len(out)-1].Add(step); c.Sub(all[len(all)-1]) <= longestLead; c = c.Add(step) {
		product, err := w.product(c)
		if err != nil {
			return nil, err
		}
		if _, err := ReadManifest(product); err == nil {
			for out[len(out)-1].Before(c) {
				out = append(out, out[len(out)-1].Add(step))
			}
		}
	}
	return slices.Clip(out), nil
}
