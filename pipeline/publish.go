package pipeline

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

// publish makes text the content of the file at path at one stroke. The temporary
// file lies beside it, not in TMPDIR, where nobody would look for one that a killed
// run has left.
func publish(path string, text []byte) error {
	if err := renameio.WriteFile(path, text, 0o644, renameio.WithTempDir(filepath.Dir(path))); err != nil {
		return &OutputError{Path: path, Err: err}
	}
	return nil
}

// sweepUnfinished removes the temporary files that killed runs have left of a file:
// its name between a dot and digits. The caller holds the lock that keeps other
// writers of it out.
func sweepUnfinished(path string) error {
	dir, base := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Clean(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return &OutputError{Path: path, Err: err}
	}
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), "."+base)
		if !ok || number == "" || strings.Trim(number, "0123456789") != "" {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return &OutputError{Path: path, Err: err}
		}
	}
	return nil
}
