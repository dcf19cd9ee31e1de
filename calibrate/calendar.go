package calibrate

import "time"

// Training days are anchored on the calendar, so that a run at a cycle uses the
// same model whether or not other cycles ran before. The interval grows with the
// archive: a week of new data changes what is known from a month, and hardly what
// is known from ten years.

// day is one of UTC.
const day = 24 * time.Hour

// intervals [days] divide each other, so a day on which a sparse calendar trains is
// one on which denser ones do.
var intervals = [...]int64{112, 56, 28, 14, 7}

// interval returns the days between trainings after so much archive: about a tenth
// of it.
func interval(archive time.Duration) int64 {
	for _, n := range intervals {
		if time.Duration(n)*day*10 <= archive {
			return n
		}
	}
	return intervals[len(intervals)-1]
}

// Anchor returns the latest training time at or before a cycle, of an archive that
// starts at first. It is midnight UTC of a day whose number since 1970-01-01 is a
// multiple of the interval. ok is false when the archive has none yet.
func Anchor(first, cycle time.Time) (anchor time.Time, ok bool) {
	for d := cycle.Unix() / 86400; ; d-- {
		t := time.Unix(d*86400, 0).UTC()
		if t.Before(first) {
			return time.Time{}, false
		}
		if d%interval(t.Sub(first)) == 0 {
			return t, true
		}
	}
}
