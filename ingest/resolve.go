package ingest

import (
	"fmt"
	"slices"
	"strings"

	"sipipe/ingest/ncio"
)

// role is what a dimension of a variable means.
type role int

const (
	roleMember  role = iota // ensemble member
	roleCycle               // forecast reference time
	roleLead                // forecast period
	roleValid               // valid time
	roleStation             // station, or cell of an unstructured grid
	roleY                   // row of a grid
	roleX                   // column of a grid
	roleYear                // year of a reforecast, 20 being the year before the cycle
	roleSingle              // of length one, without meaning
	roleCount
	roleNone role = -1
)

var roleNames = [...]string{"member", "cycle", "lead", "valid", "station", "y", "x", "year", "single"}

func (r role) String() string {
	if r < 0 || r >= roleCount {
		return "unknown"
	}
	return roleNames[r]
}

// roleOfStandardName lists the CF standard names of coordinates.
var roleOfStandardName = map[string]role{
	"realization":             roleMember,
	"forecast_reference_time": roleCycle,
	"forecast_period":         roleLead,
	"time":                    roleValid,
	"latitude":                roleY,
	"grid_latitude":           roleY,
	"projection_y_coordinate": roleY,
	"longitude":               roleX,
	"grid_longitude":          roleX,
	"projection_x_coordinate": roleX,
	"platform_id":             roleStation,
	"platform_name":           roleStation,
	"station_wmo_id":          roleStation,
}

// roleOfName lists names of dimensions and coordinates, in lower case. "time" is the
// cycle where there is a lead time too: see resolve.
var roleOfName = roleTable(map[role]string{
	roleMember:  "realization number member members ensemble ens ensemble_member perturbationnumber perturbation_number",
	roleStation: "station stations station_id spot_index site sites nstations location locations point points values ncells cell nsites",
	roleValid:   "time valid_time validtime",
	roleCycle:   "forecast_reference_time reference_time initial_time init init_time cycle analysis_time",
	roleLead:    "step forecast_period leadtime lead_time lead prediction_timedelta forecast_lead_time",
	roleY:       "latitude lat y rlat south_north projection_y_coordinate",
	roleX:       "longitude lon x rlon west_east projection_x_coordinate",
	roleYear:    "year hdate_year",
})

func roleTable(groups map[role]string) map[string]role {
	table := map[string]role{}
	for r, names := range groups {
		for name := range strings.FieldsSeq(names) {
			table[name] = r
		}
	}
	return table
}

// header is the description of a file, in which variables are looked up.
type header struct {
	path   string
	vars   []ncio.Var
	byName map[string]int
	names  map[string]string // meaning to name in the file, by the user; see Options.Dims
}

// coordinateNames are the meanings of coordinates that are not dimensions too.
var coordinateNames = []string{"latitude", "longitude", "altitude", "model_altitude", "identifier"}

func newHeader(path string, vars []ncio.Var, names map[string]string) *header {
	h := &header{path: path, vars: vars, names: names, byName: make(map[string]int, len(vars))}
	for i, v := range vars {
		h.byName[v.Name] = i
	}
	return h
}

// lookup finds a variable as seen from another one: in its group, or else in a group
// around it.
func (h *header) lookup(from, name string) (ncio.Var, bool) {
	for group := from; ; {
		i := strings.LastIndexByte(group, '/')
		group = group[:max(i, 0)]
		full := name
		if group != "" {
			full = group + "/" + name
		}
		if k, ok := h.byName[full]; ok {
			return h.vars[k], true
		}
		if i < 0 {
			return ncio.Var{}, false
		}
	}
}

