package frame

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// Kernel is the prior covariance of station biases, in units of the residual
// variance V:
//
//	V (Spatial exp(-distance/Range - |dz|/Height) + Local [same station])
//
// and Noise V is the variance of one day's residual about the bias.
type Kernel struct {
	Spatial, Local, Noise float64
	Range                 float64 // km
	Height                float64 // m
}

func (k Kernel) spatial(s *Stations, i, j int) float64 {
	if c := s.near[shape{k.Range, k.Height}]; c != nil && i < c.n && j < c.n {
		return k.Spatial * c.data[i*c.n+j]
	}
	km, m := s.distances(i, j)
	return k.Spatial * math.Exp(-km/k.Range-m/k.Height)
}

// denseKriging is the number of stations up to which all are used together;
// beyond it each station sees its nearest neighbours only, which keeps the cost
// linear in the number of stations.
const (
	denseKriging = 1500
	neighbours   = 24
	// enough is the discounted number of days below which a station has no history.
	enough = 0.05
)

// krige returns the bias at every place of the register from the mean residual
// and the discounted number of days at each; count[i] < enough marks stations
// without history, which get the spatial part only. unknown is the variance of what
// is not known of the bias: exact at stations without history, and at others what
// their own days leave of the local part.
func krige(s *Stations, k Kernel, mean, count []float64) (bias, unknown []float64, err error) {
	bias, unknown = make([]float64, s.Len()), make([]float64, s.Len())
	if k.Spatial+k.Local <= 0 {
		return bias, unknown, nil
	}
	var known, unseen []int
	for i, n := range count {
		if n >= enough {
			known = append(known, i)
			unknown[i] = k.Local * k.Noise / (k.Noise + n*k.Local)
		} else {
			unseen = append(unseen, i)
			unknown[i] = k.Spatial + k.Local
		}
	}
	switch {
	case len(known) == 0:
		return bias, unknown, nil
	case s.Len() > denseKriging:
		return bias, unknown, krigeNear(s, k, mean, count, bias, unknown)
	}
	return bias, unknown, krigeWith(s, k, mean, count, known, unseen, bias, unknown)
}

// krigeWith fills bias at all stations from those known, and takes off unknown at the
// others what the known tell of them.
func krigeWith(s *Stations, k Kernel, mean, count []float64, known, unseen []int, bias, unknown []float64) error {
	n := len(known)
	a := mat.NewSymDense(n, nil)
	raw := a.RawSymmetric()
	near := s.near[shape{k.Range, k.Height}]
	for i := range n {
		row := raw.Data[i*raw.Stride:]
		if near != nil && near.n == s.Len() {
			from := near.data[known[i]*near.n:]
			for j := i + 1; j < n; j++ {
				row[j] = k.Spatial * from[known[j]]
			}
		} else {
			for j := i + 1; j < n; j++ {
				row[j] = k.spatial(s, known[i], known[j])
			}
		}
		row[i] = k.Spatial + k.Local + k.Noise/count[known[i]]
	}
	b := mat.NewVecDense(n, nil)
	for i, st := range known {
		b.SetVec(i, mean[st])
	}
	var chol mat.Cholesky
	if !chol.Factorize(a) {
		return errors.New("frame: the kriging system is not positive definite")
	}
	var w mat.VecDense
	if err := chol.SolveVecTo(&w, b); err != nil {
		return err
	}
	for i, t := range known {
		// The row of the system, instead of its kernel again.
		u := (k.Spatial + k.Local) * w.AtVec(i)
		for j := range i {
			u += raw.Data[j*raw.Stride+i] * w.AtVec(j)
		}
		for j := i + 1; j < n; j++ {
			u += raw.Data[i*raw.Stride+j] * w.AtVec(j)
		}
		bias[t] = u
	}
	if len(unseen) == 0 {
		return nil
	}
	// With A = U'U the variance that the known explain is |U'^-1 c|².
	c := mat.NewDense(n, len(unseen), nil)
	for j, t := range unseen {
		for i, st := range known {
			v := k.spatial(s, t, st)
			c.Set(i, j, v)
			bias[t] += v * w.AtVec(i)
		}
	}
	blas64.Trsm(blas.Left, blas.Trans, 1, chol.RawU().(mat.RawTriangular).RawTriangular(), c.RawMatrix())
	for i := range n {
		for j, v := range c.RawRowView(i) {
			unknown[unseen[j]] -= v * v
		}
	}
	return nil
}

func abs(i int) int {
	if i < 0 {
		return -i
	}
	return i
}
