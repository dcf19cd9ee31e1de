//go:build cgo && !purego

package net

/*
#cgo CFLAGS: -O3 -Wno-psabi
#cgo LDFLAGS: -lm
#include "kernel.h"

// Go cannot call through a C function pointer; these do.
static void net_matmul(const net_kernels *t, float *dst, int ldd, const float *a, int ars, int acs, const float *x,
                       int ldx, const float *bias, int m, int k, int n, int add) {
  t->matmul(dst, ldd, a, ars, acs, x, ldx, bias, m, k, n, add);
}
static void net_outer(const net_kernels *t, float *dst, const float *g, int ldg, const float *x, int ldx, int m, int k,
                      int n, int add) {
  t->outer(dst, g, ldg, x, ldx, m, k, n, add);
}
static void net_row_sum(const net_kernels *t, float *dst, const float *g, int ld, int m, int n, int add) {
  t->row_sum(dst, g, ld, m, n, add);
}
static void net_silu(const net_kernels *t, float *dst, const float *z, int ld, int m, int n) {
  t->silu(dst, z, ld, m, n);
}
static void net_silu_grad(const net_kernels *t, float *dst, const float *z, const float *g, int ld, int m, int n) {
  t->silu_grad(dst, z, g, ld, m, n);
}
static void net_film(const net_kernels *t, float *dst, const float *u, const float *mod, const float *h, int ld, int m,
                     int n) {
  t->film(dst, u, mod, h, ld, m, n);
}
static void net_film_grad(const net_kernels *t, float *du, float *dmod, const float *u, const float *mod,
                          const float *g, int ld, int m, int n) {
  t->film_grad(du, dmod, u, mod, g, ld, m, n);
}
static void net_add(const net_kernels *t, float *dst, const float *a, const float *b, int ld, int m, int n) {
  t->add(dst, a, b, ld, m, n);
}
static void net_softmax(const net_kernels *t, float *p, const float *apart, float scale, float slope, int ld, int n) {
  t->softmax(p, apart, scale, slope, ld, n);
}
static void net_softmax_grad(const net_kernels *t, float *dst, const float *p, const float *g, int ld, int n) {
  t->softmax_grad(dst, p, g, ld, n);
}
static void net_adamw(const net_kernels *t, float *w, float *m, float *v, float *ema, const float *g, int n,
                      const float *c) {
  t->adamw(w, m, v, ema, g, n, c);
}
static double net_sum_squares(const net_kernels *t, const float *g, int n) { return t->sum_squares(g, n); }
static void net_eval(const net_kernels *t, double *dst, const double *x, const float *weights, const float *time,
                     const float *cond, float *scratch, const net_shape *shape, int cases, int members) {
  t->eval(dst, x, weights, time, cond, scratch, shape, cases, members);
}

#cgo noescape net_matmul
#cgo nocallback net_matmul
#cgo noescape net_outer
#cgo nocallback net_outer
#cgo noescape net_row_sum
#cgo nocallback net_row_sum
#cgo noescape net_silu
#cgo nocallback net_silu
#cgo noescape net_silu_grad
#cgo nocallback net_silu_grad
#cgo noescape net_film
#cgo nocallback net_film
#cgo noescape net_film_grad
#cgo nocallback net_film_grad
#cgo noescape net_add
#cgo nocallback net_add
#cgo noescape net_softmax
#cgo nocallback net_softmax
#cgo noescape net_softmax_grad
#cgo nocallback net_softmax_grad
#cgo noescape net_adamw
#cgo nocallback net_adamw
#cgo noescape net_sum_squares
#cgo nocallback net_sum_squares
#cgo noescape net_eval
#cgo nocallback net_eval
*/
import "C"

import "unsafe"

// native implements kernels in C. Slice lengths are checked here, once a call, since
// C does not.
type native struct{ table *C.net_kernels }

// fastest returns the kernels for this processor.
func fastest() kernels { return native{C.net_kernels_best(0)} }

// available returns every implementation that runs here, for tests to compare.
func available() []kernels {
	all := []kernels{portable{}}
	for _, width := range []C.int{4, 8, 16} {
		k := native{C.net_kernels_best(width)}
		if k != all[len(all)-1] {
			all = append(all, k)
		}
	}
	return all
}

func (k native) name() string { return C.GoString(k.table.name) }

func ptr(s []float32) *C.float {
	if len(s) == 0 {
		return nil
	}
	return (*C.float)(unsafe.Pointer(&s[0]))
}

func ptr64(s []float64) *C.double { return (*C.double)(unsafe.Pointer(&s[0])) }

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

// rows panics unless s holds m rows of leading dimension ld, the last of n lanes.
func rows(s []float32, ld, m, n int) {
	if n > ld || n%group != 0 || m > 0 && len(s) < (m-1)*ld+n {
		panic("net: matrix too short for its shape")
	}
}

