// Package pipeline is the edge of the program: commands, configuration, stages,
// locks, logs and exit codes. The numbers are made in ingest, calibrate and export;
// here it is only decided what is made when, and said how it went.
//
// Words used here, beside those of package ingest:
//
//	job       the work of one cycle: its stages, run in order
//	stage     one step of a job, skipped when its result is there and valid
//	product   the NetCDF file of one cycle
//	manifest  the JSON file beside a product, written last: the product is complete
//	          when it is there and agrees with it
//	degraded  delivered, but by a lesser method than asked for; the reasons are in
//	          log, manifest and product
//	state     the folder of everything that can be computed again: pairs, models,
//	          and the lock
//	origin    where the value of a configuration key comes from
package pipeline
