package pipeline

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/term"
)

// logOptions say how the log looks.
type logOptions struct {
	Format  string // auto, text or json
	Verbose bool
	Quiet   bool
}

// logFormats are the values of --log-format: auto is text on a terminal and JSON
// elsewhere.
func logFormats() []string { return []string{"auto", "text", "json"} }

// newLog returns a log that writes to w.
func newLog(w io.Writer, o logOptions, now func() time.Time) zerolog.Logger {
	level := zerolog.InfoLevel
	switch {
	case o.Quiet:
		level = zerolog.WarnLevel
	case o.Verbose:
		level = zerolog.DebugLevel
	}
	if o.text(w) {
		w = zerolog.ConsoleWriter{
			Out:           w,
			NoColor:       !colourful(w),
			TimeFormat:    "15:04:05",
			TimeLocation:  time.UTC,
			FieldsExclude: []string{"version"},
		}
	}
	return zerolog.New(w).Level(level).Hook(clockHook(now))
}

// clockHook stamps events with UTC, whatever the zone of the machine.
func clockHook(now func() time.Time) zerolog.HookFunc {
	return func(e *zerolog.Event, _ zerolog.Level, _ string) {
		e.Str(zerolog.TimestampFieldName, now().UTC().Format(time.RFC3339))
	}
}

func (o logOptions) text(w io.Writer) bool {
	return o.Format == "text" || o.Format != "json" && isTerminal(w)
}

// isTerminal says whether w ends at a person.
func isTerminal(w io.Writer) bool {
	if s, ok := w.(*screen); ok {
		return s.terminal
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// colourful follows the convention of no-color.org.
func colourful(w io.Writer) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// writeFailure writes the last line of a run that failed: in the form of the log.
func writeFailure(w io.Writer, o logOptions, err error, now func() time.Time) {
	if o.Format == "json" || o.Format != "text" && !isTerminal(w) {
		log := zerolog.New(w).Hook(clockHook(now))
		log.Error().Int("exit_code", ExitCode(err)).Msg(exitMessage(err))
		return
	}
	// A broken pipe to the terminal leaves nobody to tell.
	_, _ = fmt.Fprintln(w, "sipipe: "+exitMessage(err))
}
