package pipeline

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// SampleOptions are the flags of sipipe sample.
type SampleOptions struct {
	Date, Cycle string
	Force       bool
	JSON        bool
}

// AddFlags adds the flags of the command.
func (o *SampleOptions) AddFlags(f *pflag.FlagSet) {
	addCycleFlags(f, &o.Date, &o.Cycle)
	f.BoolVar(&o.Force, "force", false, "make the product again although it is there and valid")
	f.BoolVar(&o.JSON, "json", false, "print JSON instead of the path")
	addLockFlag(f)
}

func newSampleCommand(g *Global) *cobra.Command {
	var o SampleOptions
	c := &cobra.Command{
		Use:   "sample --date DATE [--cycle HH]",
		Short: "Sample members of one cycle with a model that is there",
		Long: `Sample members of one cycle with the model that sipipe train has made, and write
them. It is sipipe run without training.`,
		Example: `  sipipe train --date 2024-07-08 && sipipe sample --date 2024-07-08
  sipipe sample --date 2024-07-08 --set calibrate.members=1000 --force`,
		GroupID: groupWork,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runSample(c.Context(), o, g) },
	}
	o.AddFlags(c.Flags())
	completeDates(c, "date")
	return c
}

func runSample(ctx context.Context, o SampleOptions, g *Global) error {
	return runOne(ctx, g, "sample", oneCycle{Date: o.Date, Cycle: o.Cycle, JSON: o.JSON, job: jobOptions{Sample: true, Force: o.Force}})
}
