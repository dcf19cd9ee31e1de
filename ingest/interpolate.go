package ingest

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/spatial/kdtree"
	"gonum.org/v1/gonum/spatial/r3"
)

// Interpolation is how forecasts on a grid are brought to stations.
type Interpolation string

// The ways to interpolate. NoInterpolation leaves forecasts on their grid.
const (
	NoInterpolation Interpolation = ""
	Nearest         Interpolation = "nearest"  // the value of the nearest cell
	Bilinear        Interpolation = "bilinear" // between the four cells around
)

func (m Interpolation) validate() error {
	switch m {
	case NoInterpolation, Nearest, Bilinear:
		return nil
	}
	return fmt.Errorf("interpolation %q is not one of \"\", %q, %q", m, Nearest, Bilinear)
}

// stencil is the cells whose weighted mean is the value at a station. One without
// weights lies outside of the grid.
type stencil struct {
	cell   [4]int
	weight [4]float64
	n      int
}

// Interpolate brings an ensemble on a grid to stations, which need coordinates. With
// w_k the weights of the cells k around a station,
//
//	value(lead, station, member) = sum_k w_k value(lead, k, member)
//
// A station outside of the grid, and a value of which a cell is missing, are NaN. The
// model altitude is interpolated alike.
func Interpolate(e *Ensemble, to *Places, m Interpolation) (*Ensemble, error) {
	stencils, err := stencils(e.Places, to, m)
	if err != nil {
		return nil, err
	}
	return applyStencils(e, to, stencils), nil
}

func applyStencils(e *Ensemble, to *Places, stencils []stencil) *Ensemble {
	members := len(e.Members)
	out := *e
	out.Values = make([]float32, len(e.Leads)*len(stencils)*members)
	places := *to
	places.Grid = nil
	places.ModelAltitude = nil
	if e.Places.ModelAltitude != nil {
		places.ModelAltitude = make([]float64, len(stencils))
		for i, s := range stencils {
			places.ModelAltitude[i] = s.mean(func(cell int) float64 { return e.Places.ModelAltitude[cell] })
		}
	}
	out.Places = &places
	for lead := range e.Leads {
		for i, s := range stencils {
			dst := out.At(lead, i)
			for m := range dst {
				dst[m] = float32(s.mean(func(cell int) float64 { return float64(e.At(lead, cell)[m]) }))
			}
		}
	}
	return &out
}

// mean is the weighted mean of a value of the cells, NaN when there are none.
func (s stencil) mean(value func(cell int) float64) float64 {
	if s.n == 0 {
		return math.NaN()
	}
	sum := 0.0
	for k := range s.n {
		if s.weight[k] != 0 { // a missing cell without weight does no harm
			sum += s.weight[k] * value(s.cell[k])
		}
	}
	return sum
}

// stencils finds the cells around each station.
func stencils(from, to *Places, m Interpolation) ([]stencil, error) {
	if from.Grid == nil {
		return nil, fmt.Errorf("forecasts at stations cannot be interpolated; remove ingest.grid_to_stations")
	}
	g := newGridLocator(from)
	out := make([]stencil, to.Len())
	for i := range out {
		lat, lon := to.Latitude[i], to.Longitude[i]
		if lat != lat || lon != lon {
			return nil, fmt.Errorf("station %q has no coordinates to interpolate to", to.ID[i])
		}
		if m == Bilinear {
			out[i] = g.around(lat, lon)
		} else {
			out[i] = g.nearest(lat, lon)
		}
	}
	return out, nil
}

// gridLocator finds cells of a grid by position on the sphere.
type gridLocator struct {
	p        *Places
	tree     *kdtree.Tree
	periodic bool // the last column is next to the first
}

func newGridLocator(p *Places) *gridLocator {
	cells := make(cellPoints, p.Len())
	for i := range cells {
		cells[i] = cellPoint{unitVector(p.Latitude[i], p.Longitude[i]), i}
	}
	g := &gridLocator{p: p, tree: kdtree.New(cells, false)}
	if nx := p.Grid.NX; nx > 2 && !p.Grid.Curvilinear {
		step := wrapLongitude(p.Longitude[1] - p.Longitude[0])
		closing := wrapLongitude(p.Longitude[0] - p.Longitude[nx-1])
		g.periodic = math.Abs(step-closing) < 0.01*math.Abs(step)
	}
	return g
}

