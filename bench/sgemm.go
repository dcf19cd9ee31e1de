package main

/*
#cgo LDFLAGS: -lopenblas
void openblas_set_num_threads(int n);
void cblas_sgemm(int layout, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda,
                 const float *b, int ldb, float beta, float *c, int ldc);
*/
import "C"

import (
	"time"
	"unsafe"
)

// sgemm runs OpenBLAS on one thread on the matrix products of a list of matrices
// [rows, cols] for n cases: forward, and with training the two of the backward pass.
type sgemm struct {
	sizes    [][2]int
	n        int
	training bool
	w, x, y  []float32
}

func newSgemm(sizes [][2]int, n int, training bool) *sgemm {
	C.openblas_set_num_threads(1)
	s := &sgemm{sizes: sizes, n: n, training: training}
	widest := 0
	for _, m := range sizes {
		widest = max(widest, m[0], m[1])
	}
	s.w, s.x, s.y = make([]float32, widest*widest), make([]float32, widest*n), make([]float32, widest*n)
	for i := range s.x {
		s.x[i] = float32(i%7) / 8
	}
	return s
}

const (
	rowMajor = 101
	plain    = 111
	turned   = 112
)

func multiply(ta, tb, m, n, k int, a []float32, lda int, b []float32, ldb int, c []float32, ldc int) {
	p := func(s []float32) *C.float { return (*C.float)(unsafe.Pointer(&s[0])) }
	C.cblas_sgemm(rowMajor, C.int(ta), C.int(tb), C.int(m), C.int(n), C.int(k), 1, p(a), C.int(lda), p(b), C.int(ldb), 0, p(c), C.int(ldc))
}

// once runs all products once, cases along the rows.
func (s *sgemm) once() {
	for _, m := range s.sizes {
		out, in := m[0], m[1]
		multiply(plain, turned, s.n, out, in, s.x, in, s.w, in, s.y, out)
		if s.training {
			multiply(plain, plain, s.n, in, out, s.x, out, s.w, in, s.y, in)
			multiply(turned, plain, out, in, s.n, s.x, out, s.y, in, s.w, in)
		}
	}
}

// flops of one run.
func (s *sgemm) flops() float64 {
	f := 0.0
	for _, m := range s.sizes {
		f += 2 * float64(m[0]*m[1]*s.n)
	}
	if s.training {
		f *= 3
	}
	return f
}

// seconds of one run, over at least the time given.
func (s *sgemm) seconds(atLeast time.Duration) float64 {
	s.once()
	start, n := time.Now(), 0
	for time.Since(start) < atLeast {
		s.once()
		n++
	}
	return time.Since(start).Seconds() / float64(n)
}
