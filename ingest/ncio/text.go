package ncio

import (
	"fmt"
	"strings"

	"github.com/fhs/go-netcdf/netcdf"
)

// trimText drops what writers pad text with.
func trimText(s string) string { return strings.TrimRight(s, "\x00 ") }

// readAttrs reads the n attributes of a variable, or of the file. An attribute of a
// type that sipipe has no use for counts as absent: it must not make a file unusable.
func readAttrs(ds netcdf.Dataset, id, n int, at func(int) (netcdf.Attr, error)) []Attr {
	var attrs []Attr
	for i := range n {
		a, err := at(i)
		if err != nil {
			continue
		}
		if value, err := readAttr(ds, id, a); err == nil {
			attrs = append(attrs, Attr{Name: a.Name(), Value: value})
		}
	}
	return attrs
}

func readAttr(ds netcdf.Dataset, id int, a netcdf.Attr) (any, error) {
	code, err := a.Type()
	if err != nil {
		return nil, err
	}
	length, err := a.Len()
	if err != nil {
		return nil, err
	}
	if length > maxText {
		return nil, fmt.Errorf("attribute %q has %d values", a.Name(), length)
	}
	n := int(length)
	switch code {
	case netcdf.CHAR:
		if n == 0 { // go-netcdf panics on an empty value
			return "", nil
		}
		b := make([]byte, n)
		err := a.ReadBytes(b)
		return trimText(string(b)), err
	case netcdf.STRING:
		s, err := attStrings(ds, id, a.Name(), n)
		for i := range s {
			s[i] = trimText(s[i])
		}
		switch len(s) {
		case 0:
			return "", err
		case 1:
			return s[0], err
		}
		return s, err
	case netcdf.BYTE:
		return attrValues[int8, int32](n, a.ReadInt8s)
	case netcdf.UBYTE:
		return attrValues[uint8, int32](n, a.ReadUint8s)
	case netcdf.SHORT:
		return attrValues[int16, int32](n, a.ReadInt16s)
	case netcdf.USHORT:
		return attrValues[uint16, int32](n, a.ReadUint16s)
	case netcdf.INT:
		return attrValues[int32, int32](n, a.ReadInt32s)
	case netcdf.UINT:
		return attrValues[uint32, int64](n, a.ReadUint32s)
	case netcdf.INT64:
		return attrValues[int64, int64](n, a.ReadInt64s)
	case netcdf.UINT64:
		return attrValues[uint64, int64](n, a.ReadUint64s)
	case netcdf.FLOAT:
		return attrValues[float32, float32](n, a.ReadFloat32s)
	case netcdf.DOUBLE:
		return attrValues[float64, float64](n, a.ReadFloat64s)
	}
	return nil, fmt.Errorf("attribute %q has a user-defined type", a.Name())
}

// attrValues reads n values of type F and returns them as type T. A uint64 above the
// range of int64 keeps its bits, so that fill values survive the round trip.
func attrValues[F, T number](n int, read func([]F) error) (any, error) {
	out := make([]T, n)
	if n == 0 {
		return out, nil
	}
	raw := make([]F, n)
	if err := read(raw); err != nil {
		return nil, err
	}
	for i, v := range raw {
		out[i] = T(v)
	}
	return out, nil
}

// Strings reads a text variable: a char variable [..., strlen], whose last dimension
// is the length of the text, or a string variable [...]. The values come in the order
// of the file, without trailing NULs and blanks; a scalar gives one.
func (f *File) Strings(name string) ([]string, error) {
	s, ok := f.slots[name]
	if !ok {
		return nil, f.absent(name)
	}
	v := f.vars[s.index]
	limit := maxText
	if v.Type == String {
		limit /= 8 // the pointers alone take eight bytes
	}
	n, err := volume(v.Shape(), limit)
	if err != nil {
		return nil, f.dataError("read", name, err)
	}
	var out []string
	switch v.Type {
	case String:
		err = f.do(func() (err error) {
			out, err = varStrings(s.ds, s.id, n)
			return err
		})
		for i := range out {
			out[i] = trimText(out[i])
		}
	case Char:
		if n == 0 {
			return emptyStrings(v), nil
		}
		b := make([]byte, n)
		err = f.do(func() error { return s.ds.VarN(s.id).ReadBytes(b) })
		width := 1
		if len(v.Dims) > 0 {
			width = v.Dims[len(v.Dims)-1].Len
		}
		out = make([]string, 0, n/width)
		for ; len(b) > 0; b = b[width:] {
			out = append(out, trimText(string(b[:width])))
		}
	default:
		return nil, f.dataError("read", name, fmt.Errorf("it is %s, not text", v.Type))
	}
	if err != nil {
		return nil, f.dataError("read", name, err)
	}
	return out, nil
}

// emptyStrings is the value of a char variable without any characters: as many empty
// strings as its leading dimensions ask for, which maxText has not bounded when the
// length of the text is zero.
func emptyStrings(v Var) []string {
	n, err := volume(v.Shape()[:max(len(v.Dims)-1, 0)], maxText/16)
	if err != nil {
		return nil
	}
	return make([]string, n)
}
