package pipeline

import (
	"context"
	"errors"
	"time"

	"sipipe/ingest"
)

// lostArchive stands for an archive that cannot be opened, so that what is known without it
// can be told.
type lostArchive struct{}

var errLost = errors.New("the archive cannot be read")

func (lostArchive) Cycles(string) []time.Time                   { return nil }
func (lostArchive) ObservedTimes(string) []time.Time            { return nil }
func (lostArchive) EnsembleHash(string, time.Time) (h [32]byte) { return h }
func (lostArchive) ObservedHash(string, time.Time) (h [32]byte) { return h }
func (lostArchive) Faults() []ingest.Fault                      { return nil }
func (lostArchive) Warnings(string, time.Time) []string         { return nil }
func (lostArchive) Doubt(string, time.Time) string              { return "" }

func (lostArchive) Ensemble(context.Context, string, time.Time) (*ingest.Ensemble, error) {
	return nil, errLost
}

func (lostArchive) Observed(context.Context, string, time.Time) (*ingest.Observed, error) {
	return nil, errLost
}

func (lostArchive) Screened(context.Context, string, time.Time) (screening, error) {
	return screening{}, errLost
}
