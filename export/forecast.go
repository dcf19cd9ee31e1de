package export

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"sipipe/ingest"
)

// Forecast is the product of one cycle.
type Forecast struct {
	Vars []*ingest.Ensemble // at least one; all of one cycle
	// Raw are the forecasts that Vars were made from, in the same order and on the
	// same lead times and places, or nil. What is missing in Vars must be missing
	// there: see NonFiniteError. Read leaves it nil.
	Raw        []*ingest.Ensemble
	Provenance Provenance
	// Metadata are global attributes, such as title or institution. They win over
	// what Write makes of the forecast.
	Metadata map[string]string
}

// Provenance says how a product was made.
type Provenance struct {
	Version      string // of the program
	Command      string // that makes this product again: "sipipe run --date 2024-07-08"
	ConfigSHA256 string // hex
	Seed         uint64
	Degraded     []string // why the product is less than was asked for; empty: it is not
	Inputs       []ingest.Source
	Variables    map[string]Method // by name of the variable
	Created      time.Time         // written into the file unless zero
	// IssuedFor is the cycle that the product stands for when its forecast is of an
	// earlier one; else zero.
	IssuedFor time.Time
}

// Method says how one variable was calibrated.
type Method struct {
	Name        string // "interpolant", "baseline" or "raw"
	ModelSHA256 string // hex, "" when there is no model
	Sampler     string // "heun", "" when nothing was sampled
	Steps       int    // of the sampler
}

// CreateError is a failure to write a product. Nothing is left at Path.
type CreateError struct {
	Path string
	Err  error
}

func (e *CreateError) Error() string {
	text := "write product: " + e.Err.Error()
	if errno := syscall.Errno(0); !errors.As(e.Err, &errno) { // else it says what is wrong
		text += "; check permissions and free space"
	}
	return text
}

func (e *CreateError) Unwrap() error { return e.Err }

// NonFiniteError says that a calibrated value is not a number although its raw
// forecast is: such a product is not published.
type NonFiniteError struct {
	Variable string
	Lead     time.Duration
	Place    string
	Member   int32
	Value    float32
}

func (e *NonFiniteError) Error() string {
	return fmt.Sprintf("%s: member %d at place %s, lead time +%g h, is %g although the raw forecast is there; nothing was written",
		e.Variable, e.Member, e.Place, e.Lead.Hours(), e.Value)
}

// EmptyError says that no variable has any value.
type EmptyError struct{ Cycle time.Time }

func (e *EmptyError) Error() string {
	return fmt.Sprintf("all values of cycle %s are missing; look at the raw forecast with sipipe inspect", e.Cycle.UTC().Format(time.RFC3339))
}