func (k native) matmul(dst []float32, ldd int, a []float32, ars, acs int, x []float32, ldx int, bias []float32, m, kk, n int, add bool) {
	rows(dst, ldd, m, n)
	rows(x, ldx, kk, n)
	if len(a) < (m-1)*ars+(kk-1)*acs+1 || bias != nil && len(bias) < m {
		panic("net: weights too short for their shape")
	}
	C.net_matmul(k.table, ptr(dst), C.int(ldd), ptr(a), C.int(ars), C.int(acs), ptr(x), C.int(ldx), ptr(bias), C.int(m), C.int(kk), C.int(n), flag(add))
}

func (k native) outer(dst, g []float32, ldg int, x []float32, ldx int, m, kk, n int, add bool) {
	rows(g, ldg, m, n)
	rows(x, ldx, kk, n)
	if len(dst) < m*kk {
		panic("net: weights too short for their shape")
	}
	C.net_outer(k.table, ptr(dst), ptr(g), C.int(ldg), ptr(x), C.int(ldx), C.int(m), C.int(kk), C.int(n), flag(add))
}

func (k native) rowSum(dst, g []float32, ld, m, n int, add bool) {
	rows(g, ld, m, n)
	if len(dst) < m {
		panic("net: weights too short for their shape")
	}
	C.net_row_sum(k.table, ptr(dst), ptr(g), C.int(ld), C.int(m), C.int(n), flag(add))
}

func (k native) silu(dst, z []float32, ld, m, n int) {
	rows(dst, ld, m, n)
	rows(z, ld, m, n)
	C.net_silu(k.table, ptr(dst), ptr(z), C.int(ld), C.int(m), C.int(n))
}

func (k native) siluGrad(dst, z, g []float32, ld, m, n int) {
	rows(dst, ld, m, n)
	rows(z, ld, m, n)
	rows(g, ld, m, n)
	C.net_silu_grad(k.table, ptr(dst), ptr(z), ptr(g), C.int(ld), C.int(m), C.int(n))
}

func (k native) film(dst, u, mod, h []float32, ld, m, n int) {
	rows(dst, ld, m, n)
	rows(u, ld, m, n)
	rows(mod, ld, 2*m, n)
	if h != nil {
		rows(h, ld, m, n)
	}
	C.net_film(k.table, ptr(dst), ptr(u), ptr(mod), ptr(h), C.int(ld), C.int(m), C.int(n))
}

func (k native) filmGrad(du, dmod, u, mod, g []float32, ld, m, n int) {
	if du != nil {
		rows(du, ld, m, n)
	}
	if dmod != nil {
		rows(dmod, ld, 2*m, n)
	}
	rows(u, ld, m, n)
	rows(mod, ld, 2*m, n)
	rows(g, ld, m, n)
	C.net_film_grad(k.table, ptr(du), ptr(dmod), ptr(u), ptr(mod), ptr(g), C.int(ld), C.int(m), C.int(n))
}

func (k native) add(dst, a, b []float32, ld, m, n int) {
	rows(dst, ld, m, n)
	rows(a, ld, m, n)
	rows(b, ld, m, n)
	C.net_add(k.table, ptr(dst), ptr(a), ptr(b), C.int(ld), C.int(m), C.int(n))
}

func (k native) softmax(p, apart []float32, scale, slope float32, ld, n int) {
	rows(p, ld, n, n)
	rows(apart, ld, n, n)
	C.net_softmax(k.table, ptr(p), ptr(apart), C.float(scale), C.float(slope), C.int(ld), C.int(n))
}

func (k native) softmaxGrad(dst, p, g []float32, ld, n int) {
	rows(dst, ld, n, n)
	rows(p, ld, n, n)
	rows(g, ld, n, n)
	C.net_softmax_grad(k.table, ptr(dst), ptr(p), ptr(g), C.int(ld), C.int(n))
}

func (k native) adamw(w, m, v, ema, g []float32, s *adamwStep) {
	n := len(w)
	if len(m) != n || len(v) != n || len(ema) != n || len(g) != n {
		panic("net: optimiser slices differ in length")
	}
	C.net_adamw(k.table, ptr(w), ptr(m), ptr(v), ptr(ema), ptr(g), C.int(n), (*C.float)(unsafe.Pointer(s)))
}

func (k native) sumSquares(g []float32) float64 {
	return float64(C.net_sum_squares(k.table, ptr(g), C.int(len(g))))
}

func (k native) eval(dst, x []float64, weights, time, cond, scratch []float32, s *programShape, cases, members int) {
	C.net_eval(k.table, ptr64(dst), ptr64(x), ptr(weights), ptr(time), ptr(cond), ptr(scratch), (*C.net_shape)(unsafe.Pointer(s)), C.int(cases), C.int(members))
}
