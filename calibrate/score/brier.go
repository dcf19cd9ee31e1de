package score

import (
	"math"
	"slices"
)

// Brier score (e/M - o)² of an event that e of M members forecast, o = 1 when it
// occurred. The fair one takes off what is due to M alone (Ferro 2014):
//
//	e (M-e) / (M² (M-1))
//
// which needs two members that are independent draws.
func Brier(e, m int, occurred bool, estimator Estimator) float64 {
	if m == 0 || estimator == Fair && m < 2 {
		return math.NaN()
	}
	p, n := float64(e)/float64(m), float64(m)
	b := p - indicator(occurred)
	b *= b
	if estimator == Fair {
		b -= p * (1 - p) / (n - 1)
	}
	return b
}

func indicator(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Reliability counts outcomes by forecast probability of an event. Probabilities
// fall into bins around 0, 0.01 … 1, so that each of the probabilities e/M that an
// ensemble of up to 100 members can forecast has its own bin; the mean of those
// within a bin is kept. The zero value is empty.
type Reliability struct {
	Bins []ReliabilityBin // nil, or probabilityBins
}

// ReliabilityBin is one bin of a Reliability.
type ReliabilityBin struct {
	N, Occurred int
	Forecast    float64 // sum of the probabilities
}

const probabilityBins = 101

// Add a forecast probability and its outcome.
func (r *Reliability) Add(p float64, occurred bool) {
	if r.Bins == nil {
		r.Bins = make([]ReliabilityBin, probabilityBins)
	}
	b := &r.Bins[int(math.Round(p*(probabilityBins-1)))]
	b.N++
	b.Forecast += p
	if occurred {
		b.Occurred++
	}
}

// Merge adds the counts of another.
func (r *Reliability) Merge(other Reliability) {
	if other.Bins == nil {
		return
	}
	if r.Bins == nil {
		r.Bins = make([]ReliabilityBin, probabilityBins)
	}
	for i, b := range other.Bins {
		r.Bins[i].N += b.N
		r.Bins[i].Occurred += b.Occurred
		r.Bins[i].Forecast += b.Forecast
	}
}

// Decomposition of the Brier score: Brier = Reliability - Resolution + Uncertainty.
// Reliability is what recalibration would gain, Resolution what recalibrated forecasts
// gain over the base rate, whose score is Uncertainty.
type Decomposition struct{ Reliability, Resolution, Uncertainty float64 }

// Decompose the Brier score of all forecasts added by isotonic recalibration (CORP:
// Dimitriadis, Gneiting and Jordan 2021, who call the parts MCB, DSC and UNC). There are no
// classes to be chosen, and none is negative but for what probabilities within a bin
// differ. NaN when there are no forecasts.
func (r *Reliability) Decompose(brier float64) Decomposition {
	var n, occurred, recalibrated float64
	for _, g := range r.isotonic() {
		n += g.n
		occurred += g.occurred
		recalibrated += g.occurred * (1 - g.rate())
	}
	base := occurred / n
	d := Decomposition{Uncertainty: base * (1 - base)}
	d.Reliability, d.Resolution = brier-recalibrated/n, d.Uncertainty-recalibrated/n
	return d
}

// outcomes of forecasts that have one recalibrated probability, their rate.
type outcomes struct{ n, occurred float64 }

func (o outcomes) rate() float64 { return o.occurred / o.n }

// isotonic groups forecasts, ascending, so that rates ascend and are closest to the
// outcomes in squares: neighbours that do not ascend are pooled until all do (Ayer et
// al. 1955).
func (r *Reliability) isotonic() []outcomes {
	var out []outcomes
	for _, b := range r.Bins {
		if b.N == 0 {
			continue
		}
		g := outcomes{float64(b.N), float64(b.Occurred)}
		for k := len(out) - 1; k >= 0 && out[k].rate() >= g.rate(); k-- {
			g.n, g.occurred = g.n+out[k].n, g.occurred+out[k].occurred
			out = out[:k]
		}
		out = append(out, g)
	}
	return out
}

// ROCArea is the area under the curve of hit rate against false alarm rate: the
// probability that the event's forecast was higher when it occurred than when it
// did not, ties counted half. NaN when it always or never occurred.
func (r *Reliability) ROCArea() float64 {
	var hits, misses, area float64
	for _, b := range r.Bins {
		yes, no := float64(b.Occurred), float64(b.N-b.Occurred)
		area += yes * (misses + no/2)
		hits += yes
		misses += no
	}
	return area / (hits * misses)
}

// Point of a reliability diagram.
type Point struct {
	N, Occurred        int
	Forecast, Observed float64 // mean probability and relative frequency; NaN when N is 0
}

// Diagram gathers the bins into k classes [0, 1/k), … [1-1/k, 1]; empty ones are
// left out.
func (r *Reliability) Diagram(k int) []Point {
	return slices.DeleteFunc(r.classes(k), func(p Point) bool { return p.N == 0 })
}

// classes is Diagram with empty classes.
func (r *Reliability) classes(k int) []Point {
	out := make([]Point, k)
	for _, b := range r.Bins {
		if b.N == 0 {
			continue
		}
		// A class's lower edge may come out a rounding error too low.
		c := &out[min(int(b.Forecast/float64(b.N)*float64(k)+1e-9), k-1)]
		c.N += b.N
		c.Occurred += b.Occurred
		c.Forecast += b.Forecast
	}
	for i := range out {
		n := float64(out[i].N)
		out[i].Forecast /= n
		out[i].Observed = float64(out[i].Occurred) / n
	}
	return out
}
