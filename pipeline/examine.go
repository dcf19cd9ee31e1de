package pipeline

import (
	"context"
	"fmt"
	"math"
	"slices"

	"sipipe/calibrate"
)

// implausibleWarn is the value of ingest.implausible that lets a forecast pass.
const implausibleWarn = "warn"

// The values of export.implausible that are told apart.
const (
	implausibleRaw  = "raw"
	implausibleFail = "fail"
)

// ImplausibleOutputError says that calibrated members cannot be right, and that nothing
// less is wanted.
type ImplausibleOutputError struct{ Variable, Why string }

func (e *ImplausibleOutputError) Error() string {
	return fmt.Sprintf("%s: %s; look for wrong values in this forecast, and in observations and forecasts of the last weeks, with sipipe inspect, or let export.implausible be raw or warn", e.Variable, e.Why)
}

// examineStage looks at what was read and made before it is written.
func (j *job) examineStage() Stage {
	return Stage{Name: "check", Run: func(ctx context.Context) error {
		j.doubted = map[string]int{}
		for i := range j.calibrated {
			departs, err := j.compare(ctx, i)
			if err != nil {
				return err
			}
			if err := j.examine(ctx, i, departs); err != nil {
				return err
			}
		}
		return nil
	}}
}

// compare marks the product when the raw forecast of a variable is unlike those before. It
// is not refused: the weather may be, too. departs says that its means are.
func (j *job) compare(ctx context.Context, i int) (departs bool, err error) {
	h, err := j.history(j.Variables[i])
	if err != nil {
		return false, err
	}
	name := j.raw[i].Variable.Name
	reasons, departs, err := h.Unusual(ctx, j.raw[i])
	if err != nil {
		return false, err
	}
	moved, err := h.Moved(ctx, j.raw[i])
	if moved != "" {
		reasons = append(reasons, moved)
	}
	for _, why := range reasons {
		j.degrade(name + ": " + why)
	}
	if len(reasons) > 0 && !slices.Contains(j.implausible, name) {
		j.implausible = append(j.implausible, name)
	}
	return departs, err
}

// examine puts raw members where those of a variable cannot be right, or what else
// export.implausible wants.
func (j *job) examine(ctx context.Context, i int, departs bool) error {
	raw, members := j.raw[i], j.calibrated[i]
	name := raw.Variable.Name
	h, err := j.history(j.Variables[i])
	if err != nil {
		return err
	}
	departure := j.Export.Departure
	if departs {
		departure = math.Inf(1) // such a raw forecast is no measure of another
	}
	doubts, err := h.Doubts(ctx, members, raw, departure)
	if err != nil || len(doubts) == 0 {
		return err
	}
	all := raw.Places.Len()
	first := doubts[0]
	why := fmt.Sprintf("calibrated members at %d of %d places are not plausible, at %s for one, %s", len(doubts), all, raw.Places.ID[first.Place], first.Why)
	j.doubted[name] = len(doubts)
	switch j.Export.Implausible {
	case implausibleFail:
		return &ImplausibleOutputError{name, why}
	case implausibleRaw:
		handed := calibrate.Raw(raw, j.Calibrate.sampling(j.threads))
		for _, d := range doubts {
			for l := range raw.Leads { // all of them: what a member is does not change on its way
				copy(members.At(l, d.Place), handed.At(l, d.Place))
			}
		}
		why = fmt.Sprintf("raw members at %d of %d places, because %s", len(doubts), all, why)
	}
	j.degrade(name + ": " + why)
	return nil
}
