package faults

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sipipe/calibrate/openblas"
	"sipipe/ingest/simulate"
	"sipipe/pipeline"
)

var (
	binary = flag.String("faults.binary", "", "`program` to test; without it, this test is the program too")
	long   = flag.Bool("faults.long", false, "run the long form of all tests")
	kills  = flag.Int("faults.kills", 12, "`number` of kills of TestKills")
	seed   = flag.Int64("faults.seed", 1, "`seed` of moments and places")
)

// asProgram, set in the environment, makes this test the program.
const asProgram = "FAULTS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" { // what main.go does
		ctx, stop := pipeline.SignalContext(context.Background())
		openblas.Use()
		code := pipeline.Execute(ctx, pipeline.Build{Version: "faults"}, os.Args[1:], pipeline.Streams{Out: os.Stdout, Err: os.Stderr})
		stop()
		os.Exit(code)
	}
	flag.Parse()
	code := m.Run()
	if dir, err := archive(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// The archive has 41 cycles, from the first of January on.
var (
	firstCycle = day(2020, 1, 1)
	lastCycle  = day(2020, 2, 10)
)

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

// written is the time of change of all files of the archive.
var written = day(2020, 3, 1)

// archive is a small simulated archive, made once.
var archive = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "sipipe-faults-")
	if err != nil {
		return "", err
	}
	if _, err := simulate.Write(context.Background(), small(dir), nil); err != nil {
		return dir, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // for other users
		return dir, err
	}
	return dir, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chtimes(path, written, written)
	})
})

// small are the options of a small archive.
func small(dir string) simulate.Options {
	o := simulate.Defaults()
	o.Dir, o.Places, o.Members, o.Steps, o.From, o.To = dir, 12, 6, 4, firstCycle, lastCycle
	return o
}

// settings are those of a program that trains small networks, in seconds.
const settings = `ingest:
  forecasts: archive/forecasts/{date:%Y/%m}/fc_{date:%Y%m%d%H}.nc
  observations: archive/observations/obs_*.nc
variables: [t2m]
calibrate:
  members: 5
  network: {min_days: 4, min_cases: 16, hidden: 8, max_steps: 120, batch: 128}
export:
  path: out/{date:%Y/%m/%d}/sipipe_{date:%Y%m%d%H}.nc
state: state
operations:
  metrics: metrics/sipipe.prom
`

// frameOnly are settings without networks, where they are not what is tested.
var frameOnly = strings.Replace(settings, "calibrate:\n", "calibrate:\n  method: frame\n", 1)

// place is a folder with a configuration and an archive.
type place struct{ dir string }

// newPlace makes a folder with the common archive, which must not be changed.
func newPlace(t *testing.T, settings string) *place {
	t.Helper()
	p := &place{t.TempDir()}
	from, err := archive()
	check(t, err)
	check(t, os.Symlink(filepath.Join(from, "archive"), p.path("archive")))
	check(t, os.WriteFile(p.path("sipipe.yaml"), []byte(settings), 0o644))
	return p
}

// newOwnPlace makes a folder with an archive of its own.
func newOwnPlace(t *testing.T, settings string) *place {
	t.Helper()
	p := newPlace(t, settings)
	check(t, os.Remove(p.path("archive")))
	from, err := archive()
	check(t, err)
	copyTree(t, filepath.Join(from, "archive"), p.path("archive"))
	return p
}

// copyTree copies files with their times of change.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	check(t, os.CopyFS(to, os.DirFS(from)))
	check(t, filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		return os.Chtimes(filepath.Join(to, rel), info.ModTime(), info.ModTime())
	}))
}

func (p *place) path(name string) string { return filepath.Join(p.dir, name) }

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// program is the path of the program.
func program() (string, error) {
	if *binary != "" {
		return *binary, nil
	}
	return os.Executable()
}

// command is a start of the program in a place; more is added to its environment.
func (p *place) command(args []string, more ...string) *exec.Cmd {
	name, err := program()
	if err != nil {
		panic(err)
	}
	c := exec.Command(name, args...)
	if name != *binary {
		more = append(more, asProgram+"=1")
	}
	c.Dir = p.dir
	// As from cron, but for the time of manifests.
	c.Env = append([]string{"PATH=" + os.Getenv("PATH"), "SOURCE_DATE_EPOCH=1600000000"}, more...)
	return c
}

// ended is what a start of the program left.
type ended struct {
	code     int // 128 + signal when it was killed
	out, log string
}

// run starts the program and waits for its end.
func (p *place) run(t *testing.T, args ...string) ended {
	t.Helper()
	return wait(t, p.command(args))
}

// must ends the test unless the program is done.
func (p *place) must(t *testing.T, args ...string) ended {
	t.Helper()
	e := p.run(t, args...)
	if e.code != 0 {
		t.Fatalf("sipipe %s: exit code %d\n%s", strings.Join(args, " "), e.code, e.log)
	}
	return e
}

// wait runs a command to its end.
func wait(t *testing.T, c *exec.Cmd) ended {
	t.Helper()
	var out, log bytes.Buffer
	c.Stdout, c.Stderr = &out, &log
	code := exitCode(t, c.Run())
	if strings.Contains(log.String(), "goroutine ") {
		t.Errorf("the program panicked:\n%s", log.String())
	}
	return ended{code, out.String(), log.String()}
}

// exitCode is that of a shell.
func exitCode(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &exit):
		t.Fatal(err)
	}
	if s := exit.Sys().(syscall.WaitStatus); s.Signaled() {
		return 128 + int(s.Signal())
	}
	return exit.ExitCode()
}

// files are the contents of the files below a folder of a place, by their paths in it.
func (p *place) files(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(p.path(folder), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		rel, _ := filepath.Rel(p.dir, path)
		files[rel] = string(text)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return files
}

// compare reports files that are not as they should be; some says that not all need be
// there. Stored values are compared by their checksums with themselves, not with each
// other: the numbers by which gob calls types depend on what the process did before.
func compare(t *testing.T, what string, got, want map[string]string, some bool) {
	t.Helper()
	for path, text := range got {
		w, ok := want[path]
		switch stored := strings.HasSuffix(path, ".gob"); {
		case !ok:
			t.Errorf("%s: %s is left", what, path)
		case stored && !sealed(text):
			t.Errorf("%s: %s is not complete", what, path)
		case !stored && w != text:
			t.Errorf("%s: %s has other bytes", what, path)
		}
	}
	for path := range want {
		if _, ok := got[path]; !ok && !some {
			t.Errorf("%s: %s is missing", what, path)
		}
	}
}

// sealed tells whether a stored value ends with the SHA-256 of all that precedes.
func sealed(text string) bool {
	end := len(text) - sha256.Size
	if end < 0 {
		return false
	}
	sum := sha256.Sum256([]byte(text[:end]))
	return string(sum[:]) == text[end:]
}

// say tells what was tested, also when the test passes and -v is not given.
func say(format string, args ...any) { fmt.Printf(format+"\n", args...) }
