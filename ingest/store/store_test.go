package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type sample struct {
	Name   string
	Values []float32
}

func newStore(t *testing.T) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t *testing.T, s *Store, key string, v any) string {
	t.Helper()
	if err := s.Put(key, 1, v); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(s.Dir(), filepath.FromSlash(key)+extension)
}

func TestRoundTrip(t *testing.T) {
	s := newStore(t)
	want := sample{"a", []float32{1, 2, 3}}
	put(t, s, "pairs/t2m/2004/02/2004020100", sample{"old", nil})
	put(t, s, "pairs/t2m/2004/02/2004020100", want)
	var got sample
	if err := s.Get("pairs/t2m/2004/02/2004020100", 1, &got); err != nil || !cmp.Equal(got, want) {
		t.Errorf("Get = %+v, %v, want %+v", got, err, want)
	}
	if err := s.Get("pairs/t2m", 1, &got); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing key: %v", err)
	}
	if err := s.Delete("pairs/t2m/2004/02/2004020100"); err != nil {
		t.Fatal(err)
	}
	if err := s.Get("pairs/t2m/2004/02/2004020100", 1, &got); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("deleted key: %v", err)
	}
	if err := s.Delete("pairs/t2m/2004/02/2004020100"); err != nil {
		t.Errorf("deleted twice: %v", err)
	}
}

func TestVersion(t *testing.T) {
	s := newStore(t)
	put(t, s, "k", sample{Name: "a"})
	var got sample
	err := s.Get("k", 2, &got)
	var version *VersionError
	if !errors.As(err, &version) || *version != (VersionError{Key: "k", Got: 1, Want: 2}) {
		t.Fatalf("error %v, want a VersionError of 1 and 2", err)
	}
	// The value of another version is still there for the program that wrote it.
	if err := s.Get("k", 1, &got); err != nil {
		t.Error(err)
	}
}

// TestDamage flips each byte and cuts at each length: no damaged value may be returned.
func TestDamage(t *testing.T) {
	s := newStore(t)
	path := put(t, s, "k", sample{"a", []float32{1, 2}})
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, at int, b []byte) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		var got sample
		err := s.Get("k", 1, &got)
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) {
			t.Fatalf("%s at %d: error %v, want a CorruptError", what, at, err)
		}
		if moved, err := os.ReadFile(corrupt.MovedTo); err != nil || !slices.Equal(moved, b) {
			t.Fatalf("%s at %d: set aside as %q: %v", what, at, corrupt.MovedTo, err)
		}
		if err := s.Get("k", 1, &got); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("%s at %d: second read: %v, want none", what, at, err)
		}
	}
	for i := range whole {
		flipped := slices.Clone(whole)
		flipped[i] ^= 0x40
		check("flip", i, flipped)
		check("cut", i, whole[:i])
	}
	if keys, err := s.List(""); err != nil || len(keys) != 0 {
		t.Errorf("List shows what was set aside: %v, %v", keys, err)
	}
	put(t, s, "k", sample{Name: "again"})
	var got sample
	if err := s.Get("k", 1, &got); err != nil || got.Name != "again" {
		t.Errorf("made anew: %+v, %v", got, err)
	}
}

func TestMisplaced(t *testing.T) {
	s := newStore(t)
	path := put(t, s, "a", sample{Name: "a"})
	if err := os.Rename(path, filepath.Join(s.Dir(), "b"+extension)); err != nil {
		t.Fatal(err)
	}
	var got sample
	if err := s.Get("b", 1, &got); err == nil || !strings.Contains(err.Error(), `belongs to key "a"`) {
		t.Errorf("renamed file: %v", err)
	}
	// A value whose type has changed although its version has not.
	put(t, s, "c", []string{"x"})
	var corrupt *CorruptError
	if err := s.Get("c", 1, &got); !errors.As(err, &corrupt) {
		t.Errorf("other type: %v", err)
	}
}

func TestList(t *testing.T) {
	s := newStore(t)
	for _, key := range []string{"p/b/2", "p/b/10", "p/b", "p/a.x", "q", "p/bc/1"} {
		put(t, s, key, 1)
	}
	for _, junk := range []string{"p/b/.2.gob123", "p/readme.txt"} {
		if err := os.WriteFile(filepath.Join(s.Dir(), junk), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		prefix string
		want   []string
	}{
		{"", []string{"p/a.x", "p/b", "p/b/10", "p/b/2", "p/bc/1", "q"}},
		{"p/b", []string{"p/b", "p/b/10", "p/b/2", "p/bc/1"}},
		{"p/b/", []string{"p/b/10", "p/b/2"}},
		{"p/b/1", []string{"p/b/10"}},
		{"none/", nil},
	}
	for _, tt := range tests {
		if got, err := s.List(tt.prefix); err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("List(%q) = %q, %v, want %q", tt.prefix, got, err, tt.want)
		}
	}
	if err := s.Sweep(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(s.Dir(), "p/b/.2.gob123")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Sweep left a temporary file: %v", err)
	}
	if got, _ := s.List(""); len(got) != 6 {
		t.Errorf("Sweep removed values: %q", got)
	}
}

