package pipeline

import (
	"bytes"
	"context"
	"encoding/gob"
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

	"sipipe/calibrate"
	"sipipe/ingest"
)

// AblateOptions are the flags of sipipe ablate.
type AblateOptions struct {
	Date, Cycle string
	Variable    string
	Vary        []string
	Grid        bool
	JSON        bool
}

// AddFlags adds the flags of the command.
func (o *AblateOptions) AddFlags(f *pflag.FlagSet) {
	addCycleFlags(f, &o.Date, &o.Cycle)
	f.StringVar(&o.Variable, "variable", "", "`name` of the variable (default: the first configured)")
	f.StringArrayVar(&o.Vary, "vary", nil, "`key=value,value` of calibrate.interpolant or calibrate.network; repeat for more keys")
	f.BoolVar(&o.Grid, "grid", false, "try all combinations of values, not one key at a time")
	f.BoolVar(&o.JSON, "json", false, "print one JSON object instead of a table")
}

func newAblateCommand(g *Global) *cobra.Command {
	var o AblateOptions
	c := &cobra.Command{
		Use:   "ablate --date DATE --vary KEY=VALUE,VALUE",
		Short: "Compare models of other paths, networks or samplers on archived days",
		Long: `Train the model that a cycle uses once as configured and once for each value, and print
what the archived days that each network has not seen say of it. Nothing later than the
cycle's training day is read, so what is chosen here may be judged on later days.
Models are not kept.

A value may bring others along that it needs: path=linear,vp+gamma=none.

Columns: CRPS of the statistical frame and gain of the networks over it, with its
standard error by day, at full weight (what the networks can do) and at the weight that
training would choose (0 unless the gain exceeds its error); the spread factor learned
afterwards; the loss of the networks, negative where they know more than the frame; and
cost. Values of solver, steps and epsilon share their networks, which are trained once.

A gain smaller than its standard error says nothing; the differences between two rows
are surer than that, since they have days and random numbers in common, but not
by much. Among rows that are equally good take the cheapest, or the default.`,
		Example: `  sipipe ablate --date 2024-07-08 --vary steps=2,4,8,16
  sipipe ablate --date 2024-07-08 --vary epsilon_scale=1,5,20 --vary heads=v-eta,b-eta,x0-x1
  sipipe ablate --date 2024-07-08 --vary hidden=16,64 --vary blocks=1,3 --grid
  sipipe ablate --date 2024-07-08 --vary path=trigonometric,vp+gamma=none --json | jq .rows[].unit.gain`,
		GroupID: groupLook,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runAblate(c.Context(), o, g) },
	}
	o.AddFlags(c.Flags())
	completeDates(c, "date")
	return c
}

// variant is a configuration to compare.
type variant struct {
	name string
	set  []string // key=value, on top of the configuration
}

// variants lists the configuration itself and then one for each value, or for each
// combination of values.
func variants(vary []string, grid bool) ([]variant, error) {
	all := []variant{{name: "as configured"}}
	combined := []variant{{}}
	for _, v := range vary {
		key, list, ok := strings.Cut(v, "=")
		if !ok || list == "" {
			return nil, fmt.Errorf("--vary %s is not key=value,value", v)
		}
		var values []variant
		for _, value := range strings.Split(list, ",") {
			one := variant{name: key + "=" + value}
			for i, part := range strings.Split(value, "+") {
				if i == 0 {
					part = key + "=" + part
				}
				name, rest, ok := strings.Cut(part, "=")
				if !ok {
					return nil, fmt.Errorf("--vary %s: %s is not key=value", v, part)
				}
				full, err := modelKey(name)
				if err != nil {
					return nil, fmt.Errorf("--vary %s: %w", v, err)
				}
				one.set = append(one.set, full+"="+rest)
			}
			values = append(values, one)
		}
		all = append(all, values...)
		var next []variant
		for _, c := range combined {
			for _, one := range values {
				next = append(next, variant{
					name: strings.TrimSpace(c.name + " " + one.name),
					set:  append(append([]string(nil), c.set...), one.set...),
				})
			}
		}
		combined = next
	}
	if grid && len(vary) > 0 {
		return append(all[:1:1], combined...), nil
	}
	return all, nil
}

