package ncio

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fhs/go-netcdf/netcdf"
)

// VarDef defines a variable.
type VarDef struct {
	Name  string
	Type  Type
	Dims  []string // names given to AddDim before
	Attrs []Attr   // empty text is left out; see Attr for the types of values
	// Fill is the value of cells that are not written, and _FillValue. nil means
	// none; otherwise its Go type must be the variable's: int8, int16, int32, int64,
	// float32 or float64.
	Fill    any
	Deflate int   // compression level 0 ... 9; ignored for scalars and strings
	Chunks  []int // chunk shape, one length a dimension; nil leaves it to the library
}

// AddDim defines a dimension of fixed length. Unlimited dimensions are not offered:
// go-netcdf writes nothing to them without saying so.
func (f *File) AddDim(name string, n int) error {
	if n < 1 {
		return fmt.Errorf("add dimension %q to %s: its length is %d, not positive", name, f.path, n)
	}
	if _, ok := f.dims[name]; ok {
		return fmt.Errorf("add dimension %q to %s: it is there already", name, f.path)
	}
	return f.define(func() error {
		d, err := f.ds.AddDim(name, uint64(n))
		if err != nil {
			return fmt.Errorf("add dimension %q to %s: %w", name, f.path, err)
		}
		f.dims[name] = d
		return nil
	})
}

// define runs a definition, and remembers that one failed: what netcdf-c does to the
// file after that is not defined.
func (f *File) define(work func() error) error {
	if !f.writable {
		return fmt.Errorf("%s is open for reading", f.path)
	}
	return f.do(func() error {
		if f.broken == nil {
			f.broken = work()
		}
		return f.broken
	})
}

// AddVar defines a variable. All variables are defined before data are written.
func (f *File) AddVar(d VarDef) error {
	v := Var{Name: d.Name, Type: d.Type, Attrs: slices.Clone(d.Attrs)}
	fail := func(err error) error { return fmt.Errorf("add variable %q to %s: %w", d.Name, f.path, err) }
	if err := f.checkDef(d); err != nil {
		return fail(err)
	}
	return f.define(func() error {
		dims := make([]netcdf.Dim, len(d.Dims))
		for i, name := range d.Dims {
			dims[i] = f.dims[name]
			n, err := dims[i].Len()
			if err != nil {
				return fail(err)
			}
			v.Dims = append(v.Dims, Dim{Name: name, Len: int(n)})
		}
		nv, err := f.ds.AddVar(d.Name, typeTable[d.Type].code, dims)
		if err != nil {
			return fail(err)
		}
		id, err := varID(f.ds, d.Name)
		if err != nil {
			return fail(err)
		}
		if err := f.store(d, nv, id); err != nil {
			return fail(err)
		}
		v.Chunks = chunks(f.ds, id, len(dims))
		if d.Fill != nil {
			v.Attrs = append(v.Attrs, Attr{Name: "_FillValue", Value: fillAttr(d.Fill)})
		}
		f.slots[d.Name] = slot{index: len(f.vars), ds: f.ds, id: id}
		f.vars = append(f.vars, v)
		return nil
	})
}

// store sets storage, fill value and attributes, in the order that netcdf-c demands:
// chunks and compression first, the fill value before any data.
func (f *File) store(d VarDef, nv netcdf.Var, id int) error {
	if len(d.Dims) > 0 && d.Type != String {
		if d.Chunks != nil {
			if err := setChunks(f.ds, id, d.Chunks); err != nil {
				return fmt.Errorf("set chunks %v: %w", d.Chunks, err)
			}
		}
		if d.Deflate > 0 {
			shuffle := typeTable[d.Type].size > 1
			if err := nv.SetCompression(shuffle, true, d.Deflate); err != nil {
				return fmt.Errorf("set deflate %d: %w", d.Deflate, err)
			}
		}
	}
	if d.Fill != nil {
		if err := writeFill(nv.Attr("_FillValue"), d.Fill); err != nil {
			return fmt.Errorf("set fill value: %w", err)
		}
	}
	for _, a := range d.Attrs {
		if err := writeAttr(nv.Attr(a.Name), a.Value); err != nil {
			return err
		}
	}
	return nil
}

