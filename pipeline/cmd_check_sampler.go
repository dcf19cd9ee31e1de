package pipeline

import (
	"context"
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"sipipe/calibrate"
	"sipipe/calibrate/selfcheck"
)

// CheckSamplerOptions are the flags of sipipe check-sampler.
type CheckSamplerOptions struct{ JSON bool }

// AddFlags adds the flags of the command.
func (o *CheckSamplerOptions) AddFlags(f *pflag.FlagSet) {
	f.BoolVar(&o.JSON, "json", false, "print one JSON object instead of a table")
}

func newCheckSamplerCommand(g *Global) *cobra.Command {
	var o CheckSamplerOptions
	c := &cobra.Command{
		Use:   "check-sampler",
		Short: "Tell whether the configured path, diffusion, solver and steps sample well",
		Long: fmt.Sprintf(`Run the configured path, gamma, epsilon, heads, solver, grid, last step and steps on
laws that are known exactly, on the scale of the model, and print how far from them the
sampler ends with half, once and twice the steps. No data and no model are needed.

Errors are those of the mean (in %% of the standard deviation), of the standard
deviation, and the CRPS in excess of the exact law's. The steps are enough when these
stay within %g %%, %g %% and %g %% for every law. A combination that cannot work at all
is refused with the reason and a remedy.`, 100*selfcheck.LimitMean, 100*selfcheck.LimitSD, 100*selfcheck.LimitCRPS),
		Example: `  sipipe check-sampler
  sipipe check-sampler --set calibrate.interpolant.solver=euler-maruyama --set calibrate.interpolant.steps=32
  sipipe check-sampler --json | jq .verdict`,
		GroupID: groupLook,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runCheckSampler(c.Context(), o, g) },
	}
	o.AddFlags(c.Flags())
	return c
}

func runCheckSampler(ctx context.Context, o CheckSamplerOptions, g *Global) error {
	l, err := Load(LoadOptions{File: g.Config, Set: g.Set, Flags: g.flags, Incomplete: true})
	if err != nil {
		return err
	}
	m := l.Calibrate.method()
	r, err := m.CheckSampler(ctx, 0, threads(l.Operations.Threads))
	switch {
	case ctx.Err() != nil:
		return cause(ctx, ctx.Err())
	case err != nil:
		return &ConfigError{Key: "calibrate.interpolant", Text: "cannot work: " + err.Error()}
	}
	if o.JSON {
		return printJSON(g.Out, checkedSampler{m.Summary(), r, r.Enough(), r.Verdict()})
	}
	return printCheck(g.Out, m, r)
}

// checkedSampler is the result for programs.
type checkedSampler struct {
	Sampler string `json:"sampler"`
	*selfcheck.Result
	Enough  bool   `json:"enough"`
	Verdict string `json:"verdict"`
}

func printCheck(w io.Writer, m calibrate.Method, r *selfcheck.Result) error {
	if err := printLine(w, m.Summary()); err != nil {
		return err
	}
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"law", "steps", "mean, % of sd", "sd, %", "CRPS, %"})
	t.SetColumnConfigs([]table.ColumnConfig{
		{Number: 1, AutoMerge: true},
		{Number: 2, Align: text.AlignRight},
		{Number: 3, Align: text.AlignRight},
		{Number: 4, Align: text.AlignRight},
		{Number: 5, Align: text.AlignRight},
	})
	for i, row := range r.Rows {
		if i > 0 && row.Law != r.Rows[i-1].Law {
			t.AppendSeparator()
		}
		t.AppendRow(table.Row{row.Law, row.Steps, signedPercent(row.Mean), signedPercent(row.SD), fmt.Sprintf("%.3f", max(0, 100*row.CRPS))})
	}
	t.Render()
	return printLine(w, r.Verdict())
}

// signedPercent of a share; what rounds to zero has no sign.
func signedPercent(v float64) string {
	text := fmt.Sprintf("%+.2f", 100*v)
	if text == "+0.00" || text == "-0.00" {
		return "0.00"
	}
	return text
}
