package pipeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sipipe/ingest"
)

// previous tells whether the product is made from the forecast of an earlier cycle.
func (j *job) previous() bool { return !j.forecast.Equal(j.cycle) }

// lacksInput says whether an error is one of input that is missing or cannot be used.
func lacksInput(err error) bool {
	code := ExitCode(err)
	return code == ExitData || code == ExitNoInput
}

// longestLead bounds the search for an earlier forecast, and the time for which new ones are
// expected: those of the extended range reach 46 days.
const longestLead = 46 * 24 * time.Hour

// readPrevious reads the latest earlier forecast that can be used and covers some valid
// times of the cycle, whose own forecast is missing. When there is none, the error is why.
func (j *job) readPrevious(ctx context.Context, why error) error {
	if !slices.ContainsFunc(j.seen(), func(c time.Time) bool { return !c.Equal(j.cycle) && c.Hour() == j.cycle.Hour() }) {
		return fmt.Errorf("%w; the archive has no cycles of %02d UTC, so that none is made from an earlier forecast", why, j.cycle.Hour())
	}
	for _, c := range slices.Backward(j.cycles()) {
		if !c.Before(j.cycle) {
			continue
		}
		if j.cycle.Sub(c) > longestLead {
			break
		}
		switch err := j.read(ctx, c); {
		case err != nil && !lacksInput(err):
			return err
		case err != nil:
			continue
		}
		if !slices.ContainsFunc(j.raw, func(e *ingest.Ensemble) bool { return len(j.covered(e)) == 0 }) {
			lack := "is missing"
			if ExitCode(why) == ExitData {
				lack = "cannot be used"
			}
			j.log.Warn().Msg(why.Error())
			j.instead = fmt.Sprintf("made from the forecast of %s, because that of %s %s", formatCycle(c), formatCycle(j.cycle), lack)
			j.degrade(j.instead)
			j.provenance.IssuedFor = j.cycle
			return nil
		}
	}
	j.forecast = j.cycle
	return fmt.Errorf("%w; no earlier forecast covers any of its valid times", why)
}

// covered are the positions of the lead times of an earlier forecast whose valid times
// the forecast of the cycle would have too. It is taken to have the same lead times.
func (j *job) covered(e *ingest.Ensemble) []int {
	var at []int
	for l, lead := range e.Leads {
		if _, found := slices.BinarySearch(e.Leads, lead-j.cycle.Sub(e.Cycle)); found {
			at = append(at, l)
		}
	}
	return at
}

// cover restricts what was made from an earlier forecast to the lead times that the
// product is about.
func (j *job) cover() {
	if !j.previous() {
		return
	}
	for i, e := range j.raw {
		at := j.covered(e)
		j.raw[i], j.calibrated[i] = atLeads(e, at), atLeads(j.calibrated[i], at)
	}
}

// atLeads is a forecast at some of its lead times.
func atLeads(e *ingest.Ensemble, at []int) *ingest.Ensemble {
	part := *e
	part.Leads, part.Values = make([]time.Duration, len(at)), nil
	n := e.Places.Len() * len(e.Members)
	for i, l := range at {
		part.Leads[i] = e.Leads[l]
		part.Values = append(part.Values, e.Values[l*n:(l+1)*n]...)
	}
	return &part
}
