package theory

import (
	"sipipe/calibrate/internal/exact"
	"sipipe/calibrate/interpolant"
)

// mode is one part of a scalar mixture.
type mode struct{ weight, mean, sd float64 }

// independent is the joint law of a start and an end that know nothing of each
// other: each mode of one meets each mode of the other.
func independent(start, end []mode) exact.Mixture {
	var m exact.Mixture
	for _, a := range start {
		for _, b := range end {
			m = append(m, exact.Component{
				Weight: a.weight * b.weight,
				Joint:  interpolant.Gaussian{M0: a.mean, S0: a.sd, M1: b.mean, S1: b.sd},
			})
		}
	}
	return m
}

// twoToTwo is the law of the pictures: two modes far apart become two close ones
// of unequal weight.
func twoToTwo() exact.Mixture {
	return independent(
		[]mode{{0.5, -1.8, 0.25}, {0.5, 1.8, 0.25}},
		[]mode{{0.35, -0.8, 0.2}, {0.65, 0.8, 0.2}})
}

// linear builds the linear path with a latent scale and ε = scale·γ.
func linear(gamma string, a, scale float64) (interpolant.Process, error) {
	i, err := interpolant.New("linear", gamma, a)
	if err != nil {
		return interpolant.Process{}, err
	}
	d, err := interpolant.NewDiffusion("gamma", scale)
	if err != nil {
		return interpolant.Process{}, err
	}
	return interpolant.Process{Interpolant: i, Diffusion: d}, nil
}

// even are n equally spaced values from a to b.
func even(a, b float64, n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = a + (b-a)*float64(i)/float64(n-1)
	}
	return v
}
