package frame

import (
	"errors"
	"math"

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
// without history, which get the spatial part only.
func krige(s *Stations, k Kernel, mean, count []float64) ([]float64, error) {
	bias := make([]float64, s.Len())
	if k.Spatial+k.Local <= 0 {
		return bias, nil
	}
	if s.Len() > denseKriging {
		return bias, krigeNear(s, k, mean, count, bias)
	}
	var known []int
	for i, n := range count {
		if n >= enough {
			known = append(known, i)
		}
	}
	if len(known) == 0 {
		return bias, nil
	}
	return bias, krigeWith(s, k, mean, count, known, allOf(s.Len()), bias)
}

func allOf(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// krigeWith fills bias at the targets from the stations known.
func krigeWith(s *Stations, k Kernel, mean, count []float64, known, targets []int, bias []float64) error {
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
	at := make(map[int]int, n)
	for i, st := range known {
		at[st] = i
	}
	for _, t := range targets {
		var u float64
		if i, ok := at[t]; ok && len(targets) == s.Len() {
			// Reuse the row of the system instead of computing its kernel again.
			for j := range n {
				switch {
				case j < i:
					u += raw.Data[j*raw.Stride+i] * w.AtVec(j)
				case j > i:
					u += raw.Data[i*raw.Stride+j] * w.AtVec(j)
				default:
					u += (k.Spatial + k.Local) * w.AtVec(j)
				}
			}
		} else {
			for j, st := range known {
				c := k.spatial(s, t, st)
				if st == t {
					c += k.Local
				}
				u += c * w.AtVec(j)
			}
		}
		bias[t] = u
	}
	return nil
}

func abs(i int) int {
	if i < 0 {
		return -i
	}
	return i
}
