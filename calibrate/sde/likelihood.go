package sde

import (
	"context"
	"fmt"
	"math"
)

// Density evaluates the density that the ODE of a problem gives its end, by the
// instantaneous change of variables (Chen et al. 2018, "Neural ordinary differential equations", theorem 1):
//
//	log ρ(x(end)) = log ρ(x(start)) - ∫ ∇·f(t, x(t)) dt
//
// along the solution that ends in x(end). It owns its work buffers and serves one goroutine.
type Density struct {
	// Size is the number of components of one state: x holds len(x)/Size states.
	// Scalar states have 1, the default.
	Size int
	// Probes are Hutchinson's random vectors, Size·k numbers with mean 0 and
	// variance 1, ±1 at best, for an unbiased estimate of the divergence by k
	// products with the Jacobian. Without them it is summed over all Size
	// directions, exactly.
	Probes []float64
	// Step of the central differences, by default 6e-6, which suits a drift in double
	// precision. The rounding of a network in single precision takes about 1e-2.
	Step float64

	f, g, y, moved, up, down, rate, ahead []float64
}

// LogRatio carries the states x in place from times[0] to the last time, by
// Heun's method, and writes to dst, for each state, log ρ at times[0] minus log ρ
// at the last time. With times from 1 down to 0, x then holds the starting points
// and dst + log ρ0(x) is the log density of the original x; for scalar states,
// whose order the ODE keeps, the PIT of x is that of the starting point.
// The derivative of the drift is a central difference, by default good to about 1e-9.
func (d *Density) LogRatio(ctx context.Context, dst, x, times []float64, p Problem) error {
	size := max(d.Size, 1)
	if len(x)%size != 0 || len(dst) != len(x)/size || len(d.Probes)%size != 0 {
		panic("sde: lengths of dst, x and probes do not fit the size of a state")
	}
	for _, v := range []*[]float64{&d.f, &d.g, &d.y, &d.moved, &d.up, &d.down} {
		*v = resize(*v, len(x))
	}
	d.rate, d.ahead = resize(d.rate, len(dst)), resize(d.ahead, len(dst))
	clear(dst)
	for k := 0; k+1 < len(times); k++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		t, to := times[k], times[k+1]
		h := to - t
		if p.Eps((t+to)/2) != 0 {
			return fmt.Errorf("density along an SDE is not defined path by path; set epsilon zero")
		}
		if err := d.stage(d.f, d.rate, t, x, p); err != nil {
			return fmt.Errorf("density at t = %.4g: %w", t, err)
		}
		for i := range x {
			d.y[i] = x[i] + h*d.f[i]
		}
		if err := d.stage(d.g, d.ahead, to, d.y, p); err != nil {
			return fmt.Errorf("density at t = %.4g: %w", to, err)
		}
		for i := range x {
			x[i] += h / 2 * (d.f[i] + d.g[i])
		}
		for i := range dst {
			// log ρ falls along the solution at the rate of the divergence.
			dst[i] += h / 2 * (d.rate[i] + d.ahead[i])
		}
		if i := notFinite(x); i >= 0 {
			return &DivergedError{Method: "density", Step: k, From: t, To: to, Component: i}
		}
	}
	return nil
}

// stage writes the drift at (t, x) to f and its divergence, a number a state, to rate.
func (d *Density) stage(f, rate []float64, t float64, x []float64, p Problem) error {
	if err := p.Drift(f, t, x); err != nil {
		return err
	}
	clear(rate)
	size := max(d.Size, 1)
	if len(d.Probes) == 0 {
		for j := range size {
			if err := d.product(rate, t, x, p, 1, func(i int) float64 {
				if i == j {
					return 1
				}
				return 0
			}); err != nil {
				return err
			}
		}
		return nil
	}
	k := len(d.Probes) / size
	for j := range k {
		if err := d.product(rate, t, x, p, 1/float64(k), func(i int) float64 { return d.Probes[j*size+i] }); err != nil {
			return err
		}
	}
	return nil
}

// product adds weight·eᵀ J e to rate for each state, where J is the Jacobian of
// the drift and e the same direction for all states.
func (d *Density) product(rate []float64, t float64, x []float64, p Problem, weight float64, e func(i int) float64) error {
	size := max(d.Size, 1)
	step := d.Step
	if step == 0 {
		step = math.Cbrt(0x1p-52) // balances truncation and rounding
	}
	for i := range x {
		d.moved[i] = x[i] + step*e(i%size)
	}
	if err := p.Drift(d.up, t, d.moved); err != nil {
		return err
	}
	for i := range x {
		d.moved[i] = x[i] - step*e(i%size)
	}
	if err := p.Drift(d.down, t, d.moved); err != nil {
		return err
	}
	for i := range x {
		rate[i/size] += weight * e(i%size) * (d.up[i] - d.down[i]) / (2 * step)
	}
	return nil
}

func resize(v []float64, n int) []float64 {
	if cap(v) < n {
		return make([]float64, n)
	}
	return v[:n]
}