// checkDef finds, before netcdf-c does, what would leave the file unusable.
func (f *File) checkDef(d VarDef) error {
	if !d.Type.Numeric() && d.Type != Char && d.Type != String {
		return fmt.Errorf("type %s cannot be written", d.Type)
	}
	if _, ok := f.slots[d.Name]; ok {
		return errors.New("it is there already")
	}
	for _, name := range d.Dims {
		if _, ok := f.dims[name]; !ok {
			return fmt.Errorf("no dimension %q", name)
		}
	}
	if d.Deflate < 0 || d.Deflate > 9 {
		return fmt.Errorf("deflate level %d is not in 0 ... 9", d.Deflate)
	}
	if d.Chunks != nil && len(d.Chunks) != len(d.Dims) {
		return fmt.Errorf("chunk shape %v does not have its %d dimensions", d.Chunks, len(d.Dims))
	}
	for _, c := range d.Chunks {
		if c < 1 {
			return fmt.Errorf("chunk shape %v is not positive", d.Chunks)
		}
	}
	if d.Fill != nil && fillType(d.Fill) != d.Type {
		// netcdf-c accepts the definition and can then neither write nor close the file.
		return fmt.Errorf("fill value of type %T for a variable of type %s", d.Fill, d.Type)
	}
	for _, a := range d.Attrs {
		if a.Name == "_FillValue" {
			return errors.New("give the fill value as Fill, not as an attribute")
		}
	}
	return nil
}

func fillType(fill any) Type {
	switch fill.(type) {
	case int8:
		return Byte
	case int16:
		return Short
	case int32:
		return Int
	case int64:
		return Int64
	case float32:
		return Float
	case float64:
		return Double
	}
	return Other
}

// fillAttr is the fill value as File.Vars reports attributes.
func fillAttr(fill any) any {
	switch x := fill.(type) {
	case int8:
		return []int32{int32(x)}
	case int16:
		return []int32{int32(x)}
	case int32:
		return []int32{x}
	case int64:
		return []int64{x}
	case float32:
		return []float32{x}
	case float64:
		return []float64{x}
	}
	return nil
}

func writeFill(a netcdf.Attr, fill any) error {
	switch x := fill.(type) {
	case int8:
		return a.WriteInt8s([]int8{x})
	case int16:
		return a.WriteInt16s([]int16{x})
	case int32:
		return a.WriteInt32s([]int32{x})
	case int64:
		return a.WriteInt64s([]int64{x})
	case float32:
		return a.WriteFloat32s([]float32{x})
	case float64:
		return a.WriteFloat64s([]float64{x})
	}
	return fmt.Errorf("fill value of type %T", fill)
}

// PutAttr writes a global attribute. Empty text is left out.
func (f *File) PutAttr(a Attr) error {
	return f.define(func() error {
		if err := writeAttr(f.ds.Attr(a.Name), a.Value); err != nil {
			return fmt.Errorf("write global attribute to %s: %w", f.path, err)
		}
		f.attrs = append(slices.DeleteFunc(f.attrs, func(b Attr) bool { return b.Name == a.Name }), a)
		return nil
	})
}

// writeAttr writes text as char, which C and Fortran programs can read, and leaves
// out what is empty, on which go-netcdf panics.
func writeAttr(a netcdf.Attr, value any) (err error) {
	switch x := value.(type) {
	case string:
		if x != "" {
			err = a.WriteBytes([]byte(x))
		}
	case []int8:
		err = writeSome(x, a.WriteInt8s)
	case []int32:
		err = writeSome(x, a.WriteInt32s)
	case []int64:
		err = writeSome(x, a.WriteInt64s)
	case []float32:
		err = writeSome(x, a.WriteFloat32s)
	case []float64:
		err = writeSome(x, a.WriteFloat64s)
	default:
		err = fmt.Errorf("a value of type %T cannot be an attribute", value)
	}
	if err != nil {
		return fmt.Errorf("attribute %q: %w", a.Name(), err)
	}
	return nil
}

func writeSome[T any](x []T, write func([]T) error) error {
	if len(x) == 0 {
		return nil
	}
	return write(x)
}

