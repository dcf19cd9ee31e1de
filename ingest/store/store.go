package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/google/renameio/v2"
)

const (
	extension = ".gob"
	setAside  = ".corrupt" // appended to the name of a file that cannot be trusted
)

// Store is a folder of values. Several processes may read one; a key must have one
// writer at a time, which the lock of a run sees to.
type Store struct {
	dir     string
	below   *Store              // read where dir has nothing; nil: there is none
	fixed   bool                // nothing is moved or written
	damaged func(*CorruptError) // nil: nobody asks
}

// Open opens the store in dir and makes the folder when it is not there.
func Open(dir string) (*Store, error) {
	if dir == "" {
		return nil, errors.New("open store: the folder has no name")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open store: %w; check the path and its permissions", err)
	}
	return &Store{dir: dir}, nil
}

// Look is a store that reads the values in dir, which need not be there, and leaves them
// as they are: what it is given to store goes to the folder scratch.
func Look(dir, scratch string) *Store {
	return &Store{dir: scratch, below: &Store{dir: dir, fixed: true}}
}

// Dir is the folder of the store, or that which it looks at.
func (s *Store) Dir() string {
	if s.below != nil {
		return s.below.dir
	}
	return s.dir
}

// Path is the file of a key, which need not be there.
func (s *Store) Path(key string) (string, error) { return s.path(key) }

// OnDamage has f called for each value that is found damaged, also where the caller of
// Get makes it anew without a word. f may be called from several goroutines.
func (s *Store) OnDamage(f func(*CorruptError)) {
	s.damaged = f
	if s.below != nil {
		s.below.damaged = f
	}
}

// Put stores v, which gob must be able to encode or which is [Parted], under key, in
// place of what was there. version is that of v's type: raise it whenever an older
// value would be misunderstood. Once Put returns, the value survives a loss of power.
// Its error is a *WriteError.
func (s *Store) Put(key string, version int, v any) error {
	path, err := s.path(key)
	if err != nil {
		return err
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		_ = s.quarantine(key, path, errNoFile) // else nothing could take its place
	}
	err = replace(path, func(w io.Writer) error {
		return seal(w, key, version, func(w io.Writer) error {
			if err := encode(w, v); err != nil {
				return fmt.Errorf("encode: %w", err)
			}
			return nil
		})
	})
	if err != nil {
		return &WriteError{Key: key, Path: path, Err: err}
	}
	return nil
}

// replace makes what fill writes the content of the file at path at one stroke.
func replace(path string, fill func(io.Writer) error) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	pending, err := renameio.NewPendingFile(path, renameio.WithTempDir(dir), renameio.WithPermissions(0o644))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pending.Cleanup()) }()
	if err := fill(pending); err != nil {
		return err
	}
	if err := pending.CloseAtomicallyReplace(); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Get reads the value of key into v, a pointer. Its errors are one with
// fs.ErrNotExist in the chain when there is none, a *VersionError when it was stored
// by another version, and a *CorruptError when it is damaged or cannot be read: the file
// is then moved out of the way, but not by [Look], so that the caller makes the value anew.
func (s *Store) Get(key string, version int, v any) error {
	err := s.get(key, version, v)
	if s.below != nil && errors.Is(err, fs.ErrNotExist) {
		return s.below.get(key, version, v)
	}
	return err
}

func (s *Store) get(key string, version int, v any) error {
	path, err := s.path(key)
	if err != nil {
		return err
	}
	f, size, err := open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), Exhausted(err):
		return fmt.Errorf("read %q: %w", key, err)
	case err != nil:
		return s.quarantine(key, path, err)
	}
	defer f.Close()
	value, got, err := unseal(f, size, key)
	switch {
	case err != nil:
		return s.quarantine(key, path, err)
	case value == nil || got != version:
		return &VersionError{Key: key, Got: got, Want: version}
	}
	if err := decode(value, v); err != nil {
		return s.quarantine(key, path, fmt.Errorf("decode: %w", err))
	}
	return nil
}

// errNoFile says that what has the name of a value is none.
var errNoFile = errors.New("it is not a regular file")

// open opens the file of a value and tells its size.
func open(path string) (*os.File, int64, error) {
	// Before it is opened: a pipe would wait for somebody to write.
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, errNoFile
	}
	f, err := os.Open(path)
	return f, info.Size(), err
}

