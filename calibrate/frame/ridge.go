package frame

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"
)

// moments are exponentially discounted sums over rows (1, x, y) of p features
// and a target, from which the weighted ridge regression on standardised
// features follows exactly.
type moments struct {
	P   int       // number of features
	Sum []float64 // [(p+2), (p+2)], row-major, symmetric; only the upper triangle is kept
	// Days is the discounted number of distinct valid times, the sample size that
	// counts: errors of one day are related over whole regions.
	Days float64
}

func newMoments(p int) moments { return moments{P: p, Sum: make([]float64, (p+2)*(p+2))} }

// discount multiplies all sums by f.
func (m *moments) discount(f float64) {
	for i := range m.Sum {
		m.Sum[i] *= f
	}
	m.Days *= f
}

// add takes in one row with weight 1; row is scratch of length p+2.
func (m *moments) add(x []float64, y float64, row []float64) {
	n := m.P + 2
	row[0] = 1
	copy(row[1:], x)
	row[n-1] = y
	for i := range n {
		ri := row[i]
		if ri == 0 {
			continue
		}
		dst := m.Sum[i*n+i : i*n+n]
		for j, v := range row[i:] {
			dst[j] += ri * v
		}
	}
}

// rows is the discounted number of rows.
func (m *moments) rows() float64 { return m.Sum[0] }

// coefficients are those of y = Intercept + Slope·x, with the variance of the
// residual in the sample.
type coefficients struct {
	Intercept float64
	Slope     []float64
	Variance  float64
}

func (c *coefficients) at(x []float64) float64 {
	y := c.Intercept
	for j, v := range x {
		y += c.Slope[j] * v
	}
	return y
}

// solve returns the ridge coefficients. The penalty, on standardised features,
// is given in days: a penalty of one weighs as much as an average day's rows.
func (m *moments) solve(penaltyDays float64) (coefficients, error) {
	p, n := m.P, m.P+2
	total := m.rows()
	if total <= 0 || m.Days <= 0 {
		return coefficients{}, errors.New("frame: no rows")
	}
	penalty := penaltyDays * total / m.Days
	mean := make([]float64, p+1)
	for j := range p + 1 {
		mean[j] = m.Sum[j+1] / total
	}
	sd := make([]float64, p)
	for j := range p {
		v := m.Sum[(j+1)*n+j+1]/total - mean[j]*mean[j]
		// A feature that does not vary (altitude of a single station, say) must not
		// be divided by the rounding error of its variance.
		if scale := math.Abs(mean[j]); v > 1e-10*(1+scale*scale) {
			sd[j] = math.Sqrt(v)
		}
	}
	a := mat.NewSymDense(p, nil)
	b := mat.NewVecDense(p, nil)
	for i := range p {
		if sd[i] == 0 {
			a.SetSym(i, i, 1)
			continue
		}
		for j := i; j < p; j++ {
			if sd[j] == 0 {
				continue
			}
			a.SetSym(i, j, (m.Sum[(i+1)*n+j+1]-total*mean[i]*mean[j])/(sd[i]*sd[j]))
		}
		a.SetSym(i, i, a.At(i, i)+penalty)
		b.SetVec(i, (m.Sum[(i+1)*n+n-1]-total*mean[i]*mean[p])/sd[i])
	}
	var chol mat.Cholesky
	if !chol.Factorize(a) {
		return coefficients{}, errors.New("frame: the ridge system is not positive definite")
	}
	var beta mat.VecDense
	if err := chol.SolveVecTo(&beta, b); err != nil {
		return coefficients{}, err
	}
	c := coefficients{Intercept: mean[p], Slope: make([]float64, p)}
	ss := m.Sum[n*n-1] - total*mean[p]*mean[p]
	for j := range p {
		if sd[j] == 0 {
			continue
		}
		c.Slope[j] = beta.AtVec(j) / sd[j]
		c.Intercept -= c.Slope[j] * mean[j]
		// With the penalised beta, |y - Xb|² = yy - 2 b·Xy + b·XX·b and
		// XX·b = Xy - penalty b.
		ss -= beta.AtVec(j)*b.AtVec(j) + penalty*beta.AtVec(j)*beta.AtVec(j)
	}
	c.Variance = math.Max(ss/total, 1e-12)
	return c, nil
}