func TestKeys(t *testing.T) {
	s := newStore(t)
	for _, key := range []string{"", ".", "/a", "a/", "a//b", "../a", "a/../b", "a/..", ".a", "a/.b", "a\x00", `a\b`} {
		if err := s.Put(key, 1, 1); err == nil {
			t.Errorf("key %q was accepted", key)
		}
	}
	if _, err := s.List("../x/"); err == nil {
		t.Error("a prefix left the store")
	}
}

func TestPutFails(t *testing.T) {
	s := newStore(t)
	put(t, s, "a/b", 1)
	if err := s.Put("a/c", 1, func() {}); err == nil {
		t.Error("a function was stored")
	}
	// A file where a folder is needed, as a full or broken disk would do.
	if err := os.WriteFile(filepath.Join(s.Dir(), "d"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Put("d/e", 1, 1); err == nil {
		t.Error("stored below a file")
	}
	var entries []string
	if err := s.walk(s.Dir(), func(_, name string) error { entries = append(entries, name); return nil }); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a/b.gob", "d"}; !slices.Equal(entries, want) {
		t.Errorf("left behind: %q, want %q", entries, want)
	}
}

// What is in the place of a file is set aside like a damaged file, and again the next
// time; a pipe is not waited for.
func TestNoFile(t *testing.T) {
	s := newStore(t)
	var told []string
	s.OnDamage(func(e *CorruptError) { told = append(told, e.Key) })
	path := put(t, s, "k", 1)
	for name, put := range map[string]func() error{
		"folder": func() error { return os.MkdirAll(filepath.Join(path, "x"), 0o755) },
		"again":  func() error { return os.MkdirAll(filepath.Join(path, "y"), 0o755) },
		"pipe":   func() error { return syscall.Mkfifo(path, 0o644) },
		"loop":   func() error { return os.Symlink(path, path) },
	} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if err := put(); err != nil {
			t.Fatal(err)
		}
		var got int
		var corrupt *CorruptError
		if err := s.Get("k", 1, &got); !errors.As(err, &corrupt) || corrupt.MovedTo == "" {
			t.Errorf("%s: error %v, want a CorruptError of what was moved", name, err)
		}
	}
	if len(told) != 4 {
		t.Errorf("told of %v", told)
	}
	// Who does not look first finds its place free too.
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, s, "k", 2)
	var got int
	if err := s.Get("k", 1, &got); err != nil || got != 2 {
		t.Errorf("got %d, %v", got, err)
	}
}

func TestWriteError(t *testing.T) {
	s := newStore(t)
	if err := os.WriteFile(filepath.Join(s.Dir(), "a"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	var failed *WriteError
	if err := s.Put("a/k", 1, 1); !errors.As(err, &failed) || !strings.HasSuffix(failed.Path, "a/k.gob") {
		t.Errorf("error %v, want a WriteError with the path", err)
	}
}

// A store that looks at another finds what is there and what it was given, and leaves
// the other as it is, also where a value is damaged.
func TestLook(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a/1", "a/2"} {
		if err := s.Put(key, 1, key); err != nil {
			t.Fatal(err)
		}
	}
	damaged, _ := s.Path("a/2")
	if err := os.WriteFile(damaged, []byte("no value"), 0o644); err != nil {
		t.Fatal(err)
	}
	look := Look(dir, t.TempDir())
	var got string
	if err := look.Get("a/1", 1, &got); err != nil || got != "a/1" {
		t.Errorf("%q, %v", got, err)
	}
	var corrupt *CorruptError
	if err := look.Get("a/2", 1, &got); !errors.As(err, &corrupt) || corrupt.MovedTo != "" {
		t.Errorf("a damaged value: %v", err)
	}
	for _, key := range []string{"a/2", "a/3"} {
		if err := look.Put(key, 1, "new"); err != nil {
			t.Fatal(err)
		}
		if err := look.Get(key, 1, &got); err != nil || got != "new" {
			t.Errorf("%s: %q, %v", key, got, err)
		}
	}
	if keys, err := look.List("a/"); err != nil || !slices.Equal(keys, []string{"a/1", "a/2", "a/3"}) {
		t.Errorf("keys %v, %v", keys, err)
	}
	if b, err := os.ReadFile(damaged); err != nil || string(b) != "no value" {
		t.Errorf("the damaged value became %q, %v", b, err)
	}
	if keys, err := s.List("a/"); err != nil || !slices.Equal(keys, []string{"a/1", "a/2"}) {
		t.Errorf("keys below %v, %v", keys, err)
	}
	if err := Look(dir+"/none", t.TempDir()).Get("a", 1, &got); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

// What cannot be deleted is a fault of the folder, not of the program.
func TestDeleteFails(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "a"+extension, "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	var failed *WriteError
	if err := s.Delete("a"); !errors.As(err, &failed) {
		t.Errorf("got %v, want a WriteError", err)
	}
}
