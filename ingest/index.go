package ingest

import (
	"encoding/hex"
	"errors"
	"io/fs"
	"iter"
	"reflect"
	"slices"
	"strconv"

	"sipipe/ingest/store"
)

// formatVersion is the version of everything that ingest stores and of how it reads
// files. Raising it makes all files be read again.
const formatVersion = 4

// index lists the files of an archive that have been read for one variable, so that
// they are not read again. It is a cache: without it, reading all files gives the
// same.
type index[E entry] struct {
	indexHead
	Files []E // by name
}

type indexHead struct {
	Fingerprint string // of the options that change what is read
	Count       int    // of Files, in the store
}

// Parts implements store.Parted: an archive of years has thousands of files.
func (x *index[E]) Parts() iter.Seq[any] {
	return func(yield func(any) bool) {
		if !yield(&x.indexHead) {
			return
		}
		for i := range x.Count {
			if i == len(x.Files) { // being read
				x.Files = append(slices.Grow(x.Files, x.Count-i), reflect.New(reflect.TypeFor[E]().Elem()).Interface().(E))
			}
			if !yield(x.Files[i]) {
				return
			}
		}
	}
}

// put stores the index.
func (x *index[E]) put(a *Archive, key string) error {
	x.Count = len(x.Files)
	return a.put(key, x)
}

// entry is what an index remembers of a file.
type entry interface {
	*forecastEntry | *observedEntry
	file() *fileEntry
	keys() []string // stored values that it refers to
}

// fileEntry is common to forecasts and observations. It is a named field of theirs and
// not embedded, because gob leaves embedded structs of unexported type out.
type fileEntry struct {
	Name   string
	State  fileState
	SHA256 string // hex
	Notes  []string
	// Missing says that the file is good but has not the variable: Have is what it has.
	Missing bool
	Have    []string
}

// loadIndex reads an index. One that is not there, is damaged, of another version, or
// made with other options is empty: then all is read anew.
func loadIndex[E entry](s *store.Store, key, fingerprint string) (*index[E], error) {
	x := &index[E]{}
	err := s.Get(key, formatVersion, x)
	var version *store.VersionError
	var corrupt *store.CorruptError
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.As(err, &version), errors.As(err, &corrupt):
		return &index[E]{indexHead: indexHead{Fingerprint: fingerprint}}, nil
	case err != nil:
		return nil, err
	case x.Fingerprint != fingerprint:
		return &index[E]{indexHead: indexHead{Fingerprint: fingerprint}}, nil
	}
	return x, nil
}

// byName is the entries of an index by file name.
func (x *index[E]) byName() map[string]E {
	m := make(map[string]E, len(x.Files))
	for _, e := range x.Files {
		m[e.file().Name] = e
	}
	return m
}

// sweep removes the values below prefix that nothing in the index refers to, but for
// the index itself. It is called after the index was stored: in this order a crash
// leaves values too many, never too few.
func (x *index[E]) sweep(s *store.Store, key, prefix string) error {
	used := map[string]bool{key: true}
	for _, e := range x.Files {
		for _, k := range e.keys() {
			used[k] = true
		}
	}
	stored, err := s.List(prefix)
	if err != nil {
		return err
	}
	for _, k := range stored {
		if !used[k] {
			if err := s.Delete(k); err != nil {
				return err
			}
		}
	}
	return nil
}

// fingerprint joins options that change what is read.
func fingerprint(parts ...any) string {
	d := newDigest("options")
	for _, p := range parts {
		switch x := p.(type) {
		case string:
			d.text(x)
		case []string:
			d.texts(x)
		case bool:
			d.text(strconv.FormatBool(x))
		case map[string]string:
			var flat []string
			for k, v := range x {
				flat = append(flat, k+"="+v)
			}
			slices.Sort(flat)
			d.texts(flat)
		}
	}
	sum := d.sum()
	return hex.EncodeToString(sum[:])
}
