package pipeline

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// MergeOptions are the flags of sipipe merge.
type MergeOptions struct {
	Date, Cycle string
	Shards      int
	Force       bool
	JSON        bool
}

// AddFlags adds the flags of the command.
func (o *MergeOptions) AddFlags(f *pflag.FlagSet) {
	addCycleFlags(f, &o.Date, &o.Cycle)
	f.IntVar(&o.Shards, "shards", 0, "`number` of shards that the cycle was split into (default: that of the shards that are there)")
	f.BoolVar(&o.Force, "force", false, "make the product again although it is there and valid")
	f.BoolVar(&o.JSON, "json", false, "print JSON instead of the path")
	addLockFlag(f)
}

func newMergeCommand(g *Global) *cobra.Command {
	var o MergeOptions
	c := &cobra.Command{
		Use:   "merge --date DATE [--cycle HH] [--shards N]",
		Short: "Put the shards of one cycle together",
		Long: `Put the members that sipipe sample --shard has made for parts of the places together,
and write the product and its manifest. They are the same as those of one process, to
the bit. When shards are missing, or were made from other data or with another
configuration, they are named and nothing is written.`,
		Example: `  sipipe train --date 2024-07-08
  for i in 1 2 3 4; do sipipe sample --date 2024-07-08 --shard $i/4 & done; wait
  sipipe merge --date 2024-07-08 --shards 4`,
		GroupID: groupWork,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runMerge(c.Context(), o, g) },
	}
	o.AddFlags(c.Flags())
	completeDates(c, "date")
	return c
}

func runMerge(ctx context.Context, o MergeOptions, g *Global) error {
	request, err := parseCycle(o.Date, o.Cycle, g.clock())
	if err != nil {
		return &UsageError{Command: "sipipe merge", Text: err.Error()}
	}
	if o.Shards < 0 || o.Shards > maxShards {
		return &UsageError{Command: "sipipe merge", Text: "--shards is the number of parts that the cycle was split into"}
	}
	return g.share(ctx, "merge", request, claimCycle, func(w *workspace, cycle time.Time) error {
		out, err := w.merge(ctx, cycle, o.Shards, o.Force)
		if err != nil {
			return err
		}
		return printOutcome(g.Out, out, o.JSON, true)
	})
}
