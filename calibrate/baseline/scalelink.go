package baseline

import "math"

// scaleLink maps coefficients c, of order one, and the regressors of the scale
// (1, variance) or (1, log sd, harmonics) to a scale:
//
//	unit² (c_0² + c_1² variance/centre + floor)       squares keep it positive
//	unit  exp(c_0 + c_1 (log sd - centre) + …)        log
//
// where unit is the scale of the residuals and centre the mean of the second
// regressor.
type scaleLink struct {
	log          bool
	q            int
	unit, centre float64
}

// scaleFloor is the least scale², as a fraction of the residuals' variance.
const scaleFloor = 1e-6

// newScaleLink for residuals with the given root mean square.
func newScaleLink(d *design, rms float64, o EMOSOptions) *scaleLink {
	l := &scaleLink{log: o.LogScale, q: d.q, unit: rms}
	if o.Family == FamilyLogistic {
		l.unit *= math.Sqrt(3) / math.Pi
	}
	for i := range d.n {
		l.centre += d.s[i*d.q+1] / float64(d.n)
	}
	if !l.log && l.centre == 0 {
		l.centre = 1 // one member: no spread to use
	}
	return l
}

// start is the residuals' scale, shared by both terms when it is a sum.
func (l *scaleLink) start() []float64 {
	c := make([]float64, l.q)
	if !l.log {
		c[0], c[1] = math.Sqrt(.5), math.Sqrt(.5)
	}
	return c
}

func (l *scaleLink) scale(c, s []float64) float64 {
	if !l.log {
		return l.unit * math.Sqrt(c[0]*c[0]+c[1]*c[1]*s[1]/l.centre+scaleFloor)
	}
	v := c[0] + c[1]*(s[1]-l.centre)
	for j := 2; j < l.q; j++ {
		v += c[j] * s[j]
	}
	return l.unit * math.Exp(min(max(v, -30), 30)) // bounds for the line search's far steps
}

// gradient adds ds · d scale/d c.
func (l *scaleLink) gradient(grad []float64, ds float64, c, s []float64) {
	sc := l.scale(c, s)
	if !l.log {
		ds *= l.unit * l.unit / sc
		grad[0] += ds * c[0]
		grad[1] += ds * c[1] * s[1] / l.centre
		return
	}
	ds *= sc
	grad[0] += ds
	grad[1] += ds * (s[1] - l.centre)
	for j := 2; j < l.q; j++ {
		grad[j] += ds * s[j]
	}
}

// back turns c into the coefficients of the regressors.
func (l *scaleLink) back(c []float64) []float64 {
	out := append([]float64(nil), c...)
	u2 := l.unit * l.unit
	if !l.log {
		out[0], out[1] = u2*(c[0]*c[0]+scaleFloor), u2*c[1]*c[1]/l.centre
		return out
	}
	out[0] += math.Log(l.unit) - c[1]*l.centre
	return out
}
