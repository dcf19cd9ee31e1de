package pipeline

import (
	"bytes"
	"context"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"sipipe/calibrate/theory"
	"sipipe/export/report"
)

func newDemoCommand(g *Global) *cobra.Command {
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show what stochastic interpolants do",
		Long: `Show what stochastic interpolants do, away from weather: pictures of the theory, and
one handwritten digit that becomes another.`,
		GroupID: groupLook,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newDemoTheoryCommand(g), newDemoMNISTCommand(g))
	return c
}

// DemoTheoryOptions are the flags of sipipe demo theory.
type DemoTheoryOptions struct{ Out string }

// AddFlags adds the flags of the command.
func (o *DemoTheoryOptions) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&o.Out, "out", "", "`folder` for the pictures; made if it is not there")
}

func newDemoTheoryCommand(g *Global) *cobra.Command {
	var o DemoTheoryOptions
	c := &cobra.Command{
		Use:   "theory --out DIR",
		Short: "Draw the pictures of the theory page",
		Long: `Draw the pictures of the theory page, from laws that are known exactly: paths between
two laws under the ODE and SDEs, the error of each solver against its steps, and what
gamma does on the way. The paths of the files are printed.`,
		Example: `  sipipe demo theory --out docs/pictures`,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runDemoTheory(c.Context(), o, g) },
	}
	o.AddFlags(c.Flags())
	return c
}

func runDemoTheory(ctx context.Context, o DemoTheoryOptions, g *Global) error {
	if o.Out == "" {
		return &UsageError{Command: "sipipe demo theory", Text: "--out is missing: name a folder for the pictures"}
	}
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return &OutputError{Path: o.Out, Err: err}
	}
	bundles, density, err := theory.Paths(ctx)
	if err != nil {
		return cause(ctx, err)
	}
	panels, err := theory.Orders(ctx)
	if err != nil {
		return cause(ctx, err)
	}
	latents, err := theory.Latents()
	if err != nil {
		return err
	}
	for _, f := range []*report.Figure{report.TheoryPaths(bundles, density), report.TheorySteps(panels), report.TheoryLatents(latents)} {
		path, err := savePicture(o.Out, f, 0)
		if err != nil {
			return err
		}
		if err := printLine(g.Out, path); err != nil {
			return err
		}
	}
	return nil
}

// savePicture writes a figure as PNG of some dots per inch, 0 for the usual number,
// into a folder and returns its path.
func savePicture(dir string, f *report.Figure, dpi int) (path string, err error) {
	var b bytes.Buffer
	if err := f.WriteSmallPNG(&b, dpi); err != nil {
		return "", err
	}
	path = filepath.Join(dir, f.Name+".png")
	if err := renameio.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return "", &OutputError{Path: path, Err: err}
	}
	return path, nil
}
