// Package export writes the calibrated ensemble of one cycle as a NetCDF-4 file that
// ncdump, CDO, NCO and xarray read without help, and reads it back for verification.
//
// The file follows CF-1.11 and ACDD-1.3 and uses the types of classic NetCDF only
// (char, int, float, double), for readers in C and Fortran:
//
//	dimensions   time, realization, station      or time, realization, y, x
//	member       realization(realization)        number of the member
//	cycle        forecast_reference_time         scalar, seconds since 1970
//	valid time   time(time), time_bnds           the end of the interval, if there is one
//	lead time    forecast_period(time)           seconds
//	place        station_id, latitude, longitude, altitude, ...(station)
//
// Time comes first because CDO reads no other order.
//
// A variable keeps the name it has in the input. Where variables of one cycle differ
// in members, lead times or stations, the axes are the union and what a variable
// lacks is missing.
//
// Where a product comes from stands in attributes that begin with "sipipe__".
// Nothing in a file depends on the clock unless Provenance.Created is set, so the
// same forecast gives the same bytes.
package export
