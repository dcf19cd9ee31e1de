package faults

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// killed are the ten cycles that are made while the program is killed.
var killed = []string{"backfill", "--from", "2020-01-30", "--to", "2020-02-08", "-v"}

// patience is how long the program may take to end after SIGTERM.
const patience = 10 * time.Second

// TestKills kills a backfill again and again, until it ends by itself, and compares what
// is there with an undisturbed one: under final names at each moment, and all of it at
// the end. Half of the kills come at random times, half after a random number of events
// in the file system, which finds the moments around a renaming. One in eight is a
// SIGTERM. A backfill that is done is begun again elsewhere, until there were enough.
func TestKills(t *testing.T) {
	random := rand.New(rand.NewSource(*seed))
	undisturbed := newPlace(t, settings)
	start := time.Now()
	undisturbed.must(t, killed...)
	whole := time.Since(start)
	want := undisturbed.files(t, ".")
	events := 8 * len(want)

	log := filepath.Join(t.TempDir(), "log")
	where := map[string]int{}
	done, terms, most, backfills := 0, 0, 0, 0
	var slowest time.Duration // end after SIGTERM
	for ; done < *kills; backfills++ {
		p := newPlace(t, settings)
		here, hurry := 0, 1+random.Intn(4)
		for ; ; here++ {
			v := victim{place: p, log: log, signal: syscall.SIGKILL}
			if random.Intn(8) == 0 {
				v.signal = syscall.SIGTERM
			}
			// Short lives are more likely: the first to reach its end ends the backfill.
			share := 1.0
			for range hurry {
				share *= random.Float64()
			}
			if random.Intn(2) == 0 {
				v.events = 1 + int(share*float64(events))
			} else {
				v.after = time.Duration(share * float64(whole))
			}
			if !v.run(t) {
				break
			}
			if v.signal == syscall.SIGTERM {
				terms, slowest = terms+1, max(slowest, v.took)
			}
			for _, w := range v.where(t) {
				where[w]++
			}
			compare(t, "after a kill", p.complete(t), want, true)
			if t.Failed() {
				t.Fatalf("after kill %d of backfill %d with %s", here+1, backfills+1, v.signal)
			}
		}
		done += here
		most = max(most, here)
		// The start that came to its end was the clean one.
		got := p.files(t, ".")
		trim(got)
		expect := maps.Clone(want)
		trim(expect)
		compare(t, "at the end", got, expect, false)
		again := p.must(t, killed...)
		if n := strings.Count(again.log, "nothing to do: product is there and valid"); n != 10 {
			t.Errorf("the next start finds %d valid products of 10\n%s", n, again.log)
		}
	}
	say("%d kills in %d backfills of 10 cycles, at most %d in one; undisturbed it takes %s (seed %d)", done, backfills, most, whole.Round(time.Millisecond), *seed)
	say("  %4d by SIGTERM: exit code 143 after at most %s", terms, slowest.Round(time.Millisecond))
	for _, w := range slices.Sorted(maps.Keys(where)) {
		say("  %4d %s", where[w], w)
	}
}

// TestKilledTasks makes cycles by commands that share the state folder, as tasks of a
// batch system do: one trains, two make a shard each at the same time, one merges. Of
// those at work one is killed at a random time, and started again.
func TestKilledTasks(t *testing.T) {
	random := rand.New(rand.NewSource(*seed))
	undisturbed := newPlace(t, fewSteps)
	start := time.Now()
	undisturbed.must(t, "backfill", "--from", "2020-02-05", "--to", "2020-02-06")
	whole := time.Since(start)
	want := undisturbed.files(t, "out")
	done, rounds := 0, 0
	for ; done < *kills/4; rounds++ {
		p := newPlace(t, fewSteps)
		insist := func(tasks ...string) {
			for len(tasks) > 0 && !t.Failed() {
				var at []*exec.Cmd
				for _, task := range tasks {
					c := p.command(append(strings.Fields(task), "--lock-wait", "5m"))
					c.Stderr = &bytes.Buffer{}
					check(t, c.Start())
					at = append(at, c)
				}
				time.Sleep(time.Duration(random.Float64() * random.Float64() * float64(whole)))
				_ = at[random.Intn(len(at))].Process.Kill() // it may have ended
				var again []string
				for i, c := range at {
					switch code := exitCode(t, c.Wait()); code {
					case 0:
					case 128 + int(syscall.SIGKILL):
						done++
						again = append(again, tasks[i])
					default:
						t.Errorf("sipipe %s: exit code %d\n%s", tasks[i], code, c.Stderr)
					}
				}
				tasks = again
				got := p.files(t, "out")
				maps.DeleteFunc(got, func(path, _ string) bool { return unfinished(path) })
				compare(t, "after a kill", got, want, true)
			}
		}
		insist("train --from 2020-02-05 --to 2020-02-06")
		for _, date := range []string{"2020-02-05", "2020-02-06"} {
			insist("sample --date "+date+" --shard 1/2", "sample --date "+date+" --shard 2/2")
			insist("merge --date " + date)
		}
		p.must(t, "backfill", "--from", "2020-02-05", "--to", "2020-02-06") // nothing to do, but to clear up
		compare(t, "at the end", p.files(t, "out"), want, false)
		p.tidy(t)
	}
	say("%d kills of tasks that share the state folder, in %d rounds", done, rounds)
}

// complete are the files of a place that are there under final names, but for those
// that change while a backfill goes on.
func (p *place) complete(t *testing.T) map[string]string {
	files := p.files(t, ".")
	changing := regexp.MustCompile(`^state/(lock$|training/|chain/)|^metrics/`)
	for path := range files {
		if changing.MatchString(path) || unfinished(path) {
			delete(files, path)
		}
	}
	return files
}

