//go:build !cgo || purego

package net

// fastest returns the only kernels of a build without C.
func fastest() kernels { return portable{} }

// available returns every implementation that runs here.
func available() []kernels { return []kernels{portable{}} }
