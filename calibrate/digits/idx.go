package digits

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Images are grey images of one size.
type Images struct {
	Rows, Cols int
	Pixels     [][]float64 // [image][row*Cols+column], 0 black to 1 white
}

// size is the number of pixels of an image.
func (s *Images) size() int { return s.Rows * s.Cols }

// slice is images first … last-1.
func (s *Images) slice(first, last int) *Images {
	return &Images{s.Rows, s.Cols, s.Pixels[first:last]}
}

// magic of an idx file of unsigned bytes in three dimensions (LeCun, Cortes and
// Burges, "The MNIST database of handwritten digits", file format).
const magic = 0x00000803

// maxSide bounds what a header can ask for.
const maxSide = 1024

// ReadIDX reads an idx file of images, plain or compressed by gzip.
func ReadIDX(r io.Reader) (*Images, error) {
	b := bufio.NewReader(r)
	if head, err := b.Peek(2); err == nil && head[0] == 0x1f && head[1] == 0x8b {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, fmt.Errorf("decompress idx file: %w", err)
		}
		defer z.Close()
		b = bufio.NewReader(z)
	}
	var head struct{ Magic, N, Rows, Cols uint32 }
	if err := binary.Read(b, binary.BigEndian, &head); err != nil {
		return nil, fmt.Errorf("read idx header: %w; the file is cut off or no idx file", err)
	}
	switch {
	case head.Magic != magic:
		return nil, fmt.Errorf("the file begins with %#08x, images in idx format with %#08x; take digit files such as digit3-images-idx3-ubyte.gz", head.Magic, magic)
	case head.Rows == 0 || head.Cols == 0 || head.Rows > maxSide || head.Cols > maxSide:
		return nil, fmt.Errorf("images of %d × %d pixels; valid are sides of 1 to %d", head.Rows, head.Cols, maxSide)
	}
	s := &Images{Rows: int(head.Rows), Cols: int(head.Cols)}
	bytes := make([]byte, s.size())
	// The header's count is not trusted with memory.
	for i := range head.N {
		if _, err := io.ReadFull(b, bytes); err != nil {
			return nil, fmt.Errorf("read image %d of %d: %w; the file is cut off", i+1, head.N, err)
		}
		p := make([]float64, len(bytes))
		for j, v := range bytes {
			p[j] = float64(v) / 255
		}
		s.Pixels = append(s.Pixels, p)
	}
	if _, err := b.ReadByte(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the file goes on after its %d images (%v); it is damaged", head.N, err)
	}
	return s, nil
}
