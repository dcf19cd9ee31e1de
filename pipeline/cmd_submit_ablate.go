package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sipipe/calibrate"
)

func newSubmitAblateCommand(g *Global) *cobra.Command {
	var (
		o SubmitOptions
		a AblateOptions
	)
	c := &cobra.Command{
		Use:   "ablate --date DATE --vary KEY=VALUE,VALUE",
		Short: "Submit a comparison of models: an array over variants, then the table",
		Long: `Submit what sipipe ablate does: one job that makes the statistical forecasts, an array
with a task for all variants that share their networks, and one job whose log has the
table.`,
		Example: `  sipipe submit ablate --date 2024-07-08 --vary steps=2,4,8 --vary hidden=16,64`,
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			request, err := parseCycle(a.Date, a.Cycle, g.clock())
			if err != nil {
				return &UsageError{Command: c.CommandPath(), Text: err.Error()}
			}
			all, err := a.variants("sipipe submit ablate")
			if err != nil {
				return err
			}
			return g.submit(c.Context(), o, "ablate", func(_ context.Context, w *workspace) (*submission, error) {
				cycle, err := w.find(request)
				if err != nil {
					return nil, err
				}
				return w.planAblate(cycle, a, all)
			})
		},
	}
	f := c.Flags()
	a.addVariantFlags(f)
	o.AddFlags(f)
	completeDates(c, "date", "from", "to")
	return c
}

// planAblate splits variants by the networks that they share, since those are trained
// once by a process.
func (w *workspace) planAblate(cycle time.Time, o AblateOptions, all []variant) (*submission, error) {
	p, err := w.plan("ablate", nil)
	if err != nil {
		return nil, err
	}
	var (
		methods []calibrate.Method
		groups  [][]string // numbers of variants
	)
	for i, v := range all {
		l, err := Load(w.global.loading(v.set...))
		var m calibrate.Method // of variants that cannot work: the task says so
		if wrong := (*ConfigError)(nil); err == nil {
			m = l.Calibrate.method()
		} else if !errors.As(err, &wrong) {
			return nil, err
		}
		k := slices.IndexFunc(methods, m.SharesNetworks)
		if k < 0 {
			k = len(methods)
			methods, groups = append(methods, m), append(groups, nil)
		}
		groups[k] = append(groups[k], strconv.Itoa(i))
	}
	ablate := []string{"ablate", "--date=" + formatCycle(cycle)}
	for _, vary := range o.Vary {
		ablate = append(ablate, "--vary="+vary)
	}
	if o.Grid {
		ablate = append(ablate, "--grid")
	}
	for _, flag := range []struct{ name, value string }{{"variable", o.Variable}, {"from", o.From}, {"to", o.To}} {
		if flag.value != "" {
			ablate = append(ablate, "--"+flag.name+"="+flag.value)
		}
	}
	if o.List != "" {
		path, err := filepath.Abs(o.List)
		if err != nil {
			return nil, fmt.Errorf("find the list of variants: %w", err)
		}
		ablate = append(ablate, "--list="+path)
	}
	judge := &step{Name: stepAblate, After: stepTrain}
	for _, g := range groups {
		judge.Tasks = append(judge.Tasks, [][]string{append(slices.Clone(ablate), "--only="+strings.Join(g, ","), "--json")})
	}
	table := &step{Name: stepTable, After: stepAblate, Always: true, Tasks: [][][]string{{append(slices.Clone(ablate), "--collect="+p.dir)}}}
	p.Steps = []*step{w.training([]time.Time{cycle}), judge, table}
	return p, nil
}

// collectAblation puts the results of tasks together, in the order of variants.
func collectAblation(dir string, all []variant) (*ablation, error) {
	paths, err := filepath.Glob(filepath.Join(dir, stepAblate+"-*.out"))
	if err != nil {
		return nil, fmt.Errorf("list results: %w", err)
	}
	var r *ablation
	rows := map[string]ablationRow{}
	id := func(group, name string) string { return group + "\x00" + name }
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read result: %w", err)
		}
		var part ablation
		if json.Unmarshal(text, &part) != nil {
			continue // of a task that has failed
		}
		for _, row := range part.Rows {
			rows[id(row.Group, row.Name)] = row
		}
		if r == nil || part.Cases > r.Cases {
			r = &part
		}
	}
	if r == nil {
		return nil, fmt.Errorf("no task in %s has a result: %w", dir, os.ErrNotExist)
	}
	r.Rows = nil
	for _, v := range all {
		row, ok := rows[id(v.group, v.name)]
		if !ok {
			row = ablationRow{Group: v.group, Name: v.name, Set: v.set, Refused: "its task has no result; sipipe status tells why"}
		}
		r.Rows = append(r.Rows, row)
	}
	return r, nil
}

// only picks variants by number.
func only(all []variant, numbers []int) ([]variant, error) {
	if len(numbers) == 0 {
		return all, nil
	}
	var some []variant
	for _, i := range numbers {
		if i < 0 || i >= len(all) {
			return nil, fmt.Errorf("--only %d: variants have the numbers 0 to %d", i, len(all)-1)
		}
		some = append(some, all[i])
	}
	return some, nil
}