// WriteFloat32s writes a hyperslab of a float variable, nil start and count meaning
// all of it. len(data) must be the product of count. The same holds for its sisters.
func (f *File) WriteFloat32s(name string, start, count []int, data []float32) error {
	return write(f, name, Float, start, count, data, netcdf.Var.WriteFloat32s, netcdf.Var.WriteFloat32Slice)
}

// WriteFloat64s writes a hyperslab of a double variable.
func (f *File) WriteFloat64s(name string, start, count []int, data []float64) error {
	return write(f, name, Double, start, count, data, netcdf.Var.WriteFloat64s, netcdf.Var.WriteFloat64Slice)
}

// WriteInt64s writes a hyperslab of an int64 variable.
func (f *File) WriteInt64s(name string, start, count []int, data []int64) error {
	return write(f, name, Int64, start, count, data, netcdf.Var.WriteInt64s, netcdf.Var.WriteInt64Slice)
}

// WriteInt32s writes a hyperslab of an int variable.
func (f *File) WriteInt32s(name string, start, count []int, data []int32) error {
	return write(f, name, Int, start, count, data, netcdf.Var.WriteInt32s, netcdf.Var.WriteInt32Slice)
}

// WriteInt16s writes a hyperslab of a short variable.
func (f *File) WriteInt16s(name string, start, count []int, data []int16) error {
	return write(f, name, Short, start, count, data, netcdf.Var.WriteInt16s, netcdf.Var.WriteInt16Slice)
}

// WriteInt8s writes a hyperslab of a byte variable.
func (f *File) WriteInt8s(name string, start, count []int, data []int8) error {
	return write(f, name, Byte, start, count, data, netcdf.Var.WriteInt8s, netcdf.Var.WriteInt8Slice)
}

func write[T number](f *File, name string, t Type, start, count []int, data []T,
	all func(netcdf.Var, []T) error, part func(netcdf.Var, []T, []uint64, []uint64) error,
) error {
	h, err := f.slab(name, start, count)
	if err != nil {
		return err
	}
	if h.v.Type != t {
		return f.dataError("write", name, fmt.Errorf("it is %s, the data are %s", h.v.Type, t))
	}
	if len(data) != h.n {
		return f.dataError("write", name, fmt.Errorf("%d values for %d places", len(data), h.n))
	}
	if h.n == 0 {
		return nil
	}
	return f.put(name, func() error {
		if h.start == nil {
			return all(h.v.nc, data)
		}
		return part(h.v.nc, data, h.start, h.count)
	})
}

// WriteStrings writes all of a char variable [..., strlen], padded with NULs. A string
// longer than strlen bytes is an error.
func (f *File) WriteStrings(name string, s []string) error {
	sl, ok := f.slots[name]
	if !ok {
		return f.absent(name)
	}
	v := f.vars[sl.index]
	if v.Type != Char || len(v.Dims) == 0 {
		return f.dataError("write", name, errors.New("it is not a char variable with a dimension for the length of the text"))
	}
	width := v.Dims[len(v.Dims)-1].Len
	n, err := volume(v.Shape(), maxText)
	if err != nil {
		return f.dataError("write", name, err)
	}
	if len(s) != n/width {
		return f.dataError("write", name, fmt.Errorf("%d strings for %d places", len(s), n/width))
	}
	b := make([]byte, n)
	for i, text := range s {
		if len(text) > width {
			return f.dataError("write", name, fmt.Errorf("%q is longer than %d bytes", text, width))
		}
		copy(b[i*width:], text)
	}
	return f.put(name, func() error { return sl.ds.VarN(sl.id).WriteBytes(b) })
}

// put writes data unless a definition failed before.
func (f *File) put(name string, work func() error) error {
	if !f.writable {
		return fmt.Errorf("%s is open for reading", f.path)
	}
	return f.do(func() error {
		if f.broken != nil {
			return f.broken
		}
		if err := work(); err != nil {
			return f.dataError("write", name, err)
		}
		return nil
	})
}

// Version is the version of the C library.
func Version() string {
	var v string
	_ = call(func() error { v = netcdf.Version(); return nil })
	return v
}
