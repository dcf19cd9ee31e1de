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

// expected are the cycles that are seen, those that have a product, and, in an archive of
// regular cycles, those that are missing between them and after them, as long as the newest
// is less than longestLead old: an archive of past years is complete as it is. The last one is
// expected once the next begins, since until then its forecast may come. Cycles that are ahead
// of the clock are apart.
func (w *workspace) expected() (out, ahead []time.Time, err error) {
	all := w.seen()
	if err := w.eachProduct(func(_ string, m *Manifest) { all = append(all, m.Cycle) }); err != nil {
		return nil, nil, err
	}
	slices.SortFunc(all, time.Time.Compare)
	all = slices.CompactFunc(all, time.Time.Equal)
	n := len(w.timely(all))
	all, ahead = all[:n], all[n:]
	step := usualInterval(all)
	if step == 0 {
		return all, ahead, nil
	}
	next := func() time.Time { return out[len(out)-1].Add(step) }
	for i, c := range all {
		for i > 0 && next().Before(c) {
			out = append(out, next())
		}
		out = append(out, c)
	}
	now := w.global.clock()
	if now.Sub(all[len(all)-1]) <= longestLead {
		for !next().Add(step).After(now) {
			out = append(out, next())
		}
	}
	return out, ahead, nil
}
