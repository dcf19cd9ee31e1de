package ncio

import (
	"runtime"
	"sync"
)

// library is the queue of the goroutine that makes all calls into netcdf-c. It is
// package-wide because what it guards is: netcdf-c and HDF5 keep their tables of
// open files, their error switch and their caches per process, so a second worker
// would not be independent of the first. It starts with the first file and ends with
// the process.
var library = sync.OnceValue(func() chan<- func() {
	jobs := make(chan func())
	go func() {
		runtime.LockOSThread()
		for job := range jobs {
			job()
		}
	}()
	return jobs
})

// call runs f on the library's thread and waits for it.
func call(f func() error) error {
	var err error
	done := make(chan struct{})
	library() <- func() {
		defer close(done)
		err = f()
	}
	<-done
	return err
}
