package pipeline

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
)

func TestLimit(t *testing.T) {
	for _, c := range []struct {
		name               string
		node, cpu, cpus    string
		before, want       int64 // bytes
		wanted             int64
		threads, procsWant int
	}{
		{"node", "1000", "", "2", math.MaxInt64, 838860800, 0, 1, 1}, // 0.8 of 1000 MiB
		{"processors", "", "500", "2", math.MaxInt64, 838860800, 0, 1, 1},
		{"GOMEMLIMIT", "1000", "", "", 1 << 30, 1 << 30, 0, 1, 1},
		{"all of the node", "0", "", "", math.MaxInt64, math.MaxInt64, 0, 1000, runtime.GOMAXPROCS(0)},
		{"configuration", "", "", "", math.MaxInt64, 5e8, 5e8, 1, 1},
		{"configuration, tighter than the node", "1000", "", "", math.MaxInt64, 5e8, 5e8, 1, 1},
		{"configuration, wider than the node", "1000", "", "", math.MaxInt64, 838860800, 2e9, 1, 1},
		{"configuration, wider than GOMEMLIMIT", "", "", "", 1 << 30, 1 << 30, 2e9, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("SLURM_MEM_PER_NODE", c.node)
			t.Setenv("SLURM_MEM_PER_CPU", c.cpu)
			t.Setenv("SLURM_CPUS_PER_TASK", c.cpus)
			defer debug.SetMemoryLimit(debug.SetMemoryLimit(c.before))
			procs := runtime.GOMAXPROCS(0)
			restore := limit(c.threads, c.wanted)
			if got := debug.SetMemoryLimit(-1); got != c.want {
				t.Errorf("memory limit is %d, want %d", got, c.want)
			}
			if got := runtime.GOMAXPROCS(0); got != c.procsWant {
				t.Errorf("%d processors, want %d", got, c.procsWant)
			}
			restore()
			if debug.SetMemoryLimit(-1) != c.before || runtime.GOMAXPROCS(0) != procs {
				t.Error("the limits were not given back")
			}
		})
	}
}
