package pipeline

import (
	"io"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"github.com/schollz/progressbar/v3"
)

// heartbeatEvery is the time between two signs of life where there is no terminal.
const heartbeatEvery = time.Minute

// Progress shows how far long work has come: a bar on a terminal, a line in the
// log each minute elsewhere.
type Progress struct {
	screen *screen
	log    zerolog.Logger
	every  time.Duration // between two lines of the log
	quiet  bool
}

// Start begins to show work called name. The returned functions may be called from
// any goroutine: report says how much of how much is done (total 0 is unknown), and
// stop must be called at the end.
func (p *Progress) Start(name string) (report func(done, total int), stop func()) {
	if p == nil || p.quiet {
		return func(int, int) {}, func() {}
	}
	if p.screen.terminal {
		return p.screen.start(name)
	}
	h := &heartbeat{ended: make(chan struct{})}
	h.running.Go(func() { h.run(name, p.log, p.every) })
	return h.report, h.stop
}

// heartbeat logs a line from time to time.
type heartbeat struct {
	mutex       sync.Mutex
	done, total int
	running     sync.WaitGroup
	ended       chan struct{}
}

func (h *heartbeat) report(done, total int) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.done, h.total = done, total
}

func (h *heartbeat) stop() {
	close(h.ended)
	h.running.Wait()
}

func (h *heartbeat) run(name string, log zerolog.Logger, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	var beats time.Duration
	for {
		select {
		case <-h.ended:
			return
		case <-tick.C:
			beats++
			h.mutex.Lock()
			done, total := h.done, h.total
			h.mutex.Unlock()
			e := log.Info().Str("task", name).Dur("running", beats*every)
			if total > 0 {
				e = e.Int("done", done).Int("total", total)
			}
			e.Msg("still working")
		}
	}
}

// screen is stderr shared by log and progress bar: the bar makes way for lines.
type screen struct {
	terminal bool
	mutex    sync.Mutex
	out      io.Writer
	bar      *progressbar.ProgressBar // nil when none is shown
}

func newScreen(out io.Writer) *screen { return &screen{terminal: isTerminal(out), out: out} }

// Write writes lines above the bar.
func (s *screen) Write(p []byte) (int, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.bar != nil {
		// Where the bar cannot be moved the line is still written.
		_ = s.bar.Clear()
		defer func() { _ = s.bar.RenderBlank() }()
	}
	return s.out.Write(p)
}

func (s *screen) start(name string) (report func(done, total int), stop func()) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.bar != nil { // work within work: the outer bar stays
		return func(int, int) {}, func() {}
	}
	bar := progressbar.NewOptions(-1,
		progressbar.OptionSetWriter(s.out),
		progressbar.OptionSetDescription(name),
		progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetWidth(30),
	)
	s.bar = bar
	known := 0
	report = func(done, total int) {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		if total > 0 && total != known {
			known = total
			bar.ChangeMax(total)
		}
		_ = bar.Set(done) // no reason to stop the work
	}
	stop = func() {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		_ = bar.Finish()
		if s.bar == bar {
			s.bar = nil
		}
	}
	return report, stop
}
