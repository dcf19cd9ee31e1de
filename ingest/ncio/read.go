package ncio

import (
	"fmt"
	"math"
	"strings"

	"github.com/fhs/go-netcdf/netcdf"
)

// Float64s reads a hyperslab of a numeric variable, nil start and count meaning all of
// it, as unpacked numbers in the order of the file; what is missing is NaN.
func (f *File) Float64s(name string, start, count []int) ([]float64, error) {
	return readFloats[float64](f, name, start, count)
}

// Float32s is Float64s with values rounded to float32.
func (f *File) Float32s(name string, start, count []int) ([]float32, error) {
	return readFloats[float32](f, name, start, count)
}

// Int64s reads all stored values of an integer variable, or of a floating one whose
// values are whole numbers. It applies neither packing nor fill values.
func (f *File) Int64s(name string) ([]int64, error) {
	h, err := f.slab(name, nil, nil)
	if err != nil {
		return nil, err
	}
	if h.n == 0 {
		return []int64{}, nil
	}
	out := make([]int64, h.n)
	v := h.v
	whole := true
	err = f.do(func() error {
		switch v.Type {
		case Byte:
			return convert(h, out, v.nc.ReadInt8s, v.nc.ReadInt8Slice)
		case UByte:
			return convert(h, out, v.nc.ReadUint8s, v.nc.ReadUint8Slice)
		case Short:
			return convert(h, out, v.nc.ReadInt16s, v.nc.ReadInt16Slice)
		case UShort:
			return convert(h, out, v.nc.ReadUint16s, v.nc.ReadUint16Slice)
		case Int:
			return convert(h, out, v.nc.ReadInt32s, v.nc.ReadInt32Slice)
		case UInt:
			return convert(h, out, v.nc.ReadUint32s, v.nc.ReadUint32Slice)
		case Int64:
			return convert(h, out, v.nc.ReadInt64s, v.nc.ReadInt64Slice)
		case UInt64:
			return convert(h, out, v.nc.ReadUint64s, v.nc.ReadUint64Slice)
		}
		x := make([]float64, h.n)
		var err error
		if v.Type == Float {
			err = convert(h, x, v.nc.ReadFloat32s, v.nc.ReadFloat32Slice)
		} else {
			err = convert(h, x, v.nc.ReadFloat64s, v.nc.ReadFloat64Slice)
		}
		for i, y := range x {
			out[i] = int64(y)
			whole = whole && y == math.Trunc(y) && math.Abs(y) < 1<<53
		}
		return err
	})
	if err == nil && !whole {
		err = fmt.Errorf("it holds values that are not whole numbers")
	}
	if err != nil {
		return nil, f.dataError("read", name, err)
	}
	return out, nil
}

// hyperslab is a checked request for part of a numeric variable.
type hyperslab struct {
	v struct {
		Var
		nc netcdf.Var
	}
	start, count []uint64 // nil: all
	n            int      // values
}

func (f *File) slab(name string, start, count []int) (hyperslab, error) {
	var h hyperslab
	s, ok := f.slots[name]
	if !ok {
		return h, f.absent(name)
	}
	v := f.vars[s.index]
	h.v.Var, h.v.nc = v, s.ds.VarN(s.id)
	if !v.Type.Numeric() {
		return h, f.dataError("use", name, fmt.Errorf("it is %s, not numeric", v.Type))
	}
	shape := v.Shape()
	if start == nil && count == nil {
		count = shape
	} else {
		if len(start) != len(shape) || len(count) != len(shape) {
			return h, f.dataError("use", name, fmt.Errorf("start %v and count %v do not have its %d dimensions", start, count, len(shape)))
		}
		for i, n := range shape {
			if start[i] < 0 || count[i] < 0 || start[i] > n || count[i] > n-start[i] {
				return h, f.dataError("use", name, fmt.Errorf("start %v and count %v leave its shape %v", start, count, shape))
			}
		}
		if len(shape) > 0 {
			h.start, h.count = unsigned(start), unsigned(count)
		}
	}
	var err error
	if h.n, err = volume(count, MaxValues); err != nil {
		return h, f.dataError("read", name, err)
	}
	return h, nil
}

func unsigned(x []int) []uint64 {
	u := make([]uint64, len(x))
	for i, v := range x {
		u[i] = uint64(v)
	}
	return u
}

func (f *File) absent(name string) error {
	names := make([]string, len(f.vars))
	for i, v := range f.vars {
		names[i] = v.Name
	}
	return fmt.Errorf("%s has no variable %q; it has %s", f.path, name, strings.Join(names, ", "))
}

// readFloats reads and unpacks. The types are spelled out because go-netcdf has a
// method a type and converts nothing.
func readFloats[F float32 | float64](f *File, name string, start, count []int) ([]F, error) {
	h, err := f.slab(name, start, count)
	if err != nil {
		return nil, err
	}
	if h.n == 0 { // go-netcdf panics on empty slices
		return []F{}, nil
	}
	out := make([]F, h.n)
	v := h.v.nc
	switch h.v.Type {
	case Byte:
		err = decode(f, h, out, v.ReadInt8s, v.ReadInt8Slice)
	case UByte:
		err = decode(f, h, out, v.ReadUint8s, v.ReadUint8Slice)
	case Short:
		err = decode(f, h, out, v.ReadInt16s, v.ReadInt16Slice)
	case UShort:
		err = decode(f, h, out, v.ReadUint16s, v.ReadUint16Slice)
	case Int:
		err = decode(f, h, out, v.ReadInt32s, v.ReadInt32Slice)
	case UInt:
		err = decode(f, h, out, v.ReadUint32s, v.ReadUint32Slice)
	case Int64:
		err = decode(f, h, out, v.ReadInt64s, v.ReadInt64Slice)
	case UInt64:
		err = decode(f, h, out, v.ReadUint64s, v.ReadUint64Slice)
	case Float:
		err = decode(f, h, out, v.ReadFloat32s, v.ReadFloat32Slice)
	case Double:
		err = decode(f, h, out, v.ReadFloat64s, v.ReadFloat64Slice)
	}
	if err != nil {
		return nil, f.dataError("read", name, err)
	}
	return out, nil
}

type (
	readAll[T number]  func([]T) error
	readSlab[T number] func([]T, []uint64, []uint64) error
)

// decode reads the stored values on the library's thread and unpacks them on the
// caller's.
func decode[T number, F float32 | float64](f *File, h hyperslab, out []F, all readAll[T], part readSlab[T]) error {
	raw, ok := any(out).([]T)
	if !ok {
		raw = make([]T, h.n)
	}
	if err := f.do(func() error { return get(h, raw, all, part) }); err != nil {
		return err
	}
	unpack(out, raw, h.v.Type, packingOf(h.v.Var))
	return nil
}

// convert reads the stored values and converts them without unpacking.
func convert[T, O number](h hyperslab, out []O, all readAll[T], part readSlab[T]) error {
	raw, ok := any(out).([]T)
	if !ok {
		raw = make([]T, h.n)
	}
	if err := get(h, raw, all, part); err != nil {
		return err
	}
	for i, v := range raw {
		out[i] = O(v)
	}
	return nil
}

// get reads raw by the call that suits: go-netcdf panics when a scalar is read by slab.
func get[T number](h hyperslab, raw []T, all readAll[T], part readSlab[T]) error {
	if h.start == nil {
		return all(raw)
	}
	return part(raw, h.start, h.count)
}
