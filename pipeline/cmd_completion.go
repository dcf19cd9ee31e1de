package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func newCompletionCommand(g *Global) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion " + strings.Join(shells, "|"),
		Short: "Print the completion script of a shell",
		Example: `  source <(sipipe completion bash)
  sipipe completion zsh > "${fpath[1]}/_sipipe"
  sipipe completion fish > ~/.config/fish/completions/sipipe.fish`,
		GroupID:   groupLook,
		ValidArgs: shells,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(shells, args[0]) {
				return &UsageError{Command: c.CommandPath(), Text: "name one shell of " + strings.Join(shells, ", ")}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := runCompletion(c.Root(), args[0], g); err != nil {
				return fmt.Errorf("print completion: %w", err)
			}
			return nil
		},
	}
}

func runCompletion(root *cobra.Command, shell string, g *Global) error {
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(g.Out, true)
	case "zsh":
		return root.GenZshCompletion(g.Out)
	case "fish":
		return root.GenFishCompletion(g.Out, true)
	}
	return root.GenPowerShellCompletionWithDesc(g.Out)
}

// choices offers the values of a flag to the shell.
func choices(c *cobra.Command, flag string, values ...string) {
	if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic("pipeline: " + err.Error()) // the flag does not exist
	}
}

func completeDates(c *cobra.Command, flags ...string) {
	for _, f := range flags {
		values := []string{"today", "yesterday"}
		if f == "date" {
			values = append(values, "latest")
		}
		choices(c, f, values...)
	}
	if c.Flags().Lookup("cycle") != nil {
		choices(c, "cycle", "00", "06", "12", "18")
	}
}
