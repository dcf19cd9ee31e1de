package pipeline

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"sipipe/calibrate"
	"sipipe/calibrate/score"
)

// DensityOptions are the flags of sipipe density.
type DensityOptions struct {
	Date, Cycle string
	Station     string
	Lead        string
	Variable    string
	Values      []float64
	JSON        bool
}

// AddFlags adds the flags of the command.
func (o *DensityOptions) AddFlags(f *pflag.FlagSet) {
	addCycleFlags(f, &o.Date, &o.Cycle)
	f.StringVar(&o.Station, "station", "", "`name` of the station")
	f.StringVar(&o.Lead, "lead", "", "lead time in `hours` (default: all)")
	f.StringVar(&o.Variable, "variable", "", "`name` of the variable (default: the first configured)")
	f.Float64SliceVar(&o.Values, "value", nil, "`value` in units of the variable, repeat for more (default: the observation)")
	f.BoolVar(&o.JSON, "json", false, "print one JSON object instead of a table")
}

func newDensityCommand(g *Global) *cobra.Command {
	var o DensityOptions
	c := &cobra.Command{
		Use:   "density --date DATE --station NAME",
		Short: "Tell how likely a value is under the calibrated forecast of a station",
		Long: `Tell how likely a value is under the calibrated forecast of a station: its PIT, the
probability of a smaller value, and the logarithm of its density per unit of the
variable. Without --value it is the observation that is judged, once it is there.

Nothing is sampled. The value is carried back along the ODE of the model to where raw
members begin, where the law is known; what the ODE stretches or squeezes on the way
gives the density. Where the variable has a bound with a probability of its own, such
as no rain, the PIT is a range, and the logarithm that of the probability. Members that
are sampled by the SDE follow this law as far as the learned fields are consistent.

PITs of many observations are uniform when the forecast is calibrated; the mean of the
log density over many cases ranks forecasts (it is the logarithmic score). The model
must be there: run the cycle, or sipipe train, first.`,
		Example: `  sipipe density --date 2024-07-08 --station alpha
  sipipe density --date 2024-07-08 --station alpha --lead 48 --value 290 --value 295
  sipipe density --date 2024-07-08 --station alpha --json | jq .cases[].pit`,
		GroupID: groupLook,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runDensity(c.Context(), o, g) },
	}
	o.AddFlags(c.Flags())
	completeDates(c, "date")
	return c
}

// StationError says that a forecast has no such station or lead time.
type StationError struct{ Text string }

func (e *StationError) Error() string { return e.Text }

// Is makes it an input that is missing.
func (e *StationError) Is(target error) bool { return target == fs.ErrNotExist }

// densityReport is the result of sipipe density.
type densityReport struct {
	Cycle    time.Time     `json:"cycle"`
	Station  string        `json:"station"`
	Variable string        `json:"variable"`
	Units    string        `json:"units"`
	Method   string        `json:"method"` // interpolant or frame
	Reason   string        `json:"reason"`
	Cases    []densityCase `json:"cases"`
}

// densityCase is one value at one lead time. Frame is the same under the
// statistical frame alone.
type densityCase struct {
	Lead     float64   `json:"lead_hours"`
	Valid    time.Time `json:"valid"`
	Value    float64   `json:"value"`
	Observed bool      `json:"observed"`
	likelihoodFigures
	Frame likelihoodFigures `json:"frame"`
}

type likelihoodFigures struct {
	PIT        score.Number `json:"pit"`
	Below      score.Number `json:"pit_below"`
	LogDensity score.Number `json:"log_density"`
}

func figuresOf(l calibrate.Likelihood) likelihoodFigures {
	return likelihoodFigures{score.Number(l.PIT), score.Number(l.Below), score.Number(l.LogDensity)}
}

func runDensity(ctx context.Context, o DensityOptions, g *Global) error {
	usage := func(text string) error { return &UsageError{Command: "sipipe density", Text: text} }
	request, err := parseCycle(o.Date, o.Cycle, g.clock())
	switch {
	case err != nil:
		return usage(err.Error())
	case o.Station == "":
		return usage("--station is not set; name a station of the forecast")
	case slices.ContainsFunc(o.Values, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }):
		return usage("--value must be a finite number")
	}
	lead := time.Duration(-1)
	if o.Lead != "" {
		hours, err := strconv.ParseFloat(strings.TrimSuffix(o.Lead, "h"), 64)
		if err != nil || hours < 0 {
			return usage(fmt.Sprintf("--lead %s is not a number of hours", o.Lead))
		}
		lead = time.Duration(hours * float64(time.Hour))
	}
	s, err := g.begin("density")
	if err != nil {
		return err
	}
	return s.with(ctx, reading, func(w *workspace) error {
		cycle, err := w.find(request)
		if err != nil {
			return err
		}
		r, err := w.density(ctx, cycle, lead, o)
		if err != nil {
			return cause(ctx, err)
		}
		if o.JSON {
			return printJSON(g.Out, r)
		}
		return r.print(g.Out)
	})
}

