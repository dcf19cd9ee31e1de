package faults

import (
	"fmt"
	"io/fs"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sipipe/ingest/simulate"
)

// The cycle that is run where something is wrong, and one before.
var (
	cycle  = day(2020, 2, 5)
	before = []string{"run", "--date", "2020-02-04"}
	run    = []string{"run", "--date", "2020-02-05"}
)

const (
	productPath  = "out/2020/02/05/sipipe_2020020500.nc"
	forecastPath = "archive/forecasts/2020/02/fc_2020020500.nc"
)

// ready is a place where the cycle before is done, and what a run of the cycle makes
// when nothing is wrong.
func ready(t *testing.T) (p *place, state string, want map[string]string) {
	t.Helper()
	p = newOwnPlace(t, frameOnly)
	check(t, os.Rename(p.path(forecastPath), p.path("aside")))
	p.must(t, before...)
	check(t, os.Rename(p.path("aside"), p.path(forecastPath)))
	check(t, os.RemoveAll(p.path("out")))
	state = p.save(t)
	p.must(t, run...)
	want = p.files(t, "out")
	p.restore(t, state)
	return p, state, want
}

// refuses runs the cycle and wants it to fail in a certain way: by its exit code, with
// words in its last line, and without a trace.
func (p *place) refuses(t *testing.T, c *exec.Cmd, code int, says ...string) {
	t.Helper()
	p.failed(t, wait(t, c), code, says)
}

// sound wants nothing half-written: no temporary file, and no stored value without its
// checksum.
func (p *place) sound(t *testing.T) {
	t.Helper()
	for path, text := range p.files(t, ".") {
		if unfinished(path) || strings.HasSuffix(path, ".gob") && !sealed(text) {
			t.Errorf("%s is not complete", path)
		}
	}
}

// recovers runs the cycle when all is well again.
func (p *place) recovers(t *testing.T, want map[string]string) {
	t.Helper()
	p.must(t, run...)
	compare(t, "when all is well again", p.files(t, "out"), want, false)
	p.sound(t)
}

// TestTruncatedForecast cuts the forecast at places all over the file.
func TestTruncatedForecast(t *testing.T) {
	p, state, want := ready(t)
	text, err := os.ReadFile(p.path(forecastPath))
	check(t, err)
	places := 5
	if *long {
		places = 50
	}
	for k := range places {
		p.restore(t, state)
		at := len(text) * k / places
		check(t, os.WriteFile(p.path(forecastPath), text[:at], 0o644))
		p.refuses(t, p.command(run), 65, forecastPath, "; ")
		if t.Failed() {
			t.Fatalf("cut at byte %d of %d", at, len(text))
		}
	}
	check(t, os.WriteFile(p.path(forecastPath), text, 0o644))
	p.recovers(t, want)
	say("the forecast was cut at %d places", places)
}