// modelKey is the full name of a key that shapes models; the last part is enough.
func modelKey(name string) (string, error) {
	var known []string
	for _, k := range newKeyTable() {
		parent, leaf := splitKey(k.Name)
		if parent != "calibrate.interpolant" && parent != "calibrate.network" {
			continue
		}
		if strings.EqualFold(name, leaf) || strings.EqualFold(name, k.Name) {
			return k.Name, nil
		}
		known = append(known, leaf)
	}
	return "", fmt.Errorf("no key %s shapes the model; there are %s", name, strings.Join(known, ", "))
}

// ablation is the result of sipipe ablate.
type ablation struct {
	Variable string        `json:"variable"`
	Units    string        `json:"units"`
	Anchor   time.Time     `json:"anchor"` // nothing later was read
	Cases    int           `json:"cases"`
	Days     int           `json:"days"`
	Rows     []ablationRow `json:"rows"`
}

// ablationRow is what became of a variant. Scores are mean CRPS over held-out
// archived days.
type ablationRow struct {
	Name         string       `json:"name"`
	Set          []string     `json:"set,omitempty"`
	Refused      string       `json:"refused,omitempty"` // why it cannot work, or why there is no network
	Frame        float64      `json:"frame_crps,omitempty"`
	Unit         ablationGain `json:"unit"`   // at weight 1
	Chosen       ablationGain `json:"chosen"` // at the weight that training chooses
	Dispersion   float64      `json:"dispersion,omitempty"`
	Loss         float64      `json:"loss,omitempty"`
	TrainSeconds float64      `json:"train_seconds,omitempty"`
	StepNanos    float64      `json:"nanoseconds_a_member_and_step,omitempty"`
}

type ablationGain struct {
	Weight float64 `json:"weight"`
	Gain   float64 `json:"gain"`
	Error  float64 `json:"standard_error"`
}

func runAblate(ctx context.Context, o AblateOptions, g *Global) (err error) {
	request, err := parseCycle(o.Date, o.Cycle, g.clock())
	if err != nil {
		return &UsageError{Command: "sipipe ablate", Text: err.Error()}
	}
	all, err := variants(o.Vary, o.Grid)
	if err != nil {
		return &UsageError{Command: "sipipe ablate", Text: err.Error()}
	}
	s, err := g.begin("ablate")
	if err != nil {
		return err
	}
	w, err := s.open(ctx, reading)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	cycle, err := w.find(request)
	if err != nil {
		return err
	}
	variable := o.Variable
	if variable == "" {
		variable = w.Variables[0]
	}
	r, err := w.ablate(ctx, variable, cycle, all)
	if err != nil {
		return cause(ctx, err)
	}
	if o.JSON {
		return printJSON(g.Out, r)
	}
	return r.print(g.Out)
}

// ablate trains and judges all variants.
func (w *workspace) ablate(ctx context.Context, variable string, cycle time.Time, all []variant) (*ablation, error) {
	h, err := w.history(variable)
	if err != nil {
		return nil, err
	}
	archived, err := w.archived(ctx, variable, cycle)
	if err != nil {
		return nil, err
	}
	ens, err := w.archive.Ensemble(ctx, variable, cycle)
	if err != nil {
		return nil, err
	}
	anchor, ok := h.Anchor(cycle)
	if !ok {
		return nil, &NoTrainingError{Variable: variable, Cycle: cycle}
	}
	a := &ablation{Variable: ens.Variable.Name, Units: ens.Variable.Units, Anchor: anchor}
	report, stop := w.progress.Start("comparing models of " + variable)
	defer stop()
	networks := memory{}
	for i, v := range all {
		report(i, len(all))
		row := ablationRow{Name: v.name, Set: v.set}
		l, err := Load(LoadOptions{File: w.global.Config, Set: append(append([]string(nil), w.global.Set...), v.set...), Flags: w.global.flags})
		var wrong *ConfigError
		switch {
		case errors.As(err, &wrong):
			row.Refused = wrong.Text
		case err != nil:
			return nil, err
		default:
			if err := w.judge(ctx, &row, a, h, l.Calibrate.method(), networks, ens, archived); err != nil {
				return nil, fmt.Errorf("%s: %w", v.name, err)
			}
		}
		a.Rows = append(a.Rows, row)
	}
	return a, nil
}

