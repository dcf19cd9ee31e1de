package ingest

import (
	"context"
	"fmt"
	"math"
	"time"

	"sipipe/ingest/ncio"
)

// Report is what the program sees in a file.
type Report struct {
	Path        string           `json:"path"`
	Title       string           `json:"title,omitempty"`
	Conventions string           `json:"conventions,omitempty"`
	Variables   []VariableReport `json:"variables"`
	Coordinates []string         `json:"coordinates"` // all other variables, as "name(dims) type"
}

// VariableReport is what the program sees in a variable that can hold data. Problems
// say why it cannot be used; then the fields that could not be found are empty.
type VariableReport struct {
	Name         string      `json:"name"`
	StandardName string      `json:"standard_name,omitempty"`
	LongName     string      `json:"long_name,omitempty"`
	Kind         string      `json:"kind"` // "forecasts" when it has members, else "observations"
	FileUnits    string      `json:"file_units,omitempty"`
	Units        string      `json:"units,omitempty"` // SI
	CellMethods  string      `json:"cell_methods,omitempty"`
	Type         string      `json:"type"`
	Dims         []DimReport `json:"dims"`

	Cycles     int       `json:"cycles,omitempty"`
	FirstCycle time.Time `json:"first_cycle,omitzero"`
	LastCycle  time.Time `json:"last_cycle,omitzero"`
	LeadHours  []float64 `json:"lead_hours,omitempty"`
	ValidTimes int       `json:"valid_times,omitempty"` // of observations
	FirstValid time.Time `json:"first_valid,omitzero"`
	LastValid  time.Time `json:"last_valid,omitzero"`

	Members     []int32  `json:"members,omitempty"`
	MemberNames []string `json:"member_names,omitempty"`

	Places      int      `json:"places,omitempty"`
	Grid        *Grid    `json:"grid,omitempty"`
	FirstPlaces []string `json:"first_places,omitempty"`
	NoAltitude  int      `json:"without_altitude,omitempty"`
	NoPosition  int      `json:"without_position,omitempty"`
	// Bounds is south, north, west, east in degrees; nil when no place has a position.
	Bounds []float64 `json:"bounds,omitempty"`

	Values       int     `json:"values"`
	MissingShare float64 `json:"missing_share"`
	// Range is the least and the greatest value in SI units; nil when all are missing.
	Range []float64 `json:"range,omitempty"`

	Notes    []string `json:"notes,omitempty"`
	Problems []string `json:"problems,omitempty"`
}

// DimReport is a dimension and what it is taken for.
type DimReport struct {
	Name string `json:"name"`
	Len  int    `json:"len"`
	Role string `json:"role"`
}

// InspectOptions says what a file leaves open, as Options does for an archive.
type InspectOptions struct {
	Dims  map[string]string
	Units map[string]string
}

// Inspect describes a file: each variable that could hold a forecast or an observation,
// with all of its values read for their range. It fails only when the file cannot be
// read at all.
func Inspect(ctx context.Context, path string) (Report, error) {
	return InspectWith(ctx, path, InspectOptions{})
}

// InspectWith is Inspect of a file that needs explaining.
func InspectWith(ctx context.Context, path string, o InspectOptions) (Report, error) {
	f, err := ncio.Open(ctx, path)
	if err != nil {
		return Report{}, err
	}
	defer f.Close()
	h := newHeader(path, f.Vars(), o.Dims)
	out := Report{Path: path, Title: f.Text("title"), Conventions: f.Text("Conventions"), Variables: []VariableReport{}}
	data := map[string]bool{}
	for _, v := range h.data() {
		data[v.Name] = true
		r, err := inspectVariable(ctx, f, h, v, o)
		if err != nil {
			return out, err
		}
		out.Variables = append(out.Variables, r)
	}
	for _, v := range f.Vars() {
		if !data[v.Name] {
			out.Coordinates = append(out.Coordinates, signature(v))
		}
	}
	return out, f.Close()
}

// signature writes a variable as ncdump does.
func signature(v ncio.Var) string {
	s := v.Type.String() + " " + v.Name
	for i, d := range v.Dims {
		sep := ", "
		if i == 0 {
			sep = "("
		}
		s += fmt.Sprintf("%s%s=%d", sep, d.Name, d.Len)
	}
	if len(v.Dims) > 0 {
		s += ")"
	}
	return s
}

