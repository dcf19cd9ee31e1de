package frame

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// smooth is a layer on top of an expert: what its linear regression leaves of archived
// observations, as a smooth function of the same features. It is the mean of a Gaussian
// process with a linear and a squared exponential kernel over standardised features, by
// the subset of regressors approximation, whose regressors are the kernels about knots
// (Rasmussen and Williams 2006, Gaussian Processes for Machine Learning, sections 2.2 and
// 8.3.1). Large errors count less, by Huber's weights (1964, Ann. Math. Statist. 35, 73).
type smooth struct {
	Rows  thinned[smoothRow]
	Fresh int // rows since the last fit
	// The layer at features x is Coef · (1, z, kernel(z, knot), …), with z the
	// standardised x.
	Mean, SD []float64
	Knots    [][]float64
	Coef     []float64

	terms []float64 // scratch
}

// smoothRow has the features and the target of an archived case.
type smoothRow struct {
	X       []float32
	Y       float32
	Station int32
}

const (
	smoothRows     = 4000 // kept at most
	smoothKnots    = 256
	smoothLength   = 1.0 // of the kernel, in root mean squares of the differences of standardised features
	smoothVariance = 0.3 // of the process, in units of that of errors
	smoothTail     = 1.0 // root mean square errors beyond which an error counts less
)

func (g *smooth) add(day float64, x []float64, y float64, station int) {
	r := smoothRow{X: make([]float32, len(x)), Y: float32(y), Station: int32(station)}
	for j, v := range x {
		r.X[j] = float32(v)
	}
	g.Rows.add(day, station, r)
	g.Fresh++
}

// due tells whether rows have grown by a fiftieth since the last fit.
func (g *smooth) due() bool {
	return len(g.Rows.Kept) > 0 && (g.Coef == nil || g.Fresh*50 >= g.Rows.Seen)
}

// at is the layer at features x; 0 without a layer.
func (g *smooth) at(x []float64) float64 {
	if g == nil || g.Coef == nil {
		return 0
	}
	if len(g.terms) != len(g.Coef) {
		g.terms = make([]float64, len(g.Coef))
	}
	z := g.terms[1 : 1+len(x)]
	for j, v := range x {
		z[j] = standardised(v, g.Mean[j], g.SD[j])
	}
	g.regressors(g.terms)
	return dot(g.Coef, g.terms)
}

// regressors completes terms, in which z is there.
func (g *smooth) regressors(terms []float64) {
	terms[0] = 1
	z := terms[1 : 1+len(g.Mean)]
	for k, knot := range g.Knots {
		terms[1+len(z)+k] = similar(z, knot)
	}
}

// similar is the squared exponential kernel.
func similar(a, b []float64) float64 {
	var d float64
	for j, v := range b {
		d += (a[j] - v) * (a[j] - v)
	}
	return math.Exp(-d / (float64(len(b)) * smoothLength * smoothLength))
}

// fit to what rest leaves of the rows. Like in moments.solve, rows of a day count as one.
func (g *smooth) fit(rest func(x []float64, station int) float64) error {
	rows := g.Rows.Kept
	n, p, days := len(rows), len(rows[0].Row.X), 1
	x, residual := mat.NewDense(n, 1+p, nil), make([]float64, n)
	for i := range rows {
		if i > 0 && rows[i].Before != rows[i-1].Before {
			days++
		}
		features := x.RawRowView(i)[1:]
		for j, v := range rows[i].Row.X {
			features[j] = float64(v)
		}
		residual[i] = float64(rows[i].Row.Y) - rest(features, int(rows[i].Row.Station))
	}
	mean, sd := standardise(x)
	g.Mean, g.SD = mean[1:], sd[1:]
	g.Knots = g.Knots[:0]
	for k := range min(n, smoothKnots) {
		g.Knots = append(g.Knots, slices.Clone(x.RawRowView(k * n / min(n, smoothKnots))[1:]))
	}
	a := mat.NewDense(n, 1+p+len(g.Knots), nil)
	for i := range n {
		copy(a.RawRowView(i)[1:], x.RawRowView(i)[1:])
		g.regressors(a.RawRowView(i))
	}
	coef, err := robust(a, residual, g.precision(float64(n)/float64(days)))
	if err != nil {
		return err
	}
	g.Coef, g.Fresh = coef, 0
	return nil
}

// precision of the prior of coefficients, in units of that of a row.
func (g *smooth) precision(unit float64) *mat.SymDense {
	const definite = 1e-6
	p := len(g.Mean)
	prior := mat.NewSymDense(1+p+len(g.Knots), nil)
	for j := range p {
		prior.SetSym(1+j, 1+j, unit)
	}
	for k, a := range g.Knots {
		for l, b := range g.Knots[:k+1] {
			prior.SetSym(1+p+k, 1+p+l, unit/smoothVariance*similar(a, b))
		}
		prior.SetSym(1+p+k, 1+p+k, unit/smoothVariance*(1+definite))
	}
	return prior
}

// robust solves the regression of y on a with Huber's weights, of a few iterations.
func robust(a *mat.Dense, y []float64, prior mat.Symmetric) ([]float64, error) {
	const iterations = 3
	weight, residual := make([]float64, len(y)), make([]float64, len(y))
	for i := range weight {
		weight[i] = 1
	}
	var coef []float64
	for range iterations {
		var err error
		if coef, err = weightedRidge(a, y, weight, prior); err != nil {
			return nil, err
		}
		var square float64
		for i := range y {
			residual[i] = y[i] - dot(coef, a.RawRowView(i))
			square += weight[i] * residual[i] * residual[i] / float64(len(y))
		}
		usual := smoothTail * math.Sqrt(square)
		for i, e := range residual {
			weight[i] = 1
			if e := math.Abs(e); e > usual {
				weight[i] = usual / e
			}
		}
	}
	return coef, nil
}

// weightedRidge is the minimum of the sum of weight (y - a·coef)² and coef·prior·coef. Rows
// are weighted some at a time, which bounds the memory.
func weightedRidge(a *mat.Dense, y, weight []float64, prior mat.Symmetric) ([]float64, error) {
	const block = 256
	q := prior.SymmetricDim()
	gram, right := mat.NewSymDense(q, nil), mat.NewVecDense(q, nil)
	gram.CopySym(prior)
	root, target := mat.NewDense(block, q, nil), mat.NewVecDense(block, nil)
	for from := 0; from < len(y); from += block {
		n := min(block, len(y)-from)
		part, aim := root.Slice(0, n, 0, q).(*mat.Dense), target.SliceVec(0, n).(*mat.VecDense)
		for i := range n {
			row, w := part.RawRowView(i), math.Sqrt(weight[from+i])
			copy(row, a.RawRowView(from+i))
			scale(row, w)
			aim.SetVec(i, w*y[from+i])
		}
		var add mat.VecDense
		add.MulVec(part.T(), aim)
		right.AddVec(right, &add)
		var square mat.SymDense
		square.SymOuterK(1, part.T())
		gram.AddSym(gram, &square)
	}
	var chol mat.Cholesky
	if !chol.Factorize(gram) {
		return nil, errors.New("frame: the system of the smooth layer is not positive definite")
	}
	var coef mat.VecDense
	err := chol.SolveVecTo(&coef, right)
	return coef.RawVector().Data, err
}
