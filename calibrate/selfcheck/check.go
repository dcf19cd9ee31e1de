package selfcheck

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/stat"

	"sipipe/calibrate/noise"
)

// Options of Run. The zero value is usable.
type Options struct {
	// Steps to check; by default half, once and twice those of the sampler's grid.
	Steps []int
	// Threads to use, by default those of the machine; no influence on results.
	Threads int
}

// Row is the error of one law at one number of steps.
type Row struct {
	Law   string  `json:"law"`
	Steps int     `json:"steps"`
	Mean  float64 `json:"mean_error"`  // mean minus the exact one, in exact standard deviations
	SD    float64 `json:"sd_error"`    // standard deviation ÷ the exact one, minus 1
	CRPS  float64 `json:"crps_excess"` // CRPS in excess of the exact law's, ÷ that one
}

// Result is what a check found. Rows are in the order of laws, then of steps.
type Result struct {
	Steps    int   `json:"steps"` // configured
	Rows     []Row `json:"rows"`
	Adequate []int `json:"adequate"` // numbers of steps checked that keep within the limits, ascending
	// Remedy is the first of some changes of the configuration with which the sampler
	// keeps within the limits; "" when none does, or none is needed.
	Remedy string `json:"remedy,omitempty"`
	// Caution is what the check does not see.
	Caution string `json:"caution,omitempty"`
	// Adaptive solvers choose their steps themselves, whatever is configured.
	Adaptive bool `json:"adaptive,omitempty"`
}

// Limits of a number of steps that is good enough. A hundredth of the standard
// deviation is below what a verification can resolve; a CRPS excess of 0.5 % is
// that of an ensemble of 200 members instead of infinitely many.
const (
	LimitMean = 0.02
	LimitSD   = 0.01
	LimitCRPS = 0.005
)

// tooFar says that the row exceeds a limit.
func (r Row) tooFar() bool {
	return math.Abs(r.Mean) > LimitMean || math.Abs(r.SD) > LimitSD || r.CRPS > LimitCRPS
}

// Run checks the sampler on all laws. Gaussians are carried exactly, without
// sampling error; the others by samples that are spread evenly over the law and
// whose noise is.
func Run(ctx context.Context, s Sampler, o Options) (*Result, error) {
	if err := s.Validate(ctx); err != nil {
		return nil, err
	}
	n := s.Grid.Steps
	if len(o.Steps) == 0 {
		o.Steps = []int{n, 2 * n}
		if n > 1 {
			o.Steps = append([]int{n / 2}, o.Steps...)
		}
	}
	if o.Threads <= 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	adaptive := s.Solver.Method == "dopri5"
	if adaptive {
		o.Steps = []int{n}
	}
	r, err := s.run(ctx, o)
	if err == nil {
		r.Caution, r.Adaptive = s.caution(), adaptive
	}
	if err != nil || len(r.Adequate) > 0 && slices.Max(r.Adequate) >= n {
		return r, err
	}
	r.Remedy, err = s.remedy(ctx, o.Threads)
	return r, err
}

// run checks the sampler as it is.
func (s Sampler) run(ctx context.Context, o Options) (*Result, error) {
	all := laws(s.Start)
	r := &Result{Steps: s.Grid.Steps, Rows: make([]Row, len(all)*len(o.Steps))}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(o.Threads)
	for i, l := range all {
		g.Go(func() error {
			return s.checkLaw(ctx, l, o.Steps, r.Rows[i*len(o.Steps):])
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, steps := range o.Steps {
		if !slices.ContainsFunc(r.at(steps), Row.tooFar) {
			r.Adequate = append(r.Adequate, steps)
		}
	}
	slices.Sort(r.Adequate)
	return r, nil
}

// sampleSize of laws that are not Gaussian. With 8192 evenly spread states the
// standard deviation is known to 0.1 %, see the tests.
const sampleSize = 1 << 13

// checkLaw fills in a row for each number of steps.
func (s Sampler) checkLaw(ctx context.Context, l law, steps []int, rows []Row) error {
	p := s.problem(l.data)
	mean, variance := l.data.Moments(s.Process.Interpolant.At(1))
	sd := math.Sqrt(variance)
	var start, x []float64
	for j, n := range steps {
		grid := s.Grid
		grid.Steps = n
		times, err := grid.Times()
		if err != nil {
			return err
		}
		row := Row{Law: l.name, Steps: n}
		if len(l.data) == 1 {
			m, spread, err := s.carryGaussian(ctx, p, times)
			if err != nil {
				return fmt.Errorf("%s, %d steps: %w", l.name, n, s.explain(err, times))
			}
			row.Mean, row.SD = (m-mean)/sd, spread/sd-1
			row.CRPS = normalExcess(row.Mean, spread/sd)
			rows[j] = row
			continue
		}
		if start == nil {
			start, x = make([]float64, sampleSize), make([]float64, sampleSize)
			l.data.Start(s.Process.Interpolant.At(0), start)
		}
		copy(x, start)
		if err := s.carrySample(ctx, p, times, x, noise.Seed(0).Text("selfcheck").Int(int64(n))); err != nil {
			return fmt.Errorf("%s, %d steps: %w", l.name, n, s.explain(err, times))
		}
		slices.Sort(x)
		m, v := stat.PopMeanVariance(x, nil)
		row.Mean, row.SD = (m-mean)/sd, math.Sqrt(v)/sd-1
		row.CRPS = l.data.Excess(s.Process.Interpolant.At(1), x) / crps(l.data, p)
		rows[j] = row
	}
	return nil
}
