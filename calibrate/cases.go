package calibrate

import (
	"math"

	"sipipe/calibrate/frame"
)

// The interpolant lives in the frame's normal scores: an observation y becomes
//
//	x1 = Phi^-1(F(y))
//
// where F is the frame's distribution, so x1 = (y - mu)/sigma for a normal one. A
// frame that is right makes x1 standard normal, whatever the case.

// scoreClip bounds normal scores in training: what lies beyond is a gross error of
// the observation or an event of which the archive has too few to learn from.
const scoreClip = 5

// normalScore is the normal score of a working-space value.
func normalScore(y, mu, sigma float64, f frame.Family) float64 {
	z := (y - mu) / sigma
	if f == frame.Logistic {
		z = logisticToNormal(z)
	}
	return z
}

// fromScore is the working-space value of a normal score.
func fromScore(x, mu, sigma float64, f frame.Family) float64 {
	if f == frame.Logistic {
		x = normalToLogistic(x)
	}
	return mu + sigma*x
}

// logisticToNormal is Phi^-1(1/(1+e^-z)), computed on the smaller tail.
func logisticToNormal(z float64) float64 {
	x := math.Sqrt2 * math.Erfcinv(2/(1+math.Exp(math.Abs(z))))
	if math.IsInf(x, 0) || x > 8 {
		x = 8
	}
	return math.Copysign(x, z)
}

// normalToLogistic is log(p/(1-p)) with p = Phi(x), computed on the smaller tail.
func normalToLogistic(x float64) float64 {
	tail := math.Erfc(math.Abs(x)/math.Sqrt2) / 2
	tail = math.Max(tail, 1e-300)
	return math.Copysign(math.Log1p(-tail)-math.Log(tail), x)
}

// normalCDF is Phi.
func normalCDF(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// normalQuantile is Phi^-1.
func normalQuantile(p float64) float64 { return -math.Sqrt2 * math.Erfcinv(2*p) }

// conditions are what the network is told of a case. They are few on purpose: a
// network that is told where and when it is learns the means of the few days it
// has seen.
type conditions struct {
	Season bool // sine and cosine of the day of the year: archives of years
	Lead   bool // lead time: several of them
	// Mean and SD of the training cases, of each condition that is not already
	// bounded, from which they are standardised.
	Mean, SD []float32
}

const baseConditions = 4

func (c *conditions) len() int {
	n := baseConditions
	if c.Season {
		n += 2
	}
	if c.Lead {
		n++
	}
	return n
}

// raw fills dst with the conditions of a case, before standardising: log raw
// spread; distance of the raw mean from the frame's location in its scale;
// skewness of the members; log of the frame's scale.
func (c *conditions) raw(dst []float32, members []float32, mu, sigma, day, leadDays float64) {
	s := frame.Summarise(members)
	floor := 0.05*sigma + 1e-9
	skew := 0.0
	if s.Count > 2 && s.SD > 0 {
		for _, v := range members {
			if x := (float64(v) - s.Mean) / s.SD; x == x {
				skew += x * x * x / float64(s.Count)
			}
		}
	}
	d := append(dst[:0],
		float32(math.Log(s.SD+floor)),
		float32((s.Mean-mu)/sigma),
		float32(skew),
		float32(math.Log(sigma)))
	if c.Season {
		sin, cos := math.Sincos(2 * math.Pi * day / 365.2425)
		d = append(d, float32(sin), float32(cos))
	}
	if c.Lead {
		d = append(d, float32(leadDays))
	}
	_ = d
}

// conditionClip keeps a case far from all that was seen in training from being
// answered by extrapolation.
const conditionClip = 3

// standardise maps raw conditions to about [-3, 3] in place.
func (c *conditions) standardise(x []float32) {
	for j := range x {
		v := (x[j] - c.Mean[j]) / c.SD[j]
		if v != v {
			v = 0
		}
		x[j] = min(max(v, -conditionClip), conditionClip)
	}
}

// learn sets Mean and SD from n raw cases, [n, len].
func (c *conditions) learn(x []float32) {
	d := c.len()
	n := len(x) / d
	c.Mean, c.SD = make([]float32, d), make([]float32, d)
	for j := range d {
		var m, q float64
		for i := range n {
			m += float64(x[i*d+j])
		}
		m /= float64(max(n, 1))
		for i := range n {
			v := float64(x[i*d+j]) - m
			q += v * v
		}
		sd := math.Sqrt(q / float64(max(n, 1)))
		if sd < 1e-6 {
			sd = 1 // a condition that does not vary says nothing
		}
		c.Mean[j], c.SD[j] = float32(m), float32(sd)
	}
}

// template standardises raw members by their own mean and spread: the starting
// points x0 of the interpolant, before dressing. floor is the least spread [working
// units]. Missing members become NaN.
func template(dst []float32, members []float32, floor float64) {
	s := frame.Summarise(members)
	sd := math.Max(s.SD, floor)
	for j, v := range members {
		dst[j] = float32((float64(v) - s.Mean) / sd)
	}
}
