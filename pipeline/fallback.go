package pipeline

import (
	"fmt"
	"io/fs"
	"strings"

	"sipipe/calibrate"
)

// The ways in which a variable is delivered by less than was asked for.
const (
	fallbackFrame    = "frame"     // statistical forecast without the interpolant
	fallbackRaw      = "raw"       // raw members
	fallbackRawLeads = "raw_leads" // raw members at some lead times
)

// The policies of operations.on_missing.
const (
	onMissingBaseline = "baseline"
	onMissingRaw      = "raw"
	onMissingFail     = "fail"
	onMissingPrevious = "previous-cycle"
)

// ShortageError says that there is too little to learn from for what is asked, and
// that nothing less is wanted.
type ShortageError struct{ Variable, Why string }

func (e *ShortageError) Error() string {
	return fmt.Sprintf("%s: %s; wait for more past forecasts with observations, or let operations.on_missing be baseline or raw", e.Variable, e.Why)
}

// Is makes it an input that is missing.
func (e *ShortageError) Is(target error) bool { return target == fs.ErrNotExist }

// fallback decides by what a variable is delivered: kind is "" when that is what was
// asked for, and why says otherwise what is missing.
func (j *job) fallback(m *calibrate.Model, a *calibrate.Archived) (kind, why string) {
	unready := 0
	for _, p := range a.Lead {
		if !p.Ready {
			unready++
		}
	}
	n := j.Calibrate.Network
	short := j.Calibrate.Method == "interpolant" && m.Simple() && (m.Cases < n.MinCases || m.Days < n.MinDays)
	lack := strings.TrimSuffix(m.Report.Reason, ": the frame alone")
	switch {
	case unready == len(a.Lead):
		return fallbackRaw, "raw members, because there are too few past forecasts with observations for a statistical forecast"
	case short && j.Operations.OnMissing == onMissingRaw:
		return fallbackRaw, "raw members, because the interpolant cannot be trained: " + lack
	case unready > 0:
		return fallbackRawLeads, fmt.Sprintf("raw members at %d of %d lead times, because there are too few past forecasts with observations for them", unready, len(a.Lead))
	case short:
		return fallbackFrame, "statistical forecast without the interpolant: " + lack
	}
	return "", ""
}
