package ingest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"sipipe/ingest/store"
)

// syncer brings what is stored of one variable in line with the files of an archive:
// files of unchanged size and time are believed to be unchanged, the others are read,
// and what was stored of files that are gone is dropped.
type syncer[E entry] struct {
	archive     *Archive
	variable    string
	prefix      string // of the store keys
	fingerprint string
	read        func(ctx context.Context, file archiveFile, sum string, old E) (E, error)
	faultTime   func(archiveFile) time.Time // cycle that a file which cannot be read stands for
}

// saveEvery is after how many files read the index is saved, so that a run that is
// killed while it reads an archive for the first time does not start from nothing.
const saveEvery = 100

func (s *syncer[E]) run(ctx context.Context, files []archiveFile) (x *index[E], faults []Fault, err error) {
	key := s.prefix + "index"
	x, err = loadIndex[E](s.archive.store, key, s.fingerprint)
	if err != nil {
		return nil, nil, err
	}
	old := x.byName()
	if err := s.gone(old, files); err != nil {
		return nil, nil, err
	}
	current := make([]E, 0, len(files))
	stored := len(x.Files)
	changed, unsaved := false, 0
	save := func(rest ...archiveFile) error {
		x.Files = slices.Clone(current)
		for _, f := range rest { // not looked at yet, but still valid
			if e, ok := old[f.name]; ok {
				x.Files = append(x.Files, e)
			}
		}
		unsaved = 0
		return x.put(s.archive, key)
	}
	for i, file := range files {
		e, known := old[file.name]
		if known && e.file().State == file.state {
			current = append(current, e)
			continue
		}
		e, err := s.update(ctx, file, e)
		if ctx.Err() != nil {
			return nil, nil, errors.Join(ctx.Err(), save(files[i:]...))
		}
		if storage := (*storeError)(nil); errors.As(err, &storage) || store.Exhausted(err) {
			return nil, nil, err
		}
		if err != nil {
			// Not stored: such a file is looked at again by the next run.
			faults = append(faults, Fault{Path: file.name, Variable: s.variable, Cycle: s.faultTime(file), Err: err})
			continue
		}
		current = append(current, e)
		changed = true
		if s.archive.options.Progress != nil {
			s.archive.options.Progress(Progress{Variable: s.variable, Path: file.name, Done: i + 1, Total: len(files)})
		}
		if unsaved++; unsaved >= saveEvery {
			if err := save(files[i+1:]...); err != nil {
				return nil, nil, err
			}
		}
	}
	if changed || len(current) != stored {
		if err := save(); err != nil {
			return nil, nil, err
		}
		if err := x.sweep(s.archive.store, key, s.prefix); err != nil {
			return nil, nil, err
		}
	}
	return x, faults, nil
}

// gone makes sure that files which are not listed any more are gone: what was stored of
// them is about to be dropped, and runs would learn from less without a word.
func (s *syncer[E]) gone(old map[string]E, files []archiveFile) error {
	listed := make(map[string]bool, len(files))
	for _, f := range files {
		listed[f.name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(old)) {
		if listed[name] {
			continue
		}
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(s.archive.options.Root, path)
		}
		_, err := os.Stat(path)
		if err == nil {
			err = errors.New("it is there, but its folder cannot be listed")
		}
		if unlessGone(err) != nil {
			return unreachable(name, err)
		}
	}
	return nil
}

// update reads a file that is new or has another size or time than before.
func (s *syncer[E]) update(ctx context.Context, file archiveFile, old E) (E, error) {
	if _, err := stateOf(file.path); err != nil {
		return nil, unusable(file.name, "", err, "check its permissions, replace it by a good file, or narrow the path template")
	}
	sum, err := s.archive.sum(file)
	if err != nil {
		return nil, unusable(file.name, "", err, "check the permissions of the file")
	}
	if old != nil && old.file().SHA256 == sum {
		old.file().State = file.state // touched, or copied back
		return old, nil
	}
	e, err := s.read(ctx, file, sum, old)
	if err == nil {
		err = file.unchanged()
	}
	if err != nil {
		if storage := (*storeError)(nil); errors.As(err, &storage) {
			return nil, err
		}
		return nil, unusable(file.name, s.variable, err, "run again when the file is complete")
	}
	return e, nil
}

// storeError is a failure of the store: no fault of a file, it ends the work.
type storeError struct{ err error }

func (e *storeError) Error() string { return e.err.Error() }
func (e *storeError) Unwrap() error { return e.err }

// put stores a value.
func (a *Archive) put(key string, v any) error {
	if err := a.store.Put(key, formatVersion, v); err != nil {
		return &storeError{err}
	}
	return nil
}

// lost says whether a stored value has to be made again.
func lost(err error) bool {
	var version *store.VersionError
	var corrupt *store.CorruptError
	return errors.Is(err, fs.ErrNotExist) || errors.As(err, &version) || errors.As(err, &corrupt)
}

// locate finds the file of an entry again and makes sure that it is still the same.
func (a *Archive) locate(t *template, e *fileEntry) (archiveFile, error) {
	files, err := scan(t, a.options.Root)
	if err != nil {
		return archiveFile{}, err
	}
	for _, f := range files {
		if f.name == e.Name {
			if f.state != e.State {
				return f, &UnusableError{Path: e.Name, Why: errChanged.Error(), Remedy: "run again", Err: errChanged}
			}
			return f, nil
		}
	}
	return archiveFile{}, fmt.Errorf("%s was removed while it was being used: %w", e.Name, fs.ErrNotExist)
}
