package ingest

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math"
	"slices"
	"time"
)

// digest writes values in an unambiguous form to SHA-256: every text and list is
// preceded by its length, numbers are little-endian, and all NaN are one.
type digest struct {
	h   hash.Hash
	buf []byte
}

func newDigest(kind string) *digest {
	d := &digest{h: sha256.New()}
	d.text(kind)
	return d
}

func (d *digest) number(v uint64) {
	d.buf = binary.LittleEndian.AppendUint64(d.buf, v)
	d.flush(flushAt)
}

func (d *digest) text(s string) {
	d.number(uint64(len(s)))
	d.buf = append(d.buf, s...)
}

// flushAt is how many bytes are collected before they are hashed.
const flushAt = 1 << 15

func (d *digest) flush(limit int) {
	if len(d.buf) >= limit {
		d.h.Write(d.buf)
		d.buf = d.buf[:0]
	}
}

func (d *digest) texts(s []string) {
	d.number(uint64(len(s)))
	for _, v := range s {
		d.text(v)
	}
}

func (d *digest) floats64(x []float64) {
	d.number(uint64(len(x)))
	for _, v := range x {
		if v != v {
			v = math.NaN()
		}
		d.number(math.Float64bits(v))
	}
}

func (d *digest) floats32(x []float32) {
	d.number(uint64(len(x)))
	for part := range slices.Chunk(x, flushAt/4) {
		d.buf = appendFloats(d.buf, part)
		d.flush(flushAt)
	}
}

func (d *digest) variable(v Variable) {
	d.texts([]string{v.Name, v.StandardName, v.LongName, v.Units, v.CellMethods})
}

func (d *digest) places(p *Places) {
	d.texts(p.Name)
	d.floats64(p.Latitude)
	d.floats64(p.Longitude)
	d.floats64(p.Altitude)
	d.floats64(p.ModelAltitude)
	if p.Grid == nil {
		d.texts(p.ID)
		return
	}
	curvilinear := uint64(0)
	if p.Grid.Curvilinear {
		curvilinear = 1
	}
	d.texts([]string{p.Grid.YName, p.Grid.XName})
	d.number(uint64(p.Grid.NY))
	d.number(uint64(p.Grid.NX))
	d.number(curvilinear)
}

func (d *digest) sum() (out [32]byte) {
	d.flush(0)
	d.h.Sum(out[:0])
	return out
}

// ensembleHash is the hash of all that a forecast says; where it was read does not count.
func ensembleHash(e *Ensemble) [32]byte {
	d := newDigest("ensemble")
	d.variable(e.Variable)
	d.number(uint64(e.Cycle.Unix()))
	d.number(uint64(len(e.Leads)))
	for _, lead := range e.Leads {
		d.number(uint64(lead))
	}
	d.number(uint64(len(e.Members)))
	for _, m := range e.Members {
		d.number(uint64(m))
	}
	d.texts(e.MemberNames)
	d.places(e.Places)
	d.floats32(e.Values)
	return d.sum()
}

// observedHash is the hash of the values that one file has for a valid time, stations
// sorted by identifier. Stations without a value do not count.
func observedHash(v Variable, valid time.Time, ids []string, values []float32) [32]byte {
	d := newDigest("observed")
	d.variable(v)
	d.number(uint64(valid.Unix()))
	for i, x := range values {
		if x == x {
			d.text(ids[i])
			d.buf = appendFloats(d.buf, values[i:i+1])
		}
	}
	return d.sum()
}

// appendFloats appends the bits of x, little-endian, with one NaN for all.
func appendFloats(b []byte, x []float32) []byte {
	const nan = 0x7fc00000
	for _, v := range x {
		bits := math.Float32bits(v)
		if v != v {
			bits = nan
		}
		b = binary.LittleEndian.AppendUint32(b, bits)
	}
	return b
}
