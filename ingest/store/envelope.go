package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

const magic = "sipipe\x00\x01"

// VersionError says that a value was stored by another version of the program.
type VersionError struct {
	Key       string
	Got, Want int
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("stored %q has version %d, this program needs %d; delete it to have it made anew", e.Key, e.Got, e.Want)
}

// CorruptError says that a stored value is damaged.
type CorruptError struct {
	Key     string
	MovedTo string // where the file is now; "" when it could not be moved
	Err     error
}

func (e *CorruptError) Error() string {
	if e.MovedTo == "" {
		return fmt.Sprintf("stored %q is damaged: %v; delete it to have it made anew", e.Key, e.Err)
	}
	return fmt.Sprintf("stored %q is damaged: %v; it was moved to %s", e.Key, e.Err, e.MovedTo)
}

func (e *CorruptError) Unwrap() error { return e.Err }

// seal packs a value as doc.go describes.
func seal(key string, version int, value []byte) []byte {
	b := make([]byte, 0, len(magic)+16+len(key)+len(value)+sha256.Size)
	b = append(b, magic...)
	b = binary.BigEndian.AppendUint32(b, uint32(version))
	b = binary.BigEndian.AppendUint32(b, uint32(len(key)))
	b = append(b, key...)
	b = binary.BigEndian.AppendUint64(b, uint64(len(value)))
	b = append(b, value...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// unseal checks what seal packed and returns the value, a view into b.
func unseal(key string, b []byte) (value []byte, version int, err error) {
	const fixed = len(magic) + 16 + sha256.Size
	if len(b) < fixed {
		return nil, 0, fmt.Errorf("%d bytes are too few", len(b))
	}
	body, sum := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if want := sha256.Sum256(body); !bytes.Equal(sum, want[:]) {
		return nil, 0, errors.New("checksum does not match")
	}
	if string(body[:len(magic)]) != magic {
		return nil, 0, errors.New("not a file of the store")
	}
	body = body[len(magic):]
	version = int(int32(binary.BigEndian.Uint32(body)))
	n := uint64(binary.BigEndian.Uint32(body[4:]))
	body = body[8:]
	if n > uint64(len(body)-8) {
		return nil, 0, errors.New("length of key is wrong")
	}
	if got := string(body[:n]); got != key {
		return nil, 0, fmt.Errorf("it belongs to key %q", got)
	}
	body = body[n:]
	value = body[8:]
	if binary.BigEndian.Uint64(body) != uint64(len(value)) {
		return nil, 0, errors.New("length of value is wrong")
	}
	return value, version, nil
}
