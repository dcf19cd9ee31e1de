package pipeline

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// VerifyOptions are the flags of sipipe verify.
type VerifyOptions struct {
	From, To string
	JSON     bool
	Report   string
	Withheld bool
}

// AddFlags adds the flags of the command.
func (o *VerifyOptions) AddFlags(f *pflag.FlagSet) {
	addRangeFlags(f, &o.From, &o.To)
	f.BoolVar(&o.JSON, "json", false, "print one JSON object instead of tables")
	f.StringVar(&o.Report, "report", "", "write figures and tables into this `folder`")
	f.BoolVar(&o.Withheld, "withheld", false, "score only stations that calibrate.withhold keeps from all that learns")
}

func newVerifyCommand(g *Global) *cobra.Command {
	var o VerifyOptions
	c := &cobra.Command{
		Use:   "verify --from DATE --to DATE",
		Short: "Score products against observations",
		Long: `Score the products of a range of cycles against observations, with the raw ensemble
and the statistical baselines on the same cases beside them.

Scores are CRPS (of the ensemble as it is, and fair, as if it had very many members),
spread, error of the mean, their ratio (1 is right), and bias.`,
		Example: `  sipipe verify --from 2024-06-25 --to 2024-07-08
  sipipe verify --from 2024-06-25 --to 2024-07-08 --json | jq .systems.calibrated.crps_fair
  sipipe verify --from 2024-06-25 --to 2024-07-08 --report report
  sipipe verify --from 2024-06-25 --to 2024-07-08 --set calibrate.withhold=1/5 --withheld`,
		GroupID: groupWork,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runVerify(c.Context(), o, g) },
	}
	o.AddFlags(c.Flags())
	completeDates(c, "from", "to")
	return c
}

func runVerify(ctx context.Context, o VerifyOptions, g *Global) error {
	first, last, err := parseRange(o.From, o.To, g.clock())
	if err != nil {
		return &UsageError{Command: "sipipe verify", Text: err.Error()}
	}
	s, err := g.begin("verify")
	if err != nil {
		return err
	}
	if o.Withheld && len(s.Calibrate.Withhold) == 0 {
		return &UsageError{Command: "sipipe verify", Text: "--withheld: calibrate.withhold names no station; set it as it was when the products were made"}
	}
	return s.with(ctx, looking, func(w *workspace) error {
		cycles, err := w.within(w.cycles(), first, last)
		if err != nil {
			return err
		}
		report, err := w.verify(ctx, cycles, o.Withheld)
		if err != nil {
			return cause(ctx, err)
		}
		if o.Report != "" {
			if err := report.writeFolder(ctx, o.Report); err != nil {
				return err
			}
		}
		if o.JSON {
			return printJSON(g.Out, report)
		}
		return report.print(g.Out)
	})
}
