package pipeline

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// SampleOptions are the flags of sipipe sample.
type SampleOptions struct {
	Date, Cycle string
	Shard       string
	Force       bool
	JSON        bool
}

// AddFlags adds the flags of the command.
func (o *SampleOptions) AddFlags(f *pflag.FlagSet) {
	addCycleFlags(f, &o.Date, &o.Cycle)
	f.StringVar(&o.Shard, "shard", "", "`part` of the places, such as 3/8, to make members for; sipipe merge puts the parts together")
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
them. It is sipipe run without training.

Since it changes nothing that others need, it may run for several cycles at once with
the same state folder, and with --shard for several parts of one cycle: of the places,
in their order, N parts are made that differ by at most one place. Members do not
depend on how places are split.`,
		Example: `  sipipe train --date 2024-07-08 && sipipe sample --date 2024-07-08
  for i in 1 2 3 4; do sipipe sample --date 2024-07-08 --shard $i/4 & done; wait
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
	usage := func(err error) error { return &UsageError{Command: "sipipe sample", Text: err.Error()} }
	request, err := parseCycle(o.Date, o.Cycle, g.clock())
	if err != nil {
		return usage(err)
	}
	if o.Shard == "" {
		return g.share(ctx, "sample", request, claimCycle, func(w *workspace, cycle time.Time) error {
			out, err := w.run(ctx, cycle, jobOptions{Sample: true, Force: o.Force})
			if err != nil {
				return err
			}
			return printOutcome(g.Out, out, o.JSON, true)
		})
	}
	shard, err := parseShard(o.Shard)
	if err != nil {
		return usage(err)
	}
	return g.share(ctx, "sample", request, claimNothing, func(w *workspace, cycle time.Time) error {
		out, err := w.shard(ctx, cycle, shard, o.Force)
		if err != nil {
			return err
		}
		if o.JSON {
			return printJSON(g.Out, out)
		}
		return printLine(g.Out, strings.Join(out.Files, "\n"))
	})
}
