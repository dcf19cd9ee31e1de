package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"sipipe/ingest/simulate"
)

// SimulateOptions are the flags of sipipe simulate.
type SimulateOptions struct {
	simulate.Options
	From, To string
	Step     string
	Layout   string
	Kind     string
}

// AddFlags adds the flags of the command.
func (o *SimulateOptions) AddFlags(f *pflag.FlagSet) {
	d := simulate.Defaults()
	o.Options = d
	f.StringVar(&o.Dir, "out", "", "`folder` to make")
	f.BoolVar(&o.Force, "force", false, "replace a simulated archive that is in the folder already")
	f.StringVar(&o.From, "from", "", "`date` of the first cycle: 2024-05-01")
	f.StringVar(&o.To, "to", "", "`date` of the last cycle")
	f.IntVar(&o.Places, "stations", d.Places, "`number` of stations, or about as many grid cells")
	f.IntVar(&o.Members, "members", d.Members, "`number` of raw members")
	f.IntVar(&o.Steps, "steps", d.Steps, "`number` of lead times")
	f.StringVar(&o.Step, "step", formatDuration(d.Step), "`time` between lead times")
	f.StringVar(&o.Layout, "layout", string(d.Layout), "`files` of the archive: cycle (a file a cycle), eupp (one file, as EUPPBench), grid")
	f.StringVar(&o.Kind, "kind", string(d.Kind), "`model`: lorenz96, or gaussian, where the best possible forecast is known")
	f.StringSliceVar(&o.Variables, "variables", d.Variables, "`names` out of t2m, wind, tp, regime")
	f.IntSliceVar(&o.CycleHours, "cycles", d.CycleHours, "`hours` of the day with a cycle")
	f.IntVar(&o.Ideal, "ideal", d.Ideal, "`number` of draws from the true distribution to write too")
	f.Float64Var(&o.Missing, "missing", d.Missing, "`share` of observations that are missing")
}

func newSimulateCommand(g *Global) *cobra.Command {
	var o SimulateOptions
	c := &cobra.Command{
		Use:   "simulate --out DIR --from DATE --to DATE",
		Short: "Make an archive of simulated forecasts and observations",
		Long: `Make a folder with an archive of simulated forecasts and observations, whose truth is
known, and a configuration that reads it. The truth is the two-scale Lorenz '96 system,
the forecast model its imperfect one-scale version: forecasts are biased and
under-dispersed in a known way. The path of the configuration is printed.

--seed is that of the simulation here.`,
		Example: `  sipipe simulate --out demo --from 2024-05-01 --to 2024-07-10
  cd demo && sipipe run --date 2024-07-08
  sipipe simulate --out big --from 2020-01-01 --to 2024-12-31 --stations 2000 --members 50 --variables t2m,tp
  sipipe simulate --out grid --from 2024-05-01 --to 2024-07-10 --layout grid --stations 4000`,
		GroupID: groupWork,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runSimulate(c.Context(), o, g) },
	}
	o.AddFlags(c.Flags())
	choices(c, "layout", "cycle", "eupp", "grid")
	choices(c, "kind", "lorenz96", "gaussian")
	return c
}

func runSimulate(ctx context.Context, o SimulateOptions, g *Global) error {
	options, err := o.resolve(g)
	if err != nil {
		return &UsageError{Command: "sipipe simulate", Text: err.Error()}
	}
	log, progress := g.talk("simulate")
	report, stop := progress.Start("simulate")
	made, err := simulate.Write(ctx, options, report)
	stop()
	var folder *simulate.FolderError
	switch {
	case ctx.Err() != nil:
		return cause(ctx, ctx.Err())
	case errors.As(err, &folder):
		return &OutputError{Path: options.Dir, Err: err}
	case err != nil:
		return &OutputError{Path: options.Dir, Err: err}
	}
	log.Info().Int("cycles", made.Cycles).Int("stations", made.Places).Int("members", made.Members).
		Int("leads", made.Leads).Int("observations", made.Observations).Msg("archive simulated")
	return printLine(g.Out, made.Config)
}

// resolve turns flags into options and checks them.
func (o *SimulateOptions) resolve(g *Global) (simulate.Options, error) {
	options := o.Options
	options.Layout, options.Kind = simulate.Layout(o.Layout), simulate.Kind(o.Kind)
	var errs []error
	day := func(flag, text string) time.Time {
		t, _, err := parseDate(text, g.clock())
		if err != nil {
			errs = append(errs, fmt.Errorf("--%s %w", flag, err))
		}
		return t
	}
	options.From, options.To = day("from", o.From), day("to", o.To)
	step, err := parseDuration(o.Step)
	if err != nil {
		errs = append(errs, fmt.Errorf("--step %q is not a duration such as 6h", o.Step))
	}
	options.Step = step
	if f, ok := g.flags["calibrate.seed"]; ok {
		k, _, _ := newKeyTable().find("calibrate.seed")
		var c Config
		if err := setValue(k.in(&c), f.Value); err != nil {
			errs = append(errs, fmt.Errorf("--seed %w", err))
		}
		options.Seed = c.Calibrate.Seed
	}
	if len(errs) > 0 {
		return options, errors.Join(errs...)
	}
	return options, options.Validate()
}
