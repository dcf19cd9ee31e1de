package pipeline

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

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

// sweepUnfinished removes the temporary files that killed runs have left of a file.
// The caller holds the lock that keeps other writers of it out.
func sweepUnfinished(path string) error {
	return sweepFolder(filepath.Dir(path), func(p string) bool { return p == path })
}

// unfinished matches the names of temporary files: that of the file between a dot and
// digits.
var unfinished = regexp.MustCompile(`^\.(.+?)[0-9]+$`)

// sweepFolder removes the temporary files in a folder of those files that are own.
func sweepFolder(dir string, own func(path string) bool) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return &OutputError{Path: dir, Err: err}
	}
	for _, e := range entries {
		m := unfinished.FindStringSubmatch(e.Name())
		if m == nil || !own(filepath.Join(dir, m[1])) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return &OutputError{Path: path, Err: err}
		}
	}
	return nil
}

// clearUp removes the temporary files that a killed run has left of the product of any
// cycle, and of the metrics. Only names that this configuration gives are touched.
func (w *workspace) clearUp() error {
	h := w.abandoned
	w.log.Warn().Int("pid", h.PID).Str("host", h.Host).Time("start", h.Start).Str("holder", h.Command).Msg("the run before was killed; its unfinished files are removed")
	paths := map[string]bool{}
	if w.Operations.Metrics != "" {
		paths[w.Resolve(w.Operations.Metrics)] = true
	}
	for _, c := range w.cycles() {
		product, err := w.product(c)
		if err != nil {
			return err
		}
		paths[product], paths[manifestPath(product)] = true, true
	}
	folders := map[string]bool{}
	for path := range paths {
		folders[filepath.Dir(path)] = true
	}
	for folder := range folders {
		if err := sweepFolder(folder, func(path string) bool { return paths[path] }); err != nil {
			return err
		}
	}
	return nil
}
