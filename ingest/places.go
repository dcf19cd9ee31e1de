package ingest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"sipipe/ingest/ncio"
)

var (
	altitudeNames      = []string{"altitude", "station_altitude", "surface_altitude", "elevation", "alt", "elev"}
	modelAltitudeNames = []string{"model_orography", "model_altitude", "orography", "orog", "surface_geopotential", "hsurf", "topography"}
	identifierNames    = []string{"station_id", "station", "wmo_id", "platform_id", "site_id", "id", "stationid"}
)

// readPlaces reads the stations or the grid of a variable. Its notes are worth telling
// the user.
func readPlaces(f *ncio.File, h *header, l layout) (p *Places, notes []string, err error) {
	if l.has(roleY) {
		p, err = readGrid(f, h, l)
		return p, nil, err
	}
	return readStations(f, h, l)
}

// readStations reads a list of places; a variable without such a dimension has one.
func readStations(f *ncio.File, h *header, l layout) (*Places, []string, error) {
	_, n := l.dim(roleStation)
	name := l.dimName(roleStation)
	if name == "" {
		// A transect of a grid has been made stations by resolve, so that this is a
		// single place.
		n = 1
	}
	p := &Places{}
	var notes []string
	ids, source, err := identifiers(f, h, l, name, n)
	if err != nil {
		return nil, nil, err
	}
	if ids == nil {
		notes = append(notes, "there are no station identifiers; the stations are numbered from 0")
		ids = make([]string, n)
		for i := range ids {
			ids[i] = strconv.Itoa(i)
		}
	}
	if err := checkIDs(ids); err != nil {
		return nil, nil, &UnusableError{Path: h.path, Var: source, Why: err.Error(), Remedy: "give every station an identifier of its own"}
	}
	p.ID = ids
	if p.Name, err = stationNames(f, h, l, name, source, n); err != nil {
		return nil, nil, err
	}
	if p.Latitude, p.Longitude, err = positions(f, h, l, n); err != nil {
		return nil, nil, err
	}
	if len(p.Latitude) != n || len(p.Longitude) != n {
		return nil, nil, &UnusableError{
			Path: h.path, Var: l.v.Name,
			Why:    fmt.Sprintf("its %d places have %d latitudes and %d longitudes", n, len(p.Latitude), len(p.Longitude)),
			Remedy: "give one of each to every place",
		}
	}
	if err := altitudes(f, h, l, p); err != nil {
		return nil, nil, err
	}
	return p, notes, nil
}

// located picks the stations that have coordinates: those of a forecast need them, those
// of observations are matched by identifier. at is where they are in the file, nil when
// all are picked; lost are the identifiers of the others.
func (p *Places) located() (q *Places, at []int, lost []string) {
	for i, id := range p.ID {
		if p.Latitude[i] != p.Latitude[i] || p.Longitude[i] != p.Longitude[i] {
			lost = append(lost, id)
		} else {
			at = append(at, i)
		}
	}
	if len(lost) == 0 {
		return p, nil, nil
	}
	return p.pick(at), at, lost
}

// identifiers finds what names the stations: the variable with cf_role timeseries_id,
// the coordinate variable of the dimension, one of the usual names, or a platform
// identifier. Numbers are written in decimal.
func identifiers(f *ncio.File, h *header, l layout, dim string, n int) (ids []string, source string, err error) {
	best, bestRank := ncio.Var{}, 1<<30
	for _, c := range h.vars {
		rank := 1 << 30
		base := strings.ToLower(baseName(c.Name))
		switch {
		case !perStation(c, dim, l.v):
		case c.Name == h.names["identifier"]:
			rank = -1
		case c.Text("cf_role") == "timeseries_id":
			rank = 0
		case base == strings.ToLower(dim) && !integerIndex(c):
			rank = 1
		case slices.Contains(identifierNames, base):
			rank = 2 + slices.Index(identifierNames, base)
		case c.Text("standard_name") == "platform_id" || c.Text("standard_name") == "station_wmo_id":
			rank = 50
		case base == strings.ToLower(dim):
			rank = 60
		}
		if rank < bestRank {
			best, bestRank = c, rank
		}
	}
	if bestRank == 1<<30 {
		return nil, l.v.Name, nil
	}
	if best.Type == ncio.Char || best.Type == ncio.String {
		ids, err = f.Strings(best.Name)
	} else {
		var numbers []int64
		numbers, err = f.Int64s(best.Name)
		for _, v := range numbers {
			ids = append(ids, strconv.FormatInt(v, 10))
		}
	}
	if err == nil && len(ids) != n {
		err = fmt.Errorf("%q has %d identifiers for %d stations", best.Name, len(ids), n)
	}
	if err != nil {
		return nil, best.Name, unusable(h.path, best.Name, err, "repair the station identifiers")
	}
	return ids, best.Name, nil
}

