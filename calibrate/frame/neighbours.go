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

// krigeNear fills bias at every station from its neighbours with history.
func krigeNear(s *Stations, k Kernel, mean, count, bias []float64) error {
	h := s.local
	if h == nil || len(h.list) != s.Len() || h.correlations[shape{k.Range, k.Height}] == nil {
		panic("frame: Stations.Prepare was not called")
	}
	all := h.correlations[shape{k.Range, k.Height}]
	var (
		l    [neighbours * neighbours]float64 // Cholesky factor, lower
		w    [neighbours]float64
		with [neighbours]int
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
		for a := range n {
			row := c[with[a]*neighbours:]
			for b := 0; b <= a; b++ {
				v := k.Spatial * float64(row[with[b]])
				if a == b {
					v = k.Spatial + k.Local + k.Noise/count[list[with[a]]]
				}
				for j := range b {
					v -= l[a*neighbours+j] * l[b*neighbours+j]
				}
				if a == b {
					if !(v > 0) {
						return errors.New("frame: the kriging system is not positive definite")
					}
					l[a*neighbours+a] = math.Sqrt(v)
				} else {
					l[a*neighbours+b] = v / l[b*neighbours+b]
				}
			}
			v := mean[list[with[a]]]
			for j := range a {
				v -= l[a*neighbours+j] * w[j]
			}
			w[a] = v / l[a*neighbours+a]
		}
		for a := n - 1; a >= 0; a-- {
			for j := a + 1; j < n; j++ {
				w[a] -= l[j*neighbours+a] * w[j]
			}
			w[a] /= l[a*neighbours+a]
		}
		var u float64
		for a := range n {
			v := k.Spatial * float64(c[with[a]]) // the first row is the station itself
			if with[a] == 0 {
				v += k.Local
			}
			u += v * w[a]
		}
		bias[i] = u
	}
	return nil
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
