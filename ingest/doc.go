// Package ingest turns files into pairs: it reads raw ensemble forecasts and
// observations from NetCDF, in whatever layout the archive has, converts them
// to SI units, and keeps them in a store that grows by the new cycles only.
//
// Words used throughout sipipe:
//
//	cycle       forecast reference time, UTC: when the raw ensemble was started
//	lead time   valid time minus cycle
//	valid time  the time a forecast or an observation speaks about
//	member      one forecast of the ensemble; exchangeable or not
//	place       a station, or a cell of a grid, in the order of the file
//	raw         before calibration;  observed: measured
package ingest
