package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"sipipe/calibrate/digits"
	"sipipe/export/report"
	"sipipe/ingest"
)

// DemoMNISTOptions are the flags of sipipe demo mnist.
type DemoMNISTOptions struct {
	Data, Out string
	Steps     int
	JSON      bool
}

// AddFlags adds the flags of the command.
func (o *DemoMNISTOptions) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&o.Data, "data", filepath.Join("sample", "mnist38"), "`folder` with digit3-images-idx3-ubyte and digit8-images-idx3-ubyte, plain or .gz")
	f.StringVar(&o.Out, "out", "", "`folder` for the picture; made if it is not there")
	f.IntVar(&o.Steps, "steps", 4000, "training `steps`")
	f.BoolVar(&o.JSON, "json", false, "print one JSON object")
}

func newDemoMNISTCommand(g *Global) *cobra.Command {
	var o DemoMNISTOptions
	c := &cobra.Command{
		Use:   "mnist --out DIR",
		Short: "Turn handwritten threes into eights",
		Long: `Train an interpolant between handwritten threes and eights, turn threes that it has not
seen by the ODE and by an SDE, draw some of them on their way, and let a classifier that
was trained on other digits say what became of them. With the digits of the sample and
the default steps it takes about a minute. --seed gives other weights and noise.`,
		Example: `  sipipe demo mnist --out pictures
  sipipe demo mnist --data sample/mnist38 --out pictures --steps 1000 --json`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runDemoMNIST(c.Context(), o, g) },
	}
	o.AddFlags(c.Flags())
	return c
}

// stripDPI suits images of few pixels.
const stripDPI = 96

// enoughEights is the share of eights below which the demo warns.
const enoughEights = 0.9

func runDemoMNIST(ctx context.Context, o DemoMNISTOptions, g *Global) error {
	bad := func(text string, args ...any) error {
		return &UsageError{Command: "sipipe demo mnist", Text: fmt.Sprintf(text, args...)}
	}
	if o.Out == "" {
		return bad("--out is missing: name a folder for the picture")
	}
	if o.Steps < 1 {
		return bad("--steps is %d; valid: 1 or more", o.Steps)
	}
	seed, err := g.seed()
	if err != nil {
		return bad("%v", err)
	}
	threes, err := readDigits(o.Data, "digit3-images-idx3-ubyte")
	if err != nil {
		return err
	}
	eights, err := readDigits(o.Data, "digit8-images-idx3-ubyte")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return &OutputError{Path: o.Out, Err: err}
	}
	log, progress := g.talk("demo mnist")
	show, stop := progress.Start("training")
	r, err := digits.Run(ctx, threes, eights, digits.Options{Seed: seed, Steps: o.Steps, Progress: show})
	stop()
	switch {
	case ctx.Err() != nil:
		return cause(ctx, ctx.Err())
	case err != nil:
		return &ingest.UnusableError{Path: o.Data, Why: err.Error(), Err: err}
	}
	if r.Share() < enoughEights {
		log.Warn().Float64("share", r.Share()).Int("steps", o.Steps).Msg("few of the results are called eights; train with more steps")
	}
	f, err := strip(r).Figure()
	if err != nil {
		return err
	}
	path, err := savePicture(o.Out, f, stripDPI)
	if err != nil {
		return err
	}
	if o.JSON {
		return printJSON(g.Out, struct {
			Picture string `json:"picture"`
			*digits.Result
			Share float64 `json:"called_eight"`
		}{path, r, r.Share()})
	}
	return printLine(g.Out, fmt.Sprintf("%s\nof %d threes that nobody had seen, the classifier calls %.0f %% an eight after the ODE and %.0f %% after the SDE; of real digits it gets %.1f %% right",
		path, r.Morphed, 100*r.ODE, 100*r.SDE, 100*r.Accuracy))
}

// readDigits reads a file of images, plain or compressed.
func readDigits(dir, name string) (s *digits.Images, err error) {
	var f *os.File
	for _, name := range []string{name, name + ".gz"} {
		if f, err = os.Open(filepath.Join(dir, name)); err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w; name a folder with %s (plain or .gz) by --data, such as sample/mnist38 of the project", err, name)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if s, err = digits.ReadIDX(f); err != nil {
		return nil, &ingest.UnusableError{Path: f.Name(), Why: err.Error(), Err: err}
	}
	return s, nil
}

// seed is that of the flag --seed, or the default of the configuration.
func (g *Global) seed() (uint64, error) {
	c := DefaultConfig()
	f, ok := g.flags["calibrate.seed"]
	if !ok {
		return c.Calibrate.Seed, nil
	}
	k, _, _ := newKeyTable().find("calibrate.seed")
	if err := setValue(k.in(&c), f.Value); err != nil {
		return 0, fmt.Errorf("--seed %w", err)
	}
	return c.Calibrate.Seed, nil
}

// strip is the picture of a result.
func strip(r *digits.Result) report.Strip {
	s := report.Strip{
		Name:     "mnist-strip",
		Title:    "From three to eight",
		Subtitle: "each pair of lines starts from one held-out digit: above the ODE, below an SDE",
		Caption: fmt.Sprintf("Held-out threes on their way to eights. A classifier calls %.0f %% of %d results of the ODE an eight, and %.0f %% of the SDE.",
			100*r.ODE, r.Morphed, 100*r.SDE),
		Alt:  "A table of handwritten digits. In each line a three on the left becomes an eight on the right in eleven pictures.",
		Rows: r.Strip.Rows, Cols: r.Strip.Cols, Times: r.Strip.Times, Group: 2,
	}
	for _, l := range r.Strip.Lines {
		s.Lines = append(s.Lines, report.StripLine{Label: l.Name, Pixels: l.Pixels})
	}
	return s
}
