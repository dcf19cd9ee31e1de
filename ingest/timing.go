package ingest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sipipe/ingest/ncio"
)

// timing is when the forecasts of a variable start and how far they reach. Its
// slices follow the file: one cycle a position of the cycle dimension, or one in all,
// and one lead time a position of the lead or valid dimension, or one in all.
type timing struct {
	cycles []time.Time // zero where the file has a missing time
	leads  []time.Duration
	notes  []string
}

// timeReader finds and reads the time coordinates of one variable.
type timeReader struct {
	f *ncio.File
	h *header
	l layout
}

// readTiming reads cycles and lead times, whichever way the file gives them:
//
//	(cycle, lead)   each by its own coordinate; either may be a scalar
//	(valid)         lead = valid - cycle, with the cycle in a scalar, or in the path
//	(valid)         of a constant lead time: the valid dimension then counts cycles
//
// named is what the path says of the cycle, used when the file says nothing. The
// layout returned differs from l in the last case only.
func readTiming(f *ncio.File, h *header, l layout, named stamp) (timing, layout, error) {
	r := timeReader{f, h, l}
	fail := func(why, remedy string) (timing, layout, error) {
		return timing{}, l, &UnusableError{Path: h.path, Var: l.v.Name, Why: why, Remedy: remedy}
	}
	var t timing
	var err error
	lead, hasLead := r.scalar(roleLead)
	if l.has(roleLead) {
		lead, hasLead = r.along(roleLead)
		if !hasLead {
			return fail(fmt.Sprintf("dimension %q has no lead times", l.dimName(roleLead)), "add a coordinate variable of that name with units of hours")
		}
	}
	if hasLead {
		var note string
		if t.leads, note, err = r.durations(lead); err != nil {
			return timing{}, l, unusable(h.path, lead.Name, err, "correct the lead times")
		}
		if note != "" {
			t.notes = append(t.notes, note)
		}
	}
	switch {
	case l.has(roleCycle):
		v, ok := r.along(roleCycle)
		if !ok {
			return fail(fmt.Sprintf("dimension %q has no times", l.dimName(roleCycle)), "add a coordinate variable of that name")
		}
		if t.cycles, err = r.times(v); err != nil {
			return timing{}, l, err
		}
	case l.has(roleValid):
		return r.fromValid(t, lead, hasLead, named)
	default:
		cycle, ok, err := r.cycle(hasLead)
		if err != nil {
			return timing{}, l, err
		}
		if !ok {
			cycle, ok, err = r.cycleBefore(t.leads, named)
		}
		if err != nil {
			return timing{}, l, err
		}
		if !ok {
			return fail("nothing tells its cycle", "add a forecast_reference_time to the file, or {date:...} to ingest.forecasts")
		}
		t.cycles = []time.Time{cycle}
	}
	if t.leads == nil {
		v, ok := r.scalar(roleValid)
		if !ok || len(t.cycles) != 1 {
			return fail("nothing tells its lead time", "add a forecast_period or a valid time to the file")
		}
		valid, err := r.times(v)
		if err != nil {
			return timing{}, l, err
		}
		t.leads = []time.Duration{valid[0].Sub(t.cycles[0])}
	}
	return t, l, nil
}

