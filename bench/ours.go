package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"sipipe/calibrate/net"
)

// trainSeconds is the time of a training step, the source's copy of a batch included.
func trainSeconds(w workload, steps int) (float64, error) {
	c := w.Config
	rng := rand.New(rand.NewPCG(1, 2))
	normals := func(n int) []float32 {
		s := make([]float32, n)
		for i := range s {
			s[i] = float32(rng.NormFloat64())
		}
		return s
	}
	x, y, cond, t := normals(w.Batch*c.Dx), normals(w.Batch*c.Dout), normals(w.Batch*c.Dc), normals(w.Batch)
	for i := range t {
		t[i] = rng.Float32()
	}
	source := net.SourceFunc(func(_ int, b *net.Batch) error {
		copy(b.X, x)
		copy(b.Y, y)
		copy(b.C, cond)
		copy(b.T, t)
		for i := range b.W {
			b.W[i] = 1
		}
		return nil
	})
	const warm = 20
	var start, end time.Time
	_, _, err := net.Train(context.Background(), c, net.TrainOptions{
		Steps: warm + steps, Batch: w.Batch, Every: warm,
		Validate: func(step int, _ *net.Net) (float64, error) {
			switch step {
			case warm:
				start = time.Now()
			case warm + steps:
				end = time.Now()
			}
			return 0, nil
		},
	}, source)
	return end.Sub(start).Seconds() / float64(steps), err
}

// sampler evaluates tiles of a program on several threads.
type sampler struct {
	workload
	program *net.Program
	threads []*tile
}

type tile struct {
	cond    net.Cond
	scratch *net.Scratch
	x, dst  []float64
}

func newSampler(w workload, threads int) (*sampler, error) {
	n, err := net.New(w.Config)
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range n.Weights {
		n.Weights[i] += float32(0.05 * rng.NormFloat64())
	}
	p, err := net.Compile(n)
	if err != nil {
		return nil, err
	}
	s := &sampler{workload: w, program: p}
	lanes := w.Cases * w.Members
	for range threads {
		t := &tile{scratch: p.NewScratch(), x: make([]float64, w.Config.Dx*lanes), dst: make([]float64, w.Config.Dout*lanes)}
		for i := range t.x {
			t.x[i] = rng.NormFloat64()
		}
		s.threads = append(s.threads, t)
	}
	return s, nil
}

// seconds of one lane and step: each thread runs tiles of the given solver steps,
// the terms of its cases and, on one thread, those of time included.
func (s *sampler) seconds(tiles, steps int) float64 {
	start := time.Now()
	times := make([]net.Time, steps)
	for i := range times {
		times[i] = s.program.Time(float64(i) / float64(steps))
	}
	c := make([]float32, s.Cases*s.Config.Dc)
	var wg sync.WaitGroup
	for _, t := range s.threads {
		wg.Go(func() {
			for range tiles {
				s.program.Cond(&t.cond, c, s.Cases)
				for _, tm := range times {
					s.program.Eval(t.dst, t.x, s.Members, tm, &t.cond, t.scratch)
				}
			}
		})
	}
	wg.Wait()
	return time.Since(start).Seconds() / float64(len(s.threads)*tiles*steps*s.Cases*s.Members)
}