// integerIndex says whether a coordinate only counts, as IMPROVER's spot_index does:
// then another variable has the identifiers.
func integerIndex(c ncio.Var) bool {
	return strings.HasSuffix(strings.ToLower(baseName(c.Name)), "index")
}

// perStation says whether c has one value a station: a text or a number on the
// dimension, or a scalar when there is a single place.
func perStation(c ncio.Var, dim string, v ncio.Var) bool {
	dims := c.Dims
	if c.Name == v.Name {
		return false
	}
	if c.Type == ncio.Char {
		if len(dims) == 0 {
			return false
		}
		dims = dims[:len(dims)-1]
	}
	switch len(dims) {
	case 0:
		return dim == ""
	case 1:
		return dims[0].Name == dim || dim == "" && dims[0].Len == 1
	}
	return false
}

func checkIDs(ids []string) error {
	seen := make(map[string]bool, len(ids))
	for i, id := range ids {
		switch {
		case id == "":
			return fmt.Errorf("station %d of %d has an empty identifier", i, len(ids))
		case seen[id]:
			return fmt.Errorf("station identifier %q occurs twice", id)
		}
		seen[id] = true
	}
	return nil
}

// stationNames reads a text variable of names, nil when there is none.
func stationNames(f *ncio.File, h *header, l layout, dim, source string, n int) ([]string, error) {
	for _, c := range h.vars {
		base := strings.ToLower(baseName(c.Name))
		named := base == "station_name" || base == "name" || c.Text("standard_name") == "platform_name"
		text := c.Type == ncio.Char || c.Type == ncio.String
		if !named || !text || c.Name == source || !perStation(c, dim, l.v) {
			continue
		}
		names, err := f.Strings(c.Name)
		if err != nil {
			return nil, err
		}
		if len(names) == n {
			return names, nil
		}
	}
	return nil, nil
}

// positions reads latitudes and longitudes in degrees, one a place; NaN when the file
// has none. Longitudes are brought to [-180, 180).
func positions(f *ncio.File, h *header, l layout, n int) (lat, lon []float64, err error) {
	latVar, lonVar, ok := h.horizontal(l.v)
	if !ok {
		lat, lon = make([]float64, n), make([]float64, n)
		for i := range lat {
			lat[i], lon[i] = math.NaN(), math.NaN()
		}
		return lat, lon, nil
	}
	if lat, err = readAngles(f, h, latVar); err != nil {
		return nil, nil, err
	}
	if lon, err = readAngles(f, h, lonVar); err != nil {
		return nil, nil, err
	}
	for i, v := range lat {
		if v < -90.001 || v > 90.001 {
			return nil, nil, &UnusableError{Path: h.path, Var: latVar.Name, Why: fmt.Sprintf("latitude %g is not in -90 ... 90", v), Remedy: "check its values and units"}
		}
		lat[i] = min(max(v, -90), 90)
	}
	for i, v := range lon {
		if math.Abs(v) > 1000 {
			return nil, nil, &UnusableError{Path: h.path, Var: lonVar.Name, Why: fmt.Sprintf("longitude %g is not an angle in degrees", v), Remedy: "check its values and units"}
		}
		lon[i] = wrapLongitude(v)
	}
	return lat, lon, nil
}

// wrapLongitude brings degrees east to [-180, 180).
func wrapLongitude(v float64) float64 {
	if v >= -180 && v < 180 {
		return v
	}
	return v - 360*math.Floor((v+180)/360)
}

func readAngles(f *ncio.File, h *header, v ncio.Var) ([]float64, error) {
	scale, err := angleToDegrees(v.Text("units"))
	if err != nil {
		return nil, unusable(h.path, v.Name, err, "correct the units attribute")
	}
	return readScaled(f, v, scale)
}

func readScaled(f *ncio.File, v ncio.Var, scale float64) ([]float64, error) {
	x, err := f.Float64s(v.Name, nil, nil)
	if err != nil {
		return nil, err
	}
	for i := range x {
		x[i] *= scale
		if math.IsInf(x[i], 0) {
			x[i] = math.NaN()
		}
	}
	return x, nil
}