func inspectVariable(ctx context.Context, f *ncio.File, h *header, v ncio.Var, o InspectOptions) (VariableReport, error) {
	d := describe(v)
	r := VariableReport{
		Name: d.Name, StandardName: d.StandardName, LongName: d.LongName, CellMethods: d.CellMethods,
		FileUnits: d.Units, Type: v.Type.String(), Kind: "observations",
	}
	l, err := resolve(h, v)
	for i, dim := range v.Dims {
		r.Dims = append(r.Dims, DimReport{dim.Name, dim.Len, l.roles[i].String()})
	}
	if err != nil {
		r.Problems = append(r.Problems, err.Error())
		return r, nil
	}
	parse := parseOptions(o)
	if l.has(roleMember) {
		r.Kind = "forecasts"
		err = r.inspectForecasts(ctx, f, v, parse)
	} else {
		err = r.inspectObservations(ctx, f, v, parse)
	}
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	if err != nil {
		r.Problems = append(r.Problems, err.Error())
	}
	return r, nil
}

func (r *VariableReport) inspectForecasts(ctx context.Context, f *ncio.File, v ncio.Var, o parseOptions) error {
	reader, err := newForecastReader(f, v.Name, o, nil)
	if err != nil {
		return err
	}
	reader.screens = true
	r.Units, r.Members, r.MemberNames, r.Notes = reader.variable.Units, reader.members, reader.names, reader.notes
	for _, lead := range reader.leads {
		r.LeadHours = append(r.LeadHours, lead.Hours())
	}
	for _, c := range reader.cycles {
		r.Cycles++
		extend(&r.FirstCycle, &r.LastCycle, c.time)
	}
	r.places(reader.places)
	gaps := 0
	tally := newTally(r)
	lost := make([]int, len(reader.members))
	err = reader.read(ctx, func(cycleAt) bool { return true }, func(c cycleAt, values []float32) error {
		tally.add(values)
		each, all := missing(values, len(reader.members))
		if all == len(values) {
			gaps++
			return nil
		}
		for i, n := range each {
			if n == len(values)/len(each) {
				lost[i]++
			}
		}
		why, bad := reader.faults[c.position]
		if !bad {
			refused, doubt := reader.screen(reader.ensemble(c.time, values))
			why = refused + doubt // one is empty
		}
		if why != "" {
			r.Problems = append(r.Problems, fmt.Sprintf("cycle %s: %s", c.time.Format(cycleFormat), why))
		}
		return nil
	})
	tally.finish()
	if gaps > 0 {
		r.Problems = append(r.Problems, fmt.Sprintf("%d of %d cycles have no values", gaps, r.Cycles))
	}
	for i, n := range lost {
		if n > 0 {
			r.Notes = append(r.Notes, fmt.Sprintf("member %d is missing in %d of %d cycles", reader.members[i], n, r.Cycles))
		}
	}
	return err
}

func (r *VariableReport) inspectObservations(ctx context.Context, f *ncio.File, v ncio.Var, o parseOptions) error {
	reader, err := newObservedReader(f, []string{v.Name}, o, "")
	if err != nil {
		return err
	}
	r.Units, r.Notes = reader.variable.Units, reader.notes
	r.places(reader.places)
	tally := newTally(r)
	err = reader.read(ctx, func(_ string, m *observedPeriod) error {
		for _, at := range m.Times {
			r.ValidTimes++
			extend(&r.FirstValid, &r.LastValid, time.Unix(at, 0).UTC())
		}
		tally.add(m.Values)
		return nil
	})
	tally.finish()
	return err
}

// extend widens a range of times.
func extend(first, last *time.Time, t time.Time) {
	if first.IsZero() || t.Before(*first) {
		*first = t
	}
	if t.After(*last) {
		*last = t
	}
}

func (r *VariableReport) places(p *Places) {
	r.Places, r.Grid = p.Len(), p.Grid
	r.FirstPlaces = p.ID[:min(len(p.ID), 5)]
	south, north, west, east := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for i, lat := range p.Latitude {
		lon := p.Longitude[i]
		if p.Altitude[i] != p.Altitude[i] {
			r.NoAltitude++
		}
		if lat != lat || lon != lon {
			r.NoPosition++
			continue
		}
		south, north = min(south, lat), max(north, lat)
		west, east = min(west, lon), max(east, lon)
	}
	if south <= north {
		r.Bounds = []float64{south, north, west, east}
	}
}

// tally counts values of a variable as they pass.
type tally struct {
	r        *VariableReport
	missing  int
	low, top float64
}

func newTally(r *VariableReport) *tally {
	return &tally{r: r, low: math.Inf(1), top: math.Inf(-1)}
}

func (t *tally) add(values []float32) {
	t.r.Values += len(values)
	for _, v := range values {
		if v != v {
			t.missing++
			continue
		}
		t.low, t.top = min(t.low, float64(v)), max(t.top, float64(v))
	}
}

func (t *tally) finish() {
	if t.r.Values > 0 {
		t.r.MissingShare = float64(t.missing) / float64(t.r.Values)
	}
	if t.low <= t.top {
		t.r.Range = []float64{t.low, t.top}
	}
}
