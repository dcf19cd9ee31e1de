package pipeline

import "sipipe/ingest"

// implausibleWarn is the value of ingest.implausible that lets a forecast pass.
const implausibleWarn = "warn"

// checkPlausible marks the product of a forecast that is let pass although it is not
// plausible. All others were left out when the archive was read.
func (j *job) checkPlausible(e *ingest.Ensemble) {
	if j.Ingest.Implausible != implausibleWarn {
		return
	}
	if why := ingest.Implausible(e); why != "" {
		j.implausible = append(j.implausible, e.Variable.Name)
		j.degrade(e.Variable.Name + ": the raw forecast is not plausible: " + why)
	}
}
