package pipeline

import (
	"fmt"
	"math"
	"slices"

	"sipipe/calibrate"
	"sipipe/ingest"
)

// implausibleWarn is the value of ingest.implausible that lets a forecast pass.
const implausibleWarn = "warn"

// checkPlausible marks the product of a forecast that is let pass although it is not
// plausible. All others were left out when the archive was read; of what is left, single
// values that the variable cannot have count as missing in what it returns.
func (j *job) checkPlausible(e *ingest.Ensemble) *ingest.Ensemble {
	if j.Ingest.Implausible == implausibleWarn {
		if why := ingest.Implausible(e); why != "" {
			j.implausible = append(j.implausible, e.Variable.Name)
			j.degrade(e.Variable.Name + ": the raw forecast is not plausible: " + why)
		}
		return e
	}
	space := calibrate.WorkingSpace(e.Variable)
	wrong := func(v float32) bool { return v == v && !space.Plausible(v) }
	first := slices.IndexFunc(e.Values, wrong)
	if first < 0 {
		return e
	}
	screened := *e // values are shared with other readers of the archive
	screened.Values = slices.Clone(e.Values)
	n := 0
	for i, v := range screened.Values {
		if wrong(v) {
			screened.Values[i] = float32(math.NaN())
			n++
		}
	}
	place := first / len(e.Members) % e.Places.Len()
	j.degrade(fmt.Sprintf("%s: %d of %d values of the raw forecast count as missing, because the variable cannot have them, at %s for one: %g %s",
		e.Variable.Name, n, len(e.Values), e.Places.ID[place], e.Values[first], e.Variable.Units))
	return &screened
}
