package interpolant

import "math"

// Coefficients are the scalars of a path at one time.
type Coefficients struct {
	T                           float64 // interpolant time in [0, 1]
	Alpha, Beta, Gamma          float64
	AlphaDot, BetaDot, GammaDot float64 // GammaDot is ±Inf at the ends when γ behaves like a square root there
	GammaGammaDot               float64 // γγ̇ in closed form, finite for every t
}

// withoutStart and withoutEnd report that α or β vanish around t, as on one-sided
// paths and on the halves of the encoding-decoding path.
func (c Coefficients) withoutStart() bool { return c.Alpha == 0 && c.AlphaDot == 0 }
func (c Coefficients) withoutEnd() bool   { return c.Beta == 0 && c.BetaDot == 0 }

// X returns x_t = α x0 + β x1 + γ z.
func (c Coefficients) X(x0, x1, z float64) float64 { return c.Alpha*x0 + c.Beta*x1 + c.Gamma*z }

// Pair returns the antithetic points I ± γz, which share I ([SI] section 6).
func (c Coefficients) Pair(x0, x1, z float64) (plus, minus float64) {
	i := c.Alpha*x0 + c.Beta*x1
	return i + c.Gamma*z, i - c.Gamma*z
}

// Velocity returns İ = α̇ x0 + β̇ x1.
func (c Coefficients) Velocity(x0, x1 float64) float64 { return c.AlphaDot*x0 + c.BetaDot*x1 }

// wronskian is αβ̇ - α̇β, positive between the ends of a two-sided path.
func (c Coefficients) wronskian() float64 { return c.Alpha*c.BetaDot - c.AlphaDot*c.Beta }

// sinSquared is sin²(πt), its derivative, and cos²(πt); exact at 0, ½ and 1.
func sinSquared(t float64) (value, dot, rest float64) {
	u := min(t, 1-t)
	s, c := math.Sin(math.Pi*u), math.Sin(math.Pi*(0.5-u))
	dot = 2 * math.Pi * s * c
	if t > 0.5 {
		dot = -dot
	}
	return s * s, dot, c * c
}

// quarter is cos(πt/2) and sin(πt/2), exactly 0 and 1 at the ends.
func quarter(t float64) (cos, sin float64) {
	if t <= 0.5 {
		s, c := math.Sincos(math.Pi / 2 * t)
		return c, s
	}
	s, c := math.Sincos(math.Pi / 2 * (1 - t))
	return s, c
}
