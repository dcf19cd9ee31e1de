package faults

import (
	"fmt"
	"maps"
	"math/rand"
	"os/exec"
	"slices"
	"testing"
)

// systemCalls that write, list or tidy, with the most of them that a thread makes, about,
// when the state folder is there.
var systemCalls = map[string]int{
	"fsync": 4, "renameat": 4, "pwrite64": 45, "ftruncate": 2, "fchmod": 3, "unlinkat": 4, "mkdirat": 5, "getdents64": 12,
}

// TestSystemCalls has system calls fail, and kills the program as it makes them, by
// strace. It may fail as it does for want of room, or say which part of the archive it
// cannot see, or do without; the next run makes the same product.
func TestSystemCalls(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("needs strace")
	}
	if text, err := exec.Command(strace, "-f", "true").CombinedOutput(); err != nil {
		t.Skipf("strace does not work here: %v: %s", err, text)
	}
	p, state, want := ready(t)
	random := rand.New(rand.NewSource(*seed))
	tries := 6
	if *long {
		tries = 100
	}
	codes := map[int]int{}
	for range tries {
		p.restore(t, state)
		call := slices.Sorted(maps.Keys(systemCalls))[random.Intn(len(systemCalls))]
		how := []string{"error=EIO", "error=ENOSPC", "error=EACCES", "signal=KILL"}[random.Intn(4)]
		inject := fmt.Sprintf("inject=%s:%s:when=%d", call, how, 1+random.Intn(systemCalls[call]))
		inner := p.command(run)
		c := exec.Command(strace, append([]string{"-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e", inject, inner.Path}, run...)...)
		c.Dir, c.Env = inner.Dir, inner.Env
		e := wait(t, c)
		codes[e.code]++
		if !slices.Contains([]int{0, 65, 73, 128 + 9}, e.code) {
			t.Errorf("exit code %d\n%s", e.code, e.log)
		}
		if e.code != 128+9 {
			p.sound(t)
		}
		got := p.files(t, "out")
		maps.DeleteFunc(got, func(path, _ string) bool { return unfinished(path) })
		compare(t, "after "+inject, got, want, true)
		p.recovers(t, want)
		if t.Failed() {
			t.Fatal(inject)
		}
	}
	say("%d system calls failed or were the last; exit codes (number of runs): %v", tries, codes)
}
