package pipeline

import (
	"time"

	"golang.org/x/sys/unix"
)

// processTime is the time that processors have worked for this process. Unlike that
// of a clock it does not count what other programs take.
func processTime() time.Duration {
	u := processUsage()
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakMemory [bytes] is the most physical memory that this process has had, libraries
// and their buffers included.
func peakMemory() int64 {
	u := processUsage()
	return u.Maxrss << 10 // Linux counts in KiB
}

func processUsage() unix.Rusage {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic("pipeline: " + err.Error()) // the arguments are valid
	}
	return u
}
