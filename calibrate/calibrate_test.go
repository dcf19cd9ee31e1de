package calibrate

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"sipipe/calibrate/frame"
	"sipipe/calibrate/score"
	"sipipe/ingest"
)

// A correction of weight zero must give the frame's distribution: the stratified
// members are its quantiles.
func TestFrameAloneGivesQuantiles(t *testing.T) {
	w := newWorld(25, 8, 25)
	m := small()
	m.Interpolant = false
	cycle := w.cycles[24]
	model, a, r := calibrated(t, w, newMemory(), cycle, m, 1, SampleOptions{Members: 50, Draw: DrawStratified})
	if !model.Simple() {
		t.Fatal("the model has networks")
	}
	p := a.Lead[0]
	for i := range w.places {
		got := slices.Clone(r.Ensemble.At(0, i))
		slices.Sort(got)
		for k, v := range got {
			want := float64(p.Mu[i]) + float64(p.Sigma[i])*model.Dispersion*normalQuantile((float64(k)+0.5)/50)
			// The template's spread differs from place to place, so sigma is met on
			// average over places only; the order statistics of one are within a few per cent.
			if math.Abs(float64(v)-want) > 0.02*float64(p.Sigma[i])*math.Max(1, math.Abs(normalQuantile((float64(k)+0.5)/50))) {
				t.Fatalf("place %d, member of rank %d: %.4f, want the quantile %.4f", i, k, v, want)
			}
		}
	}
}

// Independent members have the frame's mean and spread up to sampling noise, and
// the fair CRPS of its distribution.
func TestIndependentMembersFollowTheFrame(t *testing.T) {
	w := newWorld(40, 8, 25)
	m := small()
	m.Interpolant = false
	model, a, r := calibrated(t, w, newMemory(), w.cycles[24], m, 1, SampleOptions{Members: 400, Draw: DrawIndependent})
	p := a.Lead[0]
	var q, n float64
	for i := range w.places {
		for _, v := range r.Ensemble.At(0, i) {
			x := (float64(v) - float64(p.Mu[i])) / (float64(p.Sigma[i]) * model.Dispersion)
			q += x * x
			n++
		}
	}
	// Members are coherent in space, so the effective sample is some thousands of
	// the 16,000.
	if v := q / n; math.Abs(v-1) > 0.06 {
		t.Errorf("variance of the normal scores %.3f, want 1", v)
	}
}

func TestSameBitsWhateverThreadsRunsAndShards(t *testing.T) {
	w := newWorld(37, 8, 40)
	// A skewed truth, so that the networks have something to say.
	w.observe = func(mean, regional, local float64) float64 { return mean + 1.5*math.Exp(0.6*local) + 0.1*regional }
	cycle := w.cycles[39]
	o := SampleOptions{Members: 20, Draw: DrawStratified}
	model, a, first := calibrated(t, w, newMemory(), cycle, small(), 1, o)
	if model.Simple() {
		t.Fatalf("no networks: %s", model.Report.Reason)
	}
	want := first.Ensemble.Values

	_, _, threads := calibrated(t, w, newMemory(), cycle, small(), 3, o)
	if !equalBits(threads.Ensemble.Values, want) {
		t.Error("3 threads give other bits than 1")
	}
	s := newMemory()
	for _, c := range w.cycles[20:] {
		calibratedQuick(t, w, s, c)
	}
	_, _, after := calibrated(t, w, s, cycle, small(), 2, o)
	if !equalBits(after.Ensemble.Values, want) {
		t.Error("a run after the runs of earlier days gives other bits than a fresh one")
	}
	ens, err := w.Ensemble(context.Background(), "", cycle)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range [][2]int{{0, 5}, {5, 20}, {25, 12}} {
		q := o
		q.Seed, q.First, q.Count = 1, part[0], part[1]
		r, err := model.Sample(context.Background(), ens, a, q)
		if err != nil {
			t.Fatal(err)
		}
		if !equalBits(r.Ensemble.Values, want[part[0]*20:(part[0]+part[1])*20]) {
			t.Errorf("places %d to %d alone have other bits", part[0], part[0]+part[1])
		}
	}
}

