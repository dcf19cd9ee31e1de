package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Streams are where a command writes.
type Streams struct {
	Out io.Writer // the result: paths, tables, JSON
	Err io.Writer // log, progress and the reason of a failure
}

// Global is what all commands share.
type Global struct {
	Streams
	Build     Build
	Config    string
	Set       []string
	Verbose   bool
	Quiet     bool
	LogFormat string

	args    []string
	restore []func()         // what was changed for all of the process
	clock   func() time.Time // the only clock of the program
	sleep   func(context.Context, time.Duration) error
	// flags that stand for a key, as given on the command line, by key
	flags map[string]FlagValue
}

// keyAnnotation marks flags that stand for a key of the configuration.
const keyAnnotation = "sipipe_key"

// keyFlag makes the flag just added stand for a key: its value is read by the same
// rules as one in a file.
func keyFlag(f *pflag.FlagSet, name, key, usage string) {
	f.String(name, "", usage+" (key "+key+")")
	f.Lookup(name).Annotations = map[string][]string{keyAnnotation: {key}}
}

// AddFlags adds the flags of all commands.
func (g *Global) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&g.Config, "config", g.Config, "configuration `file` (default: sipipe.yaml here, then in the user's and the system's configuration folder)")
	f.StringArrayVar(&g.Set, "set", nil, "override a key of the configuration by `key=value`; repeat for more")
	keyFlag(f, "threads", "operations.threads", "`number` of threads to use")
	keyFlag(f, "seed", "calibrate.seed", "`seed` of all random numbers")
	f.BoolVarP(&g.Verbose, "verbose", "v", false, "log details")
	f.BoolVarP(&g.Quiet, "quiet", "q", false, "log warnings only, show no progress")
	f.StringVar(&g.LogFormat, "log-format", g.LogFormat, "`form` of the log: "+strings.Join(logFormats(), ", ")+"; auto is text on a terminal and JSON elsewhere")
}

// NewRoot returns the root command.
func NewRoot(g *Global) *cobra.Command {
	root := &cobra.Command{
		Use:   "sipipe",
		Short: "Calibrate ensemble forecasts with stochastic interpolants",
		Long: `sipipe turns the raw ensemble forecast of a cycle into a calibrated one: it reads
forecasts and observations from NetCDF, learns how past forecasts went wrong, and
writes new members as NetCDF.`,
		Example: `  sipipe simulate --out demo --from 2024-05-01 --to 2024-07-10   # an archive to play with
  cd demo && sipipe run --date 2024-07-08                        # calibrate one cycle
  sipipe backfill --from 2024-06-25 --to 2024-07-08              # and many
  sipipe verify --from 2024-06-25 --to 2024-07-08                # raw against calibrated
  sipipe config                                                  # what is set, and where`,
		Version:       g.Build.Version,
		Args:          cobra.ArbitraryArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.Help()
			}
			text := fmt.Sprintf("no command %q", args[0])
			if near := c.SuggestionsFor(args[0]); len(near) > 0 {
				text += "; did you mean " + strings.Join(near, " or ") + "?"
			}
			return &UsageError{Command: c.CommandPath(), Text: text}
		},
		PersistentPreRunE: func(c *cobra.Command, _ []string) error { return g.prepare(c) },
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SuggestionsMinimumDistance = 2
	root.SetVersionTemplate("sipipe {{.Version}}\n")
	root.SetOut(g.Out)
	root.SetErr(g.Err)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &UsageError{Command: c.CommandPath(), Text: err.Error()}
	})
	root.SetUsageTemplate(root.UsageTemplate() + "\n" + exitHelp + "\n")
	g.AddFlags(root.PersistentFlags())
	root.AddGroup(
		&cobra.Group{ID: groupWork, Title: "Forecasts:"},
		&cobra.Group{ID: groupLook, Title: "Looking around:"})
	root.SetHelpCommandGroupID(groupLook)
	root.AddCommand(
		newRunCommand(g), newBackfillCommand(g), newTrainCommand(g), newSampleCommand(g), newMergeCommand(g), newVerifyCommand(g), newSimulateCommand(g),
		newSubmitCommand(g), newTaskCommand(g), newStatusCommand(g), newPruneCommand(g), newCheckSamplerCommand(g), newDensityCommand(g), newAblateCommand(g), newConfigCommand(g), newInspectCommand(g), newDemoCommand(g), newCompletionCommand(g), newVersionCommand(g))
	return root
}

const (
	groupWork = "work"
	groupLook = "look"
)

// noArgs refuses arguments with the exit code of wrong usage.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return &UsageError{Command: c.CommandPath(), Text: fmt.Sprintf("%q is too much: the command takes flags only", args[0])}
	}
	return nil
}

// prepare checks the global flags and notes those that stand for keys.
func (g *Global) prepare(c *cobra.Command) error {
	if g.LogFormat == "" {
		g.LogFormat = "auto"
	}
	if !slices.Contains(logFormats(), g.LogFormat) {
		bad := g.LogFormat
		g.LogFormat = "auto"
		return &UsageError{Command: c.CommandPath(), Text: fmt.Sprintf("--log-format %s is not known; valid: %s", bad, strings.Join(logFormats(), ", "))}
	}
	if g.Verbose && g.Quiet {
		return &UsageError{Command: c.CommandPath(), Text: "--verbose and --quiet contradict each other"}
	}
	g.flags = map[string]FlagValue{}
	c.Flags().Visit(func(f *pflag.Flag) {
		for _, key := range f.Annotations[keyAnnotation] {
			g.flags[key] = FlagValue{Flag: f.Name, Value: f.Value.String()}
		}
	})
	return nil
}

// Execute runs the command that args ask for and returns the exit code.
func Execute(ctx context.Context, build Build, args []string, s Streams) int {
	s.Out = patientWriter{s.Out}
	return execute(ctx, build, args, s, time.Now)
}

// patientWriter goes on when it is a pipe that nobody reads any more, as after "| head -1":
// what is printed is about work, and the work is to be done all the same.
type patientWriter struct{ io.Writer }

func (w patientWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		return len(p), nil
	}
	return n, err
}

func execute(ctx context.Context, build Build, args []string, s Streams, clock func() time.Time) int {
	env := ownEnvironment()
	g := &Global{Streams: s, Build: build, Config: env.config, LogFormat: env.logFormat, args: args, clock: clock, sleep: sleep}
	return g.execute(ctx)
}

func (g *Global) execute(ctx context.Context) int {
	err := g.run(ctx)
	if err != nil {
		writeFailure(g.Err, logOptions{Format: g.LogFormat}, err, g.clock)
	}
	return ExitCode(err)
}

// run runs the command of the arguments.
func (g *Global) run(ctx context.Context) error {
	defer func() {
		for _, restore := range slices.Backward(g.restore) {
			restore()
		}
	}()
	root := NewRoot(g)
	root.SetArgs(g.args)
	return cause(ctx, root.ExecuteContext(ctx))
}
