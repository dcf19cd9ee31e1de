package pipeline

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
)

// memoryShare of what the batch system grants is what Go may use before it collects
// garbage as often as it takes; the rest is for what is not on its heap: NetCDF, and
// the networks' memory.
const memoryShare = 0.8

// limit keeps the Go runtime to the threads and the memory of this process, until
// restore is called. wanted is the memory, in bytes, that the configuration asks to stay
// below, 0 for none; of several limits the tightest holds. It has no influence on
// results.
func limit(threads int, wanted int64) (restore func()) {
	before := runtime.GOMAXPROCS(0)
	// More threads than that would be collecting garbage on others' processors.
	runtime.GOMAXPROCS(min(before, threads))
	memory := debug.SetMemoryLimit(-1)
	tightest := memory
	if granted, ok := grantedMemory(); ok && memory == math.MaxInt64 { // GOMEMLIMIT is not set
		tightest = int64(memoryShare * float64(granted))
	}
	if wanted > 0 {
		tightest = min(tightest, wanted)
	}
	debug.SetMemoryLimit(tightest)
	return func() {
		runtime.GOMAXPROCS(before)
		debug.SetMemoryLimit(memory)
	}
}

// grantedMemory is what Slurm grants this process, in bytes. It gives megabytes, of the
// node or of each processor.
func grantedMemory() (bytes int64, ok bool) {
	number := func(variable string) int64 {
		n, err := strconv.ParseInt(os.Getenv(variable), 10, 64)
		if err != nil || n < 0 || n > math.MaxInt32 {
			return 0
		}
		return n
	}
	megabytes := number("SLURM_MEM_PER_NODE")
	if megabytes == 0 {
		megabytes = number("SLURM_MEM_PER_CPU") * max(1, number("SLURM_CPUS_PER_TASK"))
	}
	return megabytes << 20, megabytes > 0
}
