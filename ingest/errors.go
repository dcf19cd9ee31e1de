package ingest

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/agext/levenshtein"

	"sipipe/ingest/ncio"
)

// MissingVarError says that a file does not have a variable.
type MissingVarError struct {
	Path string
	Var  string
	Have []string // variables that could be meant
}

func (e *MissingVarError) Error() string {
	s := fmt.Sprintf("%s has no variable %q; ", e.Path, e.Var)
	if len(e.Have) == 0 {
		return s + "it has no data at all"
	}
	s += "it has " + strings.Join(e.Have, ", ")
	best := slices.MinFunc(e.Have, func(a, b string) int {
		return levenshtein.Distance(a, e.Var, nil) - levenshtein.Distance(b, e.Var, nil)
	})
	if levenshtein.Distance(best, e.Var, nil) <= 2 {
		s += fmt.Sprintf(" (did you mean %q?)", best)
	}
	return s
}

// UnusableError says that data are there but cannot be used.
type UnusableError struct {
	Path   string
	Var    string // "" when it concerns the whole file
	Why    string
	Remedy string // what a person can do about it
	Err    error  // cause, nil when Why says all
}

func (e *UnusableError) Error() string {
	s := e.Path
	if e.Var != "" {
		s += fmt.Sprintf(": variable %q", e.Var)
	}
	s += ": " + e.Why
	if e.Remedy != "" {
		s += "; " + e.Remedy
	}
	return s
}

func (e *UnusableError) Unwrap() error { return e.Err }

// MissingCycleError says that the archive has no forecast of a cycle. It is a
// fs.ErrNotExist.
type MissingCycleError struct {
	Var    string
	Cycle  time.Time
	Place  string  // path where its file was expected, or the template
	Latest string  // latest cycle that is there, "" when there is none
	Faults []Fault // files that could not be read and may have held it
}

func (e *MissingCycleError) Error() string {
	s := fmt.Sprintf("no forecast of %q at cycle %s: nothing usable at %s", e.Var, e.Cycle.Format(cycleFormat), e.Place)
	if e.Latest != "" {
		s += "; the latest cycle is " + e.Latest
	}
	for i, f := range e.Faults {
		if i == 3 {
			s += fmt.Sprintf("; and %d more", len(e.Faults)-i)
			break
		}
		s += "; not usable: " + f.Err.Error()
	}
	return s
}

func (e *MissingCycleError) Unwrap() error { return fs.ErrNotExist }

// NoObservationsError says that no file is where observations are looked for. It is a
// fs.ErrNotExist.
type NoObservationsError struct {
	Place string // file or template
	Gone  int    // files that were there at an earlier run
}

func (e *NoObservationsError) Error() string {
	if e.Gone > 0 {
		return fmt.Sprintf("no file of observations at %s, where %d were before: is a disk not mounted? If they are gone for good, remove ingest.observations or use another state folder", e.Place, e.Gone)
	}
	return fmt.Sprintf("no file of observations at %s: check ingest.observations", e.Place)
}

func (e *NoObservationsError) Unwrap() error { return fs.ErrNotExist }

// cycleFormat is how cycles are written for people.
const cycleFormat = "2006-01-02 15:04 UTC"

// Fault is what is wrong with a part of the archive. It does not keep the rest from
// being used.
type Fault struct {
	Path     string
	Variable string
	Cycle    time.Time // zero when it is not known
	Err      error     // *MissingVarError, *UnusableError or an error of reading
}

// unusable makes an UnusableError of path and variable from its cause, keeping one
// that is there already. A file that is no NetCDF is so for all its variables.
func unusable(path, variable string, err error, remedy string) error {
	if e := (*UnusableError)(nil); errors.As(err, &e) {
		return e
	}
	if e := (*MissingVarError)(nil); errors.As(err, &e) {
		return e
	}
	if e := (*ncio.FormatError)(nil); errors.As(err, &e) {
		return &UnusableError{Path: path, Why: e.Why, Remedy: ncio.FormatRemedy, Err: err}
	}
	return &UnusableError{Path: path, Var: variable, Why: err.Error(), Remedy: remedy, Err: err}
}
