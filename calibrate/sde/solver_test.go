package sde_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"sipipe/calibrate/internal/exact"
	"sipipe/calibrate/noise"
	"sipipe/calibrate/sde"
)

// equation is a problem given by functions, applied component by component.
type equation struct {
	drift func(t, x float64) float64
	eps   func(t float64) float64
}

func (e equation) Drift(dst []float64, t float64, x []float64) error {
	for i, v := range x {
		dst[i] = e.drift(t, v)
	}
	return nil
}

func (e equation) Eps(t float64) float64 {
	if e.eps == nil {
		return 0
	}
	return e.eps(t)
}

// weighted is drift w(t) f(t, x) with ∫w and ∫2ε known.
type weighted struct {
	equation
	field    func(t, x float64) float64
	integral func(t float64) float64 // of w
	variance func(t float64) float64 // of the noise up to t
}

func (w weighted) Increment(dst []float64, t float64, x []float64, from, to float64) error {
	for i, v := range x {
		dst[i] = w.field(t, v) * (w.integral(to) - w.integral(from))
	}
	return nil
}

func (w weighted) Spread(from, to float64) float64 {
	if w.variance == nil {
		return 0
	}
	return math.Abs(w.variance(to) - w.variance(from))
}

// linearised is an equation with a linear part -rate·x, constant ε, and the rest as remainder.
type linearised struct {
	equation
	rate float64
}

func (l linearised) Transition(scale, shift, sd []float64, from, to float64) error {
	h := to - from
	for i := range scale {
		scale[i], shift[i] = math.Exp(-l.rate*h), 0
		sd[i] = math.Sqrt(l.Eps(from) * -math.Expm1(-2*l.rate*h) / l.rate)
	}
	return nil
}

func (l linearised) Remainder(dst []float64, t float64, x []float64, from, to float64) error {
	for i, v := range x {
		dst[i] = (to - from) * (l.drift(t, v) + l.rate*v)
	}
	return nil
}

