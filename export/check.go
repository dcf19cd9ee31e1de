package export

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"sipipe/ingest"
)

// check refuses what must not be published.
func (f *Forecast) check() error {
	if len(f.Vars) == 0 {
		return errors.New("a product needs at least one variable")
	}
	if f.Raw != nil && len(f.Raw) != len(f.Vars) {
		return fmt.Errorf("%d raw forecasts for %d variables", len(f.Raw), len(f.Vars))
	}
	empty := true
	for i, e := range f.Vars {
		if err := checkShape(e); err != nil {
			return fmt.Errorf("%s: %w", e.Variable.Name, err)
		}
		if !e.Cycle.Equal(f.Vars[0].Cycle) {
			return fmt.Errorf("%s is of cycle %s, %s of %s", e.Variable.Name, e.Cycle, f.Vars[0].Variable.Name, f.Vars[0].Cycle)
		}
		if slices.ContainsFunc(f.Vars[:i], func(o *ingest.Ensemble) bool { return o.Variable.Name == e.Variable.Name }) {
			return fmt.Errorf("%s is there twice", e.Variable.Name)
		}
		var raw *ingest.Ensemble
		if f.Raw != nil {
			raw = f.Raw[i]
		}
		some, err := checkValues(e, raw)
		if err != nil {
			return err
		}
		empty = empty && !some
	}
	if empty {
		return &EmptyError{Cycle: f.Vars[0].Cycle}
	}
	return nil
}

func checkShape(e *ingest.Ensemble) error {
	m, l, p := len(e.Members), len(e.Leads), e.Places.Len()
	switch {
	case m == 0 || l == 0 || p == 0:
		return fmt.Errorf("it has %d members, %d lead times and %d places; none may be 0", m, l, p)
	case len(e.Values) != m*l*p:
		return fmt.Errorf("it has %d values for %d members, %d lead times and %d places", len(e.Values), m, l, p)
	case !increasing(e.Members):
		return errors.New("its members are not in ascending order")
	case !increasing(e.Leads):
		return errors.New("its lead times are not in ascending order")
	}
	return nil
}

func increasing[T int32 | ~int64](x []T) bool {
	for i := 1; i < len(x); i++ {
		if x[i] <= x[i-1] {
			return false
		}
	}
	return true
}

// checkValues says whether any value is there. A value may be missing only where all raw
// members are, or where raw members are handed on and there are more members than these.
// Infinities are never published.
func checkValues(e, raw *ingest.Ensemble) (some bool, err error) {
	if raw != nil && (!slices.Equal(raw.Leads, e.Leads) || raw.Places.Len() != e.Places.Len()) {
		return false, fmt.Errorf("%s: the raw forecast has other lead times or places", e.Variable.Name)
	}
	for l, lead := range e.Leads {
		for p := range e.Places.Len() {
			var from []float32
			missing := raw == nil
			if raw != nil {
				from = raw.At(l, p)
				missing = !slices.ContainsFunc(from, finite)
			}
			members := e.At(l, p)
			for m, v := range members {
				if finite(v) {
					some = true
					continue
				}
				if v == v || !missing && !ingest.HandedOn(members, from) {
					return some, &NonFiniteError{Variable: e.Variable.Name, Lead: lead, Place: e.Places.ID[p], Member: e.Members[m], Value: v}
				}
			}
		}
	}
	return some, nil
}

func finite(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }
