// Sipipe calibrates ensemble forecasts with stochastic interpolants.
package main

import (
	"context"
	"os"

	"sipipe/calibrate/openblas"
	"sipipe/pipeline"
)

// Set by the linker; see the Makefile.
var (
	version = "0.1.0-dev"
	commit  = ""
)

func main() {
	ctx, stop := pipeline.SignalContext(context.Background())
	openblas.Use()
	code := pipeline.Execute(ctx, pipeline.Build{Version: version, Commit: commit}, os.Args[1:], pipeline.Streams{Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(code)
}
