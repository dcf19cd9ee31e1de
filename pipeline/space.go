package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// SpaceError says that there is too little room to begin.
type SpaceError struct {
	Path       string
	Free, Need int // MB
}

func (e *SpaceError) Error() string {
	return fmt.Sprintf("%s has %d MB free, %d are needed to begin; make room, for example with sipipe prune, or set operations.min_free", e.Path, e.Free, e.Need)
}

// megabyte is the unit of operations.min_free.
const megabyte = 1_000_000

// checkSpace makes sure that there is room where the run is going to write.
func (s *session) checkSpace() error {
	for _, path := range []string{s.Resolve(s.State), s.Resolve(fixedFolder(s.Export.Path))} {
		free, err := freeSpace(path)
		if err != nil {
			return &OutputError{Path: path, Err: err}
		}
		if need := int64(s.Operations.MinFree) * megabyte; free < need {
			return &SpaceError{Path: path, Free: int(free / megabyte), Need: s.Operations.MinFree}
		}
	}
	return nil
}

// freeSpace is the room, in bytes, that this user has in a folder, or in the one that
// it will be made in.
func freeSpace(path string) (int64, error) {
	for {
		_, err := os.Stat(path)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) || path == filepath.Dir(path) {
			return 0, err
		}
		path = filepath.Dir(path)
	}
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0, fmt.Errorf("ask for free space: %w", err)
	}
	if s.Blocks == 0 { // as /proc, /sys and the like
		return 0, fmt.Errorf("%s is no place for files: %w", path, unix.EROFS)
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}
