package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"sipipe/ingest"
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
		Long: `Show for each cycle of the archive, for those that have a product, and for those that
are missing between them and up to now, whether it has a product and how that was made:
ok, degraded with the reasons, stale when a run would not find it valid (the product is
damaged, was made with another configuration or from other data, or its forecast is
gone), or missing, with what is wrong with the forecast or why a run refuses it.
Without a range, the last 14 cycles.

When the archive cannot be read or has no forecast, the products are shown, and the exit
code is that of a run.

Below the table the scores of the last seven days of the statistical forecast are set
against those of up to twelve weeks before: CRPS, which may have become larger, and bias,
which may have changed. An alarm is a difference that without a change one test in a
thousand finds (operations.drift).`,
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

// Status of cycles without a complete and current product.
const (
	StatusMissing = "missing"
	StatusStale   = "stale" // a run would make it again, and the reason says why
)

// StatusReport is the result of sipipe status.
type StatusReport struct {
	Cycles []CycleStatus `json:"cycles"`
	// Error is what is wrong with the archive as a whole: it cannot be read, or has no forecast.
	Error string `json:"error,omitempty"`
	// Faults counts the files and cycles of the archive that cannot be used.
	Faults int `json:"archive_faults"`
	// Ignored are files of the archive that cannot be used and belong to no cycle.
	Ignored []IgnoredFile `json:"ignored,omitempty"`
	// Ahead are cycles that are ahead of the clock.
	Ahead []time.Time `json:"ahead_of_clock,omitempty"`
	// NoneSince is the newest cycle, when it is so old that none is expected any more.
	NoneSince *time.Time `json:"no_cycle_since,omitempty"`
	// Drift compares recent scores with earlier ones.
	Drift []DriftStatus `json:"drift"`
	// Jobs are the steps of what was last submitted to Slurm.
	Jobs []JobStatus `json:"jobs,omitempty"`
	// QueueUnknown says why Slurm could not be asked about tasks that are not over.
	QueueUnknown string `json:"queue_unknown,omitempty"`
}

// IgnoredFile is a file of the archive that is left out.
type IgnoredFile struct {
	Path     string     `json:"path"`
	Variable string     `json:"variable"`
	Cycle    *time.Time `json:"cycle,omitempty"` // if it is known
	Why      string     `json:"why"`
}

func ignoredFile(f ingest.Fault) IgnoredFile {
	i := IgnoredFile{Path: f.Path, Variable: f.Variable, Why: f.Err.Error()}
	if !f.Cycle.IsZero() {
		i.Cycle = &f.Cycle
	}
	return i
}

// CycleStatus is what is known of one cycle.
type CycleStatus struct {
	Cycle   time.Time  `json:"cycle"`
	Status  string     `json:"status"` // ok, degraded, stale or missing
	Reasons []string   `json:"reasons,omitempty"`
	Product string     `json:"product"`
	Methods []string   `json:"methods,omitempty"` // by variable
	Created *time.Time `json:"created,omitempty"`
	// PeakMemory of the process that made the product.
	PeakMemory int64 `json:"peak_memory_bytes,omitempty"`
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
	w, err := s.openStore(ctx, looking)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	lost := w.readArchive(ctx)
	switch {
	case lacksInput(lost): // products are there all the same
		w.archive, w.learning = lostArchive{}, lostArchive{}
	case lost != nil:
		return lost
	default:
		_, lost = w.find(cycleRequest{latest: true, hour: -1}) // none is there
	}
	r, err := w.statusReport(ctx, first, last)
	if err != nil {
		return errors.Join(lost, err)
	}
	if lost != nil {
		r.Error = lost.Error()
	}
	if o.JSON {
		err = printJSON(g.Out, r)
	} else {
		err = r.print(g.Out)
	}
	return errors.Join(err, lost)
}

// statusReport is about the cycles of a range, or the last ones when first is zero.
func (w *workspace) statusReport(ctx context.Context, first, last time.Time) (r *StatusReport, err error) {
	r = &StatusReport{}
	cycles, ahead, err := w.expected()
	if err != nil {
		return nil, err
	}
	r.Ahead = ahead
	if !first.IsZero() {
		if cycles, err = w.within(append(cycles, ahead...), first, last); err != nil {
			return nil, err
		}
	} else if n := len(cycles); n > 0 {
		if newest := cycles[n-1]; w.global.clock().Sub(newest) > longestLead {
			r.NoneSince = &newest
		}
		cycles = cycles[max(0, n-statusCycles):]
	}
	for _, c := range cycles {
		if err := ctx.Err(); err != nil {
			return nil, cause(ctx, err)
		}
		one, err := w.status(ctx, c)
		if err != nil {
			return nil, err
		}
		r.Cycles = append(r.Cycles, one)
	}
	for _, f := range w.archive.Faults() {
		if f.Cycle.IsZero() {
			r.Ignored = append(r.Ignored, ignoredFile(f))
		}
	}
	r.Faults = len(w.archive.Faults())
	if len(w.cycles()) > 0 {
		if r.Drift, err = w.drift(ctx); err != nil {
			return nil, cause(ctx, err)
		}
	}
	if r.Jobs, r.QueueUnknown, err = w.jobs(ctx, slurm{}); err != nil {
		return nil, err
	}
	return r, nil
}