// fromValid completes t for a variable with a dimension of valid times.
func (r timeReader) fromValid(t timing, lead ncio.Var, hasLead bool, named stamp) (timing, layout, error) {
	l := r.l
	axis, ok := r.along(roleValid)
	if !ok {
		return t, l, &UnusableError{Path: r.h.path, Var: l.v.Name, Why: fmt.Sprintf("dimension %q has no times", l.dimName(roleValid)), Remedy: "add a coordinate variable of that name"}
	}
	valid, err := r.times(axis)
	if err != nil {
		return t, l, err
	}
	asCycles := func(cycles []time.Time, leads []time.Duration) (timing, layout, error) {
		l.roles = slices.Clone(l.roles)
		l.roles[slices.Index(l.roles, roleValid)] = roleCycle
		t.cycles, t.leads = cycles, leads
		return t, l, nil
	}
	if v, ok := r.auxiliary(roleCycle, l.dimName(roleValid)); ok { // a cycle for each valid time
		cycles, err := r.times(v)
		if err != nil {
			return t, l, err
		}
		leads := make([]time.Duration, len(valid))
		for i := range valid {
			leads[i] = valid[i].Sub(cycles[i])
		}
		if same(cycles) {
			t.cycles, t.leads = cycles[:1], leads
			return t, l, nil
		}
		if same(leads) {
			return asCycles(cycles, leads[:1])
		}
		return t, l, &UnusableError{Path: r.h.path, Var: l.v.Name, Why: "cycle and lead time both change along " + l.dimName(roleValid), Remedy: "give them dimensions of their own"}
	}
	cycle, ok, err := r.cycle(false)
	if err != nil {
		return t, l, err
	}
	if !ok && hasLead && len(t.leads) == 1 {
		if axis.Text("standard_name") != "time" {
			return asCycles(valid, t.leads) // cfgrib names the cycle "time"
		}
		cycles := make([]time.Time, len(valid))
		for i, v := range valid {
			cycles[i] = v.Add(-t.leads[0])
		}
		return asCycles(cycles, t.leads)
	}
	if !ok {
		cycle, ok = named.time()
	}
	if !ok {
		return t, l, &UnusableError{Path: r.h.path, Var: l.v.Name, Why: "nothing tells its cycle", Remedy: "add a forecast_reference_time to the file, or {date:...} to ingest.forecasts"}
	}
	leads := make([]time.Duration, len(valid))
	for i, v := range valid {
		leads[i] = v.Sub(cycle)
	}
	if hasLead && len(t.leads) == len(leads) && !slices.Equal(t.leads, leads) {
		return t, l, &UnusableError{Path: r.h.path, Var: lead.Name, Why: fmt.Sprintf("valid times are not the cycle %s plus the lead times", cycle.Format(cycleFormat)), Remedy: "correct the time coordinates"}
	}
	t.cycles, t.leads = []time.Time{cycle}, leads
	return t, l, nil
}

func same[T comparable](x []T) bool {
	for _, v := range x {
		if v != x[0] {
			return false
		}
	}
	return true
}

// cycle reads a scalar cycle. timeIsCycle says that a scalar named "time" without
// standard name is the cycle, as where the file has lead times.
func (r timeReader) cycle(timeIsCycle bool) (time.Time, bool, error) {
	v, ok := r.scalar(roleCycle)
	if !ok && timeIsCycle {
		v, ok = r.scalar(roleValid)
		ok = ok && v.Text("standard_name") == "" && strings.EqualFold(baseName(v.Name), "time")
	}
	if !ok {
		return time.Time{}, false, nil
	}
	t, err := r.times(v)
	if err != nil {
		return time.Time{}, false, err
	}
	return t[0], !t[0].IsZero(), nil
}

// cycleBefore derives the cycle of a file that does not name it: a scalar valid time
// minus a single lead time, or what the path says.
func (r timeReader) cycleBefore(leads []time.Duration, named stamp) (time.Time, bool, error) {
	if v, ok := r.scalar(roleValid); ok && len(leads) == 1 {
		valid, err := r.times(v)
		if err != nil {
			return time.Time{}, false, err
		}
		return valid[0].Add(-leads[0]), !valid[0].IsZero(), nil
	}
	cycle, ok := named.time()
	return cycle, ok, nil
}

// along finds the coordinate of the dimension with a role: a variable of that standard
// name on it, or else the one named as it.
func (r timeReader) along(want role) (ncio.Var, bool) {
	dim := r.l.dimName(want)
	if v, ok := r.auxiliary(want, dim); ok && r.standard(v) == want {
		return v, true
	}
	v, ok := r.h.lookup(r.l.v.Name, dim)
	if ok && len(v.Dims) == 1 && v.Dims[0].Name == dim && v.Type.Numeric() {
		return v, true
	}
	return r.auxiliary(want, dim)
}

// standard is the role that a variable's standard name gives it.
func (r timeReader) standard(v ncio.Var) role {
	if s, ok := roleOfStandardName[v.Text("standard_name")]; ok {
		return s
	}
	return roleNone
}

// auxiliary finds a variable on just the given dimension whose standard name, or whose
// name, has the wanted role.
func (r timeReader) auxiliary(want role, dim string) (ncio.Var, bool) {
	return r.find(want, func(v ncio.Var) bool { return len(v.Dims) == 1 && v.Dims[0].Name == dim })
}

// scalar finds a coordinate with a single value.
func (r timeReader) scalar(want role) (ncio.Var, bool) {
	return r.find(want, func(v ncio.Var) bool {
		for _, d := range v.Dims {
			if d.Len != 1 {
				return false
			}
		}
		return true
	})
}

