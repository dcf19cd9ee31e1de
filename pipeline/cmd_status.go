package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// StatusOptions are the flags of sipipe status.
type StatusOptions struct {
	From, To string
	JSON     bool
}

// AddFlags adds the flags of the command.
func (o *StatusOptions) AddFlags(f *pflag.FlagSet) {
	addRangeFlags(f, &o.From, &o.To)
	f.BoolVar(&o.JSON, "json", false, "print one JSON object instead of a table")
}

func newStatusCommand(g *Global) *cobra.Command {
	var o StatusOptions
	c := &cobra.Command{
		Use:   "status [--from DATE --to DATE]",
		Short: "Show which cycles have a product, and how it was made",
		Long: `Show for each cycle of the archive whether it has a product and how that was made:
ok, degraded with the reasons, or missing. Without a range, the last 14 cycles.`,
		Example: `  sipipe status
  sipipe status --from 2024-06-01 --to 2024-07-08 --json | jq '.cycles[] | select(.status != "ok")'`,
		GroupID: groupLook,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runStatus(c.Context(), o, g) },
	}
	o.AddFlags(c.Flags())
	completeDates(c, "from", "to")
	return c
}

// statusCycles are shown when no range is asked for.
const statusCycles = 14

// Status of a cycle without a complete product.
const StatusMissing = "missing"

// StatusReport is the result of sipipe status.
type StatusReport struct {
	Cycles []CycleStatus `json:"cycles"`
}

// CycleStatus is what is known of one cycle.
type CycleStatus struct {
	Cycle   time.Time  `json:"cycle"`
	Status  string     `json:"status"` // ok, degraded or missing
	Reasons []string   `json:"reasons,omitempty"`
	Product string     `json:"product"`
	Methods []string   `json:"methods,omitempty"` // by variable
	Created *time.Time `json:"created,omitempty"`
}

func runStatus(ctx context.Context, o StatusOptions, g *Global) (err error) {
	var first, last time.Time
	if o.From != "" || o.To != "" {
		if first, last, err = parseRange(o.From, o.To, g.clock()); err != nil {
			return &UsageError{Command: "sipipe status", Text: err.Error()}
		}
	}
	s, err := g.begin("status")
	if err != nil {
		return err
	}
	w, err := s.open(ctx, reading)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	cycles := w.cycles()
	if !first.IsZero() {
		if cycles, err = w.within(first, last); err != nil {
			return err
		}
	} else if len(cycles) > statusCycles {
		cycles = cycles[len(cycles)-statusCycles:]
	}
	var r StatusReport
	for _, c := range cycles {
		if err := ctx.Err(); err != nil {
			return cause(ctx, err)
		}
		one, err := w.status(c)
		if err != nil {
			return err
		}
		r.Cycles = append(r.Cycles, one)
	}
	if o.JSON {
		return printJSON(g.Out, r)
	}
	return r.print(g.Out)
}

// status looks at the manifest of one cycle. It does not digest the product: that is
// what a run does before it trusts it.
func (w *workspace) status(cycle time.Time) (CycleStatus, error) {
	product, err := w.product(cycle)
	if err != nil {
		return CycleStatus{}, err
	}
	s := CycleStatus{Cycle: cycle, Status: StatusMissing, Product: product}
	m, err := ReadManifest(product)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, nil
	case err != nil:
		s.Reasons = []string{err.Error()}
		return s, nil
	}
	s.Status, s.Reasons, s.Created = m.Status, m.Reasons, &m.Created
	for _, v := range m.Variables {
		s.Methods = append(s.Methods, v.Name+": "+v.Method)
	}
	return s, nil
}

func (r *StatusReport) print(w io.Writer) error {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.AppendHeader(table.Row{"cycle", "status", "method", "product or reason"})
	for _, c := range r.Cycles {
		last := c.Product
		if len(c.Reasons) > 0 {
			last = strings.Join(c.Reasons, "\n")
		}
		t.AppendRow(table.Row{formatCycle(c.Cycle), c.Status, strings.Join(c.Methods, "\n"), last})
	}
	if _, err := fmt.Fprintln(w, t.Render()); err != nil {
		return fmt.Errorf("print status: %w", err)
	}
	return nil
}
