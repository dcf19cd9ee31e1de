package sde

import (
	"errors"
	"math"
)

// The embedded pair of orders 5 and 4 of Dormand and Prince (1980): nodes c,
// stages a, and the difference e of the two results' weights. The last stage is
// the result of order 5 itself.
var (
	dopriC = [7]float64{0, 1. / 5, 3. / 10, 4. / 5, 8. / 9, 1, 1}
	dopriA = [7][6]float64{
		{},
		{1. / 5},
		{3. / 40, 9. / 40},
		{44. / 45, -56. / 15, 32. / 9},
		{19372. / 6561, -25360. / 2187, 64448. / 6561, -212. / 729},
		{9017. / 3168, -355. / 33, 46732. / 5247, 49. / 176, -5103. / 18656},
		{35. / 384, 0, 500. / 1113, 125. / 192, -2187. / 6784, 11. / 84},
	}
	dopriE = [7]float64{71. / 57600, 0, -71. / 16695, 71. / 1920, -17253. / 339200, 22. / 525, -1. / 40}
)

// ErrStalled says that the step size fell below what the times can resolve.
var ErrStalled = errors.New("the step size fell to zero; the drift is singular or the tolerance too small; use another solver, or an epsilon and gamma whose coefficients are finite at the ends")

// adaptiveStep integrates from t to to by the Dormand-Prince pair with step
// control: a step is accepted when the largest component error is below
// Tolerance·(1 + |x|). The largest error is that of the whole state, so which
// components share a state changes the result within the tolerance.
func adaptiveStep(s *Solver, x []float64, t, to float64, p Problem, _ Noise) error {
	k, y := s.work[:7], s.work[7]
	if err := p.Drift(k[0], t, x); err != nil {
		return err
	}
	h := (to - t) / 4
	for t != to {
		if math.Abs(to-t) <= math.Abs(h) {
			h = to - t
		}
		for j := 1; j < 7; j++ {
			stage(y, x, h, dopriA[j][:j], k)
			if err := p.Drift(k[j], dopriTime(t, to, h, j), y); err != nil {
				return err
			}
		}
		// y now holds the result of order 5, k[6] the drift there.
		worst := 0.0
		for i := range x {
			e := 0.0
			for j, w := range dopriE {
				e += w * k[j][i]
			}
			worst = math.Max(worst, math.Abs(h*e)/(1+math.Max(math.Abs(x[i]), math.Abs(y[i]))))
		}
		ratio := worst / s.options.Tolerance
		if ratio <= 1 {
			copy(x, y)
			if h == to-t {
				return nil
			}
			t += h
			copy(k[0], k[6])
		}
		// The usual safety factor and limits (Hairer, Nørsett and Wanner 1993,
		// section II.4); a NaN error shrinks the step most.
		factor := 0.2
		if ratio == 0 {
			factor = 5
		} else if ratio > 0 {
			factor = min(5, max(0.2, 0.9*math.Pow(ratio, -0.2)))
		}
		h *= factor
		if math.Abs(h) < 1e-14 {
			return ErrStalled
		}
	}
	return nil
}

// dopriTime is the time of stage j, exactly to at the end of the interval, so that
// a problem is never asked beyond it.
func dopriTime(t, to, h float64, j int) float64 {
	if dopriC[j] == 1 && h == to-t {
		return to
	}
	return t + dopriC[j]*h
}

// stage writes x + h Σ a_j k_j.
func stage(y, x []float64, h float64, a []float64, k [][]float64) {
	copy(y, x)
	for j, w := range a {
		if w == 0 {
			continue
		}
		w *= h
		for i, v := range k[j] {
			y[i] += w * v
		}
	}
}
