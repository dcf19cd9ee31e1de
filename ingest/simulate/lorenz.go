package simulate

import "math"

// Sizes and constants of the two-scale system, the standard choice of Wilks
// (2005): K slow variables, J fast ones under each, forcing F, coupling h,
// amplitude ratio b and time-scale ratio c.
const (
	slots    = 8  // K
	fast     = 32 // J
	forcing  = 20.0
	coupling = 1.0  // h
	ratioB   = 10.0 // b
	ratioC   = 10.0 // c
)

// dayMTU is one day in model time units: five days a unit, by the growth rate
// of errors (Lorenz 1996).
const dayMTU = 0.2

// Longest time steps of the fourth-order Runge-Kutta scheme, model time units.
const (
	truthStep = 0.002
	modelStep = 0.005
)

// slow is the state of the slow variables X_k of one ring.
type slow [slots]float64

// twoScale is the state of one ring of the two-scale system of Lorenz (1996):
//
//	dX_k/dt = -X_{k-1} (X_{k-2} - X_{k+1}) - X_k + F - (hc/b) sum_j Y_{j,k}
//	dY_i/dt = -cb Y_{i+1} (Y_{i+2} - Y_{i-1}) - c Y_i + (hc/b) X_{k(i)}
//
// with k(i) = i/J, and k and i cyclic.
type twoScale struct {
	x slow
	y [slots * fast]float64
}

// tendency writes the time derivative of s into d.
func (s *twoScale) tendency(d *twoScale) {
	const hcb = coupling * ratioC / ratioB
	const cb = ratioC * ratioB
	y := &s.y
	n := len(y)
	inner := func(i, before, after, afterNext int) {
		d.y[i] = -cb*y[after]*(y[afterNext]-y[before]) - ratioC*y[i] + hcb*s.x[i/fast]
	}
	inner(0, n-1, 1, 2)
	inner(n-2, n-3, n-1, 0)
	inner(n-1, n-2, 0, 1)
	for k := range slots {
		drive := hcb * s.x[k]
		sum := 0.0
		for i := k * fast; i < (k+1)*fast; i++ {
			sum += y[i]
		}
		for i := max(1, k*fast); i < min(n-2, (k+1)*fast); i++ {
			d.y[i] = -cb*y[i+1]*(y[i+2]-y[i-1]) - ratioC*y[i] + drive
		}
		d.x[k] = advection(&s.x, k) - s.x[k] + forcing - hcb*sum
	}
}

// advection is -X_{k-1} (X_{k-2} - X_{k+1}); it keeps the sum of X_k^2.
func advection(x *slow, k int) float64 {
	return -x[(k+slots-1)%slots] * (x[(k+slots-2)%slots] - x[(k+1)%slots])
}

// advance integrates s over a time span of the model in equal steps not longer
// than truthStep by the fourth-order Runge-Kutta scheme.
func (s *twoScale) advance(span float64) {
	steps := int(math.Ceil(span/truthStep - 1e-9))
	dt := span / float64(steps)
	var k1, k2, k3, k4, at twoScale
	for range steps {
		s.tendency(&k1)
		at.along(s, &k1, dt/2)
		at.tendency(&k2)
		at.along(s, &k2, dt/2)
		at.tendency(&k3)
		at.along(s, &k3, dt)
		at.tendency(&k4)
		for i := range s.x {
			s.x[i] += dt / 6 * (k1.x[i] + 2*(k2.x[i]+k3.x[i]) + k4.x[i])
		}
		for i := range s.y {
			s.y[i] += dt / 6 * (k1.y[i] + 2*(k2.y[i]+k3.y[i]) + k4.y[i])
		}
	}
}

// along sets s = from + dt*d.
func (s *twoScale) along(from, d *twoScale, dt float64) {
	for i := range s.x {
		s.x[i] = from.x[i] + dt*d.x[i]
	}
	for i := range s.y {
		s.y[i] = from.y[i] + dt*d.y[i]
	}
}

// parametrisation is the polynomial that stands for the fast variables in the
// one-scale model (Wilks 2005), lowest power first:
//
//	(hc/b) sum_j Y_{j,k}  ~  sum_p polynomial[p] X_k^p + e_k
//
// and the AR(1) process e_k: standard deviation and memory in model time units.
type parametrisation struct {
	polynomial [5]float64
	sd         float64
	memory     float64
}

// at evaluates the polynomial at x.
func (p *parametrisation) at(x float64) float64 {
	c := &p.polynomial
	return c[0] + x*(c[1]+x*(c[2]+x*(c[3]+x*c[4])))
}

// oneScale is the state of the imperfect model: slow variables and the AR(1)
// residuals of the parametrisation,
//
//	dX_k/dt = -X_{k-1} (X_{k-2} - X_{k+1}) - X_k + F - P(X_k) - e_k .
type oneScale struct {
	x, e slow
}

func (s *oneScale) tendency(d *slow, x *slow, p *parametrisation) {
	for k := range slots {
		d[k] = advection(x, k) - x[k] + forcing - p.at(x[k]) - s.e[k]
	}
}

// advance integrates s over span with the residuals held within a step and
// moved between steps; normal draws standard normal numbers, nil for a
// deterministic model.
func (s *oneScale) advance(span float64, p *parametrisation, normal func() float64) {
	steps := int(math.Ceil(span/modelStep - 1e-9))
	dt := span / float64(steps)
	keep := 0.0
	if p.memory > 0 {
		keep = math.Exp(-dt / p.memory)
	}
	fresh := p.sd * math.Sqrt(1-keep*keep)
	var k1, k2, k3, k4, at slow
	for range steps {
		s.tendency(&k1, &s.x, p)
		for k := range at {
			at[k] = s.x[k] + dt/2*k1[k]
		}
		s.tendency(&k2, &at, p)
		for k := range at {
			at[k] = s.x[k] + dt/2*k2[k]
		}
		s.tendency(&k3, &at, p)
		for k := range at {
			at[k] = s.x[k] + dt*k3[k]
		}
		s.tendency(&k4, &at, p)
		for k := range s.x {
			s.x[k] += dt / 6 * (k1[k] + 2*(k2[k]+k3[k]) + k4[k])
		}
		if normal == nil {
			continue
		}
		for k := range s.e {
			s.e[k] = keep*s.e[k] + fresh*normal()
		}
	}
}