func unfinished(path string) bool { return strings.HasPrefix(filepath.Base(path), ".") }

// trim leaves out what depends on when runs were made: the latest snapshots of the chain
// of forecasts, but for those of the first of a month, and the metrics.
func trim(files map[string]string) {
	for path := range files {
		snapshot := strings.HasPrefix(path, "state/chain/") && !strings.HasSuffix(path, "0100.gob")
		if snapshot || path == "metrics/sipipe.prom" {
			delete(files, path)
		}
	}
}

// victim is a start of the program that is to be killed.
type victim struct {
	*place
	log    string
	signal syscall.Signal
	after  time.Duration // when, or
	events int           // after how many events in the folders of state and products
	took   time.Duration // to end
}

// run starts the program and kills it. It says false when the program had come to its
// end before.
func (v *victim) run(t *testing.T) bool {
	t.Helper()
	log, err := os.Create(v.log)
	check(t, err)
	defer log.Close()
	c := v.command(killed)
	c.Stderr = log
	var w *watch
	if v.events > 0 {
		w = newWatch(t, v.path("state"), v.path("out"))
		defer w.close()
	}
	check(t, c.Start())
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	if v.events > 0 {
		w.wait(t, v.events, ended)
	} else {
		select {
		case err := <-ended:
			ended <- err
		case <-time.After(v.after):
		}
	}
	start := time.Now()
	_ = c.Process.Signal(v.signal) // it may have ended
	select {
	case err = <-ended:
	case <-time.After(patience):
		_ = c.Process.Kill()
		t.Fatalf("not ended %s after %s", patience, v.signal)
	}
	v.took = time.Since(start)
	code := exitCode(t, err)
	if code != 0 && code != 128+int(v.signal) {
		text, _ := os.ReadFile(v.log)
		t.Fatalf("exit code %d after %s\n%s", code, v.signal, text)
	}
	return code != 0
}

// where tells in which stage the program was killed, and what it left unfinished.
func (v *victim) where(t *testing.T) []string {
	text, err := os.ReadFile(v.log)
	check(t, err)
	at := "starting"
	for line := range bytes.Lines(text) {
		var l struct{ Message, Stage, Cycle string }
		if json.Unmarshal(line, &l) != nil {
			continue // cut off
		}
		switch {
		case l.Message == "configuration loaded":
			at = "reading the archive"
		case l.Message == "stage begins" && l.Stage == "train":
			at = "train: statistical forecasts"
			cycle, err := time.Parse("2006-01-02T15Z", l.Cycle)
			check(t, err)
			if _, err := os.Stat(v.path("state/archived/t2m/" + cycle.Format("2006/01/2006010215") + ".gob")); err == nil {
				at = "train: networks"
			}
		case l.Message == "stage begins":
			at = l.Stage
		case l.Message == "stage done" && l.Stage == "export":
			at = "writing the manifest"
		case l.Message == "cycle done":
			at = "between cycles"
		}
	}
	at = "stage: " + at
	places := []string{at}
	for path := range v.files(t, ".") {
		if !unfinished(path) {
			continue
		}
		kind := "metrics"
		if parts := strings.Split(path, "/"); parts[0] == "state" {
			kind = "state/" + parts[1]
		} else if strings.Contains(path, ".manifest.json") {
			kind = "manifest"
		} else if parts[0] == "out" {
			kind = "product"
		}
		places = append(places, "left an unfinished file: "+kind)
	}
	return places
}

// watch counts events in folders and those that appear in them.
type watch struct {
	fd   int
	dirs map[int32]string
}

const watched = unix.IN_CREATE | unix.IN_MODIFY | unix.IN_CLOSE_WRITE | unix.IN_MOVED_TO | unix.IN_DELETE

func newWatch(t *testing.T, roots ...string) *watch {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	check(t, err)
	w := &watch{fd, map[int32]string{}}
	for _, root := range roots {
		check(t, os.MkdirAll(root, 0o755))
		w.add(root)
	}
	return w
}

func (w *watch) close() { _ = unix.Close(w.fd) }

// add watches a folder and what is below. What vanishes meanwhile is not missed.
func (w *watch) add(dir string) {
	id, err := unix.InotifyAddWatch(w.fd, dir, watched)
	if err != nil {
		return
	}
	w.dirs[int32(id)] = dir
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() {
			w.add(filepath.Join(dir, e.Name()))
		}
	}
}

// wait waits for n events, or until the process has ended.
func (w *watch) wait(t *testing.T, n int, ended chan error) {
	t.Helper()
	buffer := make([]byte, 1<<16)
	for {
		select {
		case err := <-ended:
			ended <- err
			return
		default:
		}
		if ready, err := unix.Poll([]unix.PollFd{{Fd: int32(w.fd), Events: unix.POLLIN}}, 20); ready == 0 || err != nil {
			continue
		}
		size, err := unix.Read(w.fd, buffer)
		if err != nil {
			continue
		}
		for at := 0; at < size; {
			e := (*unix.InotifyEvent)(unsafe.Pointer(&buffer[at]))
			name := string(bytes.TrimRight(buffer[at+unix.SizeofInotifyEvent:at+unix.SizeofInotifyEvent+int(e.Len)], "\x00"))
			at += unix.SizeofInotifyEvent + int(e.Len)
			if e.Mask&unix.IN_ISDIR != 0 && e.Mask&unix.IN_CREATE != 0 {
				w.add(filepath.Join(w.dirs[e.Wd], name))
			}
			if n--; n == 0 {
				return
			}
		}
	}
}