// baseName is the name of a variable without its groups.
func baseName(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// layout says what the dimensions of a variable mean.
type layout struct {
	v     ncio.Var
	roles []role // one a dimension
}

// dim returns the position and length of the dimension with a role; -1 and 1 when the
// variable has none.
func (l layout) dim(r role) (position, length int) {
	i := slices.Index(l.roles, r)
	if i < 0 {
		return -1, 1
	}
	return i, l.v.Dims[i].Len
}

func (l layout) has(r role) bool { return slices.Contains(l.roles, r) }

// dimName is the name of the dimension with a role, "" when there is none.
func (l layout) dimName(r role) string {
	if i, _ := l.dim(r); i >= 0 {
		return l.v.Dims[i].Name
	}
	return ""
}

// resolve finds the role of each dimension of v. The first rule that tells decides:
//
//  1. the user's names
//  2. standard_name or cf_role of the coordinate variable of the dimension
//  3. latitude and longitude variables: both on one dimension make it a place, both
//     on two make these rows and columns
//  4. axis and units of the coordinate variable
//  5. the name of the dimension
//  6. length one: it has no meaning
//
// Then a time that cannot be the valid time because there is a lead time as well is
// the cycle. Two dimensions of one role, or one without, are an error that lists
// what was found.
func resolve(h *header, v ncio.Var) (layout, error) {
	l := layout{v: v, roles: make([]role, len(v.Dims))}
	for i, d := range v.Dims {
		l.roles[i] = h.roleOf(v, d)
	}
	if l.has(roleLead) && !l.has(roleCycle) {
		if i := slices.Index(l.roles, roleValid); i >= 0 {
			l.roles[i] = roleCycle
		}
	}
	// Level and the like of length one may share a role with a real dimension.
	for i, r := range l.roles {
		if slices.Index(l.roles, r) != i || slices.Index(l.roles[i+1:], r) >= 0 {
			if v.Dims[i].Len == 1 {
				l.roles[i] = roleSingle
			}
		}
	}
	for i, r := range l.roles {
		if r == roleNone {
			return l, h.resolveError(l, fmt.Sprintf("dimension %q has no known meaning", v.Dims[i].Name))
		}
		if r != roleSingle && slices.Index(l.roles, r) != i {
			return l, h.resolveError(l, fmt.Sprintf("dimensions %q and %q both mean %s", v.Dims[slices.Index(l.roles, r)].Name, v.Dims[i].Name, r))
		}
	}
	if l.has(roleY) != l.has(roleX) {
		// A row or column of a grid is a list of places; a transect is not a grid.
		for i, r := range l.roles {
			if r == roleY || r == roleX {
				l.roles[i] = roleStation
			}
		}
	}
	if l.has(roleStation) && l.has(roleY) {
		return l, h.resolveError(l, "it has stations and grid rows")
	}
	return l, nil
}

func (h *header) resolveError(l layout, why string) error {
	var found []string
	for i, d := range l.v.Dims {
		found = append(found, fmt.Sprintf("%s=%d (%s)", d.Name, d.Len, l.roles[i]))
	}
	return &UnusableError{
		Path: h.path, Var: l.v.Name,
		Why:    fmt.Sprintf("%s; it has dimensions %s", why, strings.Join(found, ", ")),
		Remedy: "name the dimensions in ingest.dimensions (member, cycle, lead, valid, station, y, x)",
	}
}

// roleOf applies the rules of resolve to one dimension.
func (h *header) roleOf(v ncio.Var, d ncio.Dim) role {
	for r, name := range roleNames {
		if got, ok := h.names[name]; ok && got == d.Name {
			return role(r)
		}
	}
	coordinate, has := h.lookup(v.Name, d.Name)
	has = has && len(coordinate.Dims) >= 1 && coordinate.Dims[0].Name == d.Name
	if has {
		if r, ok := roleOfStandardName[coordinate.Text("standard_name")]; ok {
			return r
		}
		if coordinate.Text("cf_role") == "timeseries_id" {
			return roleStation
		}
	}
	if r := h.roleByPosition(v, d); r != roleNone {
		return r
	}
	if has {
		if r := roleByUnits(coordinate); r != roleNone {
			return r
		}
	}
	if r, ok := roleOfName[strings.ToLower(d.Name)]; ok {
		return r
	}
	if h.identifies(v, d) {
		return roleStation
	}
	if d.Len == 1 {
		return roleSingle
	}
	return roleNone
}

// roleByPosition looks at the latitude and longitude variables that have d.
func (h *header) roleByPosition(v ncio.Var, d ncio.Dim) role {
	lat, lon, ok := h.horizontal(v)
	if !ok || !slices.ContainsFunc(lat.Dims, func(x ncio.Dim) bool { return x.Name == d.Name }) {
		return roleNone
	}
	switch {
	case len(lat.Dims) == 1 && len(lon.Dims) == 1 && lon.Dims[0].Name == d.Name:
		return roleStation
	case len(lat.Dims) == 2:
		// Rows come first, unless the names say that columns do.
		if r, ok := roleOfName[strings.ToLower(d.Name)]; ok && (r == roleY || r == roleX) {
			return r
		}
		if d.Name == lat.Dims[0].Name {
			return roleY
		}
		return roleX
	}
	return roleNone
}

// identifies says whether d is the dimension of a variable of station identifiers.
func (h *header) identifies(v ncio.Var, d ncio.Dim) bool {
	for _, c := range h.vars {
		if len(c.Dims) > 0 && c.Dims[0].Name == d.Name && c.Text("cf_role") == "timeseries_id" {
			return true
		}
	}
	return false
}

// roleByUnits reads axis and units of a coordinate variable.
func roleByUnits(c ncio.Var) role {
	units := strings.ToLower(c.Text("units"))
	switch {
	case strings.HasPrefix(units, "degrees_n"), strings.HasPrefix(units, "degree_n"):
		return roleY
	case strings.HasPrefix(units, "degrees_e"), strings.HasPrefix(units, "degree_e"):
		return roleX
	}
	switch c.Text("axis") {
	case "Y":
		return roleY
	case "X":
		return roleX
	}
	name := strings.ToLower(baseName(c.Name))
	if strings.Contains(units, " since ") || strings.Contains(units, " as %") || c.Text("axis") == "T" {
		if r, ok := roleOfName[name]; ok && (r == roleCycle || r == roleValid) {
			return r
		}
		return roleValid
	}
	if _, named := roleOfName[name]; !named && c.Type != ncio.Char {
		if _, err := parseDurationUnits(units); err == nil {
			return roleLead
		}
	}
	return roleNone
}

// latitudeNames and longitudeNames are tried in this order; positions of the model's
// grid point (model_latitude) are not those of the station.
var (
	latitudeNames  = []string{"latitude", "lat", "station_latitude", "clat", "nav_lat", "xlat", "lats"}
	longitudeNames = []string{"longitude", "lon", "station_longitude", "clon", "nav_lon", "xlong", "lons"}
)

// horizontal finds the latitude and longitude variables of v: each has only dimensions
// that v has.
func (h *header) horizontal(v ncio.Var) (lat, lon ncio.Var, ok bool) {
	lat, okLat := h.coordinate(v, "latitude", []string{"latitude"}, "degrees_n", latitudeNames)
	lon, okLon := h.coordinate(v, "longitude", []string{"longitude"}, "degrees_e", longitudeNames)
	if !okLat || !okLon || len(lat.Dims) != len(lon.Dims) || len(lat.Dims) > 2 {
		return lat, lon, false
	}
	if len(lat.Dims) == 2 && (lat.Dims[0] != lon.Dims[0] || lat.Dims[1] != lon.Dims[1]) {
		return lat, lon, false
	}
	return lat, lon, true
}

// coordinate finds a coordinate of v: the one that the user names for its meaning, or
// else by name, standard name or units, in this order of preference: named in v's
// "coordinates" attribute; a name of the list, early ones first; not of the model.
func (h *header) coordinate(v ncio.Var, meaning string, standardNames []string, units string, names []string) (ncio.Var, bool) {
	if name, ok := h.names[meaning]; ok {
		c, ok := h.lookup(v.Name, name)
		return c, ok && h.spans(v, c) && c.Type.Numeric()
	}
	listed := strings.Fields(v.Text("coordinates"))
	best, bestRank := ncio.Var{}, 1<<30
	for _, c := range h.vars {
		if !h.spans(v, c) || c.Name == v.Name || !c.Type.Numeric() {
			continue
		}
		name := strings.ToLower(baseName(c.Name))
		position := slices.Index(names, name)
		named := position >= 0
		if !named && !slices.Contains(standardNames, c.Text("standard_name")) &&
			!(units != "" && strings.HasPrefix(strings.ToLower(c.Text("units")), units)) {
			continue
		}
		rank := position
		if !named {
			rank = len(names)
		}
		if strings.HasPrefix(name, "model") {
			rank += 1000
		}
		if !slices.Contains(listed, baseName(c.Name)) {
			rank += 100
		}
		if rank < bestRank {
			best, bestRank = c, rank
		}
	}
	return best, bestRank < 1<<30
}

// spans says whether c is seen from v and all its dimensions are v's.
func (h *header) spans(v, c ncio.Var) bool {
	if seen, ok := h.lookup(v.Name, baseName(c.Name)); !ok || seen.Name != c.Name {
		return false
	}
	for _, d := range c.Dims {
		if !slices.Contains(v.Dims, d) {
			return false
		}
	}
	return true
}

// data lists the variables of a file that can hold a forecast or an observation: they
// are numbers, have dimensions, and do not describe others.
func (h *header) data() []ncio.Var {
	described := map[string]bool{}
	for _, v := range h.vars {
		for _, attr := range []string{"coordinates", "bounds", "ancillary_variables", "grid_mapping"} {
			for name := range strings.FieldsSeq(v.Text(attr)) {
				described[name] = true
			}
		}
		for _, d := range v.Dims {
			described[d.Name] = true
		}
	}
	var out []ncio.Var
	for _, v := range h.vars {
		name := baseName(v.Name)
		_, coordinate := roleOfStandardName[v.Text("standard_name")]
		_, known := roleOfName[strings.ToLower(name)]
		known = known && len(v.Dims) == 1
		if v.Type.Numeric() && len(v.Dims) > 0 && !described[name] && !coordinate && !known && !isPosition(name) {
			out = append(out, v)
		}
	}
	return out
}

// isPosition says whether a name is one of those that places.go reads.
func isPosition(name string) bool {
	name = strings.ToLower(name)
	for _, list := range [][]string{latitudeNames, longitudeNames, altitudeNames, modelAltitudeNames} {
		if slices.Contains(list, name) {
			return true
		}
	}
	return strings.HasPrefix(name, "model_") || strings.HasPrefix(name, "station_") || strings.HasSuffix(name, "land_usage")
}

// variable finds the variable that the user wants: by its name, by its name in a group,
// by CF standard name, by GRIB short name.
func (h *header) variable(want string) (ncio.Var, error) {
	if i, ok := h.byName[want]; ok && h.vars[i].Type.Numeric() {
		return h.vars[i], nil
	}
	candidates := h.data()
	tests := []func(ncio.Var) bool{
		func(v ncio.Var) bool { return baseName(v.Name) == want },
		func(v ncio.Var) bool { return v.Text("standard_name") == want },
		func(v ncio.Var) bool { return v.Text("GRIB_shortName") == want },
	}
	for _, test := range tests {
		var found []string
		var at ncio.Var
		for _, v := range candidates {
			if test(v) {
				found = append(found, v.Name)
				at = v
			}
		}
		switch {
		case len(found) == 1:
			return at, nil
		case len(found) > 1:
			return ncio.Var{}, &UnusableError{
				Path: h.path, Var: want,
				Why:    "it could be any of " + strings.Join(found, ", "),
				Remedy: "name one of them in variables",
			}
		}
	}
	have := make([]string, len(candidates))
	for i, v := range candidates {
		have[i] = v.Name
	}
	return ncio.Var{}, &MissingVarError{Path: h.path, Var: want, Have: have}
}
