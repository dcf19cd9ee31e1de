package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// BackfillOptions are the flags of sipipe backfill.
type BackfillOptions struct {
	From, To string
	CatchUp  int // cycles; instead of From and To
	Force    bool
	JSON     bool
}

// AddFlags adds the flags of the command.
func (o *BackfillOptions) AddFlags(f *pflag.FlagSet) {
	addRangeFlags(f, &o.From, &o.To)
	f.IntVar(&o.CatchUp, "catchup", 0, "instead of a range: those of the last `N` cycles of the archive whose product is missing")
	f.BoolVar(&o.Force, "force", false, "make products again although they are there and valid")
	f.BoolVar(&o.JSON, "json", false, "print one JSON object a cycle instead of its path")
	addLockFlag(f)
}

func addRangeFlags(f *pflag.FlagSet, from, to *string) {
	f.StringVar(from, "from", "", "`date` of the first cycle: 2024-07-08, 20240708, 2024070800, 2024-07-08T00, today or yesterday; UTC")
	f.StringVar(to, "to", "", "`date` of the last cycle; without an hour, all of that day")
}

func newBackfillCommand(g *Global) *cobra.Command {
	var o BackfillOptions
	c := &cobra.Command{
		Use:   "backfill {--from DATE --to DATE | --catchup N}",
		Short: "Calibrate the forecasts of many cycles",
		Long: `Do what sipipe run does for each cycle of the archive in a range of dates, oldest
first, each seeing only what was available then. Cycles whose product is there and
valid are passed over, so an interrupted backfill goes on where it was.

A cycle that fails does not stop the others, unless they would fail in the same way, as
with a full disk. The exit code is that of the worst failure.

--catchup looks at the last cycles of the archive, at those whose file cannot be read as
well, and makes what has no valid product.`,
		Example: `  sipipe backfill --from 2024-06-01 --to 2024-07-08
  sipipe backfill --from 2024-07-08T06 --to 2024-07-08T18
  sipipe backfill --catchup 8`,
		GroupID: groupWork,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runBackfill(c.Context(), o, g) },
	}
	o.AddFlags(c.Flags())
	completeDates(c, "from", "to")
	return c
}

func runBackfill(ctx context.Context, o BackfillOptions, g *Global) (err error) {
	usage := func(text string) error { return &UsageError{Command: "sipipe backfill", Text: text} }
	var first, last time.Time
	switch {
	case o.CatchUp < 0:
		return usage("--catchup is a number of cycles")
	case o.CatchUp > 0 && (o.From != "" || o.To != ""):
		return usage("--catchup stands instead of --from and --to")
	case o.CatchUp == 0:
		if first, last, err = parseRange(o.From, o.To, g.clock()); err != nil {
			return usage(err.Error())
		}
	}
	s, err := g.begin("backfill")
	if err != nil {
		return err
	}
	defer func() { s.writeMetrics(cause(ctx, err)) }()
	return s.with(ctx, writing, func(w *workspace) error {
		if o.CatchUp > 0 {
			return w.backfillLast(ctx, o)
		}
		cycles, err := w.within(w.seen(), first, last)
		if err != nil {
			return err
		}
		return w.backfill(ctx, cycles, o)
	})
}

// backfillLast makes what is missing of the last cycles.
func (w *workspace) backfillLast(ctx context.Context, o BackfillOptions) error {
	cycles, err := w.catchUp(ctx, o.CatchUp, w.timely(w.seen()))
	if err != nil {
		return err
	}
	if len(cycles) == 0 {
		if _, err := w.find(cycleRequest{latest: true, hour: -1}); err != nil {
			return err
		}
		w.log.Info().Int("cycles", o.CatchUp).Msg("nothing to do: the last cycles have valid products")
	}
	return w.backfill(ctx, cycles, o)
}

// backfill does the jobs of cycles in order.
func (w *workspace) backfill(ctx context.Context, cycles []time.Time, o BackfillOptions) error {
	report, stop := w.progress.Start("backfill")
	defer stop()
	var failed *BackfillError
	for i, cycle := range cycles {
		report(i, len(cycles))
		out, err := w.run(ctx, cycle, jobOptions{Train: true, Sample: true, Force: o.Force})
		switch code := ExitCode(err); {
		case err == nil:
			if err := printOutcome(w.global.Out, out, o.JSON, true); err != nil {
				return err
			}
		case code == ExitData || code == ExitNoInput || code == ExitInternal:
			w.log.Error().Str("cycle", formatCycle(cycle)).Int("exit_code", code).Msg(err.Error())
			if failed == nil {
				failed = &BackfillError{Total: len(cycles)}
			}
			failed.Failed++
			failed.Worst = worse(failed.Worst, err)
		default:
			return err // it would happen to the next cycle too
		}
	}
	report(len(cycles), len(cycles))
	if err := w.watchDrift(ctx); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	return nil
}

// BackfillError says that some cycles have no product.
type BackfillError struct {
	Failed, Total int
	Worst         error // the first of the worst
}

func (e *BackfillError) Error() string {
	return fmt.Sprintf("%d of %d cycles have no product; the worst: %v", e.Failed, e.Total, e.Worst)
}

func (e *BackfillError) Unwrap() error { return e.Worst }
