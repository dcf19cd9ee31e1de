package ncio

// #cgo pkg-config: netcdf
// #include <stdlib.h>
// #include <netcdf.h>
import "C"

import (
	"unsafe"

	"github.com/fhs/go-netcdf/netcdf"
)

// This file holds the calls that go-netcdf v1.2.1 does not wrap. Variables are given
// by their id, which go-netcdf hides; ids count up from 0 in each group.

const global = int(C.NC_GLOBAL)

func status(code C.int) error {
	if code == C.NC_NOERR {
		return nil
	}
	return netcdf.Error(code)
}

// varID is the id of a variable by name.
func varID(ds netcdf.Dataset, name string) (int, error) {
	cname := C.CString(name)
	defer C.free(unsafe.Pointer(cname))
	var id C.int
	err := status(C.nc_inq_varid(C.int(ds), cname, &id))
	return int(id), err
}

// attStrings reads n values of a string attribute of a variable, or of the file (global).
func attStrings(ds netcdf.Dataset, id int, name string, n int) ([]string, error) {
	return readStrings(n, func(p **C.char) C.int {
		cname := C.CString(name)
		defer C.free(unsafe.Pointer(cname))
		return C.nc_get_att_string(C.int(ds), C.int(id), cname, p)
	})
}

// varStrings reads all n values of a string variable.
func varStrings(ds netcdf.Dataset, id, n int) ([]string, error) {
	return readStrings(n, func(p **C.char) C.int {
		return C.nc_get_var_string(C.int(ds), C.int(id), p)
	})
}

// readStrings lets get fill n C strings, copies them and frees them. The array of
// pointers lives in C memory because C stores its own pointers there.
func readStrings(n int, get func(**C.char) C.int) ([]string, error) {
	if n == 0 {
		return nil, nil
	}
	p := (**C.char)(C.calloc(C.size_t(n), C.size_t(unsafe.Sizeof((*C.char)(nil)))))
	if p == nil {
		return nil, netcdf.Error(C.NC_ENOMEM)
	}
	defer C.free(unsafe.Pointer(p))
	if err := status(get(p)); err != nil {
		return nil, err
	}
	defer C.nc_free_string(C.size_t(n), p)
	out := make([]string, n)
	for i, s := range unsafe.Slice(p, n) {
		if s != nil { // an unwritten string is a null pointer
			out[i] = C.GoString(s)
		}
	}
	return out, nil
}

// setChunks defines the chunk shape of a variable, which has one or more dimensions.
func setChunks(ds netcdf.Dataset, id int, shape []int) error {
	c := make([]C.size_t, len(shape))
	for i, n := range shape {
		c[i] = C.size_t(n)
	}
	return status(C.nc_def_var_chunking(C.int(ds), C.int(id), C.NC_CHUNKED, &c[0]))
}

// chunks is the chunk shape of a variable of the given rank, nil when it has none.
func chunks(ds netcdf.Dataset, id, rank int) []int {
	if rank == 0 {
		return nil
	}
	var storage C.int
	c := make([]C.size_t, rank)
	if C.nc_inq_var_chunking(C.int(ds), C.int(id), &storage, &c[0]) != C.NC_NOERR || storage != C.NC_CHUNKED {
		return nil
	}
	shape := make([]int, rank)
	for i, n := range c {
		shape[i] = int(n)
	}
	return shape
}

// groups lists the direct subgroups of a group, with their names.
func groups(ds netcdf.Dataset) (ids []netcdf.Dataset, names []string, err error) {
	var n C.int
	if err := status(C.nc_inq_grps(C.int(ds), &n, nil)); err != nil || n == 0 {
		return nil, nil, err
	}
	c := make([]C.int, n)
	if err := status(C.nc_inq_grps(C.int(ds), &n, &c[0])); err != nil {
		return nil, nil, err
	}
	buf := (*C.char)(C.malloc(C.NC_MAX_NAME + 1))
	defer C.free(unsafe.Pointer(buf))
	for _, id := range c[:n] {
		if err := status(C.nc_inq_grpname(id, buf)); err != nil {
			return nil, nil, err
		}
		ids = append(ids, netcdf.Dataset(id))
		names = append(names, C.GoString(buf))
	}
	return ids, names, nil
}
