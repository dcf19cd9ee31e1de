package exact

import (
	"context"
	"math"
	"slices"

	"sipipe/calibrate/interpolant"
	"sipipe/calibrate/noise"
	"sipipe/calibrate/sde"
)

// Report is the distance of a sample from the exact law at the end of its path.
type Report struct {
	Mean    float64 // sample mean minus exact mean
	Ratio   float64 // sample standard deviation ÷ exact one
	Excess  float64 // CRPS in excess of the exact law's; independent draws have about 0.56 sd/n
	Perfect float64 // CRPS of the exact law itself, to compare Excess with
}

// Check carries n stratified starting values through the problem and compares
// where they end with the exact law. Its own noise of Ratio is about 1/√(2n).
func Check(ctx context.Context, o sde.Options, g sde.Grid, p Problem, n int, key noise.Key) (Report, error) {
	solver, err := sde.New(o)
	if err != nil {
		return Report{}, err
	}
	g.Backward = p.Backward
	times, err := g.Times()
	if err != nil {
		return Report{}, err
	}
	// A grid that starts within the path starts from the law at its first time.
	begin, end := p.Process.Interpolant.At(times[0]), p.Process.Interpolant.At(1)
	if p.Backward {
		end = p.Process.Interpolant.At(0)
	}
	x := make([]float64, n)
	p.Data.Start(begin, x)
	normals := func(dst []float64, step int) { key.Normals(dst, uint32(step), 0) }
	if err := solver.Solve(ctx, x, times, p, normals); err != nil {
		return Report{}, err
	}
	return p.Data.compare(end, x), nil
}

// compare sorts the sample and measures it.
func (m Mixture) compare(c interpolant.Coefficients, x []float64) Report {
	slices.Sort(x)
	var sum, square float64
	for _, v := range x {
		sum += v
	}
	mean := sum / float64(len(x))
	for _, v := range x {
		square += (v - mean) * (v - mean)
	}
	exactMean, variance := m.Moments(c)
	return Report{
		Mean:    mean - exactMean,
		Ratio:   math.Sqrt(square / float64(len(x)) / variance),
		Excess:  m.Excess(c, x),
		Perfect: m.crps(c),
	}
}

// crps is the expected CRPS of the exact law, ∫ F(1-F) dx.
func (m Mixture) crps(c interpolant.Coefficients) float64 {
	mean, variance := m.Moments(c)
	const cells = 4000
	width := 20 * math.Sqrt(variance) / cells
	sum := 0.0
	for i := range cells {
		f := m.CDF(c, mean+(float64(i)+0.5-cells/2)*width)
		sum += f * (1 - f) * width
	}
	return sum
}
