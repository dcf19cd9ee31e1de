package calibrate

import (
	"math"

	"sipipe/calibrate/interpolant"
	"sipipe/calibrate/noise"
)

// batcher draws training rows: a case, a raw member, a time, a latent. In
// antithetic pairs a latent is used with both signs (Albergo et al. 2023, section
// 6), which makes the terms with γ̇z or z/γ of the loss cancel.
type batcher struct {
	set        *trainingSet
	cases      []int32
	process    interpolant.Process
	gaussian   interpolant.Gaussian
	dress      float64
	times      interpolant.Times
	antithetic bool
	levels     int // distinct times of a batch, in ascending runs; 0: a time a draw
	key        noise.Key

	random []float64 // scratch, [draw, perDraw]
}

// perDraw is the number of uniforms that make a row or a pair of rows.
const perDraw = 6

// part is a run of heads that one network predicts.
type part struct{ first, heads int }

// parts are the networks of a fold.
func (m Method) parts() []part {
	if m.Separate {
		return []part{{0, 1}, {1, 1}}
	}
	return []part{{0, 2}}
}

// rows are the inputs and targets of the network, n of them.
type rows struct {
	part
	x, t, c []float32 // [n], [n], [n, conditions]
	y, w    []float32 // [n, heads] targets of the correction, weights
}

func newRows(n, conditions int, p part) rows {
	return rows{
		part: p,
		x:    make([]float32, n), t: make([]float32, n), c: make([]float32, n*conditions),
		y: make([]float32, p.heads*n), w: make([]float32, p.heads*n),
	}
}

// fill draws rows number step; it is a function of the step and the key.
func (b *batcher) fill(r rows, step int) {
	signs := 1
	if b.antithetic {
		signs = 2
	}
	draws := len(r.x) / signs
	if cap(b.random) < draws*perDraw {
		b.random = make([]float64, draws*perDraw)
	}
	random := b.random[:draws*perDraw]
	b.key.Uniforms(random, uint32(step), 0)
	oneSided := b.process.Interpolant.Kind() == interpolant.OneSided
	for k := range draws {
		q := random[k*perDraw : (k+1)*perDraw]
		i := int(b.cases[int(q[0]*float64(len(b.cases)))])
		x0 := b.set.drawStart(i, q[1])
		x0 += b.dress * normalQuantile(q[2])
		if oneSided {
			x0 = 0
		}
		x1 := b.set.drawScore(i, q[3])
		u := q[4]
		if b.levels > 0 {
			u = (float64(k*b.levels/draws) + 0.5) / float64(b.levels)
		}
		t, weight := b.times.At(u)
		z := normalQuantile(q[5])
		for sign := range signs {
			b.put(r, signs*k+sign, i, t, weight, x0, x1, z)
			z = -z
		}
	}
}

// put writes a row of case i.
func (b *batcher) put(r rows, row, i int, t, weight, x0, x1, z float64) {
	c := b.process.Interpolant.At(t)
	x := c.X(x0, x1, z)
	y1, y2 := b.process.Heads.Targets(c, x0, x1, z)
	vs, vo, es, eo := b.gaussian.Affine(c)
	g1, g2 := b.process.Heads.Outputs(c, vs*x+vo, es*x+eo, x)
	w1, w2 := b.process.Heads.Weights(c)
	y, w := [2]float64{y1 - g1, y2 - g2}, [2]float64{w1 * weight, w2 * weight}
	r.x[row], r.t[row] = float32(x), float32(t)
	d := b.set.conditions.len()
	copy(r.c[row*d:(row+1)*d], b.set.condition[i*d:(i+1)*d])
	for h := range r.heads {
		r.y[r.heads*row+h] = float32(y[r.first+h])
		r.w[r.heads*row+h] = float32(w[r.first+h])
	}
}

// drawStart picks one of a case's standardised raw members.
func (s *trainingSet) drawStart(i int, u float64) float64 {
	return s.startFrom(i, int(u*float64(s.members)))
}

// startFrom is raw member k of a case, standardised.
func (s *trainingSet) startFrom(i, k int) float64 {
	members := s.template[i*s.members : (i+1)*s.members]
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
