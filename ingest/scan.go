package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// fileState identifies the content of a file without reading it.
type fileState struct {
	Size    int64
	ModTime int64 // nanoseconds since 1970
}

func stateOf(path string) (fileState, error) {
	info, err := os.Stat(path)
	if err != nil {
		return fileState{}, err
	}
	if info.IsDir() {
		if _, err := os.ReadDir(path); err != nil {
			return fileState{}, err
		}
	}
	if !info.Mode().IsRegular() {
		return fileState{}, fmt.Errorf("%s is not a regular file", path)
	}
	return fileState{Size: info.Size(), ModTime: info.ModTime().UnixNano()}, nil
}

// archiveFile is a file of the archive as it is now.
type archiveFile struct {
	path  string // to open it
	name  string // path below the root, or else path: what is stored and shown
	state fileState
	in    *template
}

// stamp is the date in its path. dated says that it makes sense, or that none is asked
// for. It is looked for when it is needed: of most files it is not.
func (f archiveFile) stamp() (s stamp, dated bool) {
	s, dated = f.in.stampOf(f.path)
	return s, dated || len(f.in.fields) == 0
}

// scan lists the files of a template, by name. Files that vanish meanwhile are left out.
func scan(t *template, root string) ([]archiveFile, error) {
	paths, err := t.find()
	if err != nil {
		return nil, err
	}
	files := make([]archiveFile, 0, len(paths))
	for _, p := range paths {
		state, err := stateOf(p)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		// A file whose state cannot be told is listed: opening it says what is wrong.
		files = append(files, archiveFile{path: p, name: below(root, p), state: state, in: t})
	}
	return files, nil
}

// below is the path relative to root when it lies inside, and else the path.
func below(root, path string) string {
	if root == "" {
		return path
	}
	rel, err := filepath.Rel(root, path)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return path
	}
	return filepath.ToSlash(rel)
}

// fileSum is the SHA-256 of a file's bytes in hexadecimal.
func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// errChanged says that a file is not what it was when reading it began.
var errChanged = errors.New("it changed while it was being read")

// unchanged checks that a file still has the state it had.
func (f archiveFile) unchanged() error {
	now, err := stateOf(f.path)
	if err == nil && now != f.state {
		err = errChanged
	}
	return err
}

// contentKey is a short name for one content of one file: keys made of it are never
// written twice with different values.
func contentKey(name, sum string) string {
	h := sha256.Sum256([]byte(name + "\x00" + sum))
	return hex.EncodeToString(h[:6])
}
