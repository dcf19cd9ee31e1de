package pipeline

import (
	"strings"

	"sipipe/ingest/ncio"
)

// Build says which program this is; the linker fills it in.
type Build struct {
	Version string // "0.1.0"
	Commit  string // "" when not built from a repository
}

// netcdfVersion is the number alone; the library adds the date it was built on.
func netcdfVersion() string {
	number, _, _ := strings.Cut(ncio.Version(), " ")
	return number
}
