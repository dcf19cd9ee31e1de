package store

import (
	"crypto/sha256"
	"errors"
	"iter"
	"math"
	"os"
	"slices"
	"testing"
)

// series has a part whose number the first part tells.
type series struct {
	Names []string
	Data  [][]float32
}

func (s *series) Parts() iter.Seq[any] {
	return func(yield func(any) bool) {
		if !yield(&s.Names) {
			return
		}
		for i := range s.Names {
			if i == len(s.Data) {
				s.Data = append(s.Data, nil)
			}
			if !yield(&s.Data[i]) {
				return
			}
		}
	}
}

// Numbers come back bit by bit, in parts longer and shorter than the buffer.
func TestParts(t *testing.T) {
	s := newStore(t)
	long := make([]float32, 3*bufferSize/4+5)
	for i := range long {
		long[i] = math.Float32frombits(uint32(i) * 2654435761)
	}
	want := &series{[]string{"a", "b", "c", "d"}, [][]float32{long, {}, {float32(math.NaN()), -0.5}, long[:bufferSize/4-2]}}
	put(t, s, "k", want)
	got := &series{}
	if err := s.Get("k", 1, got); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Names, want.Names) || len(got.Data) != len(want.Data) {
		t.Fatalf("got %q and %d parts", got.Names, len(got.Data))
	}
	for i := range want.Data {
		if !slices.EqualFunc(got.Data[i], want.Data[i], func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }) {
			t.Errorf("part %d differs", i)
		}
	}
}

// A value with more parts than the type that asks for it has is not that type's.
func TestPartsLeft(t *testing.T) {
	s := newStore(t)
	put(t, s, "k", &series{[]string{"a"}, [][]float32{{1}}})
	var names []string
	var corrupt *CorruptError
	if err := s.Get("k", 1, &names); !errors.As(err, &corrupt) {
		t.Errorf("error %v, want a CorruptError", err)
	}
}

// An envelope of an earlier form is made anew and not set aside as damaged.
func TestEarlierEnvelope(t *testing.T) {
	s := newStore(t)
	path := put(t, s, "k", 1)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b = b[:len(b)-sha256.Size]
	b[len(magicName)]--
	sum := sha256.Sum256(b)
	if err := os.WriteFile(path, append(b, sum[:]...), 0o600); err != nil {
		t.Fatal(err)
	}
	var got int
	var version *VersionError
	if err := s.Get("k", 1, &got); !errors.As(err, &version) || version.Got != 0 {
		t.Errorf("error %v, want a VersionError of version 0", err)
	}
}
