package baseline

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"
)

// whitening maps regressors (1, x_1 …) to (1, u_1 …) with u of mean zero and
// unit covariance over the rows, in which a least-squares or minimum-CRPS problem
// is well conditioned whatever the units: u = L⁻¹ (x - mean)/sd, where L is the
// Cholesky factor of the correlation matrix.
type whitening struct {
	p        int
	mean, sd []float64 // [p-1]
	factor   mat.Cholesky
}

// ridge on the correlation matrix: members that are copies of each other share
// their weight, a constant regressor gets none.
const ridge = 1e-8

// whiten returns u [n, p] and the map. The first column of x [n, p] is one.
func whiten(x []float64, n, p int) ([]float64, *whitening, error) {
	k := p - 1
	w := &whitening{p: p, mean: make([]float64, k), sd: make([]float64, k)}
	for i := range n {
		for j := range k {
			w.mean[j] += x[i*p+1+j] / float64(n)
		}
	}
	for i := range n {
		for j := range k {
			d := x[i*p+1+j] - w.mean[j]
			w.sd[j] += d * d / float64(n)
		}
	}
	for j, v := range w.sd {
		w.sd[j] = math.Sqrt(v)
		if w.sd[j] <= 1e-9*(1+math.Abs(w.mean[j])) {
			w.sd[j] = math.Inf(1) // constant: u is zero
		}
	}
	u := make([]float64, n*p)
	gram := mat.NewSymDense(max(k, 1), nil)
	for i := range n {
		ui := u[i*p : (i+1)*p]
		ui[0] = 1
		for j := range k {
			ui[j+1] = (x[i*p+1+j] - w.mean[j]) / w.sd[j]
			for l := range j + 1 {
				gram.SetSym(l, j, gram.At(l, j)+ui[j+1]*ui[l+1]/float64(n))
			}
		}
	}
	for j := range max(k, 1) {
		gram.SetSym(j, j, gram.At(j, j)+ridge)
	}
	if !w.factor.Factorize(gram) {
		return nil, nil, errors.New("regressors are not finite")
	}
	var l mat.TriDense
	w.factor.LTo(&l)
	for i := range n {
		ui := u[i*p+1 : (i+1)*p]
		for j := range ui { // forward substitution
			v := ui[j]
			for m := range j {
				v -= l.At(j, m) * ui[m]
			}
			ui[j] = v / l.At(j, j)
		}
	}
	return u, w, nil
}

// back turns coefficients of u into those of x.
func (w *whitening) back(a []float64) []float64 {
	out := make([]float64, w.p)
	out[0] = a[0]
	var l mat.TriDense
	w.factor.LTo(&l)
	for j := w.p - 2; j >= 0; j-- { // backward substitution with Lᵀ
		v := a[j+1]
		for m := j + 1; m < w.p-1; m++ {
			v -= l.At(m, j) * out[m+1]
		}
		out[j+1] = v / l.At(j, j)
	}
	for j := range w.p - 1 {
		out[j+1] /= w.sd[j]
		out[0] -= out[j+1] * w.mean[j]
	}
	return out
}

// leastSquares returns the coefficients of u [n, p] for y, and the root mean
// square residual.
func leastSquares(u, y []float64, p int) (a []float64, rms float64) {
	n := len(y)
	a = make([]float64, p)
	for i, v := range y {
		for j := range p {
			a[j] += u[i*p+j] * v / float64(n)
		}
	}
	for i, v := range y {
		for j := range p {
			v -= a[j] * u[i*p+j]
		}
		rms += v * v / float64(n)
	}
	return a, math.Sqrt(rms)
}