func (r timeReader) find(want role, fits func(ncio.Var) bool) (best ncio.Var, ok bool) {
	rank := 0
	for _, v := range r.h.vars {
		seen, visible := r.h.lookup(r.l.v.Name, baseName(v.Name))
		if !visible || seen.Name != v.Name || v.Name == r.l.v.Name || !v.Type.Numeric() || !fits(v) {
			continue
		}
		score := 0
		standard := r.standard(v)
		if v.Name == r.h.names[want.String()] {
			score = 3
		} else if standard == want {
			score = 2
		} else if named, known := roleOfName[strings.ToLower(baseName(v.Name))]; known && named == want && standard == roleNone {
			score = 1
		}
		if score > rank {
			best, rank = v, score
		}
	}
	return best, rank > 0
}

// times reads a time coordinate; missing values become the zero time.
func (r timeReader) times(v ncio.Var) ([]time.Time, error) {
	fail := func(err error) error {
		return unusable(r.h.path, v.Name, err, "correct its values and units, such as \"hours since 1970-01-01 00:00:00\"")
	}
	units, err := parseTimeUnits(v.Text("units"), v.Text("calendar"))
	if err != nil {
		return nil, fail(err)
	}
	values, err := r.f.Float64s(v.Name, nil, nil)
	if err != nil {
		return nil, fail(err)
	}
	out := make([]time.Time, len(values))
	for i, x := range values {
		if x != x {
			continue
		}
		if out[i], err = units.at(x); err != nil {
			return nil, fail(err)
		}
	}
	if len(out) == 0 {
		return nil, fail(errors.New("it has no values"))
	}
	return out, nil
}

// durations reads lead times. A file that gives no units means hours, which note says.
func (r timeReader) durations(v ncio.Var) (out []time.Duration, note string, err error) {
	unit := time.Hour
	if units := v.Text("units"); units != "" {
		if unit, err = parseDurationUnits(units); err != nil {
			return nil, "", err
		}
	} else {
		note = fmt.Sprintf("%q has no units; its values are taken as hours", v.Name)
	}
	values, err := r.f.Float64s(v.Name, nil, nil)
	if err != nil {
		return nil, "", err
	}
	out = make([]time.Duration, len(values))
	for i, x := range values {
		if x != x {
			return nil, "", fmt.Errorf("lead time %d is missing", i)
		}
		if out[i], err = durationOf(x, unit); err != nil {
			return nil, "", err
		}
	}
	if len(out) == 0 {
		return nil, "", errors.New("it has no values")
	}
	return out, note, nil
}

// checkValid compares the valid times that a file gives, on dimensions of cycle and
// lead or one of them, with cycle + lead. It returns the positions along the cycle
// dimension where they differ, with the reason.
func (r timeReader) checkValid(t timing) (map[int]string, error) {
	cycleDim, leadDim := r.l.dimName(roleCycle), r.l.dimName(roleLead)
	if r.l.has(roleYear) || !r.l.has(roleLead) && !r.l.has(roleCycle) {
		return nil, nil
	}
	v, ok := r.find(roleValid, func(v ncio.Var) bool {
		if len(v.Dims) == 0 && len(t.cycles)*len(t.leads) > 1 {
			return false
		}
		for _, d := range v.Dims {
			if d.Name != cycleDim && d.Name != leadDim && d.Len != 1 {
				return false
			}
		}
		name := baseName(v.Name)
		return name != cycleDim && name != leadDim &&
			(v.Text("standard_name") == "time" || strings.EqualFold(name, "valid_time"))
	})
	if !ok {
		return nil, nil
	}
	valid, err := r.times(v)
	if err != nil {
		return nil, err
	}
	strideCycle, strideLead, step := 0, 0, 1
	for i := len(v.Dims) - 1; i >= 0; i-- {
		switch v.Dims[i].Name {
		case cycleDim:
			strideCycle = step
		case leadDim:
			strideLead = step
		}
		step *= v.Dims[i].Len
	}
	if strideCycle == 0 && len(t.cycles) > 1 || strideLead == 0 && len(t.leads) > 1 {
		return nil, nil // it speaks of some of the times only
	}
	bad := map[int]string{}
	for c, cycle := range t.cycles {
		for k, lead := range t.leads {
			at := valid[c*strideCycle+k*strideLead]
			if want := cycle.Add(lead); !at.IsZero() && !cycle.IsZero() && !at.Equal(want) {
				bad[c] = fmt.Sprintf("%q is %s where cycle and lead time give %s", v.Name, at.Format(cycleFormat), want.Format(cycleFormat))
				break
			}
		}
	}
	return bad, nil
}
