package net

// kernels is the arithmetic of the package. Activations are matrices [rows, lanes]
// with leading dimension ld; lanes that count are the first n, a multiple of 16.
// Where add is set the result is added to dst. The comments in kernel_impl.h hold
// for every implementation.
type kernels interface {
	// matmul: dst[m, n] (+)= a[m, k] x[k, n] (+ bias[m]), a[i, j] being at i*ars + j*acs.
	// bias may be nil and is ignored when adding.
	matmul(dst []float32, ldd int, a []float32, ars, acs int, x []float32, ldx int, bias []float32, m, k, n int, add bool)
	// outer: dst[m, k] (+)= sum over lanes g[m, n] x[k, n]
	outer(dst, g []float32, ldg int, x []float32, ldx int, m, k, n int, add bool)
	// rowSum: dst[m] (+)= sum over lanes g[m, n]
	rowSum(dst, g []float32, ld, m, n int, add bool)
	// silu: dst = silu(z)
	silu(dst, z []float32, ld, m, n int)
	// siluGrad: dst = g silu'(z)
	siluGrad(dst, z, g []float32, ld, m, n int)
	// film: dst = (h +) silu((1 + mod[:m]) u + mod[m:]); h may be nil
	film(dst, u, mod, h []float32, ld, m, n int)
	// filmGrad: gradients of film with respect to u and mod, given g; either may be nil
	filmGrad(du, dmod, u, mod, g []float32, ld, m, n int)
	// add: dst = a + b
	add(dst, a, b []float32, ld, m, n int)
	// softmax: columns of p[n, n] become softmax(scale p - slope apart) over the rows where
	// apart is not negative, 0 elsewhere
	softmax(p, apart []float32, scale, slope float32, ld, n int)
	// softmaxGrad: dst = p (g - sum over rows of p g), all [n, n]
	softmaxGrad(dst, p, g []float32, ld, n int)
	// adamw: one step of the optimiser
	adamw(w, m, v, ema, g []float32, s *adamwStep)
	// sumSquares: of g
	sumSquares(g []float32) float64
	// eval: see Program.Eval
	eval(dst, x []float64, weights, time, cond, scratch []float32, s *programShape, cases, members int)
	// name of the implementation
	name() string
}

// adamwStep are the numbers of one step of AdamW, in the order the C kernel expects.
type adamwStep struct {
	clip         float32 // factor on the gradient
	k1, k2       float32 // 1 - beta1, 1 - beta2
	u1, u2       float32 // 1/(1 - beta1^step), 1/(1 - beta2^step)
	rate, shrink float32 // learning rate; rate times weight decay
	epsilon      float32
	average      float32 // 1 - decay of the moving average
}

// programShape are the sizes of a compiled program; the C kernel has the same struct.
type programShape struct {
	nets, dx, dout, hidden, blocks int32
	film                           int32 // rows of FiLM of one net: 2 hidden (blocks + 1)
	stride                         int32 // weights of one net's trunk
}

// lanesOf rounds n up to whole vectors of the widest kernel.
func lanesOf(n int) int { return (n + group - 1) / group * group }

// group is the number of lanes that kernels handle together at least.
const group = 16

// Kernels names the implementation that this processor and build use.
func Kernels() string { return fastest().name() }
