package store

import (
	"bufio"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
)

// Parted is a value that is stored part by part, so that only one part at a time is
// in memory in its encoded form. Parts yields pointers. Get fills each before it asks
// for the next, so what a part holds may say which parts follow. A *[]float32 is
// stored as its bits, not in gob's encoding; all else is.
type Parted interface{ Parts() iter.Seq[any] }

// bufferSize [bytes] is what is read, written or converted at once.
const bufferSize = 1 << 16

// encode writes a value.
func encode(w io.Writer, v any) error {
	b := bufio.NewWriterSize(w, bufferSize)
	enc := gob.NewEncoder(b)
	for part := range parts(v) {
		if x, ok := part.(*[]float32); ok {
			if err := writeFloats(b, *x); err != nil {
				return err
			}
			continue
		}
		if err := enc.Encode(part); err != nil {
			return err
		}
	}
	return b.Flush()
}

// decode reads a value from all of r into v, a pointer.
func decode(r *io.SectionReader, v any) error {
	b := bufio.NewReaderSize(r, bufferSize)
	dec := gob.NewDecoder(b) // reads whole messages and no more, since b is an io.ByteReader
	for part := range parts(v) {
		if x, ok := part.(*[]float32); ok {
			if err := readFloats(b, r.Size(), x); err != nil {
				return err
			}
			continue
		}
		if err := dec.Decode(part); err != nil {
			return err
		}
	}
	if _, err := b.ReadByte(); !errors.Is(err, io.EOF) {
		return errors.New("it is longer than what was asked for")
	}
	return nil
}

// parts of a value: itself, unless it has some.
func parts(v any) iter.Seq[any] {
	if p, ok := v.(Parted); ok {
		return p.Parts()
	}
	return func(yield func(any) bool) { yield(v) }
}

// writeFloats writes the number of values and their bits, little-endian.
func writeFloats(w *bufio.Writer, x []float32) error {
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, bufferSize), uint64(len(x)))
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		if len(b) > bufferSize-4 {
			if _, err := w.Write(b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	_, err := w.Write(b)
	return err
}

// readFloats reads what writeFloats wrote to a value of size bytes in all.
func readFloats(r io.Reader, size int64, x *[]float32) error {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	n := binary.LittleEndian.Uint64(head[:])
	if n > uint64(size)/4 {
		return fmt.Errorf("%d numbers in %d bytes", n, size)
	}
	out := make([]float32, n)
	b := make([]byte, min(4*int(n), bufferSize))
	for rest := out; len(rest) > 0; {
		b = b[:min(len(b), 4*len(rest))]
		if _, err := io.ReadFull(r, b); err != nil {
			return err
		}
		for i := range len(b) / 4 {
			rest[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
		rest = rest[len(b)/4:]
	}
	*x = out
	return nil
}
