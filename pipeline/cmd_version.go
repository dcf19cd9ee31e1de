package pipeline

import (
	"cmp"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// VersionOptions are the flags of sipipe version.
type VersionOptions struct{ JSON bool }

// AddFlags adds the flags of the command.
func (o *VersionOptions) AddFlags(f *pflag.FlagSet) {
	f.BoolVar(&o.JSON, "json", false, "print JSON")
}

func newVersionCommand(g *Global) *cobra.Command {
	var o VersionOptions
	c := &cobra.Command{
		Use:     "version",
		Short:   "Print the versions of the program and of what it is built on",
		Example: "  sipipe version --json",
		GroupID: groupLook,
		Args:    noArgs,
		RunE:    func(*cobra.Command, []string) error { return runVersion(o, g) },
	}
	o.AddFlags(c.Flags())
	return c
}

func runVersion(o VersionOptions, g *Global) error {
	v := versions(g.Build)
	if o.JSON {
		return printJSON(g.Out, v)
	}
	return printLine(g.Out, fmt.Sprintf("sipipe %s (commit %s, %s, netcdf-c %s, %s/%s)",
		v["sipipe"], cmp.Or(v["commit"], "unknown"), v["go"], v["netcdf"], runtime.GOOS, runtime.GOARCH))
}
