package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// RunOptions are the flags of sipipe run.
type RunOptions struct {
	Date, Cycle string
	Force       bool
	JSON        bool
	Wait, Poll  time.Duration
	CatchUp     int
}

// AddFlags adds the flags of the command.
func (o *RunOptions) AddFlags(f *pflag.FlagSet) {
	addCycleFlags(f, &o.Date, &o.Cycle)
	f.BoolVar(&o.Force, "force", false, "make the product again although it is there and valid")
	f.BoolVar(&o.JSON, "json", false, "print JSON instead of the path")
	o.Poll = pollDefault
	f.Var(durationFlag{&o.Wait}, "wait", "`time`, such as 90m, to wait for a forecast that is not there yet, or still being written")
	f.Var(durationFlag{&o.Poll}, "poll", "`time` between two looks at what is waited for")
	f.IntVar(&o.CatchUp, "catchup", 0, "first make the products that are missing of the last `N` cycles before this one")
	addLockFlag(f)
}

func addCycleFlags(f *pflag.FlagSet, date, cycle *string) {
	f.StringVar(date, "date", "", "`date` of the cycle: "+dateHelp)
	f.StringVar(cycle, "cycle", "", "`hour` of the cycle: 00, 06, 12, 18 (default 00; with --date latest, any)")
}

func addLockFlag(f *pflag.FlagSet) {
	keyFlag(f, "lock-wait", "operations.lock_wait", "`time`, such as 10m, to wait for another run with the same state folder")
}

func newRunCommand(g *Global) *cobra.Command {
	var o RunOptions
	c := &cobra.Command{
		Use:   "run --date DATE [--cycle HH]",
		Short: "Calibrate the forecast of one cycle",
		Long: `Calibrate the forecast of one cycle: read it, train if there is no valid model, sample
members, and write them as NetCDF with a manifest beside. The path of the product is
printed. A product that is there and valid is left as it is.

A run sees only observations that were available at the cycle, so it gives the same
product whenever it is started.

To try other settings with --set, set export.path and state as well: otherwise the
product of the real configuration is replaced.

With --wait the forecast may be late: its file counts as complete when size and time of
change are the same at two looks, or when it was last changed more than two looks ago.
A file that cannot be used is tried again once it has changed.

With --catchup the log names each cycle that fails. The exit code is that of the cycle
that is asked for, or, when that is done, of the worst failure before it.`,
		Example: `  sipipe run --date 2024-07-08
  sipipe run --date 2024-07-08 --cycle 12
  sipipe run --date latest --lock-wait 10m      # from cron
  sipipe run --date today --wait 90m --catchup 3
  sipipe run --date today --json | jq -r .product
  sipipe run --date 2024-07-08 --set calibrate.members=200 --set export.path=try/{date:%Y%m%d%H}.nc --set state=try-state`,
		GroupID: groupWork,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runRun(c.Context(), o, g) },
	}
	o.AddFlags(c.Flags())
	completeDates(c, "date")
	return c
}

func runRun(ctx context.Context, o RunOptions, g *Global) error {
	return runOne(ctx, g, "run", oneCycle{
		Date: o.Date, Cycle: o.Cycle, JSON: o.JSON, Wait: o.Wait, Poll: o.Poll, CatchUp: o.CatchUp,
		job: jobOptions{Train: true, Sample: true, Force: o.Force},
	})
}

// oneCycle is what run and train have in common.
type oneCycle struct {
	Date, Cycle string
	JSON        bool
	Wait, Poll  time.Duration // Wait 0: not at all
	CatchUp     int           // cycles before that are looked after first
	job         jobOptions
}

// check says what is wrong with the flags.
func (o *oneCycle) check(r cycleRequest) string {
	switch {
	case o.CatchUp < 0:
		return "--catchup is a number of cycles"
	case o.Wait < 0:
		return "--wait is a time to wait"
	case o.Wait > 0 && r.latest:
		return "--wait needs to know for which cycle; name it, for example with --date today"
	case o.Wait > 0 && o.Poll <= 0:
		return "--poll is the time between two looks and must be more than none"
	}
	return ""
}

// runOne does the job of one cycle and prints what became of it.
func runOne(ctx context.Context, g *Global, command string, o oneCycle) (err error) {
	request, err := parseCycle(o.Date, o.Cycle, g.clock())
	if err != nil {
		return &UsageError{Command: "sipipe " + command, Text: err.Error()}
	}
	if wrong := o.check(request); wrong != "" {
		return &UsageError{Command: "sipipe " + command, Text: wrong}
	}
	s, err := g.begin(command)
	if err != nil {
		return err
	}
	s.ledger.training = !o.job.Sample
	defer func() { s.writeMetrics(cause(ctx, err)) }()
	var before error
	if o.CatchUp > 0 {
		before = s.catchUpTo(ctx, request, o)
		if failed := (*BackfillError)(nil); before != nil && !errors.As(before, &failed) {
			return before
		}
	}
	defer func() {
		if err == nil {
			err = before // which told the log of each cycle
		}
	}()
	if o.Wait == 0 {
		return s.runRequest(ctx, request, o)
	}
	w := waiting{
		clock: g.clock, sleep: g.sleep, log: s.log, limit: o.Wait, poll: o.Poll,
		files: func() (map[string]inputState, error) {
			return inputFiles(s.Resolve(s.Ingest.Forecasts), request.at)
		},
	}
	exact := o
	exact.job.Exact = true // as long as the forecast may come
	err = w.until(ctx, request.at, func() error { return s.runRequest(ctx, request, exact) })
	if s.Operations.OnMissing == onMissingPrevious && o.job.Sample && gaveUp(err) {
		if instead := s.runRequest(ctx, request, o); !lacksInput(instead) {
			err = instead
		}
	}
	return err
}

// gaveUp says whether an error of waiting is that the forecast is not there or of no use.
func gaveUp(err error) bool {
	var late *WaitError
	return errors.As(err, &late) || lacksInput(err)
}

// runRequest does the job of a cycle that is there.
func (s *session) runRequest(ctx context.Context, r cycleRequest, o oneCycle) error {
	return s.with(ctx, writing, func(w *workspace) error {
		cycle, err := w.find(r)
		if err != nil {
			return err
		}
		out, err := w.run(ctx, cycle, o.job)
		if err != nil {
			return err
		}
		if err := printOutcome(s.global.Out, out, o.JSON, o.job.Sample); err != nil || !o.job.Sample {
			return err
		}
		return w.watchDrift(ctx)
	})
}

// catchUpTo makes products that are missing before the cycle that is asked for.
func (s *session) catchUpTo(ctx context.Context, r cycleRequest, o oneCycle) error {
	return s.with(ctx, writing, func(w *workspace) error {
		cycle, err := w.find(r)
		if err != nil {
			return err
		}
		cycles, err := w.catchUp(ctx, o.CatchUp, w.before(cycle))
		if err != nil {
			return err
		}
		return w.backfill(ctx, cycles, BackfillOptions{JSON: o.JSON})
	})
}

func printOutcome(w io.Writer, out *Outcome, asJSON, product bool) error {
	switch {
	case asJSON:
		return printJSON(w, out)
	case product:
		return printLine(w, out.Product)
	}
	return nil
}

// printJSON prints one object on one line.
func printJSON(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode result: %w", err)
	}
	return printLine(w, string(text))
}

func printLine(w io.Writer, text string) error {
	if _, err := fmt.Fprintln(w, text); err != nil {
		return fmt.Errorf("print result: %w", err)
	}
	return nil
}
