package baseline

import "math"

// crps is the CRPS of a location-scale family at y and its derivatives by
// location and scale. As the score is homogeneous of degree one in (y - mu,
// scale), crps = scale ds - (y - mu) dmu.
type crps func(y, mu, scale float64) (value, dmu, ds float64)

func crpsNormal(y, mu, sigma float64) (value, dmu, ds float64) {
	z := (y - mu) / sigma
	dmu = -math.Erf(z / math.Sqrt2)
	ds = (math.Sqrt2*math.Exp(-z*z/2) - 1) / math.SqrtPi
	return sigma * (ds - z*dmu), dmu, ds
}

func crpsLogistic(y, mu, s float64) (value, dmu, ds float64) {
	z := (y - mu) / s
	a := math.Abs(z)
	e := math.Exp(-a)
	dmu = math.Copysign((1-e)/(1+e), -z)
	ds = 2*math.Log1p(e) - 1 + a + z*dmu
	return s * (ds - z*dmu), dmu, ds
}

// crpsCensoredLogistic of max(X, 0); y >= 0. The part below zero,
// s G(c) with c = -mu/s, G = log(1 + e^c) - F(c) and G' = F(c)², is taken off.
func crpsCensoredLogistic(y, mu, s float64) (value, dmu, ds float64) {
	value, dmu, ds = crpsLogistic(y, mu, s)
	c := -mu / s
	f := 1 / (1 + math.Exp(-c))
	g := math.Max(c, 0) + math.Log1p(math.Exp(-math.Abs(c))) - f
	return value - s*g, dmu + f*f, ds - g + c*f*f
}

// crpsCensoredNormal as crpsCensoredLogistic, with
// G = c Φ² + 2 φ Φ - Φ(√2 c)/√π and G' = Φ(c)².
func crpsCensoredNormal(y, mu, sigma float64) (value, dmu, ds float64) {
	value, dmu, ds = crpsNormal(y, mu, sigma)
	c := -mu / sigma
	p := math.Erfc(-c/math.Sqrt2) / 2
	g := c*p*p + 2*p*math.Exp(-c*c/2)/math.Sqrt(2*math.Pi) - math.Erfc(-c)/2/math.SqrtPi
	return value - sigma*g, dmu + p*p, ds - g + c*p*p
}
