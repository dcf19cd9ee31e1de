package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// BackfillOptions are the flags of sipipe backfill.
type BackfillOptions struct {
	From, To string
	Force    bool
	JSON     bool
}

// AddFlags adds the flags of the command.
func (o *BackfillOptions) AddFlags(f *pflag.FlagSet) {
	addRangeFlags(f, &o.From, &o.To)
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
		Use:   "backfill --from DATE --to DATE",
		Short: "Calibrate the forecasts of many cycles",
		Long: `Do what sipipe run does for each cycle of the archive in a range of dates, oldest
first, each seeing only what was available then. Cycles whose product is there and
valid are passed over, so an interrupted backfill goes on where it was.

A cycle whose input is missing or unusable does not stop the others; the exit code is
then that of the first such cycle.`,
		Example: `  sipipe backfill --from 2024-06-01 --to 2024-07-08
  sipipe backfill --from 2024-07-08T06 --to 2024-07-08T18`,
		GroupID: groupWork,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runBackfill(c.Context(), o, g) },
	}
	o.AddFlags(c.Flags())
	completeDates(c, "from", "to")
	return c
}

func runBackfill(ctx context.Context, o BackfillOptions, g *Global) (err error) {
	first, last, err := parseRange(o.From, o.To, g.clock())
	if err != nil {
		return &UsageError{Command: "sipipe backfill", Text: err.Error()}
	}
	s, err := g.begin("backfill")
	if err != nil {
		return err
	}
	w, err := s.open(ctx, writing)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	cycles, err := w.within(first, last)
	if err != nil {
		return err
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
		case code == ExitData || code == ExitNoInput:
			w.log.Error().Str("cycle", formatCycle(cycle)).Int("exit_code", code).Msg(err.Error())
			if failed == nil {
				failed = &BackfillError{Total: len(cycles), First: err}
			}
			failed.Failed++
		default:
			return err // it would happen to the next cycle too
		}
	}
	report(len(cycles), len(cycles))
	if failed != nil {
		return failed
	}
	return nil
}

// BackfillError says that some cycles have no product.
type BackfillError struct {
	Failed, Total int
	First         error
}

func (e *BackfillError) Error() string {
	return fmt.Sprintf("%d of %d cycles have no product; the first: %v", e.Failed, e.Total, e.First)
}

func (e *BackfillError) Unwrap() error { return e.First }
