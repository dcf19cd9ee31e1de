package pipeline

import (
	"time"

	"golang.org/x/sys/unix"
)

// processTime is the time that processors have worked for this process. Unlike that
// of a clock it does not count what other programs take.
func processTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic("pipeline: " + err.Error()) // the arguments are valid
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
