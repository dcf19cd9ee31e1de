package pipeline

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// ConfigOptions are the flags of sipipe config.
type ConfigOptions struct {
	JSON    bool
	Default bool
}

// AddFlags adds the flags of the command.
func (o *ConfigOptions) AddFlags(f *pflag.FlagSet) {
	f.BoolVar(&o.JSON, "json", false, "print one JSON object")
	f.BoolVar(&o.Default, "default", false, "print the defaults as a commented configuration file")
}

func newConfigCommand(g *Global) *cobra.Command {
	var o ConfigOptions
	c := &cobra.Command{
		Use:   "config",
		Short: "Show the effective configuration and where each value comes from",
		Long: `Show the effective configuration and where each value comes from: default, a line of
the configuration file, an environment variable, or a flag, where later ones win.

The file is the one named by --config or SIPIPE_CONFIG, or else the first of
sipipe.yaml in the working folder, sipipe/sipipe.yaml in the user's configuration
folder ($XDG_CONFIG_HOME, ~/.config), and /etc/sipipe/sipipe.yaml. Paths in the
configuration are relative to its folder, wherever the program is started.

Each key has an environment variable: calibrate.members is SIPIPE_CALIBRATE_MEMBERS.`,
		Example: `  sipipe config
  sipipe config --default > sipipe.yaml          # a file to start from
  SIPIPE_CALIBRATE_MEMBERS=20 sipipe config --set calibrate.delay=6h`,
		GroupID: groupLook,
		Args:    noArgs,
		RunE:    func(*cobra.Command, []string) error { return runConfig(o, g) },
	}
	o.AddFlags(c.Flags())
	return c
}

func runConfig(o ConfigOptions, g *Global) error {
	if o.Default {
		_, err := g.Out.Write([]byte(defaultFile()))
		return err
	}
	l, err := Load(LoadOptions{File: g.Config, Set: g.Set, Flags: g.flags, Incomplete: true})
	if err != nil {
		return err
	}
	if o.JSON {
		return printJSON(g.Out, l.describe())
	}
	for _, k := range newKeyTable() {
		line := fmt.Sprintf("%-28s %s", k.Name+":", formatValue(k.in(&l.Config)))
		if err := printLine(g.Out, fmt.Sprintf("%-60s # %s", line, l.Origins[k.Name])); err != nil {
			return err
		}
	}
	return printLine(g.Out, "\n# paths are relative to "+l.Root+"\n# sha256 of what shapes the numbers: "+l.Hash)
}

// described is the effective configuration for programs.
type described struct {
	File string                    `json:"file"`
	Root string                    `json:"root"`
	Hash string                    `json:"sha256"`
	Keys map[string]describedValue `json:"keys"`
}

type describedValue struct {
	Value  any    `json:"value"`
	Origin string `json:"origin"`
}

func (l *Loaded) describe() described {
	d := described{File: l.File, Root: l.Root, Hash: l.Hash, Keys: map[string]describedValue{}}
	for _, k := range newKeyTable() {
		v := describedValue{Value: k.in(&l.Config).Interface(), Origin: l.Origins[k.Name]}
		if text, ok := v.Value.(fmt.Stringer); ok {
			v.Value = text.String() // durations
		}
		d.Keys[k.Name] = v
	}
	return d
}

// defaultFile is a configuration file with every key, its meaning and its default.
func defaultFile() string {
	var b strings.Builder
	b.WriteString("# All keys of sipipe with their defaults. A configuration needs only what differs:\n" +
		"# ingest.forecasts, ingest.observations and variables. Paths are relative to this file.\n" +
		"# Durations are written 90m, 6h or 2d.\n")
	c := DefaultConfig()
	var section []string
	for _, k := range newKeyTable() {
		parts := strings.Split(k.Name, ".")
		head, leaf := parts[:len(parts)-1], parts[len(parts)-1]
		b.WriteString("\n")
		for i, name := range head {
			if i >= len(section) || section[i] != name {
				b.WriteString(strings.Repeat("  ", i) + name + ":\n")
				section = nil // what is below it begins anew
			}
		}
		section = head
		indent := strings.Repeat("  ", len(head))
		comment := k.Desc
		if k.Valid != "" {
			comment += "; valid: " + validText(k.Valid)
		}
		for _, line := range wrap(comment, 96) {
			b.WriteString(indent + "# " + line + "\n")
		}
		b.WriteString(indent + leaf + ": " + formatValue(k.in(&c)) + "\n")
	}
	return b.String()
}

// validText is a valid tag for people.
func validText(valid string) string {
	lo, hi, isRange := strings.Cut(valid, "..")
	switch {
	case !isRange:
		return strings.ReplaceAll(valid, "|", ", ")
	case hi == "":
		return lo + " or more"
	case lo == "":
		return "up to " + hi
	}
	return lo + " to " + hi
}

// wrap breaks text at blanks into lines of at most width bytes.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
