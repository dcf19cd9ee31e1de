package noise

import (
	"encoding/binary"
	"time"
)

// Key names a stream of random numbers. Keys are values: deriving a key leaves
// its parent as it was, and equal derivations give equal keys.
type Key struct {
	seed uint64 // the Philox key
	path uint64 // digest of the labels, the upper half of the Philox counter
}

// labelling separates the use of Philox as a digest from its use as a source of
// numbers: the two never share a Philox key.
const labelling = 0x6C6162656C6C6564

// Seed is the root of all streams of one seed.
func Seed(seed uint64) Key { return Key{seed: seed} }

// Int derives the stream of a number, such as a lead time in nanoseconds.
func (k Key) Int(label int64) Key { return k.fold(uint64(label)) }

// Time derives the stream of an instant, whatever its time zone. The resolution is one second.
func (k Key) Time(label time.Time) Key { return k.fold(uint64(label.Unix())) }

// Text derives the stream of a word, such as a station identifier or a purpose.
func (k Key) Text(label string) Key {
	for ; len(label) > 8; label = label[8:] {
		k = k.fold(binary.LittleEndian.Uint64([]byte(label[:8])))
	}
	var tail [8]byte
	n := copy(tail[:], label)
	// The length of the tail ends the word: "a" then "b" differs from "ab", and
	// a word differs from one with NUL bytes added.
	return k.fold(binary.LittleEndian.Uint64(tail[:])).fold(uint64(n))
}

// fold mixes one 64-bit word into the digest.
func (k Key) fold(w uint64) Key {
	s := k.seed ^ labelling
	r0, r1, _, _ := philox(uint32(w), uint32(w>>32), uint32(k.path), uint32(k.path>>32), uint32(s), uint32(s>>32))
	k.path = uint64(r0) | uint64(r1)<<32
	return k
}

// block returns the 128 random bits of four elements, 4i … 4i+3, of a row.
func (k Key) block(row, i uint32) (r0, r1, r2, r3 uint32) {
	return philox(i, row, uint32(k.path), uint32(k.path>>32), uint32(k.seed), uint32(k.seed>>32))
}