// TestReplacedForecast puts another forecast in the place of the one that is being read,
// by renaming or by writing into it. What is delivered is made of one of the two, or
// nothing is; and the next run delivers the new one.
func TestReplacedForecast(t *testing.T) {
	p, state, first := ready(t)
	old, err := os.ReadFile(p.path(forecastPath))
	check(t, err)
	other := otherForecast(t)
	replace := func(text []byte, rename bool) {
		path := p.path(forecastPath)
		if rename {
			check(t, os.WriteFile(path+".new", text, 0o644))
			check(t, os.Rename(path+".new", path))
			return
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
		check(t, err)
		for part := text; len(part) > 0; part = part[min(len(part), 4096):] {
			_, err = f.Write(part[:min(len(part), 4096)])
			check(t, err)
		}
		check(t, f.Close())
	}
	replace(other, true)
	p.must(t, run...)
	second := p.files(t, "out")
	if first[productPath] == second[productPath] {
		t.Fatal("both forecasts give the same product")
	}
	random := rand.New(rand.NewSource(*seed))
	tries, refused := 4, 0
	if *long {
		tries = 60
	}
	for k := range tries {
		p.restore(t, state)
		replace(old, true)
		fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
		check(t, err)
		_, err = unix.InotifyAddWatch(fd, p.path(forecastPath), unix.IN_OPEN|unix.IN_ACCESS|unix.IN_CLOSE_NOWRITE)
		check(t, err)
		w := watch{fd: fd, dirs: map[int32]string{}}
		c := p.command(run)
		var log strings.Builder
		c.Stderr = &log
		check(t, c.Start())
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		w.wait(t, 1+random.Intn(12), ended)
		replace(other, k%2 == 0)
		code := exitCode(t, <-ended)
		w.close()
		got := p.files(t, "out")[productPath]
		switch {
		case code == 0 && (got == first[productPath] || got == second[productPath]):
		case code == 65 && got == "" && strings.Contains(log.String(), forecastPath):
			refused++
		default:
			t.Fatalf("exit code %d, product of %d bytes\n%s", code, len(got), log.String())
		}
		p.sound(t)
		p.recovers(t, second)
	}
	say("the forecast was replaced %d times while it was read; %d times the run refused it", tries, refused)
}

// otherForecast is the forecast of the same cycle from another archive.
func otherForecast(t *testing.T) []byte {
	t.Helper()
	o := small(t.TempDir())
	o.From, o.To, o.Seed = cycle, cycle, 2
	_, err := simulate.Write(t.Context(), o, nil)
	check(t, err)
	text, err := os.ReadFile(filepath.Join(o.Dir, forecastPath))
	check(t, err)
	return text
}

// TestFullDisk gives the program a disk that is too small for the state folder, or for
// the product, by less and less.
func TestFullDisk(t *testing.T) {
	p, state, want := ready(t)
	steps := 3
	if *long {
		steps = 12
	}
	for _, folder := range []string{"state", "out"} {
		full := 0
		for k := range steps {
			p.restore(t, state)
			need := int64(64 << 10)
			if folder == "state" {
				check(t, os.RemoveAll(p.path("state"))) // made from nothing
				need = 1 << 20
			}
			check(t, os.MkdirAll(p.path(folder), 0o755))
			room := 4096 * (1 + need*int64(k)/int64(steps)/4096)
			disk := mount(t, p.path(folder), fmt.Sprintf("size=%d", room))
			c := p.command(append(run[:len(run):len(run)], "--set", "operations.min_free=0"))
			e := wait(t, c)
			switch e.code {
			case 73:
				full++
				if !strings.Contains(e.log, "no space left on device; make room and start again") || !strings.Contains(e.log, p.path(folder)) {
					t.Errorf("the log does not say where there is no room:\n%s", e.log)
				}
				// The product may be whole, and its manifest not: that is written last.
				got := p.files(t, "out")
				compare(t, "on a full disk", got, want, true)
				if _, ok := got[productPath+".manifest.json"]; ok {
					t.Error("the manifest says that the product is complete")
				}
			case 0:
			default:
				t.Errorf("exit code %d with %d bytes\n%s", e.code, room, e.log)
			}
			p.sound(t)
			check(t, syscall.Mount("", p.path(folder), "", syscall.MS_REMOUNT, "size=1g"))
			p.recovers(t, want)
			disk()
		}
		if full == 0 {
			t.Errorf("%s: no disk was too small", folder)
		}
		say("%s: %d of %d disks were too small", folder, full, steps)
	}
}

// mount puts a small disk in a place; the test ends here where that cannot be done.
func mount(t *testing.T, dir, options string) (unmount func()) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("a disk cannot be mounted here: %v", err)
	}
	mounted := true
	unmount = func() {
		if mounted {
			check(t, syscall.Unmount(dir, syscall.MNT_DETACH))
			mounted = false
		}
	}
	t.Cleanup(unmount)
	return unmount
}

