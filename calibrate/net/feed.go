package net

import (
	"math"
	"sync"
)

// tileLanes is the number of cases whose forward and backward pass run together:
// few enough for the activations to stay in the second-level cache, many enough to
// pay for a kernel call. tileStride is their leading dimension; an odd multiple of
// four cache lines spreads the rows of a matrix over all sets of the first-level cache.
const (
	tileLanes  = 256
	tileStride = 320
)

// loader puts batches into a tape's memory.
type loader struct {
	config Config
	ld     int

	state, features, conditions, target, weight, apart []float32
}

func newLoader(t *tape, g *graph) *loader {
	l := &loader{
		config: g.config, ld: g.ld, state: t.at(g.state), features: t.at(g.features),
		target: t.at(g.target), weight: t.at(g.weight),
	}
	if g.conditions != nil {
		l.conditions = t.at(g.conditions)
	}
	if g.apart != nil {
		l.apart = t.at(g.apart)
	}
	return l
}

// load transposes cases from … from+n-1 of b, and returns the number of lanes to
// run: n and padding without weight. Weights are divided by the batch's size, so
// that tiles sum to the batch's mean.
func (l *loader) load(b *Batch, from, n int) int {
	c, lanes := l.config, lanesOf(n)
	l.transpose(l.state, b.X, c.Dx, from, n)
	l.transpose(l.conditions, b.C, c.Dc, from, n)
	l.transpose(l.target, b.Y, c.Dout, from, n)
	l.transpose(l.weight, b.W, c.Dout, from, n)
	share := 1 / float32(b.cases()*c.Dout)
	for r := range c.Dout {
		row := l.weight[r*l.ld:][:lanes]
		target := l.target[r*l.ld:][:n]
		for i, w := range row[:n] {
			if w == 0 {
				target[i] = 0 // a masked target may be NaN
			}
			row[i] = w * share
		}
	}
	for i := range n {
		Features(l.features[i:], l.ld, float64(b.T[from+i]))
	}
	for i := n; i < lanes; i++ {
		for r := range c.features() {
			l.features[r*l.ld+i] = 0
		}
	}
	if l.apart != nil {
		separate(l.apart, b.P[from*Coordinates:(from+n)*Coordinates], l.ld, n)
	}
	return lanes
}

// transpose copies rows from … from+n-1 of src [cases, d] into columns of dst
// [d, ld], and zeroes up to a whole vector.
func (l *loader) transpose(dst, src []float32, d, from, n int) {
	for r := range d {
		row, s := dst[r*l.ld:][:lanesOf(n)], src[from*d+r:]
		for i := range row[:n] {
			row[i] = s[i*d]
		}
		clear(row[n:])
	}
}

// Coordinates are the numbers that say where a place is: three in space and one of
// altitude, in units of the distances over which places are alike.
const Coordinates = 4

// separate writes how far places p [n, Coordinates] are from each other: the distance
// in space and the difference of altitude. Lanes that pad are apart from all.
func separate(dst, p []float32, ld, n int) {
	lanes := lanesOf(n)
	for j := range lanes {
		row := dst[j*ld:][:lanes]
		for i := range row {
			row[i] = -1
			if i < n && j < n {
				a, b := p[i*Coordinates:][:Coordinates], p[j*Coordinates:][:Coordinates]
				x, y, z := float64(a[0]-b[0]), float64(a[1]-b[1]), float64(a[2]-b[2])
				row[i] = float32(math.Sqrt(x*x+y*y+z*z) + math.Abs(float64(a[3]-b[3])))
			}
		}
	}
}

// feed fills batches one step ahead in a goroutine.
type feed struct {
	full chan filled
	free chan *Batch
	stop chan struct{}
	done sync.WaitGroup
}

type filled struct {
	batch *Batch
	err   error
}

// newFeed starts filling the batches of steps first … last.
func newFeed(data Source, c Config, size, first, last int) *feed {
	f := &feed{full: make(chan filled, 2), free: make(chan *Batch, 2), stop: make(chan struct{})}
	for range cap(f.free) {
		b := &Batch{
			X: make([]float32, size*c.Dx),
			T: make([]float32, size),
			C: make([]float32, size*c.Dc),
			Y: make([]float32, size*c.Dout),
			W: make([]float32, size*c.Dout),
		}
		if c.Attention > 0 {
			b.P = make([]float32, size*Coordinates)
		}
		f.free <- b
	}
	f.done.Go(func() {
		for step := first; step <= last; step++ {
			select {
			case b := <-f.free:
				err := data.Fill(step, b)
				f.full <- filled{b, err}
				if err != nil {
					return
				}
			case <-f.stop:
				return
			}
		}
	})
	return f
}

func (f *feed) next() (*Batch, error) {
	r := <-f.full
	return r.batch, r.err
}

func (f *feed) release(b *Batch) { f.free <- b }

// close ends the goroutine and waits for it.
func (f *feed) close() {
	close(f.stop)
	f.done.Wait()
}
