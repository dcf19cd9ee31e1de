package simulate

import (
	"math"
	"testing"
	"time"
)

func day(s string) time.Time {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return d
}

// moments are spread and error of the members' mean over cycles and slots.
type moments struct{ variance, squaredError, bias float64 }

// verify collects moments by lead for members of an atmosphere.
func verify(a atmosphere, leads []time.Duration, cycles []time.Time, members int, ideal bool) []moments {
	states := make([][]state, len(leads))
	for i := range states {
		states[i] = make([]state, members)
	}
	out := make([]moments, len(leads))
	for _, cycle := range cycles {
		a.ensemble(states, cycle, ideal)
		for i, lead := range leads {
			truth := a.truth(cycle.Add(lead))
			for ring := range rings {
				for k := range slots {
					var sum, squares float64
					for m := range members {
						x := states[i][m][ring][k]
						sum += x
						squares += x * x
					}
					n, mean := float64(members), sum/float64(members)
					count := float64(len(cycles) * rings * slots)
					out[i].variance += (squares - n*mean*mean) / (n - 1) / count
					out[i].squaredError += (mean - truth[ring][k]) * (mean - truth[ring][k]) / count
					out[i].bias += (mean - truth[ring][k]) / count
				}
			}
		}
	}
	return out
}

// The ideal ensemble is reliable, spread^2 (M+1)/M = error^2, at every lead; the
// raw one is under-dispersed by the factor that the package promises, as long
// as errors grow linearly. The error grows with lead, by chaos. Relative
// standard error of the ratios: 2 % (300 cycles by 16 slots, errors correlated
// within a cycle).
func TestDispersionOfLorenz(t *testing.T) {
	const members = 20
	o := Options{From: day("2020-01-01"), To: day("2021-01-01")}.withDefaults()
	l, err := newLorenz(t.Context(), o, o.From, o.To)
	if err != nil {
		t.Fatal(err)
	}
	var cycles []time.Time
	for c := o.From; len(cycles) < 300; c = c.AddDate(0, 0, 1) {
		cycles = append(cycles, c)
	}
	ideal := verify(l, l.leads, cycles, members, true)
	raw := verify(l, l.leads, cycles, members, false)
	for i, lead := range l.leads {
		ratio := func(m moments) float64 {
			return math.Sqrt((members + 1.0) / members * m.variance / m.squaredError)
		}
		near(t, lead.String()+" spread over error, ideal", ratio(ideal[i]), 1, 0.06)
		// Small perturbations outgrow large ones as the latter saturate.
		tolerance := 0.04
		if lead > 24*time.Hour {
			tolerance = 0.1
		}
		near(t, lead.String()+" spread over error, raw", ratio(raw[i]), dispersion, tolerance)
		near(t, lead.String()+" bias of the signal", raw[i].bias, 0, 0.02)
		if i > 0 && raw[i].squaredError <= raw[i-1].squaredError {
			t.Errorf("error at %v is not larger than at %v", lead, l.leads[i-1])
		}
	}
	// At 6 h the analysis error, 0.6/5.07, has hardly grown; at 48 h it has more than doubled.
	near(t, "error at 6 h", math.Sqrt(raw[0].squaredError), 0.12, 0.01)
	if last := math.Sqrt(raw[7].squaredError); last < 0.24 || last > 0.36 {
		t.Errorf("error at 48 h is %.3f", last)
	}
}

// Given the members' mean, the truth of the martingale model is
// N(weight*mean, variance): standardised residuals have mean 0, variance 1, no
// correlation with the mean, and none with an older forecast for the same time.
func TestConditionalOfMartingale(t *testing.T) {
	const members, cycles = 10, 1500
	leads := []time.Duration{24 * time.Hour, 48 * time.Hour}
	m := &martingale{seed: 3, leads: leads}
	states := [][]state{make([]state, members), make([]state, members)}
	old := make([]state, cycles+2) // mean of the 48-h members by valid day
	var n, sum, squares, withMean, withOld, oldSquares, truthSquares float64
	for c := range cycles {
		cycle := day("2024-01-01").AddDate(0, 0, c)
		m.ensemble(states, cycle, false)
		truth := m.truth(cycle.Add(leads[0]))
		weight, variance := m.conditional(leads[0], members)
		for ring := range rings {
			for k := range slots {
				var mean, late float64
				for i := range members {
					mean += states[0][i][ring][k] / members
					late += states[1][i][ring][k] / members
				}
				z := (truth[ring][k] - weight*mean) / math.Sqrt(variance)
				n++
				sum += z
				squares += z * z
				withMean += z * mean
				truthSquares += truth[ring][k] * truth[ring][k]
				if c > 0 {
					withOld += z * old[c+1][ring][k]
					oldSquares += old[c+1][ring][k] * old[c+1][ring][k]
				}
				old[c+2][ring][k] = late
			}
		}
	}
	se := 1 / math.Sqrt(n) // 24,000 independent residuals
	near(t, "mean of residuals", sum/n, 0, 4*se)
	near(t, "variance of residuals", squares/n, 1, 4*math.Sqrt2*se)
	near(t, "covariance with the mean", withMean/n, 0, 4*se)
	near(t, "variance of the truth", truthSquares/n, 1, 4*math.Sqrt2*se)
	// What is left is the old members' share in smoothing the new ones' blur.
	near(t, "correlation with the older forecast", withOld/math.Sqrt(n*oldSquares), 0, 4*se)
}

// The trajectory does not depend on the range within a decade, nor on the tick.
func TestTruthDoesNotDependOnTheRange(t *testing.T) {
	wide := Options{Seed: 5, From: day("2020-01-03"), To: day("2020-01-09")}.withDefaults()
	narrow := Options{Seed: 5, From: day("2020-01-07"), To: day("2020-01-08"), Step: 24 * time.Hour}.withDefaults()
	a, err := newLorenz(t.Context(), wide, wide.From, wide.To)
	if err != nil {
		t.Fatal(err)
	}
	b, err := newLorenz(t.Context(), narrow, narrow.From, narrow.To)
	if err != nil {
		t.Fatal(err)
	}
	at := day("2020-01-08")
	if a.truth(at) != b.truth(at) {
		t.Errorf("truth at %v: %v and %v", at, a.truth(at), b.truth(at))
	}
	if a.truth(at)[0] == a.truth(at)[1] {
		t.Error("both rings are the same")
	}
}
