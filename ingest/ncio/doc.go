// Package ncio reads and writes NetCDF files through go-netcdf and is the only
// package of sipipe that calls the C library.
//
// The C library is not safe for concurrent use, not even on different files, and
// HDF5 keeps its "print errors" switch per operating system thread. All calls are
// therefore made by one goroutine that is locked to its thread (thread.go); the
// methods of File hand their work to it, may be called from any goroutine, and
// copy data out so that computing goes on in parallel.
//
// What go-netcdf v1.2.1 does not offer, or does by panicking, is dealt with here and
// nowhere else: string attributes and variables, chunking and groups (shim.go),
// packed data and fill values (unpack.go), empty and NUL-terminated text (text.go),
// types that must match exactly (read.go, write.go), classic files that end early
// (classic.go), and output that nobody sees half-written (atomic.go).
package ncio
