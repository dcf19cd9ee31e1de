package net

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// benchConfigs are the default form for one value with 12 conditions, and one of the
// size of a 32-128-128-8 perceptron.
var benchConfigs = map[string]Config{
	"hidden=32":  {Dx: 1, Dc: 12, Dout: 2},
	"hidden=64":  {Dx: 1, Dc: 12, Dout: 2, Hidden: 64},
	"hidden=128": {Dx: 8, Dc: 24, Dout: 8, Hidden: 128, Blocks: 1, Emb: 32},
}

func benchNames() []string {
	var names []string
	for n := range benchConfigs {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// flops of one lane of Eval and of one case of a training step.
func flops(c Config) (eval, step float64) {
	sizes, trunk := c.Matrices()
	for i, s := range sizes {
		n := 2 * float64(s[0]*s[1])
		step += 3 * n
		if i < trunk {
			eval += n
		}
	}
	return eval, step
}

// threadTime is the processor time of this thread: on a busy machine it says more
// than the clock does.
func threadTime(b *testing.B) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return time.Duration(t.Nano())
}

// measure runs f and returns the nanoseconds of processor time of one run.
func measure(b *testing.B, f func()) float64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	b.ReportAllocs()
	f() // not the first touch of memory
	start, n := threadTime(b), 0
	for b.Loop() {
		f()
		n++
	}
	ns := float64((threadTime(b) - start).Nanoseconds()) / float64(n)
	b.ReportMetric(ns, "cpu-ns/op")
	return ns
}

func BenchmarkStep(b *testing.B) {
	for _, name := range benchNames() {
		for _, k := range available() {
			b.Run(fmt.Sprintf("%s/%s", name, k.name()), func(b *testing.B) {
				n := perturbed(b, benchConfigs[name])
				tr := &trainer{kernels: k, options: TrainOptions{Rate: 1e-9}.withDefaults(), state: State{
					Config: n.Config, Weights: n.Weights, Average: slices.Clone(n.Weights),
					M: make([]float32, len(n.Weights)), V: make([]float32, len(n.Weights)),
				}}
				if err := tr.compile(); err != nil {
					b.Fatal(err)
				}
				batch := randomBatch(n.Config, 1024, 1)
				ns := measure(b, func() {
					if err := tr.step(batch); err != nil {
						b.Fatal(err)
					}
				})
				_, step := flops(n.Config)
				b.ReportMetric(step*float64(len(batch.T))/ns, "GFLOP/s")
			})
		}
	}
}

func BenchmarkEval(b *testing.B) {
	const cases, members = 32, 50
	for _, name := range benchNames() {
		for _, k := range available() {
			b.Run(fmt.Sprintf("%s/%s", name, k.name()), func(b *testing.B) {
				n := perturbed(b, benchConfigs[name])
				p, err := compile(k, n)
				if err != nil {
					b.Fatal(err)
				}
				rng := rand.New(rand.NewPCG(1, 1))
				x, dst := make([]float64, n.Config.Dx*cases*members), make([]float64, n.Config.Dout*cases*members)
				for i := range x {
					x[i] = rng.NormFloat64()
				}
				var cond Cond
				p.Cond(&cond, make([]float32, cases*n.Config.Dc), cases)
				t, s := p.Time(0.5), p.NewScratch()
				perLane := measure(b, func() { p.Eval(dst, x, members, t, &cond, s) }) / (cases * members)
				b.ReportMetric(perLane, "ns/lane")
				eval, _ := flops(n.Config)
				b.ReportMetric(eval/perLane, "GFLOP/s")
			})
		}
	}
}
