package ncio

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/bits"
	"os"
)

// checkClassic finds classic files (CDF-1, CDF-2, CDF-5) that end before their data
// do. netcdf-c opens them and reads zeros where the file has ended, so a forecast cut
// short in transfer would look like 0 K. HDF5 files carry their length and are
// refused by the library. A file that is not classic, or whose header makes no
// sense, passes: the library will say what it thinks of it.
//
// The layout of the header is that of the NetCDF User's Guide, appendix "File Format
// Specifications".
func checkClassic(path string, size int64) error {
	r, err := os.Open(path)
	if err != nil {
		return err
	}
	defer r.Close()
	h := classicHeader{r: bufio.NewReader(r), left: size}
	end := h.dataEnd()
	if errors.Is(h.err, io.EOF) || errors.Is(h.err, io.ErrUnexpectedEOF) || h.err == nil && end > size {
		return &FormatError{Path: path, Why: "truncated"}
	}
	if h.err != nil && !errors.Is(h.err, errNotClassic) {
		return h.err
	}
	return nil
}

var errNotClassic = errors.New("not a classic NetCDF file")

// classicHeader reads the header of a classic file. After the first error, all reads
// give zero.
type classicHeader struct {
	r    io.Reader
	left int64 // bytes not yet read: no list can have more entries
	wide bool  // CDF-5: counts take eight bytes
	far  bool  // CDF-2, CDF-5: offsets take eight bytes
	err  error
}

// classicVar is what a variable occupies: size bytes at begin, per record if it has
// the unlimited dimension.
type classicVar struct {
	begin, size int64
	record      bool
}

// dataEnd is the length that the file must have at least.
func (h *classicHeader) dataEnd() int64 {
	magic := h.bytes(4)
	if h.err != nil || string(magic[:3]) != "CDF" {
		h.err = errNotClassic
		return 0
	}
	h.wide, h.far = magic[3] == 5, magic[3] == 2 || magic[3] == 5
	if magic[3] != 1 && !h.far {
		h.err = errNotClassic
		return 0
	}
	records := h.count()
	if records == math.MaxUint32 || records < 0 {
		records = 0 // being written as a stream: the number is not known
	}
	var dims []int64
	for n := h.list(); n > 0 && h.err == nil; n-- {
		h.name()
		dims = append(dims, h.count())
	}
	h.attributes()
	var end, recordBytes int64
	var recordVars []classicVar
	for n := h.list(); n > 0 && h.err == nil; n-- {
		v := h.variable(dims)
		if v.record {
			recordVars = append(recordVars, v)
			recordBytes = add(recordBytes, padded(v.size))
		} else {
			end = max(end, add(v.begin, v.size))
		}
	}
	if len(recordVars) == 1 {
		recordBytes = recordVars[0].size // a single record variable is not padded
	}
	if records > 0 {
		for _, v := range recordVars {
			end = max(end, add(v.begin, add(multiply(recordBytes, records-1), v.size)))
		}
	}
	return end
}

// variable reads one entry of the list of variables.
func (h *classicHeader) variable(dims []int64) classicVar {
	h.name()
	v := classicVar{size: 1}
	rank := h.count()
	for i := int64(0); i < rank && h.err == nil; i++ {
		id := h.count()
		if id < 0 || id >= int64(len(dims)) {
			h.fail()
			return v
		}
		if i == 0 && dims[id] == 0 {
			v.record = true
			continue
		}
		v.size = multiply(v.size, dims[id])
	}
	h.attributes()
	v.size = multiply(v.size, h.typeSize())
	h.count() // the stored size, which overflows for large variables
	if h.far {
		v.begin = h.int8()
	} else {
		v.begin = h.int4()
	}
	return v
}

// attributes skips a list of attributes.
func (h *classicHeader) attributes() {
	for n := h.list(); n > 0 && h.err == nil; n-- {
		h.name()
		size := h.typeSize()
		h.skip(padded(multiply(h.count(), size)))
	}
}

// list reads the head of a list and returns the number of its entries.
func (h *classicHeader) list() int64 {
	h.int4() // its tag
	return h.count()
}

func (h *classicHeader) name() { h.skip(padded(h.count())) }

// typeSize reads a type and returns the bytes that a value takes.
func (h *classicHeader) typeSize() int64 {
	code := h.int4()
	for t, row := range typeTable {
		if int64(row.code) == code && Type(t) != String && Type(t) != Other {
			return int64(row.size)
		}
	}
	h.fail()
	return 0
}

func (h *classicHeader) count() int64 {
	if h.wide {
		return h.int8()
	}
	return h.int4()
}

func (h *classicHeader) int4() int64 { return int64(binary.BigEndian.Uint32(h.bytes(4))) }
func (h *classicHeader) int8() int64 { return int64(binary.BigEndian.Uint64(h.bytes(8))) }

func (h *classicHeader) fail() {
	if h.err == nil {
		h.err = errNotClassic
	}
}

// bytes reads n bytes, zeros after an error.
func (h *classicHeader) bytes(n int) []byte {
	b := make([]byte, n)
	if h.err == nil {
		_, h.err = io.ReadFull(h.r, b)
		h.left -= int64(n)
	}
	if h.err != nil {
		clear(b)
	}
	return b
}

func (h *classicHeader) skip(n int64) {
	if h.err != nil {
		return
	}
	if n < 0 || n > h.left {
		h.err = io.ErrUnexpectedEOF
		return
	}
	_, h.err = io.CopyN(io.Discard, h.r, n)
	h.left -= n
}

// padded rounds up to the four bytes at which entries are aligned.
func padded(n int64) int64 {
	if n < 0 || n > math.MaxInt64-3 {
		return math.MaxInt64
	}
	return (n + 3) &^ 3
}

// add and multiply stop at the largest number: a header may claim anything.
func add(a, b int64) int64 {
	if a < 0 || b < 0 || a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

func multiply(a, b int64) int64 {
	high, low := bits.Mul64(uint64(a), uint64(b))
	if a < 0 || b < 0 || high != 0 || low > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(low)
}
