package pipeline

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// AblateOptions are the flags of sipipe ablate.
type AblateOptions struct {
	Date, Cycle string
	Variable    string
	Vary        []string
	Grid        bool
	List        string
	From, To    string
	Only        []int
	Collect     string
	Markdown    bool
	JSON        bool
}

// AddFlags adds the flags of the command.
func (o *AblateOptions) AddFlags(f *pflag.FlagSet) {
	o.addVariantFlags(f)
	f.IntSliceVar(&o.Only, "only", nil, "`numbers` of the variants to judge; 0 is the configuration itself")
	f.StringVar(&o.Collect, "collect", "", "print what the tasks of sipipe submit ablate have left in this `folder`")
	f.BoolVar(&o.Markdown, "markdown", false, "print the table in Markdown")
	f.BoolVar(&o.JSON, "json", false, "print one JSON object instead of a table")
}

// addVariantFlags adds those that say what is compared.
func (o *AblateOptions) addVariantFlags(f *pflag.FlagSet) {
	addCycleFlags(f, &o.Date, &o.Cycle)
	f.StringVar(&o.Variable, "variable", "", "`name` of the variable (default: the first configured)")
	f.StringArrayVar(&o.Vary, "vary", nil, "`key=value,value` of calibrate.interpolant or calibrate.network; repeat for more keys")
	f.BoolVar(&o.Grid, "grid", false, "try all combinations of values, not one key at a time")
	f.StringVar(&o.List, "list", "", "`file` with a list of variants, such as configs/ablate/samplers.yaml")
	f.StringVar(&o.From, "from", "", "`date` of the first of later cycles that every variant makes forecasts of too")
	f.StringVar(&o.To, "to", "", "`date` of the last of them; without an hour, all of that day")
}

func newAblateCommand(g *Global) *cobra.Command {
	var o AblateOptions
	c := &cobra.Command{
		Use:   "ablate --date DATE --vary KEY=VALUE,VALUE",
		Short: "Compare models of other paths, networks or samplers on archived days",
		Long: `Train the model that a cycle uses once as configured and once for each variant, and print
what the archived days that each network has not seen say of it. Nothing later than the
cycle's training day is read, so what is chosen here may be judged on later days.
Models are not kept.

Variants are values of keys (--vary), or a list in a file (--list). A value may bring
others along that it needs: path=linear,vp+gamma=none. Variants that differ in solver,
steps, epsilon, grid or last_step share their networks, which are trained once.

Columns: CRPS of the statistical frame as that sampler draws it; gain of the networks
over it, with its standard error by day, at full weight (what the networks can do) and
at the weight that training would choose (0 unless the gain exceeds its error); the CRPS
that is left there, by which to compare; the spread factor learned afterwards; seconds
of processor time that training took; and the cost of a member at one place and lead
time: calls of the networks, and microseconds of processor time.

With --from and --to every variant also makes the forecasts of these cycles, each by the
model of its own training day: CRPS as delivered, fair CRPS of as many independent
members, and spread ÷ error of those delivered. These columns report; what is chosen by
them cannot be judged on these cycles any more.

A gain smaller than its standard error says nothing; the differences between two rows
are surer than that, since they have days and random numbers in common, but not
by much. Among rows that are equally good take the cheapest, or the default.`,
		Example: `  sipipe ablate --date 2024-07-08 --vary steps=2,4,8,16
  sipipe ablate --date 2024-07-08 --vary epsilon_scale=1,5,20 --vary heads=v-eta,b-eta,x0-x1
  sipipe ablate --date 2024-07-08 --vary hidden=16,64 --vary blocks=1,3 --grid
  sipipe ablate --date 2024-06-24 --list configs/ablate/samplers.yaml --from 2024-06-25 --to 2024-07-08 --markdown
  sipipe ablate --date 2024-07-08 --vary path=trigonometric,vp+gamma=none --json | jq .rows[].unit.gain`,
		GroupID: groupLook,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runAblate(c.Context(), o, g) },
	}
	o.AddFlags(c.Flags())
	completeDates(c, "date", "from", "to")
	return c
}

func runAblate(ctx context.Context, o AblateOptions, g *Global) error {
	request, err := parseCycle(o.Date, o.Cycle, g.clock())
	if err != nil {
		return &UsageError{Command: "sipipe ablate", Text: err.Error()}
	}
	all, err := o.variants("sipipe ablate")
	if err != nil {
		return err
	}
	if o.Collect != "" {
		r, err := collectAblation(o.Collect, all)
		if err != nil {
			return err
		}
		return o.show(g, r)
	}
	if all, err = only(all, o.Only); err != nil {
		return &UsageError{Command: "sipipe ablate", Text: err.Error()}
	}
	var first, last time.Time
	if o.From != "" || o.To != "" {
		if first, last, err = parseRange(o.From, o.To, g.clock()); err != nil {
			return &UsageError{Command: "sipipe ablate", Text: err.Error()}
		}
	}
	s, err := g.begin("ablate")
	if err != nil {
		return err
	}
	return s.with(ctx, reading, func(w *workspace) error {
		cycle, err := w.find(request)
		if err != nil {
			return err
		}
		variable := o.Variable
		if variable == "" {
			variable = w.Variables[0]
		}
		var later []time.Time
		if !first.IsZero() {
			if later, err = w.within(w.cycles(), first, last); err != nil {
				return err
			}
		}
		a, err := w.newAblator(ctx, variable, cycle, later)
		if err != nil {
			return cause(ctx, err)
		}
		r, err := a.compare(ctx, all)
		if err != nil {
			return cause(ctx, err)
		}
		return o.show(g, r)
	})
}

// variants are those that the flags of a command name.
func (o *AblateOptions) variants(command string) ([]variant, error) {
	var listed []variant
	if o.List != "" {
		var err error
		if listed, err = readVariants(o.List); err != nil {
			return nil, err
		}
	}
	all, err := variants(listed, o.Vary, o.Grid)
	if err != nil {
		return nil, &UsageError{Command: command, Text: err.Error()}
	}
	return all, nil
}

func (o *AblateOptions) show(g *Global, r *ablation) error {
	if o.JSON {
		return printJSON(g.Out, r)
	}
	return r.print(g.Out, o.Markdown)
}
