package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// InspectOptions are the flags of sipipe inspect.
type InspectOptions struct{ JSON bool }

// AddFlags adds the flags of the command.
func (o *InspectOptions) AddFlags(f *pflag.FlagSet) {
	f.BoolVar(&o.JSON, "json", false, "print JSON")
}

func newInspectCommand(g *Global) *cobra.Command {
	var o InspectOptions
	c := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Show what the program sees in a NetCDF file",
		Long: `Show what the program sees in a NetCDF file: variables with units and what they are
taken for, the roles of dimensions, cycles, lead times, members and places; and what is
wrong with it, with the key of the configuration that helps.`,
		Example: `  sipipe inspect archive/forecasts/2024/07/fc_2024070800.nc
  sipipe inspect --json observations.nc`,
		GroupID: groupLook,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &UsageError{Command: c.CommandPath(), Text: fmt.Sprintf("name one file, not %d", len(args))}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return runInspect(c.Context(), args[0], o, g) },
	}
	o.AddFlags(c.Flags())
	return c
}

func runInspect(context.Context, string, InspectOptions, *Global) error {
	return errors.New("inspect is not wired yet")
}
