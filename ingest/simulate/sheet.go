package simulate

import (
	"fmt"
	"time"

	"sipipe/ingest"
	"sipipe/ingest/ncio"
)

// epochUnits are the units of all times written.
const epochUnits = "seconds since 1970-01-01 00:00:00"

// sheet is the content of a NetCDF file, but for the data that are streamed.
type sheet struct {
	dims    []ncio.Dim
	columns []column
	attrs   []ncio.Attr
}

// column is a variable and its data: []float64, []float32, []int64, []int32 or
// []string (of a char variable), or nil when the data are streamed later.
type column struct {
	def  ncio.VarDef
	data any
}

func text(name, value string) ncio.Attr { return ncio.Attr{Name: name, Value: value} }

func (s *sheet) dim(name string, n int) { s.dims = append(s.dims, ncio.Dim{Name: name, Len: n}) }

// add appends a variable whose type follows from its data.
func (s *sheet) add(name string, dims []string, data any, attrs ...ncio.Attr) {
	def := ncio.VarDef{Name: name, Dims: dims, Attrs: attrs}
	switch data.(type) {
	case []float64:
		def.Type = ncio.Double
	case []float32:
		def.Type = ncio.Float
	case []int64:
		def.Type = ncio.Int64
	case []int32:
		def.Type = ncio.Int
	case []string:
		def.Type = ncio.Char
	default:
		panic(fmt.Sprintf("simulate: no NetCDF type for %T", data))
	}
	s.columns = append(s.columns, column{def, data})
}

// addStreamed appends a compressed float variable whose data follow later.
func (s *sheet) addStreamed(v ingest.Variable, dims []string, chunks []int, fill float32, coordinates string) {
	attrs := []ncio.Attr{
		text("standard_name", v.StandardName), text("long_name", v.LongName), text("units", v.Units),
		text("cell_methods", v.CellMethods), text("coordinates", coordinates),
	}
	s.columns = append(s.columns, column{def: ncio.VarDef{
		Name: v.Name, Type: ncio.Float, Dims: dims, Attrs: attrs, Fill: fill, Deflate: 1, Chunks: chunks,
	}})
}

// write defines everything and writes what is not streamed.
func (s *sheet) write(f *ncio.File) error {
	for _, d := range s.dims {
		if err := f.AddDim(d.Name, d.Len); err != nil {
			return err
		}
	}
	for _, c := range s.columns {
		if err := f.AddVar(c.def); err != nil {
			return err
		}
	}
	for _, a := range s.attrs {
		if err := f.PutAttr(a); err != nil {
			return err
		}
	}
	for _, c := range s.columns {
		if err := c.write(f); err != nil {
			return err
		}
	}
	return nil
}

func (c *column) write(f *ncio.File) error {
	switch data := c.data.(type) {
	case []float64:
		return f.WriteFloat64s(c.def.Name, nil, nil, data)
	case []float32:
		return f.WriteFloat32s(c.def.Name, nil, nil, data)
	case []int64:
		return f.WriteInt64s(c.def.Name, nil, nil, data)
	case []int32:
		return f.WriteInt32s(c.def.Name, nil, nil, data)
	case []string:
		return f.WriteStrings(c.def.Name, data)
	}
	return nil
}

// narrow converts to float32 for storage.
func narrow(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

// number is 0 … n-1.
func number[T int32 | int64](n int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(i)
	}
	return x
}

func seconds(times []time.Time) []float64 {
	x := make([]float64, len(times))
	for i, t := range times {
		x[i] = float64(t.Unix())
	}
	return x
}

// longest is the length in bytes that a char variable needs for texts.
func longest(texts []string) int {
	n := 1
	for _, t := range texts {
		n = max(n, len(t))
	}
	return n
}
