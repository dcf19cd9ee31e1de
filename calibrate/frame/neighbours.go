package frame

import (
	"cmp"
	"errors"
	"math"
	"slices"
)

// neighbourhood holds the nearest neighbours of each station, itself the first,
// and the correlations among them, for registers too large to be solved as one.
type neighbourhood struct {
	lat, lon, alt []float64           // for which the rest holds
	list          [][neighbours]int32 // [station], nearest first
	correlations  map[shape][]float32 // [station, neighbours, neighbours]
}

// prepareNear finds the neighbours again when a station is new or has moved.
func (s *Stations) prepareNear(specs []Spec) {
	same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
	h := s.local
	if h == nil || !slices.Equal(h.lat, s.Latitude) || !slices.Equal(h.lon, s.Longitude) || !slices.EqualFunc(h.alt, s.Altitude, same) {
		h = &neighbourhood{
			lat: slices.Clone(s.Latitude), lon: slices.Clone(s.Longitude), alt: slices.Clone(s.Altitude),
			list: make([][neighbours]int32, s.Len()), correlations: map[shape][]float32{},
		}
		cells := newCells(s)
		for i := range h.list {
			h.list[i] = cells.nearest(i)
		}
		s.local = h
	}
	for _, spec := range specs {
		h.correlate(s, shape{spec.Bias.Range, spec.Bias.Height})
		if spec.RecentMemory > 0 {
			h.correlate(s, shape{spec.Recent.Range, spec.Recent.Height})
		}
	}
}

func (h *neighbourhood) correlate(s *Stations, sh shape) {
	if h.correlations[sh] != nil {
		return
	}
	c := make([]float32, len(h.list)*neighbours*neighbours)
	for i, list := range h.list {
		m := c[i*neighbours*neighbours:]
		for a := range neighbours {
			m[a*neighbours+a] = 1
			for b := range a {
				km, dz := s.distances(int(list[a]), int(list[b]))
				v := float32(math.Exp(-km/sh.Range - dz/sh.Height))
				m[a*neighbours+b], m[b*neighbours+a] = v, v
			}
		}
	}
	h.correlations[sh] = c
}

// krigeNear fills bias at every station from its neighbours with history, and takes
// off unknown at stations without what those tell of them.
func krigeNear(s *Stations, k Kernel, mean, count, bias, unknown []float64) error {
	h := s.local
	if h == nil || len(h.list) != s.Len() || h.correlations[shape{k.Range, k.Height}] == nil {
		panic("frame: Stations.Prepare was not called")
	}
	all := h.correlations[shape{k.Range, k.Height}]
	var (
		y    nearSystem
		with [neighbours]int
		v    [neighbours]float64 // covariances with the station
	)
	for i := range bias {
		list, c := &h.list[i], all[i*neighbours*neighbours:(i+1)*neighbours*neighbours]
		n := 0
		for a, st := range list {
			if count[st] >= enough {
				with[n] = a
				n++
			}
		}
		for a, p := range with[:n] {
			row := c[p*neighbours : (p+1)*neighbours]
			for b, q := range with[:a] {
				y.l[a][b] = k.Spatial * float64(row[q])
			}
			y.l[a][a] = k.Spatial + k.Local + k.Noise/count[list[p]]
			y.l[n][a] = mean[list[p]]
			v[a] = k.Spatial * float64(c[p]) // the first row is the station itself
			if p == 0 {
				v[a] += k.Local
			}
		}
		w, ok := y.solve(n)
		if !ok {
			return errors.New("frame: the kriging system is not positive definite")
		}
		for a := range n {
			bias[i] += v[a] * w[a]
		}
		if count[i] < enough {
			unknown[i] -= y.explained(v[:n])
		}
	}
	return nil
}

// nearSystem is a symmetric system A w = b of up to that many unknowns: rows of the
// lower triangle of A, then b. Rows are padded, so that four can be worked on at once.
type nearSystem struct {
	l [neighbours + 4][neighbours]float64
}

// solve returns w, a view of the last row, and whether A is positive definite. A
// becomes its Cholesky factor L and b first L\b, column by column: of a column, four
// rows at a time, since a single sum waits for each of its additions.
func (y *nearSystem) solve(n int) (w []float64, ok bool) {
	clear(y.l[n+1 : n+4]) // what is left there would shrink to denormal numbers, which are slow
	for b := range n {
		column := y.l[b][:b]
		var d float64
		for a := b; a <= n; a += 4 {
			r0, r1, r2, r3 := &y.l[a], &y.l[a+1], &y.l[a+2], &y.l[a+3]
			v0, v1, v2, v3 := r0[b], r1[b], r2[b], r3[b]
			for j, x := range column {
				v0 -= r0[j] * x
				v1 -= r1[j] * x
				v2 -= r2[j] * x
				v3 -= r3[j] * x
			}
			if a == b {
				if !(v0 > 0) {
					return nil, false
				}
				d = math.Sqrt(v0)
				r0[b] = d
			} else {
				r0[b] = v0 / d
			}
			r1[b], r2[b], r3[b] = v1/d, v2/d, v3/d
		}
	}
	w = y.l[n][:n]
	for a := n - 1; a >= 0; a-- {
		for j := a + 1; j < n; j++ {
			w[a] -= y.l[j][a] * w[j]
		}
		w[a] /= y.l[a][a]
	}
	return w, true
}

// explained is v'A^-1 v, after solve; v becomes L\v.
func (y *nearSystem) explained(v []float64) float64 {
	var sum float64
	for a := range v {
		for j := range a {
			v[a] -= y.l[a][j] * v[j]
		}
		v[a] /= y.l[a][a]
		sum += v[a] * v[a]
	}
	return sum
}

// cells sorts stations into squares of one degree.
type cells struct {
	s  *Stations
	in map[[2]int][]int32
}

func newCells(s *Stations) *cells {
	c := &cells{s: s, in: map[[2]int][]int32{}}
	for i := range s.Len() {
		k := c.of(i)
		c.in[k] = append(c.in[k], int32(i))
	}
	return c
}

func (c *cells) of(i int) [2]int {
	return [2]int{int(math.Floor(c.s.Latitude[i])), int(math.Floor(c.s.Longitude[i]))}
}

// nearest returns the neighbours of station i, itself first: the nearest of the
// stations in the smallest square of cells that holds enough, widened by one ring.
// The register holds more stations than that.
func (c *cells) nearest(i int) (list [neighbours]int32) {
	at := c.of(i)
	type near struct {
		station int32
		km      float64
	}
	var found []near
	for ring, extra := 0, 1; ring <= 180 && extra >= 0; ring++ {
		if len(found) >= neighbours {
			extra--
		}
		for dy := -ring; dy <= ring; dy++ {
			for dx := -ring; dx <= ring; dx++ {
				if max(abs(dy), abs(dx)) != ring {
					continue
				}
				for _, st := range c.in[[2]int{at[0] + dy, (at[1]+dx+540)%360 - 180}] {
					km, _ := c.s.distances(i, int(st))
					if int(st) == i {
						km = -1 // first even where stations share a place
					}
					found = append(found, near{st, km})
				}
			}
		}
	}
	slices.SortFunc(found, func(a, b near) int {
		return cmp.Or(cmp.Compare(a.km, b.km), cmp.Compare(a.station, b.station))
	})
	found = slices.CompactFunc(found, func(a, b near) bool { return a.station == b.station })
	for j := range list {
		list[j] = found[j].station
	}
	return list
}
