package ncio

import (
	"errors"
	"fmt"

	"github.com/fhs/go-netcdf/netcdf"
)

// FormatError says that a file is there but cannot be read as NetCDF.
type FormatError struct {
	Path string
	Why  string
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s is %s; %s", e.Path, e.Why, FormatRemedy)
}

// FormatRemedy is what a person can do about a FormatError.
const FormatRemedy = "copy it again, or wait if it is still being written"

// Codes of netcdf-c (netcdf.h) that say something about the file as a whole.
const (
	codeNotNetCDF netcdf.Error = -51
	codeHDF       netcdf.Error = -101
	codeTruncated netcdf.Error = -77
)

// openError explains why netcdf-c refused to open path.
func openError(path string, err error) error {
	var code netcdf.Error
	if errors.As(err, &code) {
		switch code {
		case codeNotNetCDF:
			return &FormatError{Path: path, Why: "not a NetCDF file"}
		case codeHDF, codeTruncated:
			return &FormatError{Path: path, Why: "not a complete NetCDF file (truncated, damaged, or locked by its writer)"}
		}
	}
	return fmt.Errorf("open %s as NetCDF: %w", path, err)
}

// dataError wraps an error of reading or writing a variable. A failure inside HDF5
// means that the file is damaged at this place.
func (f *File) dataError(act, name string, err error) error {
	var code netcdf.Error
	if errors.As(err, &code) && code == codeHDF && !f.writable {
		err = &FormatError{Path: f.path, Why: "damaged (HDF5 cannot decode it)"}
	}
	return fmt.Errorf("%s %q of %s: %w", act, name, f.path, err)
}

var errClosed = errors.New("the file is closed")
