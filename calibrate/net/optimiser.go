package net

import "math"

// optimiser holds AdamW's moments (Loshchilov and Hutter 2019, "Decoupled weight
// decay regularization", algorithm 2) and a moving average of the weights, all flat.
type optimiser struct {
	kernels kernels
	options TrainOptions
	spans   []span

	weights, m, v, ema []float32

	numbers adamwStep // of the current step; here so that it is not allocated
}

// step moves the weights against the gradient g, which has passed step-1 times
// before, and the average after them. It returns the norm of g before clipping.
func (o *optimiser) step(g []float32, step int) float64 {
	norm := math.Sqrt(o.kernels.sumSquares(g))
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		return norm
	}
	rate := o.options.rate(step)
	s := &o.numbers
	*s = adamwStep{
		clip:    1,
		k1:      float32(1 - o.options.Beta1),
		k2:      float32(1 - o.options.Beta2),
		u1:      float32(1 / (1 - math.Pow(o.options.Beta1, float64(step)))),
		u2:      float32(1 / (1 - math.Pow(o.options.Beta2, float64(step)))),
		rate:    float32(rate),
		epsilon: 1e-8,
		// The average forgets its start: in early steps it is over the past tenth.
		average: float32(1 - math.Min(o.options.Average, float64(1+step)/float64(10+step))),
	}
	if norm > o.options.Clip {
		s.clip = float32(o.options.Clip / norm)
	}
	for _, p := range o.spans {
		s.shrink = 0
		if !p.bias {
			s.shrink = float32(rate * o.options.Decay)
		}
		o.kernels.adamw(p.of(o.weights), p.of(o.m), p.of(o.v), p.of(o.ema), p.of(g), s)
	}
	return norm
}

// rate is the learning rate of step 1 … Steps: a linear rise over the warm-up, then
// half a cosine down to a hundredth of the peak (a one-cycle schedule, Smith and
// Topin 2018).
func (o TrainOptions) rate(step int) float64 {
	warm := o.Warmup * float64(o.Steps)
	if s := float64(step); s < warm {
		return o.Rate * s / warm
	}
	const last = 0.01
	x := (float64(step) - warm) / math.Max(float64(o.Steps)-warm, 1)
	return o.Rate * (last + (1-last)*(1+math.Cos(math.Pi*x))/2)
}