// unitVector is the point of the unit sphere at a latitude and longitude in degrees.
func unitVector(lat, lon float64) r3.Vec {
	sinLat, cosLat := math.Sincos(lat * math.Pi / 180)
	sinLon, cosLon := math.Sincos(lon * math.Pi / 180)
	return r3.Vec{X: cosLat * cosLon, Y: cosLat * sinLon, Z: sinLat}
}

// closest returns the cell nearest to a position and the square of its distance along
// the chord.
func (g *gridLocator) closest(lat, lon float64) (cell int, d2 float64) {
	c, d2 := g.tree.Nearest(cellPoint{unitVector(lat, lon), -1})
	return c.(cellPoint).cell, d2
}

// cellAt is the index of row y, column x; false outside of the grid.
func (g *gridLocator) cellAt(y, x int) (int, bool) {
	if g.periodic {
		x = (x + g.p.Grid.NX) % g.p.Grid.NX
	}
	if y < 0 || y >= g.p.Grid.NY || x < 0 || x >= g.p.Grid.NX {
		return 0, false
	}
	return y*g.p.Grid.NX + x, true
}

// nearest is the stencil of the nearest cell. A position farther from it than the
// cell is from its neighbours lies outside of the grid.
func (g *gridLocator) nearest(lat, lon float64) stencil {
	cell, d2 := g.closest(lat, lon)
	y, x := cell/g.p.Grid.NX, cell%g.p.Grid.NX
	at := unitVector(g.p.Latitude[cell], g.p.Longitude[cell])
	spacing := 0.0
	for _, step := range [][2]int{{-1, 0}, {1, 0}, {0, -1}, {0, 1}} {
		if k, ok := g.cellAt(y+step[0], x+step[1]); ok {
			spacing = max(spacing, r3.Norm2(r3.Sub(unitVector(g.p.Latitude[k], g.p.Longitude[k]), at)))
		}
	}
	if d2 > spacing {
		return stencil{}
	}
	return stencil{cell: [4]int{cell}, weight: [4]float64{1}, n: 1}
}

// around is the bilinear stencil of the quadrilateral of cells that holds a position.
func (g *gridLocator) around(lat, lon float64) stencil {
	cell, _ := g.closest(lat, lon)
	y, x := cell/g.p.Grid.NX, cell%g.p.Grid.NX
	for _, dy := range []int{-1, 0} {
		for _, dx := range []int{-1, 0} {
			if s, ok := g.quad(y+dy, x+dx, lat, lon); ok {
				return s
			}
		}
	}
	return stencil{}
}