// calibratedQuick makes only the archived forecast of a cycle, in a process of its own.
func calibratedQuick(t *testing.T, w *world, s Store, cycle time.Time) {
	t.Helper()
	h, err := NewHistory(w, s, "t2m", HistoryOptions{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.At(context.Background(), cycle, nil); err != nil {
		t.Fatal(err)
	}
}

// A run may not see observations later than its cycle: taking them out of the
// archive must not change a bit.
func TestRunSeesOnlyWhatWasAvailable(t *testing.T) {
	o := SampleOptions{Members: 10, Draw: DrawStratified}
	w := newWorld(20, 6, 40)
	cycle := w.cycles[30]
	_, _, all := calibrated(t, w, newMemory(), cycle, small(), 1, o)
	w.until = cycle
	w.cycles = w.cycles[:31]
	_, _, then := calibrated(t, w, newMemory(), cycle, small(), 1, o)
	if !equalBits(all.Ensemble.Values, then.Ensemble.Values) {
		t.Error("later cycles and observations change the forecast")
	}
}

// When an old observation changes, everything after it is made again.
func TestHistoryFollowsChangedArchive(t *testing.T) {
	w, s := newWorld(20, 6, 30), newMemory()
	cycle := w.cycles[29]
	calibratedQuick(t, w, s, cycle)
	h := func() *Archived {
		h, err := NewHistory(w, s, "t2m", HistoryOptions{})
		if err != nil {
			t.Fatal(err)
		}
		a, err := h.At(context.Background(), cycle, nil)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	before := h()
	old := w.observe
	w.observe = func(mean, regional, local float64) float64 { return old(mean, regional, local) + 2 }
	after := h()
	if before.Hash == after.Hash || math.Abs(float64(after.Lead[0].Mu[0]-before.Lead[0].Mu[0])-2) > 0.2 {
		t.Errorf("observations rose by 2 K, the forecast from %.2f to %.2f", before.Lead[0].Mu[0], after.Lead[0].Mu[0])
	}
}

// An archive that was another for one run and is what it was again gives what it gave:
// a state from before then goes on, and must not learn from forecasts made in between.
func TestHistoryReturnsWithItsArchive(t *testing.T) {
	ctx := context.Background()
	made := func(w *world, s *memory, days ...int) *Archived {
		t.Helper()
		var a *Archived
		for _, d := range days {
			h, err := NewHistory(w, s, "t2m", HistoryOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if a, err = h.At(ctx, w.cycles[d], nil); err != nil {
				t.Fatal(err)
			}
		}
		return a
	}
	w, s := newWorld(20, 6, 30), newMemory()
	made(w, s, 27, 28)
	w.late, w.lateBias = w.cycles[20], 30
	made(w, s, 28, 29)
	w.lateBias = 0
	got, want := made(w, s, 29), made(w, newMemory(), 29)
	if got.Hash != want.Hash || !slices.Equal(got.Lead[0].Mu, want.Lead[0].Mu) || !slices.Equal(got.Lead[0].Sigma, want.Lead[0].Sigma) {
		t.Errorf("forecast %.3f ± %.3f, from an empty store %.3f ± %.3f", got.Lead[0].Mu[0], got.Lead[0].Sigma[0], want.Lead[0].Mu[0], want.Lead[0].Sigma[0])
	}
}

// Where the truth is skewed the networks must beat the frame on days that nobody
// trained on, and where it is normal they must not harm it.
func TestInterpolantGainsAndDoesNoHarm(t *testing.T) {
	m := small()
	m.MaxSteps, m.Folds = 600, 4
	for _, c := range []struct {
		name    string
		observe func(mean, regional, local float64) float64
		at      float64 // most CRPS relative to the frame
	}{
		{"two regimes", func(mean, _, local float64) float64 {
			return mean + math.Copysign(2, local) + 0.4*(local-math.Copysign(0.8, local))
		}, 0.94},
		{"normal", func(mean, _, local float64) float64 { return mean + 1 + 1.2*local }, 1.01},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(40, 8, 70)
			w.observe = c.observe
			s := newMemory()
			var mine, frames float64
			for _, cycle := range w.cycles[58:69] {
				_, a, r := calibrated(t, w, s, cycle, m, 2, SampleOptions{Members: 50, Draw: DrawStratified})
				o, err := w.Observed(context.Background(), "", cycle.Add(24*time.Hour))
				if err != nil {
					t.Fatal(err)
				}
				for i := range w.places {
					mine += score.CRPS(float64(o.Values[i]), r.Ensemble.At(0, i), score.Empirical)
					frames += Working{}.Distribution(a.Lead[0], i).CRPS(float64(o.Values[i]))
				}
			}
			if ratio := mine / frames; ratio > c.at {
				t.Errorf("CRPS is %.3f of the frame's, want at most %.2f", ratio, c.at)
			}
		})
	}
}

// Stratified members come closer to their distribution than independent ones, and
// keep the dependence between places.
func TestStratifiedMembers(t *testing.T) {
	w := newWorld(60, 8, 25)
	m := small()
	m.Interpolant = false
	crps := map[Draw]float64{}
	sum := map[Draw]float64{}
	var exact float64
	s := newMemory()
	for _, d := range []Draw{DrawStratified, DrawIndependent} {
		for _, cycle := range w.cycles[12:24] {
			model, a, r := calibrated(t, w, s, cycle, m, 1, SampleOptions{Members: 50, Draw: d})
			o, err := w.Observed(context.Background(), "", cycle.Add(24*time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			p := a.Lead[0]
			var mean [50]float64
			for i := range w.places {
				y := float64(o.Values[i])
				crps[d] += score.CRPS(y, r.Ensemble.At(0, i), score.Empirical)
				if d == DrawStratified {
					exact += score.CRPSNormal(y, float64(p.Mu[i]), float64(p.Sigma[i])*model.Dispersion)
				}
				for k, v := range r.Ensemble.At(0, i) {
					mean[k] += (float64(v) - float64(p.Mu[i])) / float64(p.Sigma[i]) / float64(w.places)
				}
			}
			for _, v := range mean {
				sum[d] += v * v
			}
		}
	}
	// 50 quantiles cost less than 0.3 % of CRPS against the distribution, 50
	// independent draws 1/50 of the mean absolute difference, about 2 %.
	if r := crps[DrawStratified] / exact; r > 1.004 {
		t.Errorf("stratified members: CRPS %.4f of the distribution's", r)
	}
	if r := crps[DrawIndependent] / exact; r < 1.008 {
		t.Errorf("independent members: CRPS %.4f of the distribution's, about 1.02 was expected", r)
	}
	// The variance of the mean over places shows the dependence.
	if r := sum[DrawStratified] / sum[DrawIndependent]; r < 0.75 || r > 1.3 {
		t.Errorf("the variance of regional means is %.2f of that of independent members, want 1", r)
	}
}

func TestTooLittleToTrain(t *testing.T) {
	w := newWorld(20, 6, 30)
	for _, c := range []struct {
		day    int
		raw    int // leads without statistical forecast
		reason bool
	}{{2, 1, true}, {10, 0, true}} {
		model, _, r := calibrated(t, w, newMemory(), w.cycles[c.day], small(), 1, SampleOptions{Members: 12, Draw: DrawStratified})
		if !model.Simple() || (model.Report.Reason != "") != c.reason || len(r.RawLeads) != c.raw {
			t.Errorf("day %d: correction %.2f (%s), %d raw leads", c.day, model.Correction, model.Report.Reason, len(r.RawLeads))
		}
		if c.raw > 0 {
			ens, _ := w.Ensemble(context.Background(), "", w.cycles[c.day])
			if members := r.Ensemble.At(0, 3); !ingest.HandedOn(members, ens.At(0, 3)) {
				t.Errorf("day %d: members %v are not the raw ones, %v", c.day, members, ens.At(0, 3))
			}
		}
	}
}

// Where the frame is too narrow for what happens, the spread of members is widened as
// far as the days tell; days that are too few for a network do not tell it.
func TestDispersionTakesDays(t *testing.T) {
	w := newWorld(30, 8, 80)
	w.observe = func(mean, regional, local float64) float64 {
		if mean > 281 { // a regime with wide errors that comes and goes
			local *= 3
		}
		return mean + local
	}
	m := small()
	m.Interpolant = false
	model, _, _ := calibrated(t, w, newMemory(), w.cycles[79], m, 1, SampleOptions{Members: 20, Draw: DrawStratified})
	if model.Dispersion == 1 || model.Days < m.MinDays {
		t.Errorf("dispersion %.3f after %d days: nothing was learned", model.Dispersion, model.Days)
	}
	m.MinDays = model.Days + 1
	model, _, _ = calibrated(t, w, newMemory(), w.cycles[79], m, 1, SampleOptions{Members: 20, Draw: DrawStratified})
	if model.Dispersion != 1 {
		t.Errorf("dispersion %.3f of %d days, of which it takes %d", model.Dispersion, model.Days, m.MinDays)
	}
	if a, b := shrink(0.001), shrink(dispersionPrior); a < 0.999 || b != 0.5 {
		t.Errorf("%.4f of a dispersion that is known counts, and %.2f of one that is known as well as before", a, b)
	}
}

// A censored variable has its point mass, and stays within its bounds.
func TestPrecipitationHasDryMembers(t *testing.T) {
	w := newWorld(30, 10, 60)
	w.variable = ingest.Variable{Name: "tp", StandardName: "precipitation_amount", Units: "kg m-2"}
	dry := func(x float64) float64 { return math.Pow(math.Max(0, x), 2) }
	w.observe = func(mean, _, local float64) float64 { return dry((mean-280)/3 + local) }
	s := newMemory()
	_, a, r := calibrated(t, w, s, w.cycles[58], small(), 1, SampleOptions{Members: 50, Draw: DrawStratified})
	if !a.Lead[0].Censored || a.Lead[0].Family != frame.Logistic {
		t.Fatalf("the frame is %+v", a.Lead[0])
	}
	zero := 0
	for _, v := range r.Ensemble.Values {
		if v < 0 || v != v {
			t.Fatalf("precipitation of %v", v)
		}
		if v == 0 {
			zero++
		}
	}
	if share := float64(zero) / float64(len(r.Ensemble.Values)); share < 0.2 || share > 0.8 {
		t.Errorf("%.0f %% of the members are dry", 100*share)
	}
}

// Noise fields of two variables are independent of each other: sharing them would
// make every variable's members rise and fall together.
func TestVariablesHaveNoiseOfTheirOwn(t *testing.T) {
	m := small()
	m.Interpolant = false
	scores := func(name string) []float64 {
		w := newWorld(60, 8, 25)
		w.variable.Name = name
		model, a, r := calibrated(t, w, newMemory(), w.cycles[24], m, 1, SampleOptions{Members: 50, Draw: DrawIndependent})
		var x []float64
		for i := range w.places {
			for _, v := range r.Ensemble.At(0, i) {
				x = append(x, (float64(v)-float64(a.Lead[0].Mu[i]))/(float64(a.Lead[0].Sigma[i])*model.Dispersion))
			}
		}
		return x
	}
	a, b, again := scores("t2m"), scores("dewpoint"), scores("t2m")
	var cross, self float64
	for i := range a {
		cross += a[i] * b[i] / float64(len(a))
		self += a[i] * again[i] / float64(len(a))
	}
	// Members start from the same raw ones, which carry a small part of the variance
	// with the default diffusion.
	if math.Abs(cross) > 0.35 || self < 0.9 {
		t.Errorf("correlation of two variables %.2f, want little; of one with itself %.2f", cross, self)
	}
}

// Whatever part of the store is lost, the next run makes it again, to the same bits.
func TestLostStateIsMadeAgain(t *testing.T) {
	w := newWorld(20, 6, 40)
	cycle := w.cycles[36]
	o := SampleOptions{Members: 10, Draw: DrawStratified}
	s := newMemory()
	_, _, want := calibrated(t, w, s, cycle, small(), 2, o)
	for _, c := range []struct {
		name string
		lose func(i int, key string) bool
	}{
		{"an old archived forecast", func(i int, key string) bool { return i == 3 && strings.HasPrefix(key, "archived/") }},
		{"a third of them", func(i int, key string) bool { return i%3 == 1 && strings.HasPrefix(key, "archived/") }},
		{"the last", func(i int, key string) bool { return i == 36 && strings.HasPrefix(key, "archived/") }},
		{"all archived forecasts", func(_ int, key string) bool { return strings.HasPrefix(key, "archived/") }},
		{"the states of the chain", func(_ int, key string) bool { return strings.HasPrefix(key, "chain/") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			keys, err := s.List("")
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for i, key := range keys {
				if c.lose(i, key) || strings.HasPrefix(key, "model/") {
					if err := s.Delete(key); err != nil {
						t.Fatal(err)
					}
					n++
				}
			}
			if n < 2 {
				t.Fatalf("lost %d of %q", n, keys)
			}
			_, _, got := calibrated(t, w, s, cycle, small(), 2, o)
			if !equalBits(got.Ensemble.Values, want.Ensemble.Values) {
				t.Error("other bits")
			}
		})
	}
	// And when the next cycle learns from what is lost.
	fresh := newMemory()
	_, _, next := calibrated(t, w, fresh, w.cycles[38], small(), 2, o)
	keys, _ := s.List("archived/")
	for _, key := range keys[30:] {
		_ = s.Delete(key)
	}
	_, _, got := calibrated(t, w, s, w.cycles[38], small(), 2, o)
	if !equalBits(got.Ensemble.Values, next.Ensemble.Values) {
		t.Error("the next cycle has other bits than from a fresh state")
	}
}

// Observations in the wrong units, or impossible ones, teach nothing.
func TestImplausibleObservationsAreLeftOut(t *testing.T) {
	p := newWorld(3, 5, 1).position()
	o := &ingest.Observed{ID: p.ID, Values: []float32{281, 7.85, 9999}}
	y := observedAt(p, o, WorkingSpace(ingest.Variable{StandardName: "air_temperature", Units: "K"}))
	if y[0] != 281 || y[1] == y[1] || y[2] == y[2] {
		t.Errorf("281, 7.85 and 9999 K become %v; want the last two missing", y)
	}
}

// What is known of the archive's content is the same for all methods and versions, and what
// a method makes of it is not.
func TestContentDoesNotDependOnTheMethod(t *testing.T) {
	w := newWorld(3, 5, 10)
	open := func(w *world, f frame.Options) *History {
		h, err := NewHistory(w, newMemory(), "t2m", HistoryOptions{Frame: f})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	at := w.cycles[9]
	a, b, other := open(w, frame.Options{}), open(w, frame.Options{Experts: frame.DefaultExperts()[:1]}), open(newWorld(3, 6, 10), frame.Options{})
	if a.Content(at) != b.Content(at) || a.Content(at) == other.Content(at) {
		t.Error("the hash of the content is not that of the archive")
	}
	if a.available(at) == b.available(at) || a.hashes[9] == b.hashes[9] {
		t.Error("two methods share what they have made")
	}
}