// TestLimitedFileSize lets the program write files of so many KiB only.
func TestLimitedFileSize(t *testing.T) {
	p, state, want := ready(t)
	refused := 0
	limits := []int{1, 16}
	if *long {
		limits = []int{1, 4, 8, 16, 32, 64}
	}
	for _, limit := range limits {
		for _, anew := range []bool{false, true} {
			p.restore(t, state)
			if anew {
				check(t, os.RemoveAll(p.path("state")))
			}
			e := wait(t, p.shell("/bin/bash", fmt.Sprintf("ulimit -f %d; exec", limit), "")) // in KiB
			switch e.code {
			case 73:
				refused++
				if !strings.Contains(e.log, "file too large; raise the limit on the size of files (ulimit -f)") {
					t.Errorf("the log does not say what is wrong:\n%s", e.log)
				}
			case 0:
			default:
				t.Errorf("exit code %d with a limit of %d KiB\n%s", e.code, limit, e.log)
			}
			p.sound(t)
			p.recovers(t, want)
		}
	}
	if refused == 0 {
		t.Error("no limit was too low")
	}
}

// TestLimitedOpenFiles lets the program open so many files only: a limit that it can begin
// with is enough, or it says what to do.
func TestLimitedOpenFiles(t *testing.T) {
	p, state, want := ready(t)
	refused := 0
	for limit := 8; limit <= 11; limit++ { // with less Go does not begin
		for _, anew := range []bool{false, true} {
			p.restore(t, state)
			if anew {
				check(t, os.RemoveAll(p.path("state")))
			}
			e := wait(t, p.shell("/bin/bash", fmt.Sprintf("ulimit -n %d; exec", limit), ""))
			if e.code != 0 {
				refused++
				if e.code != 73 || !strings.Contains(e.log, "too many open files; raise the limit on open files (ulimit -n)") {
					t.Errorf("exit code %d with a limit of %d files\n%s", e.code, limit, e.log)
				}
			}
			p.sound(t)
			p.recovers(t, want)
		}
	}
	if refused == 0 {
		t.Error("no limit was too low")
	}
}

// shell has a shell run the cycle.
func (p *place) shell(name, prefix, suffix string) *exec.Cmd {
	inner := p.command(run)
	c := exec.Command(name, append([]string{"-c", prefix + ` "$0" "$@" ` + suffix, inner.Path}, run...)...)
	c.Dir, c.Env = inner.Dir, inner.Env
	return c
}

// nobody is another user than the super user, who may do everything.
const nobody = 65534

// asOther has a command run by a user who is not the super user.
func (p *place) asOther(t *testing.T, c *exec.Cmd) *exec.Cmd {
	t.Helper()
	if os.Getuid() != 0 {
		return c
	}
	program, err := publicProgram()
	check(t, err)
	c.Path = program
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return c
}

// publicProgram is a copy of the program that all may run.
func publicProgram() (string, error) {
	from, err := archive()
	if err != nil {
		return "", err
	}
	path := filepath.Join(from, "program")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	source, err := program()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(source)
	if err != nil {
		return "", err
	}
	return path, os.WriteFile(path, text, 0o755)
}

// giveAway makes a place that of the other user.
func (p *place) giveAway(t *testing.T) {
	t.Helper()
	check(t, os.Chmod(filepath.Dir(p.dir), 0o755))
	if os.Getuid() != 0 {
		return
	}
	check(t, filepath.WalkDir(p.dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, nobody, nobody)
	}))
}

