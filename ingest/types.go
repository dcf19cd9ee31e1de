package ingest

import "time"

// Variable names one physical quantity as its file does.
type Variable struct {
	Name         string // name in the file, kept on output
	StandardName string // CF standard name, "" when the file has none
	LongName     string
	Units        string // SI units after conversion, e.g. "K", "m s-1", "kg m-2"
	CellMethods  string // CF cell_methods, "" for an instantaneous value
}

// Grid is the shape of places that lie on a grid; place i is row i/NX, column i%NX.
type Grid struct {
	NY, NX       int
	YName, XName string // names of the two dimensions in the file
	Curvilinear  bool   // latitude and longitude are two-dimensional
}

// Places are the stations or grid cells of a forecast, in the order of the file.
// All slices but ModelAltitude and Grid have one entry a place.
type Places struct {
	ID            []string  // unique and not empty; grid cells are "y,x" indices
	Name          []string  // nil when the file has none
	Latitude      []float64 // degrees north
	Longitude     []float64 // degrees east, -180 … 180
	Altitude      []float64 // m above sea level; NaN when unknown
	ModelAltitude []float64 // m, orography of the raw model; nil when unknown
	Grid          *Grid     // nil for stations
}

// Len is the number of places.
func (p *Places) Len() int { return len(p.ID) }

// Slice returns places first … first+n-1; a part of a grid is no grid.
func (p *Places) Slice(first, n int) *Places {
	if first == 0 && n == p.Len() {
		return p
	}
	q := &Places{
		ID:        p.ID[first : first+n],
		Latitude:  p.Latitude[first : first+n],
		Longitude: p.Longitude[first : first+n],
		Altitude:  p.Altitude[first : first+n],
	}
	if p.Name != nil {
		q.Name = p.Name[first : first+n]
	}
	if p.ModelAltitude != nil {
		q.ModelAltitude = p.ModelAltitude[first : first+n]
	}
	return q
}

// Source says where data came from, for provenance.
type Source struct {
	Path   string // as found, relative to the configuration when it lies below it
	SHA256 string // hex digest of the file's bytes as they were when ingested
}

// Ensemble is the raw forecast of one variable at one cycle.
type Ensemble struct {
	Variable    Variable
	Cycle       time.Time
	Leads       []time.Duration // ascending
	Members     []int32         // member numbers as in the file, unique, ascending
	MemberNames []string        // driving model or the like; nil when the file has none
	Places      *Places
	Values      []float32 // [lead, place, member], SI units, NaN = missing
	Source      Source
}

// At returns the members of one lead and place, a view into Values.
func (e *Ensemble) At(lead, place int) []float32 {
	m := len(e.Members)
	i := (lead*e.Places.Len() + place) * m
	return e.Values[i : i+m : i+m]
}

// HandedOn says whether members of a place are raw members of it, each at most once, of
// which none is lost that there is room for.
func HandedOn(members, raw []float32) bool {
	used := make([]bool, len(raw))
	lost := 0
	for _, v := range members {
		if v != v {
			lost++
			continue
		}
		k := 0
		for k < len(raw) && (used[k] || raw[k] != v) {
			k++
		}
		if k == len(raw) {
			return false
		}
		used[k] = true
	}
	lost -= max(0, len(members)-len(raw))
	for _, v := range raw {
		if v != v {
			lost--
		}
	}
	return lost <= 0
}

// Observed is what was measured of one variable at one valid time.
type Observed struct {
	Variable Variable
	Valid    time.Time
	ID       []string  // station identifiers, ascending
	Values   []float32 // [station], SI units, never NaN
	Source   Source
}