func solver(t *testing.T, o sde.Options) *sde.Solver {
	t.Helper()
	s, err := sde.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func grid(t *testing.T, g sde.Grid) []float64 {
	t.Helper()
	times, err := g.Times()
	if err != nil {
		t.Fatal(err)
	}
	return times
}

// order is the measured one, log₂ of the ratio of errors at n and 2n steps.
func order(errorAt func(steps int) float64, n int) float64 {
	return math.Log2(math.Abs(errorAt(n) / errorAt(2*n)))
}

// Orders on x' = -2 t x², x(0) = 1, whose solution is 1/(1+t²), in both directions
// of time; stochastic methods fall back to theirs at ε = 0. The exponential method
// has the linear part -x taken out. Steps of n, 2n and 4n agree on the order.
func TestOrderODE(t *testing.T) {
	p := equation{drift: func(t, x float64) float64 { return -2 * t * x * x }}
	for _, c := range []struct {
		method string
		p      sde.Problem
		want   float64
	}{
		{"euler", p, 1},
		{"euler-maruyama", p, 1},
		{"heun", p, 2},
		{"stochastic-heun", p, 2},
		{"ddim", weighted{equation: p, field: p.drift, integral: func(t float64) float64 { return t }}, 1},
		{"ddim-heun", weighted{equation: p, field: p.drift, integral: func(t float64) float64 { return t }}, 2},
		{"exponential", linearised{p, 1}, 2},
	} {
		for _, backward := range []bool{false, true} {
			s := solver(t, sde.Options{Method: c.method})
			errorAt := func(steps int) float64 {
				x, end := []float64{1}, 0.5
				if backward {
					x, end = []float64{0.5}, 1
				}
				if err := s.Solve(context.Background(), x, grid(t, sde.Grid{Steps: steps, Backward: backward}), c.p, nil); err != nil {
					t.Fatal(err)
				}
				return x[0] - end
			}
			for _, n := range []int{64, 128} {
				if got := order(errorAt, n); math.Abs(got-c.want) > 0.1 {
					t.Errorf("%s, backward %v: order %.3f at %d steps, want %g", c.method, backward, got, n, c.want)
				}
			}
		}
	}
}

// The adaptive pair keeps its error below ten times the tolerance, with few
// evaluations, and its order 5 shows in how they grow: a factor 32 in tolerance
// costs at most 2.6 times as many.
func TestAdaptive(t *testing.T) {
	calls := 0
	p := equation{drift: func(t, x float64) float64 { calls++; return -2 * t * x * x }}
	var counts []int
	for _, tolerance := range []float64{1e-6, 1e-6 / 32, 1e-6 / 1024, 1e-6 / 32768} {
		calls = 0
		x := []float64{1}
		s := solver(t, sde.Options{Method: "dopri5", Tolerance: tolerance})
		if err := s.Solve(context.Background(), x, []float64{0, 1}, p, nil); err != nil {
			t.Fatal(err)
		}
		if e := math.Abs(x[0] - 0.5); e > 10*tolerance {
			t.Errorf("tolerance %.1g: error %.2g", tolerance, e)
		}
		counts = append(counts, calls)
	}
	if counts[0] > 60 || counts[3] > 18*counts[0] {
		t.Errorf("evaluations %v: too many for order 5", counts)
	}
	blowUp := equation{drift: func(t, x float64) float64 { return x * x }} // 1/(1-t)
	err := solver(t, sde.Options{Method: "dopri5"}).Solve(context.Background(), []float64{1}, []float64{0, 2}, blowUp, nil)
	if err == nil {
		t.Error("a solution was carried through its pole at t = 1")
	}
}

// Integrated weights keep first and second order where the weight is singular:
// x' = -x/(2√t) has x = exp(-√t), and plain methods cannot even start.
func TestIntegratedWeights(t *testing.T) {
	p := weighted{
		equation: equation{drift: func(t, x float64) float64 { return -x / (2 * math.Sqrt(t)) }},
		field:    func(_, x float64) float64 { return -x },
		integral: math.Sqrt,
	}
	for _, c := range []struct {
		method string
		want   float64
	}{{"ddim", 1}, {"ddim-heun", 2}} {
		s := solver(t, sde.Options{Method: c.method})
		errorAt := func(steps int) float64 {
			x := []float64{1}
			// Squares of equal steps: equal increments of √t.
			times := grid(t, sde.Grid{Steps: steps})
			for i, v := range times {
				times[i] = v * v
			}
			if err := s.Solve(context.Background(), x, times, p, nil); err != nil {
				t.Fatal(err)
			}
			return x[0] - math.Exp(-1)
		}
		if got := order(errorAt, 64); math.Abs(got-c.want) > 0.1 {
			t.Errorf("%s: order %.3f, want %g", c.method, got, c.want)
		}
	}
	var diverged *sde.DivergedError
	err := solver(t, sde.Options{Method: "heun"}).Solve(context.Background(), []float64{1}, []float64{0, 1}, p, nil)
	if !errors.As(err, &diverged) || diverged.Step != 0 || !strings.Contains(err.Error(), "use more steps") {
		t.Errorf("heun over the singularity: %v, want a DivergedError with advice", err)
	}
}

// Weak orders of the variance of dX = -X dt + √(2ε) dW, ε = ½ + t, which is
// V(t) = t + V(0) e^-2t. No sampling error: see exact.Carry.
func TestOrderSDE(t *testing.T) {
	p := equation{drift: func(_, x float64) float64 { return -x }, eps: func(t float64) float64 { return 0.5 + t }}
	w := weighted{
		equation: p, field: p.drift,
		integral: func(t float64) float64 { return t }, variance: func(t float64) float64 { return t + t*t },
	}
	// The exponential method, with half of the drift as linear part, and constant ε:
	// V = ½ + (V(0) - ½) e^-2t.
	constant := linearised{equation{p.drift, func(float64) float64 { return 0.5 }}, 0.5}
	for _, c := range []struct {
		method      string
		p           sde.Problem
		want, exact float64
	}{
		{"euler-maruyama", p, 1, 1 + 2*math.Exp(-2)},
		{"stochastic-heun", p, 2, 1 + 2*math.Exp(-2)},
		{"ddim", w, 1, 1 + 2*math.Exp(-2)},
		{"ddim-heun", w, 2, 1 + 2*math.Exp(-2)},
		{"exponential", constant, 2, 0.5 + 1.5*math.Exp(-2)},
	} {
		s := solver(t, sde.Options{Method: c.method})
		errorAt := func(steps int) float64 {
			m, v, err := exact.Carry(context.Background(), s, c.p, grid(t, sde.Grid{Steps: steps}), 0, 2)
			if err != nil || m != 0 {
				t.Fatal(m, err)
			}
			return v - c.exact
		}
		for _, n := range []int{32, 64} {
			if got := order(errorAt, n); math.Abs(got-c.want) > 0.1 {
				t.Errorf("%s: weak order %.3f at %d steps, want %g", c.method, got, n, c.want)
			}
		}
	}
	// With the whole drift as linear part one step is exact.
	constant.rate = 1
	_, v, err := exact.Carry(context.Background(), solver(t, sde.Options{Method: "exponential"}), constant, []float64{0, 1}, 0, 2)
	if want := 0.5 + 1.5*math.Exp(-2); err != nil || math.Abs(v-want) > 1e-14 {
		t.Errorf("exponential, all linear: variance %v, want %v (%v)", v, want, err)
	}
}

// One Heun and one Euler-Maruyama step by hand: dX = -X dt + √(2·2) dW from x = 3
// over h = ½ with ξ = 1: w = √(2·2·½) = √2.
func TestOneStepByHand(t *testing.T) {
	p := equation{drift: func(_, x float64) float64 { return -x }, eps: func(float64) float64 { return 2 }}
	for _, c := range []struct {
		method string
		want   float64
	}{
		{"euler-maruyama", 1.5 + math.Sqrt2},
		{"stochastic-heun", 3 + 0.25*(-3-(1.5+math.Sqrt2)) + math.Sqrt2},
	} {
		asked := 0
		ones := func(dst []float64, step int) {
			if step != asked {
				t.Errorf("%s: asked for noise %d after %d", c.method, step, asked)
			}
			asked++
			for i := range dst {
				dst[i] = 1
			}
		}
		x := []float64{3}
		if err := solver(t, sde.Options{Method: c.method}).Solve(context.Background(), x, []float64{0, 0.5}, p, ones); err != nil {
			t.Fatal(err)
		}
		if math.Abs(x[0]-c.want) > 1e-15 || asked != 1 {
			t.Errorf("%s: %v after %d noise vectors, want %v after 1", c.method, x[0], asked, c.want)
		}
	}
}

// The result of a component has the same bits whatever shares the state, and the
// same solver can be used again.
func TestComponentsAreIndependent(t *testing.T) {
	const n = 13
	key := noise.Seed(9)
	e := equation{drift: func(t, x float64) float64 { return math.Sin(3*x) - t*x }, eps: func(float64) float64 { return 0.3 }}
	problem := linearised{e, 0.5}
	for _, method := range []string{"euler-maruyama", "stochastic-heun", "exponential"} {
		s := solver(t, sde.Options{Method: method})
		times := grid(t, sde.Grid{Steps: 5})
		run := func(first, end int) []float64 {
			x := make([]float64, end-first)
			for i := range x {
				x[i] = float64(first+i) / 5
			}
			normals := func(dst []float64, step int) { key.Normals(dst, uint32(step), first) }
			if err := s.Solve(context.Background(), x, times, problem, normals); err != nil {
				t.Fatal(err)
			}
			return x
		}
		whole := run(0, n)
		for first := range n {
			for i, v := range run(first, min(n, first+4)) {
				if v != whole[first+i] {
					t.Errorf("%s: component %d differs when solved from %d on", method, first+i, first)
				}
			}
		}
	}
}

// After the first solution of a size a solver allocates nothing, in any number of steps.
func TestNoAllocation(t *testing.T) {
	normals := func(dst []float64, step int) { noise.Seed(1).Normals(dst, uint32(step), 0) }
	drift := func(_, x float64) float64 { return -x }
	for _, method := range sde.Methods() {
		var p sde.Problem
		switch method {
		case "euler", "heun", "dopri5", "euler-maruyama", "stochastic-heun":
			p = equation{drift: drift}
		case "exponential":
			p = linearised{equation{drift, func(float64) float64 { return 1 }}, 1}
		case "edm":
			p = rewound{equation{drift: drift}}
		default:
			p = weighted{equation{drift: drift}, drift, func(t float64) float64 { return t }, nil}
		}
		s := solver(t, sde.Options{Method: method, Churn: rewindChurn(method)})
		times, x := grid(t, sde.Grid{Steps: 6}), make([]float64, 50)
		if n := testing.AllocsPerRun(20, func() {
			if err := s.Solve(context.Background(), x, times, p, normals); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations a solution", method, n)
		}
	}
}

// rewound goes back by a tenth of the time with as much noise.
type rewound struct{ equation }

func (rewound) Rewind(t, growth float64) (back, scale, sd float64, err error) {
	return 0.9 * t, 1, 0.1 * growth * t, nil
}

// rewindChurn is the churn of the edm method, which others have no use for.
func rewindChurn(method string) float64 {
	if method == "edm" {
		return 0.1
	}
	return 0
}

// What cannot be solved is refused with advice.
func TestRefusals(t *testing.T) {
	still := equation{drift: func(_, _ float64) float64 { return 0 }}
	noisy := equation{still.drift, func(float64) float64 { return 1 }}
	broken := errors.New("no field")
	for _, c := range []struct {
		name   string
		method string
		times  []float64
		p      sde.Problem
		want   string
	}{
		{"ODE method with noise", "heun", []float64{0, 1}, noisy, "set epsilon zero"},
		{"no noise given", "stochastic-heun", []float64{0, 1}, noisy, "no source of noise"},
		{"one time", "euler", []float64{0}, still, "two times"},
		{"standing time", "euler", []float64{0, 0}, still, "not monotone"},
		{"turning time", "euler", []float64{0, 0.5, 0.4}, still, "not monotone"},
		{"no increments", "ddim", []float64{0, 1}, still, "Incremental"},
		{"no linear part", "exponential", []float64{0, 1}, still, "Linear"},
		{"no rewinding", "edm", []float64{0, 1}, still, "Rewinder"},
		{"drift fails", "heun", []float64{0, 1}, failing{broken}, "no field"},
	} {
		err := solver(t, sde.Options{Method: c.method}).Solve(context.Background(), []float64{1}, c.times, c.p, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if err := solver(t, sde.Options{Method: "heun"}).Solve(done, []float64{1}, []float64{0, 1}, still, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for _, o := range []sde.Options{{Method: "rk4"}, {Method: "heun", Tolerance: -1}, {Method: "edm", Churn: -0.5}, {Method: "heun", Last: 9}} {
		if _, err := sde.New(o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}

type failing struct{ err error }

func (f failing) Drift([]float64, float64, []float64) error { return f.err }
func (failing) Eps(float64) float64                         { return 0 }

// Grids by hand.
func TestGrid(t *testing.T) {
	for _, c := range []struct {
		g    sde.Grid
		want []float64
	}{
		{sde.Grid{Steps: 2}, []float64{0, 0.5, 1}},
		{sde.Grid{Steps: 2, Backward: true}, []float64{1, 0.5, 0}},
		{sde.Grid{Steps: 3, Spacing: "cosine"}, []float64{0, 0.25, 0.75, 1}},
		{sde.Grid{Steps: 2, Spacing: "quadratic"}, []float64{0, 0.75, 1}},
		{sde.Grid{Steps: 2, Spacing: "power", Power: 3}, []float64{0, 0.875, 1}},
		{sde.Grid{Steps: 2, First: 0.1, Last: 0.3}, []float64{0.1, 0.4, 0.7}},
	} {
		got := grid(t, c.g)
		for i, w := range c.want {
			if math.Abs(got[i]-w) > 1e-15 || len(got) != len(c.want) {
				t.Errorf("%+v: %v, want %v", c.g, got, c.want)
				break
			}
		}
	}
	for _, bad := range []sde.Grid{{}, {Steps: 2, Spacing: "log"}, {Steps: 2, First: 0.5, Last: 0.5}, {Steps: 2, First: -0.1}, {Steps: 2, Spacing: "power"}} {
		if _, err := bad.Times(); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
}

// ender has a drift of 2, an ODE drift of 1 and a mean of the end of 7.
type ender struct{ equation }

func (ender) ODE(dst []float64, _ float64, _ []float64) error { dst[0] = 1; return nil }
func (ender) End(dst []float64, _ float64, _ []float64) error { dst[0] = 7; return nil }

// Last steps by hand: from x = 0 at t = 0 the drift 2 leads to 1.5 at t = ¾, ¼ before the end.
func TestLast(t *testing.T) {
	p := ender{equation{drift: func(_, _ float64) float64 { return 2 }}}
	for name, want := range map[string]float64{"none": 1.5, "mean": 2, "euler": 1.75, "tweedie": 7} {
		last, err := sde.ParseLast(name)
		if err != nil {
			t.Fatal(err)
		}
		x := []float64{0}
		if err := solver(t, sde.Options{Method: "heun", Last: last}).Solve(context.Background(), x, []float64{0, 0.75}, p, nil); err != nil || x[0] != want {
			t.Errorf("%s: %v, want %v (%v)", name, x[0], want, err)
		}
		if last != sde.LastNone && last != sde.LastMean {
			if err := solver(t, sde.Options{Method: "heun", Last: last}).Solve(context.Background(), x, []float64{0, 0.75}, p.equation, nil); err == nil {
				t.Errorf("%s: a problem that is not an Ender was accepted", name)
			}
		}
	}
	if _, err := sde.ParseLast("denoise"); err == nil {
		t.Error("last step denoise was accepted")
	}
}
