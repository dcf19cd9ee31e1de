package ingest

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"sipipe/ingest/ncio"
)

// forecastReader reads the ensembles of one variable from one open file.
type forecastReader struct {
	f *ncio.File
	h *header
	l layout

	variable  Variable // in SI units
	described Variable // as in the file
	convert   conversion
	cycles    []cycleAt // in the order of the file
	faults    map[int]string
	leads     []time.Duration // ascending
	leadAt    []int           // position of each lead in the file
	members   []int32         // ascending
	memberAt  []int
	names     []string // of members, in the order of members; may be nil
	places    *Places
	placeAt   []int // position of each station in the file; nil when all are used
	notes     []string
	warnings  []string // of all cycles
	named     stamp    // cycle by the path
	screens   bool     // what cannot be right is left out
}

// cycleAt is where a cycle lies in the file.
type cycleAt struct {
	time           time.Time
	position, year int // along the dimensions of cycle and reforecast year
}

// parseOptions is what the user may say about files.
type parseOptions struct {
	Dims  map[string]string // role to dimension name
	Units map[string]string // variable to its units, in place of what the file says
}

// units is what the user says are the units of a variable of a file, empty if nothing.
// The variable may go by the name that was asked for, that of the file, or its
// standard name.
func (o parseOptions) units(v ncio.Var, asked ...string) string {
	for _, name := range append(asked, v.Name, v.Text("standard_name")) {
		if u := o.Units[name]; u != "" {
			return u
		}
	}
	return ""
}

// newForecastReader understands the description of an open file. named is what the
// path says of the cycle.
func newForecastReader(f *ncio.File, want string, o parseOptions, named stamp) (*forecastReader, error) {
	h := newHeader(f.Path(), f.Vars(), o.Dims)
	v, err := h.variable(want)
	if err != nil {
		return nil, err
	}
	r := &forecastReader{f: f, h: h, named: named}
	if r.l, err = resolve(h, v); err != nil {
		return nil, err
	}
	if err := r.readUnits(v, o.units(v, want)); err != nil {
		return nil, err
	}
	if err := r.readTimes(); err != nil {
		return nil, err
	}
	if err := r.readMembers(); err != nil {
		return nil, err
	}
	places, notes, err := readPlaces(f, h, r.l)
	if err != nil {
		return nil, unusable(h.path, v.Name, err, "correct the places")
	}
	r.notes = append(r.notes, notes...)
	if err := r.locate(places); err != nil {
		return nil, err
	}
	if n := r.cycleLen(); n > ncio.MaxValues {
		return nil, &UnusableError{Path: h.path, Var: v.Name, Why: fmt.Sprintf("a cycle has %d values, more than the %d that are read at once", n, ncio.MaxValues), Remedy: "split it by lead time or area"}
	}
	return r, nil
}

// locate leaves out stations without coordinates: nothing can be interpolated to them.
func (r *forecastReader) locate(places *Places) error {
	var lost []string
	r.places, r.placeAt, lost = places.located()
	switch n := len(lost); {
	case n == 0:
		return nil
	case r.places.Len() == 0:
		return &UnusableError{Path: r.h.path, Var: r.l.v.Name, Why: "no station has coordinates", Remedy: "add latitudes and longitudes to the file"}
	default:
		warning := fmt.Sprintf("%d of %d stations are left out, because they have no coordinates: %s", n, places.Len(), abbreviate(lost, 10))
		r.notes, r.warnings = append(r.notes, warning), append(r.warnings, warning)
		return nil
	}
}

// describe is the variable as its file describes it.
func describe(v ncio.Var) Variable {
	out := Variable{
		Name:         v.Name,
		StandardName: v.Text("standard_name"),
		LongName:     v.Text("long_name"),
		Units:        strings.TrimSpace(v.Text("units")),
		CellMethods:  v.Text("cell_methods"),
	}
	if out.StandardName == "unknown" { // cfgrib's word for none
		out.StandardName = ""
	}
	return out
}

// readUnits finds how values become SI. units stand in place of those of the file
// when not empty.
func (r *forecastReader) readUnits(v ncio.Var, units string) error {
	r.described = describe(v)
	if units != "" {
		r.described.Units = units
	}
	var err error
	if r.convert, r.variable, err = toSI(r.described); err != nil {
		return unusable(r.h.path, v.Name, err, unitsRemedy)
	}
	return nil
}