// quad is the stencil of the cells at rows y, y+1 and columns x, x+1, if the position
// is between them.
func (g *gridLocator) quad(y, x int, lat, lon float64) (stencil, bool) {
	s := stencil{n: 4}
	var px, py [4]float64 // corners, relative to the position
	for k, step := range [][2]int{{0, 0}, {0, 1}, {1, 0}, {1, 1}} {
		cell, ok := g.cellAt(y+step[0], x+step[1])
		if !ok {
			return stencil{}, false
		}
		s.cell[k] = cell
		if px[k], py[k], ok = g.project(cell, lat, lon); !ok {
			return stencil{}, false
		}
	}
	u, v, ok := inverseBilinear(px, py)
	if !ok {
		return stencil{}, false
	}
	s.weight = [4]float64{(1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v}
	return s, true
}

// project gives a cell's place in a plane whose origin is the position: longitude and
// latitude for a regular grid, whose cells are rectangles there, and the gnomonic
// projection for a curvilinear one, which is good anywhere on the globe. It is false for
// cells on the other side.
func (g *gridLocator) project(cell int, lat, lon float64) (x, y float64, ok bool) {
	if !g.p.Grid.Curvilinear {
		return wrapLongitude(g.p.Longitude[cell] - lon), g.p.Latitude[cell] - lat, true
	}
	centre := unitVector(lat, lon)
	p := unitVector(g.p.Latitude[cell], g.p.Longitude[cell])
	height := r3.Dot(p, centre)
	if height <= 0.1 {
		return 0, 0, false
	}
	sinLon, cosLon := math.Sincos(lon * math.Pi / 180)
	east := r3.Vec{X: -sinLon, Y: cosLon}
	north := r3.Cross(centre, east)
	return r3.Dot(p, east) / height, r3.Dot(p, north) / height, true
}

// inverseBilinear finds u, v in [0, 1] for which the bilinear map of the corners
//
//	(1-u)(1-v) p0 + u(1-v) p1 + (1-u)v p2 + uv p3
//
// is the origin, by Newton's method. It is false when the origin is not inside.
func inverseBilinear(px, py [4]float64) (u, v float64, ok bool) {
	u, v = 0.5, 0.5
	size := 0.0
	for k := range px {
		size = max(size, math.Abs(px[k]), math.Abs(py[k]))
	}
	for range 20 {
		w := [4]float64{(1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v}
		fx, fy := 0.0, 0.0
		for k := range w {
			fx += w[k] * px[k]
			fy += w[k] * py[k]
		}
		if math.Abs(fx)+math.Abs(fy) < 1e-13*size {
			break
		}
		xu := (1-v)*(px[1]-px[0]) + v*(px[3]-px[2])
		yu := (1-v)*(py[1]-py[0]) + v*(py[3]-py[2])
		xv := (1-u)*(px[2]-px[0]) + u*(px[3]-px[1])
		yv := (1-u)*(py[2]-py[0]) + u*(py[3]-py[1])
		det := xu*yv - xv*yu
		if det == 0 {
			return 0, 0, false
		}
		u -= (fx*yv - fy*xv) / det
		v -= (fy*xu - fx*yu) / det
	}
	const slack = 1e-9 // of positions on an edge
	if !(u > -slack && u < 1+slack && v > -slack && v < 1+slack) {
		return 0, 0, false
	}
	return min(max(u, 0), 1), min(max(v, 0), 1), true
}

// cellPoint and cellPoints are what gonum's k-d tree holds.
type cellPoint struct {
	at   r3.Vec
	cell int
}

func (p cellPoint) coordinate(d kdtree.Dim) float64 { return [...]float64{p.at.X, p.at.Y, p.at.Z}[d] }

// Compare is the signed distance of p from the plane through c normal to d.
func (p cellPoint) Compare(c kdtree.Comparable, d kdtree.Dim) float64 {
	return p.coordinate(d) - c.(cellPoint).coordinate(d)
}

// Dims is the number of dimensions.
func (cellPoint) Dims() int { return 3 }

// Distance is the squared distance.
func (p cellPoint) Distance(c kdtree.Comparable) float64 {
	return r3.Norm2(r3.Sub(p.at, c.(cellPoint).at))
}

type cellPoints []cellPoint

// Index returns point i.
func (p cellPoints) Index(i int) kdtree.Comparable { return p[i] }

// Len is the number of points.
func (p cellPoints) Len() int { return len(p) }

// Slice is the points start ... end-1.
func (p cellPoints) Slice(start, end int) kdtree.Interface { return p[start:end] }

// Pivot partitions the points about their median along d and returns its index.
func (p cellPoints) Pivot(d kdtree.Dim) int {
	plane := cellPlane{p, d}
	return kdtree.Partition(plane, kdtree.MedianOfMedians(plane))
}

// cellPlane sorts points along one dimension.
type cellPlane struct {
	cellPoints
	d kdtree.Dim
}

func (p cellPlane) Less(i, j int) bool {
	return p.cellPoints[i].coordinate(p.d) < p.cellPoints[j].coordinate(p.d)
}

func (p cellPlane) Swap(i, j int) {
	p.cellPoints[i], p.cellPoints[j] = p.cellPoints[j], p.cellPoints[i]
}

func (p cellPlane) Slice(start, end int) kdtree.SortSlicer {
	return cellPlane{p.cellPoints[start:end], p.d}
}
