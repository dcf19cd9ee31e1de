package digits

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// idx is a file with n images of rows × cols and the given bytes of pixels.
func idx(magic, n, rows, cols uint32, pixels ...byte) []byte {
	var b []byte
	for _, v := range []uint32{magic, n, rows, cols} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return append(b, pixels...)
}

func compressed(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestReadIDX(t *testing.T) {
	two := idx(magic, 2, 1, 3, 0, 51, 255, 102, 0, 0)
	for _, c := range []struct {
		name string
		file []byte
		want string // in the error, "" for none
	}{
		{"plain", two, ""},
		{"compressed", compressed(t, two), ""},
		{"empty", nil, "no idx file"},
		{"labels", idx(0x801, 2, 1, 3), "take digit files"},
		{"cut off", two[:len(two)-1], "image 2 of 2"},
		{"cut off within the compressed part", compressed(t, two)[:20], "idx"},
		{"more than it says", append(two[:len(two):len(two)], 7), "goes on"},
		{"no columns", idx(magic, 2, 1, 0), "1 × 0"},
		{"four billion images", idx(magic, 1<<32-1, 2, 2, 1, 2, 3, 4), "image 2 of 4294967295"},
	} {
		s, err := ReadIDX(bytes.NewReader(c.file))
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %q", c.name, err, c.want)
			}
			continue
		}
		if err != nil || s.Rows != 1 || s.Cols != 3 || len(s.Pixels) != 2 || s.Pixels[0][1] != 0.2 || s.Pixels[0][2] != 1 || s.Pixels[1][0] != 0.4 {
			t.Errorf("%s: %+v, %v", c.name, s, err)
		}
	}
}

// What is read is what the file says, and nothing else is read.
func FuzzReadIDX(f *testing.F) {
	f.Add(idx(magic, 1, 2, 2, 1, 2, 3, 4))
	f.Add(compressed(f, idx(magic, 1, 1, 1, 9)))
	f.Add(idx(magic, 0, 1, 1))
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := ReadIDX(bytes.NewReader(file))
		if err != nil || file[0] == 0x1f {
			return
		}
		back := idx(magic, uint32(len(s.Pixels)), uint32(s.Rows), uint32(s.Cols))
		for _, p := range s.Pixels {
			for _, v := range p {
				back = append(back, byte(v*255+0.5))
			}
		}
		if !bytes.Equal(back, file) {
			t.Errorf("%d images of %d × %d from %x", len(s.Pixels), s.Rows, s.Cols, file)
		}
	})
}

// digit reads images of the sample.
func digit(t testing.TB, name string) *Images {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "sample", "mnist38", name+"-images-idx3-ubyte.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := ReadIDX(f)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSample(t *testing.T) {
	threes, eights := digit(t, "digit3"), digit(t, "digit8")
	if len(threes.Pixels) != 1010 || len(eights.Pixels) != 974 || threes.Rows != 28 || eights.Cols != 28 {
		t.Errorf("%d threes, %d eights of %d × %d", len(threes.Pixels), len(eights.Pixels), threes.Rows, eights.Cols)
	}
}
