package pipeline

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TrainOptions are the flags of sipipe train.
type TrainOptions struct {
	Date, Cycle string
}

// AddFlags adds the flags of the command.
func (o *TrainOptions) AddFlags(f *pflag.FlagSet) {
	addCycleFlags(f, &o.Date, &o.Cycle)
	addLockFlag(f)
}

func newTrainCommand(g *Global) *cobra.Command {
	var o TrainOptions
	c := &cobra.Command{
		Use:   "train --date DATE [--cycle HH]",
		Short: "Train the model that a cycle needs",
		Long: `Train the model that a cycle needs, from the forecasts and observations that were
available at it, and keep it in the state folder. A valid model is left as it is.
sipipe run does this by itself; train is for doing it at another time or place.`,
		Example: `  sipipe train --date 2024-07-08
  sipipe train --date latest --threads 8 -v`,
		GroupID: groupWork,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runTrain(c.Context(), o, g) },
	}
	o.AddFlags(c.Flags())
	completeDates(c, "date")
	return c
}

func runTrain(ctx context.Context, o TrainOptions, g *Global) error {
	return runOne(ctx, g, "train", oneCycle{Date: o.Date, Cycle: o.Cycle, job: jobOptions{Train: true}})
}
