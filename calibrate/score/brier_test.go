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
	d := a.Decompose(brier)
	near(t, "decomposition", d.Reliability-d.Resolution+d.Uncertainty, brier, 1e-13)
	if d.Reliability < 0 || d.Resolution < 0 {
		t.Errorf("negative parts: %+v", d)
	}

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

// The isotonic regression is max over j ≤ i of the min over k ≥ i of the mean from j to k
// (Barlow et al. 1972).
func TestIsotonicRecalibration(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 2))
	for range 200 {
		var r Reliability
		n := 1 + rng.IntN(30)
		for range n {
			p := float64(rng.IntN(11)) / 10
			r.Add(p, rng.Float64() < .3+.3*p)
		}
		bins := slices.DeleteFunc(slices.Clone(r.Bins), func(b ReliabilityBin) bool { return b.N == 0 })
		groups, within := r.isotonic(), 0.
		for i, b := range bins {
			if within == groups[0].n {
				groups, within = groups[1:], 0
			}
			within += float64(b.N)
			want := math.Inf(-1)
			for j := range i + 1 {
				lowest, count, occurred := math.Inf(1), 0, 0
				for k := j; k < len(bins); k++ {
					count, occurred = count+bins[k].N, occurred+bins[k].Occurred
					if k >= i {
						lowest = math.Min(lowest, float64(occurred)/float64(count))
					}
				}
				want = math.Max(want, lowest)
			}
			near(t, "recalibrated", groups[0].rate(), want, 1e-14)
		}
	}
}

// Forecasts that are distorted but in the right order lose just what the distortion
// costs: with probability p issued as p², reliability is the mean of (p² - p)² and
// resolution the variance of p.
func TestDecompositionOfDistortedForecasts(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	var r Reliability
	var brier, distortion, square, mean float64
	const n, levels = 200000, 10
	for range n {
		p := float64(1+rng.IntN(levels)) / levels
		occurred := rng.Float64() < p
		r.Add(p*p, occurred)
		brier += math.Pow(p*p-indicator(occurred), 2) / n
		distortion += math.Pow(p*p-p, 2) / n
		mean += p / n
		square += p * p / n
	}
	d := r.Decompose(brier)
	near(t, "reliability", d.Reliability, distortion, .002)
	near(t, "resolution", d.Resolution, square-mean*mean, .002)
	near(t, "uncertainty", d.Uncertainty, mean*(1-mean), .002)
}

// Of few cases of reliable forecasts reliability is small, though 50 members have 51
// probabilities.
func TestDecompositionOfFewCases(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const cases, members, replicates = 200, 50, 400
	var mean float64
	for range replicates {
		var r Reliability
		var brier float64
		for range cases {
			p := math.Round(rng.Float64()*members) / members
			occurred := rng.Float64() < p
			r.Add(p, occurred)
			brier += math.Pow(p-indicator(occurred), 2) / cases
		}
		mean += r.Decompose(brier).Reliability / replicates
	}
	if mean > .015 { // 0.041 with a class for each probability
		t.Errorf("reliability of reliable forecasts is %.4f on average", mean)
	}
}

func TestReliabilityEdges(t *testing.T) {
	var r Reliability
	if !math.IsNaN(r.ROCArea()) || !math.IsNaN(r.Decompose(math.NaN()).Uncertainty) || len(r.Diagram(10)) != 0 {
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
