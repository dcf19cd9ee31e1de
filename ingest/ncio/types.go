package ncio

import (
	"fmt"
	"math"

	"github.com/fhs/go-netcdf/netcdf"
)

// Type is the external type of a variable.
type Type int

// The types of NetCDF. Other stands for user-defined ones (compound, enum, opaque,
// variable length), which can be listed but not read.
const (
	Byte Type = iota
	Char
	Short
	Int
	Int64
	Float
	Double
	String
	UByte
	UShort
	UInt
	UInt64
	Other
)

var typeTable = [...]struct {
	name string
	code netcdf.Type
	size int // bytes a value; of a string, of its pointer
}{
	Byte:   {"byte", netcdf.BYTE, 1},
	Char:   {"char", netcdf.CHAR, 1},
	Short:  {"short", netcdf.SHORT, 2},
	Int:    {"int", netcdf.INT, 4},
	Int64:  {"int64", netcdf.INT64, 8},
	Float:  {"float", netcdf.FLOAT, 4},
	Double: {"double", netcdf.DOUBLE, 8},
	String: {"string", netcdf.STRING, 8},
	UByte:  {"ubyte", netcdf.UBYTE, 1},
	UShort: {"ushort", netcdf.USHORT, 2},
	UInt:   {"uint", netcdf.UINT, 4},
	UInt64: {"uint64", netcdf.UINT64, 8},
	Other:  {"user-defined", 0, 0},
}

// String is the name that ncdump uses.
func (t Type) String() string {
	if t < 0 || int(t) >= len(typeTable) {
		return fmt.Sprintf("Type(%d)", int(t))
	}
	return typeTable[t].name
}

// Numeric says whether values of t are numbers.
func (t Type) Numeric() bool { return t != Char && t != String && t >= Byte && t < Other }

func typeOf(code netcdf.Type) Type {
	for t, row := range typeTable {
		if row.code == code && Type(t) != Other {
			return Type(t)
		}
	}
	return Other
}

// Dim is a dimension; an unlimited one has the length that it has now.
type Dim struct {
	Name string
	Len  int
}

// Attr is an attribute. Value is a string, []string (a list of more than one), []int32
// (byte, short and int, signed or not), []int64 (uint and longer), []float32 or
// []float64; a single number is a slice of length one. Text comes without trailing
// NULs and blanks.
type Attr struct {
	Name  string
	Value any
}

// Var describes a variable. Variables of groups are named "group/variable".
type Var struct {
	Name   string
	Type   Type
	Dims   []Dim
	Attrs  []Attr
	Chunks []int // chunk shape; nil when the variable is not chunked
}

// Attr returns the value of the named attribute.
func (v Var) Attr(name string) (value any, ok bool) {
	for _, a := range v.Attrs {
		if a.Name == name {
			return a.Value, true
		}
	}
	return nil, false
}

// Text returns the named text attribute, "" when it is absent or not text.
func (v Var) Text(name string) string {
	value, _ := v.Attr(name)
	s, _ := value.(string)
	return s
}

// Float returns the first value of the named numeric attribute.
func (v Var) Float(name string) (value float64, ok bool) {
	a, _ := v.Attr(name)
	f := numbers(a)
	if len(f) == 0 {
		return math.NaN(), false
	}
	return f[0], true
}

// Shape is the lengths of the dimensions.
func (v Var) Shape() []int {
	s := make([]int, len(v.Dims))
	for i, d := range v.Dims {
		s[i] = d.Len
	}
	return s
}

// numbers returns an attribute's values as float64, nil when it is text or absent.
func numbers(value any) []float64 {
	switch x := value.(type) {
	case []int32:
		return floats(x)
	case []int64:
		return floats(x)
	case []float32:
		return floats(x)
	case []float64:
		return x
	}
	return nil
}

func floats[T int32 | int64 | float32](x []T) []float64 {
	f := make([]float64, len(x))
	for i, v := range x {
		f[i] = float64(v)
	}
	return f
}

// MaxValues bounds the values of one read, 2^28 (1 GiB of float32): a file of a few
// kilobytes may claim any size, and memory must not be handed out on its word. Larger
// variables are read in hyperslabs.
const MaxValues = 1 << 28

// maxText bounds the bytes of one text variable and of one attribute.
const maxText = 1 << 26

// volume is the product of count, at most limit.
func volume(count []int, limit int) (int, error) {
	n := 1
	for _, c := range count {
		if c < 0 {
			return 0, fmt.Errorf("negative count %d", c)
		}
		if c == 0 {
			return 0, nil
		}
	}
	for _, c := range count {
		if n > limit/c {
			return 0, fmt.Errorf("%v values are more than the %d that are read at once; read a part, or repair the file if its dimensions are wrong", count, limit)
		}
		n *= c
	}
	return n, nil
}
