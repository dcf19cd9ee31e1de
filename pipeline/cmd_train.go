package pipeline

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TrainOptions are the flags of sipipe train.
type TrainOptions struct {
	Date, Cycle string
	From, To    string
}

// AddFlags adds the flags of the command.
func (o *TrainOptions) AddFlags(f *pflag.FlagSet) {
	addCycleFlags(f, &o.Date, &o.Cycle)
	addRangeFlags(f, &o.From, &o.To)
	addLockFlag(f)
}

func newTrainCommand(g *Global) *cobra.Command {
	var o TrainOptions
	c := &cobra.Command{
		Use:   "train --date DATE [--cycle HH] | --from DATE --to DATE",
		Short: "Train the models that cycles need",
		Long: `Train the model that a cycle needs, from the forecasts and observations that were
available at it, and keep it in the state folder. A valid model is left as it is.
sipipe run does this by itself; train is for doing it at another time or place.

With --from and --to it does so for a range of cycles, and makes the statistical
forecasts up to the last of them too: then sipipe sample may run for these cycles in any
order, and for many at once. Cycles whose forecasts cannot be used are passed over.`,
		Example: `  sipipe train --date 2024-07-08
  sipipe train --date latest --threads 8 -v
  sipipe train --from 2024-06-01 --to 2024-07-08`,
		GroupID: groupWork,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runTrain(c.Context(), o, g) },
	}
	o.AddFlags(c.Flags())
	completeDates(c, "date", "from", "to")
	return c
}

func runTrain(ctx context.Context, o TrainOptions, g *Global) (err error) {
	if o.From == "" && o.To == "" {
		return runOne(ctx, g, "train", oneCycle{Date: o.Date, Cycle: o.Cycle, job: jobOptions{Train: true}})
	}
	usage := func(text string) error { return &UsageError{Command: "sipipe train", Text: text} }
	if o.Date != "" || o.Cycle != "" {
		return usage("--date and --cycle stand instead of --from and --to")
	}
	first, last, err := parseRange(o.From, o.To, g.clock())
	if err != nil {
		return usage(err.Error())
	}
	s, err := g.begin("train")
	if err != nil {
		return err
	}
	s.ledger.training = true
	defer func() { s.writeMetrics(cause(ctx, err)) }()
	return s.with(ctx, writing, func(w *workspace) error {
		cycles, err := w.within(w.cycles(), first, last)
		if err != nil {
			return err
		}
		return w.trainRange(ctx, cycles)
	})
}
