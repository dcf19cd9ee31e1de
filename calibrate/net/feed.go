package net

import "sync"

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
	config                                      Config
	state, features, conditions, target, weight []float32
}

func newLoader(t *tape, g *graph) *loader {
	l := &loader{
		config: g.config, state: t.at(g.state), features: t.at(g.features),
		target: t.at(g.target), weight: t.at(g.weight),
	}
	if g.conditions != nil {
		l.conditions = t.at(g.conditions)
	}
	return l
}

// load transposes cases from … from+n-1 of b, and returns the number of lanes to
// run: n and padding without weight. Weights are divided by the batch's size, so
// that tiles sum to the batch's mean.
func (l *loader) load(b *Batch, from, n int) int {
	c, lanes := l.config, lanesOf(n)
	transpose(l.state, b.X, c.Dx, from, n)
	transpose(l.conditions, b.C, c.Dc, from, n)
	transpose(l.target, b.Y, c.Dout, from, n)
	transpose(l.weight, b.W, c.Dout, from, n)
	share := 1 / float32(len(b.T)*c.Dout)
	for r := range c.Dout {
		row := l.weight[r*tileStride:][:lanes]
		target := l.target[r*tileStride:][:n]
		for i, w := range row[:n] {
			if w == 0 {
				target[i] = 0 // a masked target may be NaN
			}
			row[i] = w * share
		}
	}
	for i := range n {
		Features(l.features[i:], tileStride, float64(b.T[from+i]))
	}
	for i := n; i < lanes; i++ {
		for r := range c.features() {
			l.features[r*tileStride+i] = 0
		}
	}
	return lanes
}

// transpose copies rows from … from+n-1 of src [cases, d] into columns of dst
// [d, tileStride], and zeroes up to a whole vector.
func transpose(dst, src []float32, d, from, n int) {
	for r := range d {
		row, s := dst[r*tileStride:][:lanesOf(n)], src[from*d+r:]
		for i := range row[:n] {
			row[i] = s[i*d]
		}
		clear(row[n:])
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
		f.free <- &Batch{
			X: make([]float32, size*c.Dx),
			T: make([]float32, size),
			C: make([]float32, size*c.Dc),
			Y: make([]float32, size*c.Dout),
			W: make([]float32, size*c.Dout),
		}
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
