package export

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"sipipe/ingest"
)

// timeMethod matches the part of cell_methods that speaks of time, by whatever name
// the input's axis has.
var timeMethod = regexp.MustCompile(`\b(?:time\d*|step|lead|leadtime|lead_time|valid_time|validtime|forecast_period|forecast_hour)\s*:\s*(\w+)`)

// intervalText matches the length of the interval as inputs state it.
var intervalText = regexp.MustCompile(`\(\s*(?:interval|over)\s*:\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)`)

// cellMethods are those of the input with the name of this file's time axis.
func cellMethods(v ingest.Variable) string {
	return timeMethod.ReplaceAllString(v.CellMethods, "time: $1")
}

// overInterval says that a value speaks of an interval of time and not of an instant.
func overInterval(v ingest.Variable) bool {
	m := timeMethod.FindStringSubmatch(v.CellMethods)
	return m != nil && !strings.EqualFold(m[1], "point")
}

// intervalOf is the length of the interval that ends at lead l of an ensemble: what
// cell_methods state, otherwise the distance to the lead before, and for the first
// one that to the next, but not more than to the cycle. It is false when a single
// lead says nothing about it.
func intervalOf(e *ingest.Ensemble, l int) (time.Duration, bool) {
	if m := intervalText.FindStringSubmatch(e.Variable.CellMethods); m != nil {
		n, err := strconv.ParseFloat(m[1], 64)
		if unit, ok := unitOf(m[2]); err == nil && ok {
			return time.Duration(n * float64(unit)), true
		}
	}
	if len(e.Leads) < 2 {
		return 0, false
	}
	if l > 0 {
		return e.Leads[l] - e.Leads[l-1], true
	}
	return min(e.Leads[1]-e.Leads[0], max(e.Leads[0], 0)), true
}

func unitOf(name string) (time.Duration, bool) {
	switch strings.ToLower(name) {
	case "s", "sec", "second", "seconds":
		return time.Second, true
	case "min", "minute", "minutes":
		return time.Minute, true
	case "h", "hr", "hour", "hours":
		return time.Hour, true
	case "d", "day", "days":
		return 24 * time.Hour, true
	}
	return 0, false
}

// bounds are the intervals of the lead times, [lead][2], or nil: when no variable
// speaks of intervals, when their length is not known, or when variables differ in
// it, since they share the axis and cell_methods say it of each.
func (a *axes) bounds(vars []*ingest.Ensemble) [][2]time.Duration {
	if !slices.ContainsFunc(vars, func(e *ingest.Ensemble) bool { return overInterval(e.Variable) }) {
		return nil
	}
	out := make([][2]time.Duration, len(a.leads))
	for i, lead := range a.leads {
		length, known := time.Duration(0), false
		for _, e := range vars {
			l, has := slices.BinarySearch(e.Leads, lead)
			if !has || !overInterval(e.Variable) {
				continue
			}
			d, ok := intervalOf(e, l)
			if !ok || known && d != length {
				return nil
			}
			length, known = d, true
		}
		out[i] = [2]time.Duration{lead - length, lead}
	}
	return out
}
