package baseline

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat"
)

// RainBMA is Bayesian model averaging for precipitation (Sloughter et al. 2007, Mon.
// Wea. Rev. 135, 3209): the mixture over the members x_k of laws with
//
//	logit P(Y = 0)       = Dry[k] · (1, x_k^⅓, [x_k = 0])
//	Y^⅓ given that Y > 0 ~ gamma of mean  max(Intercept[k] + Slope[k] x_k^⅓, Least)
//	                             variance Variance · (1, x_k)
//
// of weight Weight[k]. Members that are missing are treated as by BMA.
type RainBMA struct {
	Weight           []float64    // [member]
	Dry              [][3]float64 // [member]
	Intercept, Slope []float64    // [member]
	Variance         [2]float64
	Least            float64 // keeps the mean positive: the least cube root observed
}

// minWet is the least number of observations above zero.
const minWet = 10

// FitRainBMA finds P(Y = 0) by logistic regression, the means by linear regression,
// and weights and variance by maximum likelihood. O(rows × members × iterations).
func FitRainBMA(rows []Row, o BMAOptions) (RainBMA, error) {
	const method = "BMA of precipitation"
	rows, k := usable(rows)
	if need := max(minEMOSRows, 3*k); len(rows) < need {
		return RainBMA{}, &TooFewError{method, len(rows), need}
	}
	var wet []Row
	b := RainBMA{
		Weight: make([]float64, k), Dry: make([][3]float64, k),
		Intercept: make([]float64, k), Slope: make([]float64, k), Least: math.Inf(1),
	}
	for _, r := range rows {
		if r.Obs > 0 {
			wet = append(wet, r)
			b.Least = min(b.Least, math.Cbrt(r.Obs))
		}
	}
	if len(wet) < minWet {
		return RainBMA{}, &TooFewError{method + " (amounts above zero)", len(wet), minWet}
	}
	var squared, terms float64
	for _, group := range o.groups(k) {
		x, y := pairs(wet, group)
		if len(x) < 2 {
			continue
		}
		cubeRoots(x)
		cubeRoots(y)
		a, s := regressAmounts(x, y)
		dry, err := regressDry(pairs(rows, group))
		if err != nil {
			return RainBMA{}, fmt.Errorf("fit %s to %d rows: %w", method, len(rows), err)
		}
		for i, v := range x {
			e := y[i] - max(a+s*v, b.Least)
			squared += e * e
			terms++
		}
		for _, j := range group {
			b.Intercept[j], b.Slope[j], b.Dry[j], b.Weight[j] = a, s, dry, 1
		}
	}
	if !shareOut(b.Weight) {
		return RainBMA{}, &TooFewError{method, 0, 2}
	}
	variance := squared / terms
	if variance <= 1e-20 {
		return RainBMA{}, ErrDegenerate
	}
	if err := b.maximise(rows, variance, !o.Exchangeable); err != nil {
		return RainBMA{}, fmt.Errorf("fit %s to %d rows: %w", method, len(rows), err)
	}
	return b, nil
}

func cubeRoots(x []float64) {
	for i, v := range x {
		x[i] = math.Cbrt(max(v, 0))
	}
}

// regressAmounts by least squares; through the least of y where the intercept would
// not be positive, as the mean of a gamma has to be.
func regressAmounts(x, y []float64) (intercept, slope float64) {
	intercept, slope = stat.LinearRegression(x, y, nil, false)
	if math.IsNaN(slope) || math.IsInf(slope, 0) {
		return stat.Mean(y, nil), 0
	}
	if intercept > 0 {
		return intercept, slope
	}
	intercept = slices.Min(y)
	var xy, xx float64
	for i, v := range x {
		xy += v * (y[i] - intercept)
		xx += v * v
	}
	return intercept, xy / xx
}

// ridgeDry keeps the coefficients finite where a member tells wet from dry exactly.
const ridgeDry = 1e-6

// regressDry is the logistic regression of y = 0 on the cube root of x and on x = 0.
// A coefficient of the wrong sign, by which more rain forecast made it drier, is left
// out, as ensembleBMA does (Fraley et al. 2010, Mon. Wea. Rev. 138, 190).
func regressDry(x, y []float64) ([3]float64, error) {
	var dry [3]float64
	if !slices.ContainsFunc(y, func(v float64) bool { return v <= 0 }) {
		return [3]float64{math.Inf(-1)}, nil
	}
	cubeRoots(x)
	used := []int{0, 1, 2}
	for {
		coefficients, err := bfgs(func(grad, a []float64) float64 {
			var sum float64
			clear(grad)
			for i, v := range x {
				at := [3]float64{1, v, 0}
				if v == 0 {
					at[2] = 1
				}
				var logit float64
				for l, u := range used {
					logit += a[l] * at[u]
				}
				// -log P of what was observed, and its derivative by the logit.
				sign := 1.
				if y[i] > 0 {
					sign = -1
				}
				logit *= sign
				sum += max(-logit, 0) + math.Log1p(math.Exp(-math.Abs(logit)))
				slope := -sign / (1 + math.Exp(logit))
				for l, u := range used {
					grad[l] += slope * at[u]
				}
			}
			n := float64(len(x))
			for l := range grad {
				grad[l] = grad[l]/n + ridgeDry*a[l]
				sum += n * ridgeDry * a[l] * a[l] / 2
			}
			return sum / n
		}, make([]float64, len(used)), 1e-7, 1e-10)
		if err != nil {
			return dry, err
		}
		dry = [3]float64{}
		for l, u := range used {
			dry[u] = coefficients[l]
		}
		wrong := func(u int) bool { return u == 1 && dry[u] > 0 || u == 2 && dry[u] < 0 }
		if !slices.ContainsFunc(used, wrong) {
			return dry, nil
		}
		used = slices.DeleteFunc(used, wrong)
	}
}