// judge trains one variant and fills in its row.
func (w *workspace) judge(ctx context.Context, row *ablationRow, a *ablation, h *calibrate.History, m calibrate.Method, networks memory, ens *ingest.Ensemble, archived *calibrate.Archived) error {
	clock := w.global.clock
	start := clock()
	model, err := calibrate.Train(ctx, h, a.Anchor, m, calibrate.TrainOptions{
		Seed: w.Calibrate.Seed, Threads: w.threads, Networks: networks, KeepNetworks: true,
	})
	if err != nil {
		return err
	}
	row.TrainSeconds = clock().Sub(start).Seconds()
	a.Cases, a.Days = model.Cases, model.Days
	r := model.Report
	if len(r.Candidates) == 0 {
		row.Refused = r.Reason
		return nil
	}
	row.Frame, row.Dispersion = r.Frame, model.Dispersion
	for _, l := range r.Losses {
		row.Loss += l / float64(len(r.Losses))
	}
	for _, c := range r.Candidates {
		gain := ablationGain{c.Correction, c.Gain, c.Error}
		if c.Correction == 1 {
			row.Unit = gain
		}
		if c.Correction == model.Correction {
			row.Chosen = gain
		}
	}
	model.Correction = 1
	o := calibrate.SampleOptions{
		Members: w.Calibrate.Members, Seed: w.Calibrate.Seed, Threads: 1,
		Draw: calibrate.Draw(w.Calibrate.Draw), Coherence: w.Calibrate.coherence(),
		Count: min(ens.Places.Len(), costPlaces),
	}
	for k := range costRepeats {
		start := clock()
		if _, err := model.Sample(ctx, ens, archived, o); err != nil {
			return err
		}
		nanos := float64(clock().Sub(start)) / float64(o.Count*len(ens.Leads)*o.Members*m.Steps)
		if k == 0 || nanos < row.StepNanos {
			row.StepNanos = nanos
		}
	}
	return nil
}

// The cost of sampling is that of the fastest of some repeats, since other programs
// can only slow it down, on a part of the places.
const (
	costPlaces  = 256
	costRepeats = 3
)

// NoTrainingError says that there is nothing to train on yet.
type NoTrainingError struct {
	Variable string
	Cycle    time.Time
}

func (e *NoTrainingError) Error() string {
	return fmt.Sprintf("the archive of %s has no training day before %s; take a later cycle", e.Variable, formatCycle(e.Cycle))
}

// Is makes it an input that is missing.
func (e *NoTrainingError) Is(target error) bool { return target == fs.ErrNotExist }

// memory keeps networks as long as the program runs.
type memory map[string][]byte

// Put implements calibrate.NetworkStore.
func (m memory) Put(key string, _ int, v any) error {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(v); err != nil {
		return err
	}
	m[key] = b.Bytes()
	return nil
}

// Get implements calibrate.NetworkStore.
func (m memory) Get(key string, _ int, v any) error {
	b, ok := m[key]
	if !ok {
		return fs.ErrNotExist
	}
	return gob.NewDecoder(bytes.NewReader(b)).Decode(v)
}

func (a *ablation) print(w io.Writer) error {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.SetTitle(fmt.Sprintf("%s [%s], trained on what was there on %s: %d cases on %d days", a.Variable, a.Units, formatDay(a.Anchor), a.Cases, a.Days))
	t.AppendHeader(table.Row{"", "frame CRPS", "gain at weight 1", "weight chosen", "gain there", "dispersion", "loss", "training, s", "ns a member and step"})
	var notes []string
	for _, r := range a.Rows {
		if r.Refused != "" {
			t.AppendRow(table.Row{r.Name, "–", "–", "–", "–", "–", "–", "–", "–"})
			notes = append(notes, r.Name+": "+r.Refused)
			continue
		}
		t.AppendRow(table.Row{
			r.Name, fmt.Sprintf("%.4f", r.Frame), r.Unit.text(), fmt.Sprintf("%g", r.Chosen.Weight), r.Chosen.text(),
			fmt.Sprintf("%.3f", r.Dispersion), fmt.Sprintf("%+.4f", r.Loss),
			fmt.Sprintf("%.1f", r.TrainSeconds), fmt.Sprintf("%.0f", r.StepNanos),
		})
	}
	t.Render()
	for _, n := range notes {
		if err := printLine(w, n); err != nil {
			return err
		}
	}
	return nil
}

func (g ablationGain) text() string { return fmt.Sprintf("%+.4f ± %.4f", g.Gain, g.Error) }
