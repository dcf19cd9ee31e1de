package score

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/integrate"
	"gonum.org/v1/gonum/stat"
)

func TestBrier(t *testing.T) {
	near(t, "2 of 4, occurred", Brier(2, 4, true, Empirical), .25, 0)
	near(t, "1 of 4, not", Brier(1, 4, false, Empirical), 1./16, 0)
	near(t, "1 of 4, not, fair", Brier(1, 4, false, Fair), 1./16-3./(16*3), 1e-16)
	if !math.IsNaN(Brier(1, 1, true, Fair)) || !math.IsNaN(Brier(0, 0, true, Empirical)) {
		t.Error("too few members have a score")
	}
	// Members drawn with probability p: the fair score's expectation is (p - o)².
	const p, m = .3, 5
	for _, occurred := range []bool{false, true} {
		var mean float64
		choose := 1.
		for e := 0; e <= m; e++ {
			mean += choose * math.Pow(p, float64(e)) * math.Pow(1-p, float64(m-e)) * Brier(e, m, occurred, Fair)
			choose *= float64(m-e) / float64(e+1)
		}
		near(t, "expectation", mean, (p-indicator(occurred))*(p-indicator(occurred)), 1e-14)
	}
}

func TestReliability(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	var a, b Reliability
	var brier float64
	var prob []float64
	var yes []bool
	const n, m = 3000, 8
	for i := range n {
		e := rng.IntN(m + 1)
		p := float64(e) / m
		occurred := rng.Float64() < .2+.5*p
		brier += Brier(e, m, occurred, Empirical) / n
		prob, yes = append(prob, p), append(yes, occurred)
		if i%2 == 0 {
			a.Add(p, occurred)
		} else {
			b.Add(p, occurred)
		}
	}
	a.Merge(b)
	d := a.Decompose()
	near(t, "decomposition", d.Reliability-d.Resolution+d.Uncertainty, brier, 1e-13)

	stat.SortWeightedLabeled(prob, yes, nil)
	tpr, fpr, _ := stat.ROC(nil, prob, yes, nil)
	near(t, "ROC area", a.ROCArea(), integrate.Trapezoidal(fpr, tpr), 1e-13)

	points := a.Diagram(4) // 0 1 of 8, 2 3, 4 5, 6 7 8
	if len(points) != 4 {
		t.Fatalf("%d classes", len(points))
	}
	var count, occurred int
	var sum float64
	for i, p := range prob {
		if p >= .75 {
			count++
			sum += p
			if yes[i] {
				occurred++
			}
		}
	}
	last := points[3]
	if last.N != count || last.Occurred != occurred {
		t.Errorf("last class %+v, want %d cases, %d occurred", last, count, occurred)
	}
	near(t, "mean probability", last.Forecast, sum/float64(count), 1e-13)
}

func TestReliabilityEdges(t *testing.T) {
	var r Reliability
	if !math.IsNaN(r.ROCArea()) || !math.IsNaN(r.Decompose().Uncertainty) || len(r.Diagram(10)) != 0 {
		t.Error("no forecasts have figures")
	}
	r.Add(0, false)
	r.Add(1, true)
	r.Add(.3, false) // 0.3·10 is just below or above 3 in floating point
	r.Add(.7, true)
	near(t, "perfect ROC", r.ROCArea(), 1, 0)
	var at []float64
	for _, p := range r.Diagram(10) {
		at = append(at, math.Floor(p.Forecast*10+1e-9))
	}
	if !slices.Equal(at, []float64{0, 3, 7, 10}) {
		t.Errorf("classes of the edges: %v", at)
	}
	// Every probability e/M has a bin of its own up to M = 100.
	for m := 1; m <= 100; m++ {
		var r Reliability
		for e := range m + 1 {
			r.Add(float64(e)/float64(m), false)
		}
		for i, b := range r.Bins {
			if b.N > 1 {
				t.Fatalf("M = %d: bin %d holds %d probabilities", m, i, b.N)
			}
		}
	}
}
