package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	magicName   = "sipipe\x00"
	magicFormat = "\x02" // of the envelope
	magic       = magicName + magicFormat
)

// VersionError says that a value was stored by another version of the program.
type VersionError struct {
	Key       string
	Got, Want int // Got 0: the envelope itself is of another version
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("stored %q has version %d, this program needs %d; delete it to have it made anew", e.Key, e.Got, e.Want)
}

// CorruptError says that a stored value is damaged, or cannot be read.
type CorruptError struct {
	Key     string
	MovedTo string // where the file is now; "" when it could not be moved, which Err says
	Err     error
}

func (e *CorruptError) Error() string {
	if e.MovedTo == "" {
		return fmt.Sprintf("stored %q cannot be used: %v; delete it to have it made anew", e.Key, e.Err)
	}
	return fmt.Sprintf("stored %q cannot be used: %v; it was moved to %s and is made anew by the next that needs it", e.Key, e.Err, e.MovedTo)
}

func (e *CorruptError) Unwrap() error { return e.Err }

// WriteError says that a value could not be stored.
type WriteError struct {
	Key, Path string
	Err       error
}

func (e *WriteError) Error() string { return fmt.Sprintf("store %q in %s: %v", e.Key, e.Path, e.Err) }
func (e *WriteError) Unwrap() error { return e.Err }

// seal writes a value as doc.go describes; encode writes the value itself.
func seal(w io.Writer, key string, version int, encode func(io.Writer) error) error {
	d := sha256.New()
	both := io.MultiWriter(w, d)
	b := []byte(magic)
	b = binary.BigEndian.AppendUint32(b, uint32(version))
	b = binary.BigEndian.AppendUint32(b, uint32(len(key)))
	b = append(b, key...)
	if _, err := both.Write(b); err != nil {
		return err
	}
	if err := encode(both); err != nil {
		return err
	}
	_, err := w.Write(d.Sum(nil))
	return err
}

// file is what unseal reads.
type file interface {
	io.Reader
	io.ReaderAt
}

// unseal checks what seal wrote to a file of the given size, read from its beginning,
// and returns a reader of the value.
func unseal(f file, size int64, key string) (value *io.SectionReader, version int, err error) {
	const fixed = int64(len(magic) + 8)
	end := size - sha256.Size
	if end < fixed {
		return nil, 0, fmt.Errorf("%d bytes are too few", size)
	}
	d := sha256.New()
	if _, err := io.CopyBuffer(d, io.LimitReader(f, end), make([]byte, bufferSize)); err != nil {
		return nil, 0, err
	}
	sum := make([]byte, sha256.Size)
	if _, err := f.ReadAt(sum, end); err != nil {
		return nil, 0, err
	}
	if !bytes.Equal(sum, d.Sum(nil)) {
		return nil, 0, errors.New("checksum does not match")
	}
	b := make([]byte, fixed)
	if _, err := f.ReadAt(b, 0); err != nil {
		return nil, 0, err
	}
	if string(b[:len(magicName)]) != magicName {
		return nil, 0, errors.New("not a file of the store")
	}
	if string(b[:len(magic)]) != magic {
		return nil, 0, nil
	}
	b = b[len(magic):]
	version = int(int32(binary.BigEndian.Uint32(b)))
	n := int64(binary.BigEndian.Uint32(b[4:]))
	if n > end-fixed {
		return nil, 0, errors.New("length of key is wrong")
	}
	got := make([]byte, n)
	if _, err := f.ReadAt(got, fixed); err != nil {
		return nil, 0, err
	}
	if string(got) != key {
		return nil, 0, fmt.Errorf("it belongs to key %q", got)
	}
	return io.NewSectionReader(f, fixed+n, end-fixed-n), version, nil
}