const unitsRemedy = "correct the units attribute, or set the units of the file in ingest.units"

// readTimes finds cycles and leads. A cycle that cannot be used goes to faults; the
// rest of the file stays.
func (r *forecastReader) readTimes() error {
	t, l, err := readTiming(r.f, r.h, r.l, r.named)
	if err != nil {
		return err
	}
	r.l = l
	r.notes = append(r.notes, t.notes...)
	if r.faults, err = (timeReader{r.f, r.h, l}).checkValid(t); err != nil {
		return err
	}
	if r.faults == nil {
		r.faults = map[int]string{}
	}
	if err := r.orderLeads(t.leads); err != nil {
		return err
	}
	missing := 0
	_, years := l.dim(roleYear)
	var yearNumbers []float64
	if l.has(roleYear) {
		if yearNumbers, err = r.years(years); err != nil {
			return err
		}
	}
	for i, at := range t.cycles {
		if at.IsZero() {
			missing++
			continue
		}
		if !r.named.agrees(at) {
			r.faults[i] = fmt.Sprintf("its time stamp is %s, not that of its name", at.Format(cycleFormat))
		}
		for y := range years {
			c := cycleAt{time: at, position: i, year: y}
			if yearNumbers != nil {
				c.time = reforecastCycle(at, yearNumbers[y])
			}
			r.cycles = append(r.cycles, c)
		}
	}
	if missing > 0 {
		r.notes = append(r.notes, fmt.Sprintf("%d of %d cycles have no time and are left out", missing, len(t.cycles)))
	}
	return nil
}

// reforecastCycle is the start of a reforecast in the convention of EUPPBench
// (Demaeyer et al. 2023, ESSD): year 20 is one year before the date given, year 1
// twenty years before.
func reforecastCycle(at time.Time, year float64) time.Time {
	return at.AddDate(-(21 - int(year)), 0, 0)
}

func (r *forecastReader) years(n int) ([]float64, error) {
	dim := r.l.dimName(roleYear)
	v, ok := r.h.lookup(r.l.v.Name, dim)
	if !ok || len(v.Dims) != 1 || !v.Type.Numeric() {
		return nil, &UnusableError{Path: r.h.path, Var: r.l.v.Name, Why: fmt.Sprintf("reforecast dimension %q has no numbers", dim), Remedy: "add a coordinate variable with 1 ... 20"}
	}
	numbers, err := r.f.Float64s(v.Name, nil, nil)
	if err != nil {
		return nil, unusable(r.h.path, v.Name, err, "copy the file again")
	}
	for _, y := range numbers {
		if y != math.Trunc(y) || y < 1 || y > 20 || len(numbers) != n {
			return nil, &UnusableError{Path: r.h.path, Var: v.Name, Why: fmt.Sprintf("reforecast year %g is not one of 1 ... 20", y), Remedy: "number the years from 1, twenty years before the cycle, to 20, one year before"}
		}
	}
	return numbers, nil
}

// orderLeads sorts lead times and refuses what cannot be one.
func (r *forecastReader) orderLeads(leads []time.Duration) error {
	r.leadAt = make([]int, len(leads))
	for i := range r.leadAt {
		r.leadAt[i] = i
	}
	slices.SortStableFunc(r.leadAt, func(a, b int) int { return cmp.Compare(leads[a], leads[b]) })
	r.leads = make([]time.Duration, len(leads))
	for i, at := range r.leadAt {
		r.leads[i] = leads[at]
		if i > 0 && r.leads[i] == r.leads[i-1] {
			return &UnusableError{Path: r.h.path, Var: r.l.v.Name, Why: fmt.Sprintf("lead time %s occurs twice", formatLead(r.leads[i])), Remedy: "correct the lead times"}
		}
	}
	if r.leads[0] < 0 {
		return &UnusableError{Path: r.h.path, Var: r.l.v.Name, Why: fmt.Sprintf("lead time %s is negative: a valid time lies before the cycle", formatLead(r.leads[0])), Remedy: "correct the time coordinates"}
	}
	return nil
}

