package selfcheck

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// at returns the rows of a number of steps.
func (r *Result) at(steps int) []Row {
	var rows []Row
	for _, row := range r.Rows {
		if row.Steps == steps {
			rows = append(rows, row)
		}
	}
	return rows
}

// Enough says that the configured number of steps keeps within the limits.
func (r *Result) Enough() bool { return slices.Contains(r.Adequate, r.Steps) }

// Verdict says in words whether the configured number of steps is enough, what would
// be, and what the check does not see.
func (r *Result) Verdict() string {
	if r.Caution == "" {
		return r.judgement()
	}
	return r.judgement() + "; but note: " + r.Caution
}

func (r *Result) judgement() string {
	rows := r.at(r.Steps)
	sd := slices.MaxFunc(rows, func(a, b Row) int { return cmp.Compare(math.Abs(a.SD), math.Abs(b.SD)) })
	crps := slices.MaxFunc(rows, func(a, b Row) int { return cmp.Compare(a.CRPS, b.CRPS) })
	mean := slices.MaxFunc(rows, func(a, b Row) int { return cmp.Compare(math.Abs(a.Mean), math.Abs(b.Mean)) })
	worst := fmt.Sprintf("the standard deviation is off by %s %% (%s), the mean by %s %% of it (%s), CRPS by %s %% (%s)",
		percent(sd.SD, "+"), sd.Law, percent(math.Abs(mean.Mean), ""), mean.Law, percent(crps.CRPS, ""), crps.Law)
	if r.Adaptive && r.Enough() {
		return "the solver's own steps are enough: at worst " + worst
	}
	if r.Enough() {
		text := fmt.Sprintf("%s enough: at worst %s", stepsAre(r.Steps), worst)
		if fewer := r.Adequate[0]; fewer < r.Steps {
			text += fmt.Sprintf("; %d would do as well", fewer)
		}
		return text
	}
	text := fmt.Sprintf("%s too few: %s; limits are %g %%, %g %% and %g %%", stepsAre(r.Steps), worst, 100*LimitSD, 100*LimitMean, 100*LimitCRPS)
	for _, n := range r.Adequate {
		if n > r.Steps {
			return text + fmt.Sprintf("; set steps to %d", n)
		}
	}
	if slices.ContainsFunc(r.Rows, func(row Row) bool { return row.Steps > r.Steps }) {
		text += "; twice as many do not suffice either"
	}
	if r.Remedy == "" {
		return text + "; nor does another solver, last step, epsilon or heads alone: take the defaults of calibrate.interpolant"
	}
	return text + "; set " + r.Remedy
}

// stepsAre is the subject of a verdict.
func stepsAre(n int) string {
	if n == 1 {
		return "1 step is"
	}
	return fmt.Sprintf("%d steps are", n)
}

// percent of a share, with two digits or more, and none behind the point from 10 on.
func percent(share float64, sign string) string {
	if math.Abs(share) >= 0.1 {
		return fmt.Sprintf("%"+sign+".0f", 100*share)
	}
	return fmt.Sprintf("%"+sign+".2g", 100*share)
}
