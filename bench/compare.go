package main

import (
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// results of a run; times are medians over rounds.
type results struct {
	Go        string     `json:"go"`
	CPUs      int        `json:"cpus"`
	Kernels   string     `json:"kernels"`
	Rounds    int        `json:"rounds"`
	Workloads []measured `json:"workloads"`
}

// measured is one workload. Ratios are medians of the ratios of one round each.
type measured struct {
	workload
	Torch string `json:"torch,omitempty"` // version

	Step         float64            `json:"step_seconds"` // one thread, and the source's
	StepSgemm    float64            `json:"step_sgemm_seconds"`
	StepTorch    map[string]float64 `json:"step_torch_seconds,omitempty"` // by threads
	StepShare    float64            `json:"step_share_of_sgemm"`
	StepVsTorch  float64            `json:"step_ours_over_torch,omitempty"`
	Lane         map[string]float64 `json:"lane_step_seconds"` // by threads
	LaneSgemm    float64            `json:"lane_step_sgemm_seconds"`
	LaneTorch    map[string]float64 `json:"lane_step_torch_seconds,omitempty"`
	LaneShare    float64            `json:"sampling_share_of_sgemm"`
	SampleFaster float64            `json:"sampling_ours_over_torch_rate,omitempty"`
}

// compare measures one workload; t may be nil.
func compare(w workload, t *torch, rounds int) (measured, error) {
	m := measured{workload: w}
	if t != nil {
		m.Torch = t.Version
	}
	sizes, trunk := w.Config.Matrices()
	stepGemm := newSgemm(sizes, w.Batch, true)
	laneGemm := newSgemm(sizes[:trunk], w.Cases*w.Members, false)
	threads := []int{1}
	if n := runtime.NumCPU(); n > 1 {
		threads = append(threads, n)
	}
	samplers := map[int]*sampler{}
	for _, n := range threads {
		s, err := newSampler(w, n)
		if err != nil {
			return m, err
		}
		samplers[n] = s
	}
	all := map[string][]float64{} // [name][round]
	add := func(name string, v float64) { all[name] = append(all[name], v) }
	for range rounds {
		s, err := trainSeconds(w, 200)
		if err != nil {
			return m, err
		}
		add("step", s)
		add("step sgemm", stepGemm.seconds(100*time.Millisecond))
		add("lane sgemm", laneGemm.seconds(100*time.Millisecond)/float64(w.Cases*w.Members))
		for _, n := range threads {
			add(fmt.Sprint("lane ", n), samplers[n].seconds(5, 20))
		}
		if t == nil {
			continue
		}
		for _, n := range threads {
			for what, name := range map[string]string{"train": "step torch ", "sample": "lane torch "} {
				v, err := t.seconds(what, n, 40)
				if err != nil {
					return m, err
				}
				add(fmt.Sprint(name, n), v)
			}
		}
	}
	ratio := func(a, b []float64) float64 {
		r := make([]float64, len(a))
		for i := range a {
			r[i] = a[i] / b[i]
		}
		return median(r)
	}
	best := func(name string) []float64 { // the best thread count of each round
		b := slices.Repeat([]float64{math.Inf(1)}, rounds)
		for _, n := range threads {
			for i, v := range all[fmt.Sprint(name, n)] {
				b[i] = min(b[i], v)
			}
		}
		return b
	}
	m.Step, m.StepSgemm, m.LaneSgemm = median(all["step"]), median(all["step sgemm"]), median(all["lane sgemm"])
	m.StepShare = ratio(all["step sgemm"], all["step"])
	m.LaneShare = ratio(all["lane sgemm"], all["lane 1"])
	m.Lane, m.StepTorch, m.LaneTorch = map[string]float64{}, map[string]float64{}, map[string]float64{}
	for _, n := range threads {
		m.Lane[fmt.Sprint(n)] = median(all[fmt.Sprint("lane ", n)])
		if t != nil {
			m.StepTorch[fmt.Sprint(n)] = median(all[fmt.Sprint("step torch ", n)])
			m.LaneTorch[fmt.Sprint(n)] = median(all[fmt.Sprint("lane torch ", n)])
		}
	}
	if t != nil {
		m.StepVsTorch = ratio(all["step"], best("step torch "))
		m.SampleFaster = ratio(best("lane torch "), best("lane "))
	}
	return m, nil
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}

// print writes the table.
func (r *results) print(w io.Writer) {
	fmt.Fprintf(w, "%s, %d processors, kernels %s, medians of %d rounds\n\n", r.Go, r.CPUs, r.Kernels, r.Rounds)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	for _, m := range r.Workloads {
		c := m.Config
		sizes, trunk := c.Matrices()
		fmt.Fprintf(t, "%s: state %d, conditions %d, outputs %d, hidden %d, blocks %d\t\n", m.Name, c.Dx, c.Dc, c.Dout, c.Hidden, c.Blocks)
		fmt.Fprintf(t, "  training step, batch %d\t%.0f µs\t%.0f GFLOP/s\n", m.Batch, 1e6*m.Step, 3*work(sizes)*float64(m.Batch)/m.Step/1e9)
		fmt.Fprintf(t, "  share of SGEMM on the same shapes\t%.0f %%\n", 100*m.StepShare)
		if m.Torch != "" {
			fmt.Fprintf(t, "  PyTorch %s, threads %s\t%s µs\n", m.Torch, threadsOf(m.StepTorch), list(m.StepTorch, 1e6, "%.0f"))
			fmt.Fprintf(t, "  ours ÷ PyTorch, time\t%.2f\n", m.StepVsTorch)
		}
		fmt.Fprintf(t, "  sampling, member and step, threads %s\t%s ns\t%.0f GFLOP/s on one\n", threadsOf(m.Lane), list(m.Lane, 1e9, "%.1f"), work(sizes[:trunk])/m.Lane["1"]/1e9)
		fmt.Fprintf(t, "  share of SGEMM on the same shapes\t%.0f %%\n", 100*m.LaneShare)
		if m.Torch != "" {
			fmt.Fprintf(t, "  PyTorch, threads %s\t%s ns\n", threadsOf(m.LaneTorch), list(m.LaneTorch, 1e9, "%.1f"))
			fmt.Fprintf(t, "  ours ÷ PyTorch, rate\t%.1f\n", m.SampleFaster)
		}
	}
}

// work is the floating-point operations of one case's products.
func work(sizes [][2]int) float64 {
	f := 0.0
	for _, s := range sizes {
		f += 2 * float64(s[0]*s[1])
	}
	return f
}

func threadsOf(m map[string]float64) string { return strings.Join(keys(m), " / ") }

func keys(m map[string]float64) []string {
	var k []string
	for n := range m {
		k = append(k, n)
	}
	slices.Sort(k)
	return k
}

func list(m map[string]float64, scale float64, format string) string {
	var s []string
	for _, k := range keys(m) {
		s = append(s, fmt.Sprintf(format, scale*m[k]))
	}
	return strings.Join(s, " / ")
}
