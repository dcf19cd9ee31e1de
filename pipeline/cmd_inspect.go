package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"sipipe/ingest"
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
wrong with it, with the key of the configuration that helps. The exit code is 65 when
something is, with the variables that are configured if the file has any of these.`,
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

func runInspect(ctx context.Context, path string, o InspectOptions, g *Global) error {
	l, err := Load(LoadOptions{File: g.Config, Set: g.Set, Flags: g.flags, Incomplete: true})
	if err != nil {
		return err
	}
	r, err := ingest.InspectWith(ctx, path, ingest.InspectOptions{Dims: l.Ingest.Dimensions, Units: l.Ingest.Units})
	if err != nil {
		return err
	}
	if o.JSON {
		err = printJSON(g.Out, r)
	} else {
		err = printLine(g.Out, strings.TrimSuffix(inspection(r), "\n"))
	}
	if n := problems(r, l.Variables); err == nil && n > 0 {
		return &ProblemsError{path, n}
	}
	return err
}

// problems counts what is wrong with the variables that are configured, or with all
// when the file has none of these.
func problems(r ingest.Report, configured []string) int {
	own, all := 0, 0
	found := false
	for _, v := range r.Variables {
		all += len(v.Problems)
		if slices.Contains(configured, v.Name) || slices.Contains(configured, v.StandardName) {
			own, found = own+len(v.Problems), true
		}
	}
	if found {
		return own
	}
	return all
}

// ProblemsError says that a file that was looked at has problems, which have been shown.
type ProblemsError struct {
	Path  string
	Count int
}

func (e *ProblemsError) Error() string {
	if e.Count == 1 {
		return e.Path + " has a problem, shown above"
	}
	return fmt.Sprintf("%s has %d problems, shown above", e.Path, e.Count)
}

// inspection is a report for people.
func inspection(r ingest.Report) string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %-13s "+format+"\n", append([]any{name}, args...)...)
	}
	b.WriteString(r.Path + "\n")
	if r.Title != "" {
		line("title", "%s", r.Title)
	}
	if r.Conventions != "" {
		line("conventions", "%s", r.Conventions)
	}
	for _, v := range r.Variables {
		fmt.Fprintf(&b, "\n%s: %s\n", v.Name, v.Kind)
		if name := cmp.Or(v.StandardName, v.LongName); name != "" {
			line("quantity", "%s", name)
		}
		units := v.Units
		if v.FileUnits != "" && v.FileUnits != v.Units {
			units += " (in the file " + v.FileUnits + ")"
		}
		if units != "" {
			line("units", "%s", units)
		}
		if v.CellMethods != "" {
			line("cell methods", "%s", v.CellMethods)
		}
		dims := make([]string, len(v.Dims))
		for i, d := range v.Dims {
			dims[i] = fmt.Sprintf("%s = %d", d.Name, d.Len)
			if d.Role != d.Name {
				dims[i] += " (" + d.Role + ")"
			}
		}
		line("dimensions", "%s", strings.Join(dims, ", "))
		if v.Cycles > 0 {
			line("cycles", "%d, %s", v.Cycles, span(v.FirstCycle, v.LastCycle))
		}
		if v.ValidTimes > 0 {
			line("valid times", "%d, %s", v.ValidTimes, span(v.FirstValid, v.LastValid))
		}
		if n := len(v.LeadHours); n > 0 {
			line("lead times", "%d, %g to %g h", n, v.LeadHours[0], v.LeadHours[n-1])
		}
		if n := len(v.Members); n > 0 {
			line("members", "%d, %d to %d", n, v.Members[0], v.Members[n-1])
		}
		if len(v.MemberNames) > 0 {
			line("", "%s", strings.Join(v.MemberNames, ", "))
		}
		switch {
		case v.Grid != nil:
			line("grid", "%d × %d", v.Grid.NY, v.Grid.NX)
		case v.Places > 0:
			list := strings.Join(v.FirstPlaces, ", ")
			if len(v.FirstPlaces) < v.Places {
				list += ", ..."
			}
			line("stations", "%d: %s", v.Places, list)
		}
		if v.NoAltitude > 0 {
			line("", "%d without altitude", v.NoAltitude)
		}
		if v.NoPosition > 0 {
			line("", "%d without position", v.NoPosition)
		}
		if len(v.Bounds) == 4 {
			line("area", "%.2f to %.2f °N, %.2f to %.2f °E", v.Bounds[0], v.Bounds[1], v.Bounds[2], v.Bounds[3])
		}
		if len(v.Range) == 2 {
			line("values", "%d, %.4g to %.4g %s, %.1f %% missing", v.Values, v.Range[0], v.Range[1], v.Units, 100*v.MissingShare)
		}
		for _, n := range v.Notes {
			line("note", "%s", n)
		}
		for _, p := range v.Problems {
			line("PROBLEM", "%s", p)
		}
	}
	if len(r.Variables) == 0 {
		b.WriteString("\nno variable that could be a forecast or an observation\n")
	}
	if len(r.Coordinates) > 0 {
		b.WriteString("\ncoordinates and others\n")
		for _, c := range r.Coordinates {
			b.WriteString("  " + c + "\n")
		}
	}
	return b.String()
}

// span is from one time to another, which may be the same.
func span(first, last time.Time) string {
	if first.Equal(last) {
		return formatCycle(first)
	}
	return formatCycle(first) + " to " + formatCycle(last)
}