// altitudes reads the heights of places and of the model's surface at them. On a grid
// they are the same.
func altitudes(f *ncio.File, h *header, l layout, p *Places) error {
	n := p.Len()
	read := func(v ncio.Var, ok bool) ([]float64, error) {
		if !ok || len(v.Dims) == 0 && n > 1 {
			return nil, nil
		}
		scale, err := lengthToMetres(v.Text("units"))
		if err != nil {
			return nil, unusable(h.path, v.Name, err, "correct the units attribute")
		}
		x, err := readScaled(f, v, scale)
		if len(x) != n {
			return nil, err
		}
		return x, err
	}
	alt, hasAlt := h.coordinate(l.v, "altitude", []string{"surface_altitude", "altitude"}, "", altitudeNames)
	if hasAlt && strings.HasPrefix(baseName(alt.Name), "model") {
		hasAlt = false
	}
	var err error
	if p.Altitude, err = read(alt, hasAlt); err != nil {
		return err
	}
	if p.ModelAltitude, err = read(h.coordinate(l.v, "model_altitude", nil, "", modelAltitudeNames)); err != nil {
		return err
	}
	if p.Grid != nil {
		switch {
		case p.Altitude == nil && p.ModelAltitude != nil:
			p.Altitude = slices.Clone(p.ModelAltitude)
		case p.Altitude != nil && p.ModelAltitude == nil:
			p.ModelAltitude = slices.Clone(p.Altitude)
		}
	}
	if p.Altitude == nil {
		p.Altitude = make([]float64, n)
		for i := range p.Altitude {
			p.Altitude[i] = math.NaN()
		}
	}
	return nil
}

// readGrid reads the cells of a grid, row by row: regular, with latitude by row and
// longitude by column, or curvilinear, with both in two dimensions.
func readGrid(f *ncio.File, h *header, l layout) (*Places, error) {
	_, ny := l.dim(roleY)
	_, nx := l.dim(roleX)
	yName, xName := l.dimName(roleY), l.dimName(roleX)
	if ny > ncio.MaxValues/max(nx, 1) {
		return nil, &UnusableError{Path: h.path, Var: l.v.Name, Why: fmt.Sprintf("its grid of %d x %d cells is too large", ny, nx), Remedy: "check the dimensions"}
	}
	noCoordinates := &UnusableError{
		Path: h.path, Var: l.v.Name,
		Why:    fmt.Sprintf("its grid (%s, %s) has no latitude and longitude", yName, xName),
		Remedy: "add latitude and longitude variables on these dimensions (a projection alone is not enough)",
	}
	p := &Places{Grid: &Grid{NY: ny, NX: nx, YName: yName, XName: xName}}
	lat, lon, ok := h.horizontal(l.v)
	if !ok {
		return nil, noCoordinates
	}
	latValues, lonValues, err := positions(f, h, l, ny*nx)
	if err != nil {
		return nil, err
	}
	switch {
	case len(lat.Dims) == 2 && lat.Dims[0].Name == yName:
		p.Grid.Curvilinear = true
		p.Latitude, p.Longitude = latValues, lonValues
	case len(lat.Dims) == 2: // stored column by column
		p.Grid.Curvilinear = true
		p.Latitude, p.Longitude = transposed(latValues, ny, nx), transposed(lonValues, ny, nx)
	case len(lat.Dims) == 1 && lat.Dims[0].Name == yName && lon.Dims[0].Name == xName:
		p.Latitude, p.Longitude = make([]float64, ny*nx), make([]float64, ny*nx)
		for i := range p.Latitude {
			p.Latitude[i], p.Longitude[i] = latValues[i/nx], lonValues[i%nx]
		}
	default:
		return nil, noCoordinates
	}
	for i := range p.Latitude {
		if p.Latitude[i] != p.Latitude[i] || p.Longitude[i] != p.Longitude[i] {
			return nil, &UnusableError{Path: h.path, Var: lat.Name, Why: fmt.Sprintf("cell %s has no coordinates", cellID(p.Grid, i)), Remedy: "fill in latitude and longitude"}
		}
	}
	p.ID = cellIDs(p.Grid)
	return p, altitudes(f, h, l, p)
}

// transposed turns [nx, ny] into [ny, nx].
func transposed(x []float64, ny, nx int) []float64 {
	out := make([]float64, len(x))
	for i := range out {
		out[i] = x[(i%nx)*ny+i/nx]
	}
	return out
}

func cellID(g *Grid, i int) string { return strconv.Itoa(i/g.NX) + "," + strconv.Itoa(i%g.NX) }

func cellIDs(g *Grid) []string {
	ids := make([]string, g.NY*g.NX)
	for i := range ids {
		ids[i] = cellID(g, i)
	}
	return ids
}

// sameGrid says whether two grids have the same cells, to a hundredth of a degree.
func sameGrid(a, b *Places) error {
	if a.Grid == nil || b.Grid == nil || a.Grid.NY != b.Grid.NY || a.Grid.NX != b.Grid.NX {
		return errors.New("they have different shapes")
	}
	const tolerance = 0.01
	for i := range a.Latitude {
		dLon := math.Abs(wrapLongitude(a.Longitude[i] - b.Longitude[i]))
		if math.Abs(a.Latitude[i]-b.Latitude[i]) > tolerance || dLon > tolerance {
			return fmt.Errorf("cell %s is at %.3f, %.3f in one and at %.3f, %.3f in the other", a.ID[i], a.Latitude[i], a.Longitude[i], b.Latitude[i], b.Longitude[i])
		}
	}
	return nil
}
