package calibrate

import (
	"math"
	"testing"
)

// drifting is a world of 100 days in which from day 95 on observations are as much larger
// as bias says. Regional errors of a day make its mean score vary.
func drifting(seed int64, bias float64) *world {
	w := newWorld(6, 4, 100)
	for i := range w.cycles { // another seed is another stretch of time
		w.cycles[i] = w.cycles[i].AddDate(0, 0, int(seed)*1000)
	}
	w.observe = func(mean, regional, local float64) float64 { return mean + 1 + 0.6*regional + 1.2*local }
	w.late, w.lateBias = w.cycles[94], bias
	return w
}

func driftOf(t *testing.T, w *world) Drift {
	t.Helper()
	h := pastHistory(t, w, HistoryOptions{})
	if _, err := h.At(t.Context(), w.cycles[len(w.cycles)-1], nil); err != nil {
		t.Fatal(err)
	}
	d, err := h.Drift(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The statistical forecast follows a bias within some days; before it has, the alarm
// goes. In archives without one it does not.
func TestDriftAlarm(t *testing.T) {
	const seeds, level = 20, 0.001
	alarm := func(d Drift) bool { return d.CRPS.Larger() < level || d.Bias.Different() < level }
	quiet, found := 0, 0
	for s := range int64(seeds) {
		if !alarm(driftOf(t, drifting(s, 0))) {
			quiet++
		}
		if alarm(driftOf(t, drifting(s, 3))) {
			found++
		}
	}
	t.Logf("%d of %d undisturbed archives are quiet, %d of %d disturbed ones are found", quiet, seeds, found, seeds)
	if quiet < seeds*95/100 || found < seeds*95/100 {
		t.Errorf("%d of %d undisturbed archives are quiet, %d of %d disturbed ones are found; want 95 %% of both", quiet, seeds, found, seeds)
	}
}

func TestDriftIsThatOfTheScores(t *testing.T) {
	w := drifting(3, 0)
	h := pastHistory(t, w, HistoryOptions{})
	last := w.cycles[len(w.cycles)-1]
	if _, err := h.At(t.Context(), last, nil); err != nil {
		t.Fatal(err)
	}
	d, err := h.Drift(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// The last seven valid days are those of the last seven cycles.
	var crps, bias float64
	for k := 93; k < 100; k++ {
		a, _ := h.load(k)
		e, _ := w.Ensemble(t.Context(), "", w.cycles[k])
		o, _ := w.Observed(t.Context(), "", w.cycles[k].Add(w.leads[0]))
		for i := range e.Places.ID {
			f := WorkingSpace(e.Variable).Distribution(a.Lead[0], i)
			crps += f.CRPS(float64(o.Values[i])) / 42
			bias += (float64(a.Lead[0].Mu[i]) - float64(o.Values[i])) / 42
		}
	}
	if math.Abs(d.CRPS.Recent-crps) > 1e-9 || math.Abs(d.Bias.Recent-bias) > 1e-9 || d.CRPS.Blocks != 12 {
		t.Errorf("recent scores %+v, want CRPS %g and bias %g", d, crps, bias)
	}
	// Scores are kept, and made again when an observation changes.
	keys, err := h.store.List("scores/t2m/")
	if err != nil || len(keys) != 100 {
		t.Errorf("%d scores are kept (%v), want 100", len(keys), err)
	}
	w.until = w.cycles[96]
	d2, err := h.Drift(t.Context())
	if err != nil || d2.CRPS.Recent == d.CRPS.Recent {
		t.Errorf("with later observations gone the scores are the same (%v)", err)
	}
	// A young archive says nothing.
	young := newWorld(6, 4, 40)
	if d := driftOf(t, young); d.CRPS.T == d.CRPS.T || d.CRPS.Blocks > 5 {
		t.Errorf("after 40 days: %+v", d)
	}
}
