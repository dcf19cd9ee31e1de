package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"sipipe/calibrate/score"
)

// day of a system in some score.
type day struct {
	date string
	sum  score.DaySum
}

// quantity is a score of a table, day by day and overall.
type quantity struct {
	mean float64
	days []day
}

// daily forms the quantity of days that have one.
func daily[T any](all []T, of func(T) (date string, value score.Number, cases int)) quantity {
	var q quantity
	var total score.DaySum
	for _, d := range all {
		date, value, cases := of(d)
		if math.IsNaN(float64(value)) || cases == 0 {
			continue
		}
		one := score.DaySum{Sum: float64(value) * float64(cases), Cases: float64(cases)}
		q.days = append(q.days, day{date, one})
		total.Sum, total.Cases = total.Sum+one.Sum, total.Cases+one.Cases
	}
	q.mean = total.Sum / total.Cases
	return q
}

var errOtherDays = errors.New("it was scored on other days than the default, which cannot be compared")

// below is how much lower q is than reference, in per cent with its interval.
func (q quantity) below(reference quantity) (string, error) {
	x, y := make([]score.DaySum, len(q.days)), make([]score.DaySum, len(q.days))
	if len(q.days) != len(reference.days) {
		return "", errOtherDays
	}
	for i, d := range q.days {
		r := reference.days[i]
		if d.date != r.date || d.sum.Cases != r.sum.Cases {
			return "", fmt.Errorf("%s: %w", d.date, errOtherDays)
		}
		x[i], y[i] = d.sum, r.sum
	}
	k := score.SkillOf(x, y, score.Bootstrap{Seed: 1})
	return interval(k.CRPSS, k.CI95), nil
}

// scored is a system of a verification. Its members are dependent, or independent
// draws, of which fair scores count.
type scored struct {
	report *score.Report
	system string
}

func (s scored) fair() bool { return s.system != target }

func (s scored) crps() quantity {
	return daily(s.report.ByDay, func(d score.DayReport) (string, score.Number, int) {
		f := d.Systems[s.system]
		if s.fair() {
			return d.Date, f.CRPSFair, f.Cases
		}
		return d.Date, f.CRPS, f.Cases
	})
}

// vectors are the quantities of vectors, in the order of the table.
func (s scored) vectors(v *score.VectorReport) []quantity {
	one := func(of func(f score.VectorFigure) score.Number) quantity {
		return daily(v.ByDay, func(d score.VectorDay) (string, score.Number, int) { return d.Date, of(d.Systems[s.system]), d.Cases })
	}
	return []quantity{
		one(func(f score.VectorFigure) score.Number {
			if s.fair() {
				return f.EnergyFair
			}
			return f.Energy
		}),
		one(func(f score.VectorFigure) score.Number { return f.Variogram }),
		one(func(f score.VectorFigure) score.Number { return f.Mean.CRPS }),
		daily(v.ByDay, func(d score.VectorDay) (string, score.Number, int) {
			f := d.Systems[s.system].Difference
			if f == nil {
				return d.Date, 0, 0
			}
			return d.Date, f.CRPS, d.Pairs
		}),
	}
}

// compare takes the scores of variants of an experiment beside those of the default.
func (t *tables) compare(name string, byDefault *verified, variants []variant, verified []*verified) error {
	if len(variants) == 0 {
		return nil
	}
	for _, variable := range slices.Sorted(maps.Keys(byDefault.Variables)) {
		data := name
		if len(byDefault.Variables) > 1 {
			data += ", " + variable
		}
		reference := scored{byDefault.Variables[variable], target}
		for _, kind := range []struct {
			name string
			of   func(*score.Dependence) *score.VectorReport
		}{
			{"groups of stations", func(d *score.Dependence) *score.VectorReport { return d.Stations }},
			{"lead times", func(d *score.Dependence) *score.VectorReport { return d.Leads }},
			{"–", nil}, // where there are none
		} {
			vectors := func(r *score.Report) *score.VectorReport {
				if kind.of == nil || r.Dependence == nil {
					return nil
				}
				return kind.of(r.Dependence)
			}
			of := vectors(reference.report) // nil in the last row alone
			if (of == nil) != (kind.of == nil) || of == nil && reference.report.Dependence != nil {
				continue
			}
			row, err := reference.row(of, nil)
			if err != nil {
				return err
			}
			t.variants.rows = append(t.variants.rows, slices.Concat([]string{data, kind.name, "default"}, row))
			for i, v := range variants {
				one := scored{verified[i].Variables[variable], cmp.Or(v.System, target)}
				if one.report == nil {
					return fmt.Errorf("%s: no scores of %s", v.Name, variable)
				}
				other := vectors(one.report)
				if (other == nil) != (of == nil) {
					return fmt.Errorf("%s: no scores of %s of %s", v.Name, kind.name, variable)
				}
				if row, err = one.row(other, reference.quantities(of)); err != nil {
					return fmt.Errorf("%s: %w", v.Name, err)
				}
				t.variants.rows = append(t.variants.rows, slices.Concat([]string{data, kind.name, v.Name}, row))
			}
		}
	}
	return nil
}

// quantities of the table, in its order; v is nil where there are no vectors.
func (s scored) quantities(v *score.VectorReport) []quantity {
	if v == nil {
		v = &score.VectorReport{}
	}
	return append([]quantity{s.crps()}, s.vectors(v)...)
}

// row of figures, against those of the reference unless that is nil.
func (s scored) row(v *score.VectorReport, reference []quantity) ([]string, error) {
	var r []string
	for i, q := range s.quantities(v) {
		below := "–"
		if reference != nil && len(q.days) > 0 {
			var err error
			if below, err = q.below(reference[i]); err != nil {
				return nil, err
			}
		}
		r = append(r, number(q.mean, 3), below)
	}
	mean, difference := "–", "–"
	if v != nil {
		f := v.Systems[s.system]
		mean = number(float64(f.Mean.SpreadError), 2)
		if f.Difference != nil {
			difference = number(float64(f.Difference.SpreadError), 2)
		}
	}
	return append(slices.Insert(r, len(r)-2, mean), difference), nil
}
