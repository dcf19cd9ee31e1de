// Package openblas makes OpenBLAS the linear algebra of gonum, five to seven times
// as fast as gonum's own on the systems of a few hundred stations that the frame
// solves each cycle.
package openblas

// The flag here is what makes a plain "go build" link: netlib leaves the choice of
// library to its user.

/*
#cgo LDFLAGS: -lopenblas
void openblas_set_num_threads(int);
*/
import "C"

import (
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/netlib/blas/netlib"
)

// Use registers OpenBLAS with gonum for this process, on one thread: work is
// parallel above it, over lead times, places and networks, so that results do not
// depend on the number of threads. Call it once, before any linear algebra.
func Use() {
	C.openblas_set_num_threads(1)
	blas64.Use(netlib.Implementation{})
}
