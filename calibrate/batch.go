package calibrate

import (
	"math"

	"sipipe/calibrate/interpolant"
	"sipipe/calibrate/noise"
)

// batcher draws training rows: a case, a raw member, a time, a latent; each latent
// is used with both signs (antithetic pairs, Albergo et al. 2023, section 6).
type batcher struct {
	set      *trainingSet
	cases    []int32
	process  interpolant.Process
	gaussian interpolant.Gaussian
	dress    float64
	times    interpolant.Times
	levels   int // distinct times of a batch, in ascending runs; 0: a time a pair
	key      noise.Key

	random []float64 // scratch, draws a pair
}

// pairDraws is the number of uniforms that make a pair of rows.
const pairDraws = 6

// rows are the inputs and targets of the network, n of them.
type rows struct {
	x, t, c []float32 // [n], [n], [n, conditions]
	y, w    []float32 // [n, 2] targets of the correction, weights
}

func newRows(n, conditions int) rows {
	return rows{
		x: make([]float32, n), t: make([]float32, n), c: make([]float32, n*conditions),
		y: make([]float32, 2*n), w: make([]float32, 2*n),
	}
}

// fill draws rows number step; it is a function of the step and the key.
func (b *batcher) fill(r rows, step int) {
	n := len(r.x)
	if cap(b.random) < n/2*pairDraws {
		b.random = make([]float64, n/2*pairDraws)
	}
	u := b.random[:n/2*pairDraws]
	b.key.Uniforms(u, uint32(step), 0)
	d := b.set.conditions.len()
	oneSided := b.process.Interpolant.Kind() == interpolant.OneSided
	for k := range n / 2 {
		q := u[k*pairDraws : (k+1)*pairDraws]
		i := int(b.cases[int(q[0]*float64(len(b.cases)))])
		x0 := b.set.drawStart(i, q[1])
		x0 += b.dress * normalQuantile(q[2])
		if oneSided {
			x0 = 0
		}
		x1 := b.set.drawScore(i, q[3])
		u := q[4]
		if b.levels > 0 {
			u = (float64(k*b.levels/(n/2)) + 0.5) / float64(b.levels)
		}
		t, weight := b.times.At(u)
		c := b.process.Interpolant.At(t)
		z := normalQuantile(q[5])
		w1, w2 := b.process.Heads.Weights(c)
		vs, vo, es, eo := b.gaussian.Affine(c)
		for sign := range 2 {
			row := 2*k + sign
			x := c.X(x0, x1, z)
			y1, y2 := b.process.Heads.Targets(c, x0, x1, z)
			g1, g2 := b.process.Heads.Outputs(c, vs*x+vo, es*x+eo, x)
			r.x[row], r.t[row] = float32(x), float32(t)
			copy(r.c[row*d:(row+1)*d], b.set.condition[i*d:(i+1)*d])
			r.y[2*row], r.y[2*row+1] = float32(y1-g1), float32(y2-g2)
			r.w[2*row], r.w[2*row+1] = float32(w1*weight), float32(w2*weight)
			z = -z
		}
	}
}

// drawStart picks one of a case's standardised raw members.
func (s *trainingSet) drawStart(i int, u float64) float64 {
	members := s.template[i*s.members : (i+1)*s.members]
	k := int(u * float64(s.members))
	for range members { // the next one that is not missing
		if v := members[k]; v == v {
			return float64(v)
		}
		k = (k + 1) % s.members
	}
	return 0
}

// drawScore is the normal score of a case's observation. One at the censoring point
// says only that the latent variable lies below, so a value is drawn from there.
func (s *trainingSet) drawScore(i int, u float64) float64 {
	x := float64(s.score[i])
	if s.censor[i] {
		x = math.Max(normalQuantile(u*normalCDF(x)), -scoreClip)
	}
	return x
}