// density judges the values of one station; a negative lead is all of them.
func (w *workspace) density(ctx context.Context, cycle time.Time, lead time.Duration, o DensityOptions) (*densityReport, error) {
	variable := o.Variable
	if variable == "" {
		variable = w.Variables[0]
	}
	h, err := w.history(variable)
	if err != nil {
		return nil, err
	}
	ens, err := w.archive.Ensemble(ctx, variable, cycle)
	if err != nil {
		return nil, err
	}
	place, found := slices.BinarySearch(ens.Places.ID, o.Station)
	if !found {
		if place = slices.Index(ens.Places.ID, o.Station); place < 0 {
			n := min(3, len(ens.Places.ID))
			return nil, &StationError{fmt.Sprintf("the forecast of %s has no station %s; it has %d, such as %s",
				formatCycle(cycle), o.Station, len(ens.Places.ID), strings.Join(ens.Places.ID[:n], ", "))}
		}
	}
	if lead >= 0 && !slices.Contains(ens.Leads, lead) {
		return nil, &StationError{fmt.Sprintf("the forecast of %s has no lead time of %g hours; it has %s", formatCycle(cycle), lead.Hours(), hoursText(ens.Leads))}
	}
	model, err := h.Stored(cycle, w.Calibrate.method(), w.Calibrate.Seed)
	if err != nil {
		return nil, err
	}
	if model.Method.Joint && !model.Simple() {
		return nil, &ConfigError{
			Origin: w.Origins["calibrate.model"], Key: "calibrate.model",
			Text: "is joint: its drift depends on all places, so one alone has no density; use --set calibrate.model=pointwise",
		}
	}
	archived, err := w.archived(ctx, variable, cycle)
	if err != nil {
		return nil, err
	}
	r := &densityReport{
		Cycle: cycle, Station: o.Station, Variable: ens.Variable.Name, Units: ens.Variable.Units,
		Method: "interpolant", Reason: model.Report.Reason, Cases: []densityCase{},
	}
	if model.Simple() {
		r.Method = "frame"
	}
	alone := *model
	alone.Correction = 0
	for l := range ens.Leads {
		if lead >= 0 && ens.Leads[l] != lead {
			continue
		}
		valid := cycle.Add(ens.Leads[l])
		values, observed := o.Values, false
		if len(values) == 0 {
			y, err := w.observedAt(ctx, variable, valid, o.Station)
			if err != nil {
				return nil, err
			}
			if math.IsNaN(y) {
				continue
			}
			values, observed = []float64{y}, true
		}
		c := calibrate.Case{Lead: l, Place: place}
		ours, err := model.Likelihood(ctx, ens, archived, c, values)
		if err != nil {
			return nil, err
		}
		frames, err := alone.Likelihood(ctx, ens, archived, c, values)
		if err != nil {
			return nil, err
		}
		for i, y := range values {
			r.Cases = append(r.Cases, densityCase{
				Lead: ens.Leads[l].Hours(), Valid: valid, Value: y, Observed: observed,
				likelihoodFigures: figuresOf(ours[i]), Frame: figuresOf(frames[i]),
			})
		}
	}
	if len(r.Cases) == 0 {
		return nil, &StationError{fmt.Sprintf("no observation of %s at %s for the forecast of %s; give a --value", variable, o.Station, formatCycle(cycle))}
	}
	return r, nil
}

// observedAt is what was measured at a station, NaN when nothing was.
func (w *workspace) observedAt(ctx context.Context, variable string, valid time.Time, station string) (float64, error) {
	obs, err := w.archive.Observed(ctx, variable, valid)
	if err != nil || obs == nil {
		return math.NaN(), err
	}
	if k, ok := slices.BinarySearch(obs.ID, station); ok {
		return float64(obs.Values[k]), nil
	}
	return math.NaN(), nil
}

func hoursText(leads []time.Duration) string {
	var all []string
	for _, l := range leads {
		all = append(all, fmt.Sprintf("%g", l.Hours()))
	}
	return strings.Join(all, ", ")
}

func (r *densityReport) print(w io.Writer) error {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.SetTitle(fmt.Sprintf("%s at %s, forecast of %s, by the %s", r.Variable, r.Station, formatCycle(r.Cycle), r.Method))
	t.AppendHeader(table.Row{"lead, h", "valid", r.Units, "", "PIT", "log density", "frame: PIT", "log density"})
	for _, c := range r.Cases {
		source := "given"
		if c.Observed {
			source = "observed"
		}
		t.AppendRow(table.Row{
			fmt.Sprintf("%g", c.Lead), formatCycle(c.Valid), fmt.Sprintf("%.5g", c.Value), source,
			c.pitText(), numberText(c.LogDensity, "%.3f"), c.Frame.pitText(), numberText(c.Frame.LogDensity, "%.3f"),
		})
	}
	t.Render()
	return printLine(w, r.Reason)
}

// pitText is one number, or a range where the value has a probability of its own.
func (l likelihoodFigures) pitText() string {
	if l.Below != l.PIT {
		return numberText(l.Below, "%.4f") + " to " + numberText(l.PIT, "%.4f")
	}
	return numberText(l.PIT, "%.4f")
}
