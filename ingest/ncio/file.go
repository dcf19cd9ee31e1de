package ncio

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/fhs/go-netcdf/netcdf"
)

// File is an open NetCDF file. A file opened for reading may be used by several
// goroutines; one being written belongs to one.
type File struct {
	// ctx bounds the life of the file as that of exec.CommandContext does: when it
	// ends, every method but Close returns its error.
	ctx      context.Context
	path     string
	writable bool

	// Touched on the library's thread only.
	ds     netcdf.Dataset
	closed bool
	broken error // first failed definition: netcdf-c cannot write such a file any more

	vars  []Var
	slots map[string]slot
	attrs []Attr
	dims  map[string]netcdf.Dim // of a file being written
}

// slot is where a variable is found.
type slot struct {
	index int            // in vars
	ds    netcdf.Dataset // its group
	id    int            // in the group
}

// Open opens a file for reading and reads its description, but no data. Its errors
// keep fs.ErrNotExist in the chain, and are a *FormatError when the file is there but
// is no complete NetCDF.
func Open(ctx context.Context, path string) (*File, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("open NetCDF file: %w; check the path", err)
		}
		return nil, fmt.Errorf("open NetCDF file: %w", err)
	}
	if !info.Mode().IsRegular() {
		// netcdf-c would wait for a pipe and take a folder for Zarr.
		return nil, fmt.Errorf("open NetCDF file: %s is not a regular file", path)
	}
	if err := checkClassic(path, info.Size()); err != nil {
		return nil, err
	}
	f := &File{ctx: ctx, path: path, slots: map[string]slot{}}
	err = f.do(func() error {
		ds, err := netcdf.OpenFile(path, netcdf.NOWRITE)
		if err != nil {
			return openError(path, err)
		}
		f.ds = ds
		if err := f.describe(ds, "", 0); err != nil {
			return errors.Join(fmt.Errorf("read the description of %s: %w", path, err), ds.Close())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Create creates a NetCDF-4 file, replacing one of the same name. The file is visible
// while it is written: use WriteAtomic for anything that others read.
func Create(ctx context.Context, path string) (*File, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	// netcdf-c says "Permission denied" of a folder that is not there.
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("create %s: %w", path, err)
	}
	f := &File{ctx: ctx, path: path, writable: true, slots: map[string]slot{}, dims: map[string]netcdf.Dim{}}
	err := f.do(func() error {
		ds, err := netcdf.CreateFile(path, netcdf.NETCDF4|netcdf.CLOBBER)
		if err != nil {
			return fmt.Errorf("create %s: %w; check permissions and free space of its folder", path, err)
		}
		f.ds = ds
		return nil
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// checkPath refuses what netcdf-c would take for something else than a file.
func checkPath(path string) error {
	switch {
	case path == "":
		return errors.New("the path of a NetCDF file is empty")
	case strings.Contains(path, "://"):
		return fmt.Errorf("%q is a network address; sipipe reads files only", path)
	case strings.ContainsRune(path, 0):
		return fmt.Errorf("%q contains a NUL byte", path)
	}
	return nil
}

// Path is the path given to Open or Create.
func (f *File) Path() string { return f.path }

// Close closes the file. A second call does nothing.
func (f *File) Close() error {
	return call(func() error {
		if f.closed {
			return nil
		}
		// The id may be given to the next file that is opened: never use it again.
		f.closed = true
		if err := f.ds.Close(); err != nil {
			return fmt.Errorf("close %s: %w", f.path, err)
		}
		return nil
	})
}

// do runs work on the library's thread if the file is usable.
func (f *File) do(work func() error) error {
	if err := f.ctx.Err(); err != nil {
		return err
	}
	return call(func() error {
		if f.closed {
			return fmt.Errorf("use %s: %w", f.path, errClosed)
		}
		return work()
	})
}

// Vars lists the variables in the order of the file, those of groups last.
func (f *File) Vars() []Var { return f.vars }

// Var describes the named variable.
func (f *File) Var(name string) (v Var, ok bool) {
	s, ok := f.slots[name]
	if !ok {
		return Var{}, false
	}
	return f.vars[s.index], true
}

// Attrs lists the global attributes.
func (f *File) Attrs() []Attr { return f.attrs }

// Text returns the named global text attribute, "" when there is none.
func (f *File) Text(name string) string { return Var{Attrs: f.attrs}.Text(name) }

// maxDepth bounds the nesting of groups that is followed.
const maxDepth = 8

// describe reads dimensions, variables and attributes of a group and its subgroups.
func (f *File) describe(ds netcdf.Dataset, prefix string, depth int) error {
	n, err := ds.NVars()
	if err != nil {
		return err
	}
	for id := range n {
		v, err := describeVar(ds, id)
		if err != nil {
			return fmt.Errorf("variable %d: %w", id, err)
		}
		v.Name = prefix + v.Name
		f.slots[v.Name] = slot{index: len(f.vars), ds: ds, id: id}
		f.vars = append(f.vars, v)
	}
	if depth == 0 {
		n, err := ds.NAttrs()
		if err != nil {
			return err
		}
		f.attrs = readAttrs(ds, global, n, ds.AttrN)
	}
	ids, names, err := groups(ds)
	if err != nil || depth == maxDepth {
		return err
	}
	for i, id := range ids {
		if err := f.describe(id, prefix+names[i]+"/", depth+1); err != nil {
			return fmt.Errorf("group %s: %w", names[i], err)
		}
	}
	return nil
}

func describeVar(ds netcdf.Dataset, id int) (Var, error) {
	nv := ds.VarN(id)
	name, err := nv.Name()
	if err != nil {
		return Var{}, err
	}
	code, err := nv.Type()
	if err != nil {
		return Var{}, err
	}
	dims, err := nv.Dims()
	if err != nil {
		return Var{}, err
	}
	v := Var{Name: name, Type: typeOf(code), Dims: make([]Dim, len(dims)), Chunks: chunks(ds, id, len(dims))}
	for i, d := range dims {
		dimName, err := d.Name()
		if err != nil {
			return Var{}, err
		}
		length, err := d.Len()
		if err != nil {
			return Var{}, err
		}
		if length > math.MaxInt {
			return Var{}, fmt.Errorf("dimension %q has the impossible length %d", dimName, length)
		}
		v.Dims[i] = Dim{Name: dimName, Len: int(length)}
	}
	n, err := nv.NAttrs()
	if err != nil {
		return Var{}, err
	}
	v.Attrs = readAttrs(ds, id, n, nv.AttrN)
	return v, nil
}