// TestEnvironment is the table of what can be wrong around a run. Each is refused with
// the exit code of docs/how-to/operations.md and a message that names what is wrong and
// what to do, or does not matter; and when it is gone the product is the same.
func TestEnvironment(t *testing.T) {
	p, state, want := ready(t)
	p.giveAway(t)
	forbid := func(name string, mode os.FileMode) func(*testing.T) func() {
		return func(t *testing.T) func() {
			if _, err := os.Stat(p.path(name)); err != nil {
				check(t, os.Mkdir(p.path(name), 0o755))
			}
			info, err := os.Stat(p.path(name))
			check(t, err)
			check(t, os.Chmod(p.path(name), mode))
			return func() { check(t, os.Chmod(p.path(name), info.Mode())) }
		}
	}
	folder := func(name string) func(*testing.T) func() {
		return func(t *testing.T) func() {
			_ = os.Rename(p.path(name), p.path("aside"))
			check(t, os.MkdirAll(p.path(name+"/x"), 0o755))
			return func() {
				check(t, os.RemoveAll(p.path(name)))
				_ = os.Rename(p.path("aside"), p.path(name))
			}
		}
	}
	file := func(name string) func(*testing.T) func() {
		return func(t *testing.T) func() {
			check(t, os.RemoveAll(p.path(name)))
			check(t, os.WriteFile(p.path(name), nil, 0o644))
			return func() { check(t, os.Remove(p.path(name))) }
		}
	}
	readOnly := func(name string) func(*testing.T) func() {
		return func(t *testing.T) func() {
			check(t, os.MkdirAll(p.path(name), 0o755))
			unmount := mount(t, p.path(name), "size=1g")
			check(t, syscall.Mount("", p.path(name), "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
			return unmount
		}
	}
	for name, c := range map[string]struct {
		set  func(t *testing.T) (back func())
		args []string // instead of those of a plain run
		env  []string
		dir  string
		code int
		says []string
	}{
		"forecast may not be read":       {set: forbid(forecastPath, 0), code: 65, says: []string{forecastPath, "permission"}},
		"forecasts' folder locked":       {set: forbid("archive/forecasts/2020/02", 0), code: 65, says: []string{"archive/forecasts/2020/02", "check the permissions"}},
		"earlier forecasts locked":       {set: forbid("archive/forecasts/2020/01", 0), code: 65, says: []string{"archive/forecasts/2020/01", "check the permissions"}},
		"earlier forecasts not listed":   {set: forbid("archive/forecasts/2020/01", 0o311), code: 65, says: []string{"archive/forecasts/2020/01", "cannot be listed"}},
		"all forecasts locked":           {set: forbid("archive/forecasts", 0), code: 65, says: []string{"archive/forecasts", "check the permissions"}},
		"observations locked":            {set: forbid("archive/observations", 0), code: 65, says: []string{"archive/observations", "check the permissions"}},
		"a folder as forecast":           {set: folder(forecastPath), code: 65, says: []string{forecastPath, "not a regular file"}},
		"configuration may not be read":  {set: forbid("sipipe.yaml", 0), code: 78, says: []string{"sipipe.yaml", "permission"}},
		"products' folder not writable":  {set: forbid("out", 0o555), code: 73, says: []string{"out/2020/02/05", "right to write"}},
		"state not writable":             {set: forbid("state/archived/t2m/2020/02", 0o555), code: 73, says: []string{"state/archived", "right to write"}},
		"place not writable":             {set: forbid(".", 0o555), code: 73, says: []string{"/out", "right to write"}},
		"chain's folder not writable":    {set: forbid("state/chain/t2m", 0o555), code: 73, says: []string{"state/chain", "right to write"}},
		"state folder may not be opened": {set: forbid("state", 0), code: 73, says: []string{"state", "right to write"}},
		"products on a read-only disk":   {set: readOnly("out"), code: 73, says: []string{"out/2020", "read-only", "export.path"}},
		"state on a read-only disk":      {set: readOnly("state"), code: 73, says: []string{"state", "read-only", "choose another folder"}},
		"a folder as product":            {set: folder(productPath), code: 73, says: []string{productPath}},
		"a folder as manifest":           {set: folder(productPath + ".manifest.json"), code: 73, says: []string{productPath + ".manifest.json"}},
		"a file as folder of products":   {set: file("out"), code: 73, says: []string{"out/2020"}},
		"a file as state folder":         {set: file("state"), code: 73, says: []string{"state"}},
		"a file as part of the state":    {set: file("state/archived"), code: 73, says: []string{"state/archived"}},
		"a folder as lock":               {set: folder("state/lock"), code: 73, says: []string{"state/lock"}},
		"metrics cannot be written":      {set: folder("metrics/sipipe.prom"), code: 0},
		"no room by the limit":           {args: []string{"--set", "operations.min_free=1000000000"}, code: 73, says: []string{"MB free", "sipipe prune"}},
		"a home that is not there":       {env: []string{"HOME=/nowhere"}, code: 0},
		"no TMPDIR":                      {env: []string{"TMPDIR=/nowhere"}, code: 0},
		"a zone far east":                {env: []string{"TZ=Pacific/Kiritimati"}, code: 0},
		"a zone that is none":            {env: []string{"TZ=Nowhere/Land"}, code: 0},
		"a C locale":                     {env: []string{"LC_ALL=C"}, code: 0},
		"another working directory":      {args: []string{"--config", p.path("sipipe.yaml")}, dir: "/", code: 0},
		"a path relative to another":     {args: []string{"--config", "../" + filepath.Base(p.dir) + "/sipipe.yaml"}, dir: p.path("archive") + "/../../" + filepath.Base(p.dir), code: 0},
	} {
		t.Run(name, func(t *testing.T) {
			p.restore(t, state)
			p.giveAway(t)
			back := func() {}
			if c.set != nil {
				back = c.set(t)
			}
			cmd := p.asOther(t, p.command(append(run[:len(run):len(run)], c.args...), c.env...))
			if c.dir != "" {
				cmd.Dir = c.dir
			}
			e := wait(t, cmd)
			back()
			if c.code != 0 {
				p.failed(t, e, c.code, c.says)
				p.recovers(t, want)
				return
			}
			if e.code != 0 {
				t.Errorf("exit code %d\n%s", e.code, e.log)
			}
			compare(t, name, p.files(t, "out"), want, false)
		})
	}
}

// failed wants a run to have failed in a certain way, without a trace.
func (p *place) failed(t *testing.T, e ended, code int, says []string) {
	t.Helper()
	if e.code != code {
		t.Errorf("exit code %d, want %d\n%s", e.code, code, e.log)
	}
	lines := strings.Split(strings.TrimSpace(e.log), "\n")
	for _, s := range says {
		if last := lines[len(lines)-1]; !strings.Contains(last, s) {
			t.Errorf("%q is not in the last line:\n%s", s, last)
		}
	}
	if e.out != "" {
		t.Errorf("stdout is %q", e.out)
	}
	if info, err := os.Lstat(p.path(productPath)); err == nil && !info.IsDir() {
		t.Errorf("%s is there", productPath)
	}
	p.sound(t)
}

// TestClockSetBack finds files from the future: archive, state, products and what they
// say of themselves.
func TestClockSetBack(t *testing.T) {
	p := newOwnPlace(t, frameOnly)
	future := time.Now().AddDate(10, 0, 0)
	all := func(folders ...string) {
		for _, f := range folders {
			check(t, filepath.WalkDir(p.path(f), func(path string, _ fs.DirEntry, err error) error {
				if err != nil {
					return err
				}
				return os.Chtimes(path, future, future)
			}))
		}
	}
	all("archive")
	env := fmt.Sprintf("SOURCE_DATE_EPOCH=%d", future.Unix())
	for _, args := range [][]string{before, run} {
		if e := wait(t, p.command(args, env)); e.code != 0 {
			t.Fatalf("exit code %d\n%s", e.code, e.log)
		}
	}
	want := p.files(t, "out")
	all("state", "out", "metrics")
	if e := p.must(t, run...); !strings.Contains(e.log, "nothing to do") {
		t.Errorf("a product from the future is made again:\n%s", e.log)
	}
	check(t, os.RemoveAll(p.path("out")))
	for _, args := range [][]string{before, append(run[:len(run):len(run)], "--wait", "10s", "--poll", "100ms")} {
		if e := wait(t, p.command(args, env)); e.code != 0 {
			t.Fatalf("exit code %d\n%s", e.code, e.log)
		}
	}
	compare(t, "made again", p.files(t, "out"), want, false)
	p.must(t, "status")
}

// TestSummerTime makes days between which the clocks of the zone are changed.
func TestSummerTime(t *testing.T) {
	const zone = "Pacific/Fiji" // summer time ended on 12 January 2020
	if _, err := time.LoadLocation(zone); err != nil {
		t.Skip(err)
	}
	args := []string{"backfill", "--from", "2020-01-10", "--to", "2020-01-14"}
	utc, there := newPlace(t, frameOnly), newPlace(t, frameOnly)
	utc.must(t, args...)
	if e := wait(t, there.command(args, "TZ="+zone)); e.code != 0 || strings.Count(e.out, "\n") != 5 {
		t.Fatalf("exit code %d, products %s\n%s", e.code, e.out, e.log)
	}
	compare(t, zone, there.files(t, "out"), utc.files(t, "out"), false)
	today := time.Now().UTC().Format(time.DateOnly)
	if e := wait(t, there.command([]string{"run", "--date", "today"}, "TZ=Pacific/Kiritimati")); e.code != 66 || !strings.Contains(e.log, today) {
		t.Errorf("exit code %d, want 66; today is %s\n%s", e.code, today, e.log)
	}
}

// TestTwoStarts starts the program twice. The second hears who is at work, or waits and
// finds nothing to do.
func TestTwoStarts(t *testing.T) {
	p := newPlace(t, settings)
	args := []string{"backfill", "--from", "2020-02-05", "--to", "2020-02-06"}
	first := p.command(args)
	check(t, first.Start())
	for size := int64(0); size == 0; {
		if info, err := os.Stat(p.path("state/lock")); err == nil {
			size = info.Size()
		}
	}
	second := p.run(t, args...)
	if second.code != 75 || !strings.Contains(second.log, fmt.Sprintf("is locked by process %d on ", first.Process.Pid)) || !strings.Contains(second.log, "--lock-wait") {
		t.Errorf("second start: exit code %d\n%s", second.code, second.log)
	}
	patient := p.run(t, append(args, "--lock-wait", "5m")...)
	if code := exitCode(t, first.Wait()); code != 0 {
		t.Fatalf("first start: exit code %d", code)
	}
	if patient.code != 0 || strings.Count(patient.log, "nothing to do") != 2 {
		t.Errorf("third start: exit code %d\n%s", patient.code, patient.log)
	}
	p.sound(t)
}

// TestClosedStreams starts the program with standard streams that are closed or full.
func TestClosedStreams(t *testing.T) {
	p, state, want := ready(t)
	for redirect, code := range map[string]int{
		"<&- >&- 2>&-":          0,
		">/dev/full":            73, // the path of the product cannot be told, but it is there
		"2>/dev/full":           0,
		"</dev/null >/dev/null": 0,
		">&- 2>&-":              0,
	} {
		t.Run(redirect, func(t *testing.T) {
			p.restore(t, state)
			if e := wait(t, p.shell("/bin/sh", "exec", redirect)); e.code != code {
				t.Errorf("exit code %d, want %d\n%s", e.code, code, e.log)
			}
			compare(t, redirect, p.files(t, "out"), want, false)
			p.sound(t)
		})
	}
	for _, stream := range []string{"stdout", "stderr"} {
		t.Run(stream+" to a pipe that nobody reads", func(t *testing.T) {
			p.restore(t, state)
			c := p.command(run)
			out, in, err := os.Pipe()
			check(t, err)
			check(t, out.Close())
			defer in.Close()
			if c.Stdout, c.Stderr = nil, in; stream == "stdout" {
				c.Stdout, c.Stderr = in, nil
			}
			check(t, c.Start())
			if code := exitCode(t, c.Wait()); code != 0 {
				t.Errorf("exit code %d", code)
			}
			compare(t, stream, p.files(t, "out"), want, false)
			p.sound(t)
		})
	}
}