// readMembers reads member numbers, sorted, and their names. Numbers that occur twice,
// as in lagged ensembles, are replaced by 0, 1, 2, ...
func (r *forecastReader) readMembers() error {
	dim := r.l.dimName(roleMember)
	_, n := r.l.dim(roleMember)
	numbers := make([]int64, n)
	for i := range numbers {
		numbers[i] = int64(i)
	}
	v, ok := r.h.lookup(r.l.v.Name, dim)
	if ok && v.Type.Numeric() && len(v.Dims) == 1 && v.Dims[0].Name == dim {
		read, err := r.f.Int64s(v.Name)
		if err != nil || len(read) != n {
			return unusable(r.h.path, v.Name, fmt.Errorf("member numbers cannot be read: %w", err), "number the members by integers")
		}
		numbers = read
	}
	r.memberAt = make([]int, n)
	for i := range r.memberAt {
		r.memberAt[i] = i
	}
	slices.SortStableFunc(r.memberAt, func(a, b int) int { return cmp.Compare(numbers[a], numbers[b]) })
	r.members = make([]int32, n)
	renumber := false
	for i, at := range r.memberAt {
		number := numbers[at]
		renumber = renumber || number < math.MinInt32 || number > math.MaxInt32 || i > 0 && number == numbers[r.memberAt[i-1]]
		r.members[i] = int32(number)
	}
	if renumber {
		r.notes = append(r.notes, "member numbers are not unique; the members are numbered from 0")
		for i := range r.members {
			r.members[i], r.memberAt[i] = int32(i), i
		}
	}
	return r.readMemberNames(dim, n)
}

// readMemberNames reads the first text variable on the dimension of members.
func (r *forecastReader) readMemberNames(dim string, n int) error {
	if dim == "" {
		return nil
	}
	for _, v := range r.h.vars {
		onMembers := v.Type == ncio.String && len(v.Dims) == 1 || v.Type == ncio.Char && len(v.Dims) == 2
		if !onMembers || v.Dims[0].Name != dim {
			continue
		}
		names, err := r.f.Strings(v.Name)
		if err != nil || len(names) != n {
			return unusable(r.h.path, v.Name, fmt.Errorf("member names cannot be read: %w", err), "copy the file again")
		}
		r.names = make([]string, n)
		for i, at := range r.memberAt {
			r.names[i] = names[at]
		}
		return nil
	}
	return nil
}

// cycleLen is the number of values of one cycle.
func (r *forecastReader) cycleLen() int {
	return len(r.leads) * r.places.Len() * len(r.members)
}

// readBudget bounds the values held at once when several cycles are read, 2^24 (64 MiB).
const readBudget = 1 << 24

// batch is how many positions of the cycle dimension are read at once: as many as the
// budget allows, and whole chunks of the file, up to four times the budget, because a
// chunk is decompressed whole whatever is read of it.
func (r *forecastReader) batch() int {
	i, n := r.l.dim(roleCycle)
	if i < 0 {
		return 1
	}
	_, years := r.l.dim(roleYear)
	return batchSize(n, r.cycleLen()*years, chunkAlong(r.l.v, i))
}

// chunkAlong is the length of a variable's chunks along one dimension.
func chunkAlong(v ncio.Var, dim int) int {
	if v.Chunks == nil {
		return 1
	}
	return max(v.Chunks[dim], 1)
}

func batchSize(n, valuesEach, chunk int) int {
	size := readBudget / max(valuesEach, 1)
	if chunk > 1 {
		size = size / chunk * chunk
		if size == 0 && chunk*valuesEach <= 4*readBudget {
			size = chunk
		}
		if size == 0 {
			size = readBudget / max(valuesEach, 1)
		}
	}
	return min(max(size, 1), n)
}

// ensembleFunc takes the values of one cycle, [lead, place, member] in SI units, which
// become its own.
type ensembleFunc func(c cycleAt, values []float32) error

