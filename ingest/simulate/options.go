package simulate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Layout is how the archive is cut into files.
type Layout string

const (
	Cycle Layout = "cycle" // one forecast file a cycle, one observation file a month
	EUPP  Layout = "eupp"  // one forecast and one paired observation file, as EUPPBench has them
	Grid  Layout = "grid"  // as Cycle, on a regular latitude-longitude grid
)

// Kind is what drives the forecasts.
type Kind string

const (
	Lorenz96 Kind = "lorenz96" // two-scale Lorenz '96 truth, one-scale stochastic model
	Gaussian Kind = "gaussian" // joint Gaussian signals, truth given the ensemble exactly known
)

// Options says what to simulate. The zero value of a field stands for the
// default given with it, but for Seed and Missing, where zero is a value like
// any other.
type Options struct {
	Dir        string        // folder to write to; made when missing
	Force      bool          // replace a simulated archive that is in Dir
	From, To   time.Time     // days of the first and the last cycle, UTC
	Layout     Layout        // Cycle
	Kind       Kind          // Lorenz96
	Variables  []string      // of Variables(); t2m
	Places     int           // stations, or about as many grid cells; 40
	Members    int           // of the raw ensemble; 20
	Steps      int           // lead times; 8
	Step       time.Duration // between lead times, the first is one step; 6 h
	CycleHours []int         // hours of the day with a cycle; 0
	Ideal      int           // draws of the observation from the true distribution to write to Dir/ideal; 0 = none
	Seed       uint64
	Missing    float64 // share of observations that are missing, 0 … 1
}

// defaultMissing is the share of missing observations in Defaults.
const defaultMissing = 0.02

// Defaults are the options of a plain `sipipe simulate`, folder and range apart.
func Defaults() Options {
	return Options{Seed: 1, Missing: defaultMissing}.withDefaults()
}

// Variables lists the names that Options.Variables may hold.
func Variables() []string { return []string{"t2m", "wind", "tp", "regime"} }

func (o Options) withDefaults() Options {
	if o.Layout == "" {
		o.Layout = Cycle
	}
	if o.Kind == "" {
		o.Kind = Lorenz96
	}
	if len(o.Variables) == 0 {
		o.Variables = []string{"t2m"}
	}
	if o.Places == 0 {
		o.Places = 40
	}
	if o.Members == 0 {
		o.Members = 20
	}
	if o.Steps == 0 {
		o.Steps = 8
	}
	if o.Step == 0 {
		o.Step = 6 * time.Hour
	}
	if len(o.CycleHours) == 0 {
		o.CycleHours = []int{0}
	}
	return o
}

// Validate reports every field that does not fit, with the values that would.
func (o Options) Validate() error {
	o = o.withDefaults()
	var errs []error
	bad := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	bad(o.Dir != "", "no folder to write to; name one with --out")
	bad(!o.From.IsZero() && !o.To.IsZero(), "no range of days; give --from and --to as YYYY-MM-DD")
	bad(!o.To.Before(o.From), "--to %s lies before --from %s", o.To.Format(time.DateOnly), o.From.Format(time.DateOnly))
	bad(slices.Contains([]Layout{Cycle, EUPP, Grid}, o.Layout), "layout %q is none of cycle, eupp, grid", o.Layout)
	bad(slices.Contains([]Kind{Lorenz96, Gaussian}, o.Kind), "kind %q is none of lorenz96, gaussian", o.Kind)
	for i, name := range o.Variables {
		bad(slices.Contains(Variables(), name), "variable %q is none of %s", name, strings.Join(Variables(), ", "))
		bad(!slices.Contains(o.Variables[:i], name), "variable %q is named twice", name)
	}
	bad(o.Places > 0 && o.Places <= 5_000_000, "%d stations; need 1 … 5000000", o.Places)
	bad(o.Members >= 2 && o.Members <= 10_000, "%d members; need 2 … 10000", o.Members)
	bad(o.Steps > 0 && o.Steps <= 1000, "%d steps; need 1 … 1000", o.Steps)
	bad(o.Step >= time.Hour && 24*time.Hour%o.Step == 0 && o.Step%time.Hour == 0,
		"a step of %v does not divide a day into whole hours; use 1, 2, 3, 4, 6, 8, 12 or 24 h", o.Step)
	for i, h := range o.CycleHours {
		bad(h >= 0 && h < 24, "cycle hour %d; need 0 … 23", h)
		bad(i == 0 || h > o.CycleHours[i-1], "cycle hours %v are not ascending", o.CycleHours)
	}
	bad(o.Ideal == 0 || o.Ideal >= 2, "%d ideal members; need 0 or at least 2", o.Ideal)
	bad(o.Missing >= 0 && o.Missing < 1, "share of missing observations %g; need 0 … 1", o.Missing)
	return errors.Join(errs...)
}

// cycles lists the forecast reference times of the range, ascending.
func (o Options) cycles() []time.Time {
	var list []time.Time
	for day := midnight(o.From); !day.After(midnight(o.To)); day = day.AddDate(0, 0, 1) {
		for _, h := range o.CycleHours {
			list = append(list, day.Add(time.Duration(h)*time.Hour))
		}
	}
	return list
}

// leads lists the lead times, ascending.
func (o Options) leads() []time.Duration {
	list := make([]time.Duration, o.Steps)
	for i := range list {
		list[i] = time.Duration(i+1) * o.Step
	}
	return list
}

// tick is the longest time that divides the step and all cycle hours: the truth
// is kept, and observed, on multiples of it.
func (o Options) tick() time.Duration {
	tick := o.Step
	for _, h := range o.CycleHours {
		for d := time.Duration(h) * time.Hour; d != 0; {
			tick, d = d, tick%d
		}
	}
	return tick
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}
