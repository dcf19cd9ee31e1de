package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// RunOptions are the flags of sipipe run.
type RunOptions struct {
	Date, Cycle string
	Force       bool
	JSON        bool
}

// AddFlags adds the flags of the command.
func (o *RunOptions) AddFlags(f *pflag.FlagSet) {
	addCycleFlags(f, &o.Date, &o.Cycle)
	f.BoolVar(&o.Force, "force", false, "make the product again although it is there and valid")
	f.BoolVar(&o.JSON, "json", false, "print JSON instead of the path")
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
product whenever it is started.`,
		Example: `  sipipe run --date 2024-07-08
  sipipe run --date 2024-07-08 --cycle 12
  sipipe run --date latest --lock-wait 10m      # from cron
  sipipe run --date today --json | jq -r .product
  sipipe run --date 2024-07-08 --set calibrate.members=200 --set export.path=try/{date:%Y%m%d%H}.nc`,
		GroupID: groupWork,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runRun(c.Context(), o, g) },
	}
	o.AddFlags(c.Flags())
	completeDates(c, "date")
	return c
}

func runRun(ctx context.Context, o RunOptions, g *Global) error {
	return runOne(ctx, g, "run", o.Date, o.Cycle, o.JSON, jobOptions{Train: true, Sample: true, Force: o.Force})
}

// runOne does the job of one cycle and prints what became of it.
func runOne(ctx context.Context, g *Global, command, date, hour string, asJSON bool, o jobOptions) (err error) {
	request, err := parseCycle(date, hour, g.clock())
	if err != nil {
		return &UsageError{Command: "sipipe " + command, Text: err.Error()}
	}
	s, err := g.begin(command)
	if err != nil {
		return err
	}
	w, err := s.open(ctx, writing)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	cycle, err := w.find(request)
	if err != nil {
		return err
	}
	out, err := w.run(ctx, cycle, o)
	if err != nil {
		return err
	}
	return printOutcome(g.Out, out, asJSON, o.Sample)
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