// read gives each the values of the cycles that wanted selects, batch by batch. Cycles
// come in the order of the file.
func (r *forecastReader) read(ctx context.Context, wanted func(cycleAt) bool, each ensembleFunc) error {
	var todo []cycleAt
	for _, c := range r.cycles {
		if wanted(c) {
			todo = append(todo, c)
		}
	}
	size := r.batch()
	for len(todo) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		first := todo[0].position
		if chunk := r.cycleChunk(); size%chunk == 0 {
			first -= first % chunk
		}
		n := 0
		for n < len(todo) && todo[n].position < first+size {
			n++
		}
		from, to := todo[0].position, todo[n-1].position+1
		raw, err := r.slab(from, to)
		if err != nil {
			return err
		}
		for _, c := range todo[:n] {
			values := r.extract(raw, c.position-from, to-from, c.year)
			r.convert.apply(values)
			if err := each(c, values); err != nil {
				return err
			}
		}
		todo = todo[n:]
	}
	return nil
}

func (r *forecastReader) cycleChunk() int {
	if i, _ := r.l.dim(roleCycle); i >= 0 {
		return chunkAlong(r.l.v, i)
	}
	return 1
}

// slab reads the positions from ... to of the cycle dimension and all of the others.
func (r *forecastReader) slab(from, to int) ([]float32, error) {
	start, count := make([]int, len(r.l.v.Dims)), r.l.v.Shape()
	if i, _ := r.l.dim(roleCycle); i >= 0 {
		start[i], count[i] = from, to-from
	}
	raw, err := r.f.Float32s(r.l.v.Name, start, count)
	if err != nil {
		return nil, unusable(r.h.path, r.l.v.Name, err, "copy the file again")
	}
	return raw, nil
}

// extract picks one cycle from a slab of the given number of cycles, brings it to the
// order [lead, place, member], and makes infinite values missing.
func (r *forecastReader) extract(raw []float32, cycle, cycles, year int) []float32 {
	var stride [roleCount]int
	step := 1
	for i := len(r.l.v.Dims) - 1; i >= 0; i-- {
		n := r.l.v.Dims[i].Len
		if r.l.roles[i] == roleCycle {
			n = cycles
		}
		stride[r.l.roles[i]] = step
		step *= n
	}
	leadStride := stride[roleLead] + stride[roleValid] // a layout has at most one of them
	rows, columns := r.places.Len(), 1
	rowStride, columnStride := stride[roleStation], 0
	if r.l.has(roleY) {
		rows, columns = r.places.Grid.NY, r.places.Grid.NX
		rowStride, columnStride = stride[roleY], stride[roleX]
	}
	nan := float32(math.NaN())
	out := make([]float32, 0, r.cycleLen())
	base := cycle*stride[roleCycle] + year*stride[roleYear]
	for _, lead := range r.leadAt {
		for row := range rows {
			for column := range columns {
				y := row
				if r.placeAt != nil {
					y = r.placeAt[row]
				}
				at := base + lead*leadStride + y*rowStride + column*columnStride
				for _, member := range r.memberAt {
					v := raw[at+member*stride[roleMember]]
					if v-v != 0 { // NaN and infinities
						v = nan
					}
					out = append(out, v)
				}
			}
		}
	}
	return out
}

// missing counts the missing values of each member, and of all.
func missing(values []float32, members int) (each []int, all int) {
	each = make([]int, members)
	for i, v := range values {
		if v != v {
			each[i%members]++
			all++
		}
	}
	return each, all
}

// gaps describes what is missing of a cycle, nil when nothing noteworthy is. It is an
// error when nothing is there at all.
func (r *forecastReader) gaps(values []float32) (warnings []string, empty bool) {
	each, all := missing(values, len(r.members))
	if all == len(values) {
		return nil, true
	}
	perMember := len(values) / len(r.members)
	var lost []string
	for i, n := range each {
		if n == perMember {
			lost = append(lost, fmt.Sprint(r.members[i]))
		}
	}
	if len(lost) > 0 {
		warnings = append(warnings, fmt.Sprintf("%d of %d members are missing (%s)", len(lost), len(r.members), abbreviate(lost, 10)))
	}
	return warnings, false
}

// abbreviate joins at most n words.
func abbreviate(words []string, n int) string {
	if len(words) > n {
		return strings.Join(words[:n], ", ") + fmt.Sprintf(" and %d more", len(words)-n)
	}
	return strings.Join(words, ", ")
}
