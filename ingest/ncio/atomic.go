package ncio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/fhs/go-netcdf/netcdf"
	"github.com/google/renameio/v2"
)

// WriteAtomic lets fill write a NetCDF-4 file that appears at path complete or not at
// all. It is written under a hidden name in the same folder, ".<name><digits>", which
// does not end in ".nc", closed, synced and renamed; then the folder is synced, so
// that it survives a loss of power. On any error, also of ctx, the temporary file is
// removed and what was at path stays. Missing folders are made.
func WriteAtomic(ctx context.Context, path string, fill func(*File) error) (err error) {
	if err := checkPath(path); err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make folder for %s: %w", path, err)
	}
	pending, err := renameio.NewPendingFile(path, renameio.WithTempDir(dir), renameio.WithPermissions(0o644))
	if err != nil {
		return fmt.Errorf("create temporary file for %s: %w", path, err)
	}
	defer func() {
		if e := pending.Cleanup(); e != nil && !errors.Is(e, os.ErrClosed) {
			err = errors.Join(err, fmt.Errorf("remove temporary file: %w", e))
		}
	}()
	f, err := Create(ctx, pending.Name())
	if err != nil {
		return err
	}
	if err := errors.Join(fill(f), f.Close(), ctx.Err()); err != nil {
		return fmt.Errorf("write %s: %w", path, explain(err, pending.File))
	}
	if err := pending.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("publish %s: %w", path, err)
	}
	return syncDir(dir)
}

// probe [bytes] is written to find out why more cannot be.
const probe = 1 << 20

// explain adds to an error of netcdf-c, which says "HDF error" of a full disk, what the
// operating system says when something is written at the end of the file.
func explain(err error, f *os.File) error {
	if library := netcdf.Error(0); !errors.As(err, &library) {
		return err
	}
	_, e := f.Seek(0, io.SeekEnd)
	if e == nil {
		_, e = f.Write(make([]byte, probe))
	}
	if errno := syscall.Errno(0); errors.As(e, &errno) {
		return fmt.Errorf("%w: %w", err, errno)
	}
	return err
}

// syncDir makes the renaming inside a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}