// status tells what a run of one cycle would find, with the same checks.
func (w *workspace) status(ctx context.Context, cycle time.Time) (CycleStatus, error) {
	product, err := w.product(cycle)
	if err != nil {
		return CycleStatus{}, err
	}
	s := CycleStatus{Cycle: cycle, Status: StatusMissing, Product: product}
	for _, f := range w.archive.Faults() {
		if f.Cycle.Equal(cycle) {
			s.Reasons = append(s.Reasons, f.Err.Error())
		}
	}
	if len(s.Reasons) == 0 && !slices.Contains(w.cycles(), cycle) {
		s.Reasons = append(s.Reasons, w.absence(ctx, cycle))
	}
	m, err := ReadManifest(product)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if len(s.Reasons) == 0 {
			why, err := w.unmade(ctx, w.newJob(cycle, product))
			s.Reasons = []string{why}
			return s, err
		}
		return s, nil
	case err != nil:
		s.Status, s.Reasons = StatusStale, append(s.Reasons, err.Error())
		return s, nil
	}
	s.Created, s.PeakMemory = &m.Created, m.PeakMemory
	for _, v := range m.Variables {
		s.Methods = append(s.Methods, v.Name+": "+v.Method)
	}
	valid, why, err := w.hasValidProduct(ctx, cycle)
	if err != nil {
		return CycleStatus{}, err
	}
	if !valid {
		s.Status = StatusStale
		for _, why := range []string{why, w.refusal(cycle)} {
			if why != "" && !slices.Contains(s.Reasons, why) {
				s.Reasons = append(s.Reasons, why)
			}
		}
		return s, nil
	}
	s.Status, s.Reasons = m.Status, append(s.Reasons, m.Reasons...)
	return s, nil
}

// absence says why there is no forecast of a cycle.
func (w *workspace) absence(ctx context.Context, cycle time.Time) string {
	_, err := w.archive.Ensemble(ctx, w.Variables[0], cycle)
	if missing := (*ingest.MissingCycleError)(nil); err == nil || errors.As(err, &missing) {
		return "the archive has no forecast of it"
	}
	return err.Error()
}

// unmade says why a cycle whose forecast is there has no product: a run refuses it, or there
// was none.
func (w *workspace) unmade(ctx context.Context, j *job) (string, error) {
	j.log = zerolog.Nop()
	if err := j.ingestStage().Run(ctx); err != nil {
		return err.Error(), ctx.Err()
	}
	if why := w.refusal(j.cycle); why != "" {
		return why, nil
	}
	return fmt.Sprintf("not made yet: %s makes it", j.command()), nil
}

// memory tells the peak of the last run, the latest to make one of the products.
func (r *StatusReport) memory() string {
	var latest *CycleStatus
	for i, c := range r.Cycles {
		if c.PeakMemory > 0 && (latest == nil || !c.Created.Before(*latest.Created)) {
			latest = &r.Cycles[i]
		}
	}
	if latest == nil {
		return ""
	}
	return fmt.Sprintf("peak memory of the last run, that of cycle %s: %d MB\n", formatCycle(latest.Cycle), latest.PeakMemory/1e6)
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
	text := t.Render() + "\n" + r.memory()
	for _, d := range r.Drift {
		line := d.Variable + ": " + d.text()
		if d.Alarm {
			line = "ALARM " + line + ": it has left its range"
		}
		text += line + "\n"
	}
	if r.Faults > 0 {
		text += fmt.Sprintf("%d files and cycles of the archive cannot be used\n", r.Faults)
	}
	if r.NoneSince != nil {
		text += fmt.Sprintf("no cycle since %s, for more than %d days: later ones are not counted as missing\n", formatCycle(*r.NoneSince), longestLead/(24*time.Hour))
	}
	for _, c := range r.Ahead {
		text += "ahead of the clock: " + formatCycle(c) + "\n"
	}
	for _, f := range r.Ignored {
		text += "ignored: " + f.Why + "\n"
	}
	text += jobsTable(r.Jobs, r.QueueUnknown)
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("print status: %w", err)
	}
	return nil
}