// member is the law of member j, whose value x is not NaN: the probability of no
// rain, and the mean of the cube root of an amount.
func (b *RainBMA) member(j int, x float64) (dry, mean float64) {
	root := math.Cbrt(x)
	logit := b.Dry[j][0] + b.Dry[j][1]*root
	if x == 0 {
		logit += b.Dry[j][2]
	}
	return 1 / (1 + math.Exp(-logit)), max(b.Intercept[j]+b.Slope[j]*root, b.Least)
}

// maximise finds the variance and, with weights, weights; variance is that of the
// errors of the means. The coefficients are squares, which keeps them positive.
func (b *RainBMA) maximise(rows []Row, variance float64, weights bool) error {
	type memberLaw struct{ x, logChance, mean float64 } // logChance: log of P(Y = 0), or of P(Y > 0)
	k := len(b.Weight)
	laws := make([]memberLaw, 0, len(rows)*k)
	var centre, terms float64
	for _, r := range rows {
		for j := range k {
			l := memberLaw{x: math.NaN()}
			if j < len(r.Members) && r.Members[j] == r.Members[j] {
				l.x = max(float64(r.Members[j]), 0)
				dry, mean := b.member(j, l.x)
				l.mean, l.logChance = mean, math.Log(dry)
				if r.Obs > 0 {
					l.logChance = math.Log1p(-dry)
				}
				centre += l.x
				terms++
			}
			laws = append(laws, l)
		}
	}
	if centre /= terms; centre == 0 {
		centre = 1 // no rain in any forecast
	}
	// Far steps of the line search must not overflow.
	within := func(theta float64) float64 { return min(max(theta, -1e3), 1e3) }
	coefficients := func(theta []float64) [2]float64 {
		a, b := within(theta[0]), within(theta[1])
		return [2]float64{variance * (a*a + scaleFloor), variance * b * b / centre}
	}
	w, theta, err := maximise(len(rows), b.Weight, []float64{math.Sqrt(.5), math.Sqrt(.5)}, weights,
		func(i int, theta, logDensity, slope []float64) {
			root := math.Cbrt(rows[i].Obs)
			logRoot := math.Log(root)
			c := coefficients(theta)
			for j, l := range laws[i*k : (i+1)*k] {
				logDensity[j], slope[2*j], slope[2*j+1] = l.logChance, 0, 0
				if math.IsNaN(l.x) {
					logDensity[j] = l.x
				}
				if rows[i].Obs > 0 && !math.IsNaN(l.x) {
					v := c[0] + c[1]*l.x
					shape, rate := l.mean*l.mean/v, l.mean/v
					g, _ := math.Lgamma(shape)
					logRate := math.Log(rate)
					logDensity[j] += shape*logRate - g + (shape-1)*logRoot - rate*root
					byShape := logRate - mathext.Digamma(shape) + logRoot
					byV := -(shape*byShape + rate*(shape/rate-root)) / v
					slope[2*j] = byV * 2 * variance * theta[0]
					slope[2*j+1] = byV * 2 * variance * theta[1] * l.x / centre
				}
			}
		})
	if err != nil {
		return err
	}
	b.Weight, b.Variance = w, coefficients(theta)
	return nil
}

// Predict returns the CubedGammas for an ensemble, as BMA does.
func (b *RainBMA) Predict(members []float32) (Distribution, bool) {
	var d CubedGammas
	for j, v := range members[:min(len(members), len(b.Weight))] {
		if math.IsNaN(float64(v)) || b.Weight[j] == 0 {
			continue
		}
		x := max(float64(v), 0)
		dry, mean := b.member(j, x)
		variance := b.Variance[0] + b.Variance[1]*x
		d.Weight = append(d.Weight, b.Weight[j])
		d.Zero = append(d.Zero, dry)
		d.Shape = append(d.Shape, mean*mean/variance)
		d.Rate = append(d.Rate, mean/variance)
	}
	return d, shareOut(d.Weight)
}