// Exhausted tells whether an error is for want of something that comes back, and says
// nothing of the file.
func Exhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}

// quarantine sets a file aside for a person to look at. An earlier one of the same
// key is replaced: they must not pile up.
func (s *Store) quarantine(key, path string, why error) error {
	e := &CorruptError{Key: key, MovedTo: path + setAside, Err: why}
	if s.fixed {
		e.MovedTo = ""
		if s.damaged != nil {
			s.damaged(e)
		}
		return e
	}
	err := os.Rename(path, e.MovedTo)
	if err != nil && !errors.Is(err, fs.ErrPermission) { // a folder takes no other's place
		err = errors.Join(os.RemoveAll(e.MovedTo), os.Rename(path, e.MovedTo))
	}
	if err != nil {
		e.MovedTo = ""
		e.Err = errors.Join(why, err)
	}
	if s.damaged != nil {
		s.damaged(e)
	}
	return e
}

// List returns the keys that begin with prefix, ascending.
func (s *Store) List(prefix string) ([]string, error) {
	var keys []string
	// A prefix ends anywhere in a name; all its keys are below its last whole folder.
	from := s.dir
	if i := strings.LastIndexByte(prefix, '/'); i > 0 {
		if !fs.ValidPath(prefix[:i]) {
			return nil, fmt.Errorf("list store: prefix %q is not valid", prefix)
		}
		from = filepath.Join(s.dir, filepath.FromSlash(prefix[:i]))
	}
	err := s.walk(from, func(path, key string) error {
		if key, ok := strings.CutSuffix(key, extension); ok && strings.HasPrefix(key, prefix) && !hidden(path) {
			keys = append(keys, key)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list store: %w", err)
	}
	if s.below != nil {
		below, err := s.below.List(prefix)
		if err != nil {
			return nil, err
		}
		keys = append(keys, below...)
	}
	slices.Sort(keys)
	return slices.Compact(keys), nil
}

// walk visits the files below from; a folder that is not there has none. Names are
// slash-separated and relative to the store.
func (s *Store) walk(from string, visit func(path, name string) error) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // never there, or removed while we look
		case err != nil:
			return err
		case !d.Type().IsRegular():
			return nil
		}
		name, err := filepath.Rel(s.dir, path)
		if err != nil {
			return err
		}
		return visit(path, filepath.ToSlash(name))
	})
}

func hidden(path string) bool { return strings.HasPrefix(filepath.Base(path), ".") }

// Delete removes key. It is no error when there is none; what cannot be removed is a
// WriteError.
func (s *Store) Delete(key string) error {
	path, err := s.path(key)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &WriteError{Key: key, Path: path, Err: err}
	}
	return nil
}

// Sweep removes the temporary files that killed runs have left. The caller holds the
// lock that keeps other writers out.
func (s *Store) Sweep() error {
	err := s.walk(s.dir, func(path, _ string) error {
		base := filepath.Base(path)
		if hidden(path) && strings.Contains(base, extension) && !strings.HasSuffix(base, extension) {
			return os.Remove(path)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sweep store: %w", err)
	}
	return nil
}

// path is the file of a key. Keys are slash-separated names that stay inside the
// store and cannot be mistaken for its temporary or quarantined files.
func (s *Store) path(key string) (string, error) {
	if !fs.ValidPath(key) || key == "." || strings.ContainsRune(key, 0) || strings.Contains(key, `\`) {
		return "", fmt.Errorf("store key %q is not valid", key)
	}
	for name := range strings.SplitSeq(key, "/") {
		if strings.HasPrefix(name, ".") {
			return "", fmt.Errorf("store key %q is not valid: %q begins with a dot", key, name)
		}
	}
	return filepath.Join(s.dir, filepath.FromSlash(key)) + extension, nil
}

// Corrupt lists what was set aside because it could not be trusted, by path: files, and
// what else had the name of a value, such as folders.
func (s *Store) Corrupt() ([]string, error) {
	var paths []string
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case !strings.HasSuffix(path, extension+setAside):
			return nil
		}
		paths = append(paths, path)
		if d.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list damaged values: %w", err)
	}
	slices.Sort(paths)
	return paths, nil
}
