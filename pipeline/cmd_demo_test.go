package pipeline

import (
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The pictures of the theory are there, small enough to be kept in a repository.
func TestDemoTheory(t *testing.T) {
	clean(t)
	if code, _, text := on(t, "demo", "theory"); code != ExitUsage || !strings.Contains(text, "--out") {
		t.Errorf("without a folder: code %d, %q", code, text)
	}
	dir := filepath.Join(t.TempDir(), "made", "pictures")
	code, out, text := on(t, "demo", "theory", "--out", dir)
	if code != ExitDone {
		t.Fatalf("code %d: %s", code, text)
	}
	paths := strings.Fields(out)
	if len(paths) != 3 {
		t.Fatalf("printed %q, want three paths", out)
	}
	for _, p := range paths {
		f, err := os.Open(p)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := png.Decode(f); err != nil {
			t.Errorf("%s: %v", p, err)
		}
		if s, err := f.Stat(); err != nil || s.Size() > 150_000 {
			t.Errorf("%s has %d bytes: %v", p, s.Size(), err)
		}
	}
	file := file(t, "file", "")
	if code, _, text := on(t, "demo", "theory", "--out", file); code != ExitNoOutput {
		t.Errorf("a file for a folder: code %d, %q", code, text)
	}
}
