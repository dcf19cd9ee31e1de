package calibrate

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"sipipe/ingest"
)

func pastHistory(t *testing.T, w *world, o HistoryOptions) *History {
	t.Helper()
	h, err := NewHistory(w, newMemory(), "t2m", o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestDoubt(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	temperature := WorkingSpace(ingest.Variable{StandardName: "air_temperature", Units: "K"})
	rain := WorkingSpace(ingest.Variable{StandardName: "precipitation_amount", Units: "kg m-2"})
	raw := []float32{280, 281, 282}
	for _, c := range []struct {
		what         string
		space        Working
		members, raw []float32
		farthest     float64
		want         string // part of it; "" is no doubt
	}{
		{"good", temperature, []float32{281, 282, 283, 284}, raw, 2, ""},
		{"missing", temperature, []float32{281, nan, 283, 284}, raw, 2, "a member is NaN"},
		{"infinite", temperature, []float32{281, inf, 283, 284}, raw, 2, "a member is +Inf"},
		{"too cold", temperature, []float32{281, 100, 283, 284}, raw, 200, "100 K, which it cannot be"},
		{"negative rain", rain, []float32{1, -0.5}, []float32{0, 1}, 9, "-0.5 K, which it cannot be"},
		{"no spread", temperature, []float32{281, 281, 281}, raw, 2, "all members are 281"},
		{"raw has none either", temperature, []float32{281, 281}, []float32{281, 281}, 2, ""},
		{"one member has no spread", temperature, []float32{281.5}, raw, 2, ""},
		{"all dry", rain, []float32{0, 0, 0}, []float32{0, 1}, 9, ""},
		{"all at 4 mm", rain, []float32{4, 4, 4}, []float32{0, 1}, 9, "all members are 4"},
		{"far", temperature, []float32{284, 285}, raw, 2, "past errors and the spread allow a difference of 2"},
		{"as far as ever", temperature, []float32{284, 285}, raw, 3.51, ""},
		{"square roots", rain, []float32{9, 16}, []float32{0, 1}, 2.99, "the mean sqrt is 3.5 and that of the raw ones 0.5"},
		{"less rain", rain, []float32{0, 1}, []float32{9, 16}, 0.1, ""},
		{"nothing known of errors", temperature, []float32{184, 185}, raw, math.NaN(), ""},
		{"no raw member", temperature, []float32{nan, nan}, []float32{nan, nan}, 2, ""},
		{"raw members handed on", temperature, []float32{282, nan, 280, 281, nan}, raw, 0, ""},
		{"one of them lost", temperature, []float32{282, nan, 280}, raw, 9, "a member is NaN"},
		{"one handed on twice", temperature, []float32{282, 282, nan}, raw, 9, "a member is NaN"},
		{"nothing handed on", temperature, []float32{nan, nan}, raw, 9, "a member is NaN"},
	} {
		got := c.space.doubt(c.members, c.raw, c.farthest, "K")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

// In the world, an observation is the mean + 1 + noise of variance 0.3² + 1.2²; the
// raw mean differs from that mean by 0.5/√m. So its errors have the root mean square
// √(1 + 1.53 + 0.25/m).
func TestPastErrors(t *testing.T) {
	w := newWorld(40, 4, 60)
	h := pastHistory(t, w, HistoryOptions{})
	raw, err := w.Ensemble(t.Context(), "", w.cycles[50])
	if err != nil {
		t.Fatal(err)
	}
	past, err := h.pastErrors(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	var square float64
	for _, e := range past[0] {
		square += e * e / 40
	}
	if want := 1 + 0.09 + 1.44 + 0.25/4; math.Abs(square/want-1) > 0.15 {
		t.Errorf("mean square of past errors %.3f, want %.3f", square, want)
	}

	// What comes later changes nothing, and with nothing known nothing is said.
	early := newWorld(40, 4, 51)
	again, err := pastHistory(t, early, HistoryOptions{}).pastErrors(t.Context(), raw)
	if err != nil || !slices.Equal(past[0], again[0]) {
		t.Errorf("past errors depend on what comes later (%v)", err)
	}
	first, err := w.Ensemble(t.Context(), "", w.cycles[0])
	if err != nil {
		t.Fatal(err)
	}
	none, err := h.pastErrors(t.Context(), first)
	if err != nil || !math.IsNaN(none[0][0]) {
		t.Errorf("before there is any: %v (%v)", none[0][0], err)
	}
}

func TestDoubtsFindTheirPlace(t *testing.T) {
	w := newWorld(12, 5, 40)
	h := pastHistory(t, w, HistoryOptions{})
	raw, err := w.Ensemble(t.Context(), "", w.cycles[39])
	if err != nil {
		t.Fatal(err)
	}
	method := small()
	method.Interpolant = false
	_, _, s := calibrated(t, w, h.store, w.cycles[39], method, 1, SampleOptions{Members: 9, Draw: DrawStratified})
	e := s.Ensemble
	check := func(what string, want ...int) {
		t.Helper()
		doubts, err := h.Doubts(t.Context(), e, raw, 5)
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, d := range doubts {
			got = append(got, d.Place)
			if !strings.HasPrefix(d.Why, "lead time +24 h: ") {
				t.Errorf("%s: %q", what, d.Why)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: doubts at %v, want %v", what, got, want)
		}
	}
	check("as sampled")
	for i := range e.At(0, 7) {
		e.At(0, 7)[i] += 12
	}
	e.At(0, 3)[1] = float32(math.NaN())
	check("with two faults", 3, 7)
	copy(e.At(0, 3), Raw(raw, SampleOptions{Members: 9, Seed: 1}).At(0, 3))
	check("with raw members at one", 7)
}

// Each raw member is there once, in the order that sampled ones start from them.
func TestRawMembersAreNotRepeated(t *testing.T) {
	w := newWorld(3, 4, 2)
	ens, err := w.Ensemble(t.Context(), "", w.cycles[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{2, 4, 10} {
		e := Raw(ens, SampleOptions{Members: n, Seed: 1})
		for i := range 3 {
			if !ingest.HandedOn(e.At(0, i), ens.At(0, i)) || len(e.Members) != n {
				t.Errorf("%d members: %v of %v", n, e.At(0, i), ens.At(0, i))
			}
			there := 0
			for _, v := range e.At(0, i) {
				if v == v {
					there++
				}
			}
			if there != min(n, 4) {
				t.Errorf("%d members: %d are there, want %d", n, there, min(n, 4))
			}
		}
	}
}

func TestLastLearned(t *testing.T) {
	w := newWorld(2, 2, 30)
	w.until = w.cycles[11] // the observation of cycle 10, 24 hours ahead
	for _, c := range []struct {
		cycle int
		delay time.Duration
		want  time.Time
	}{
		{29, 0, w.cycles[11]},
		{5, 0, w.cycles[5]},
		{5, 30 * time.Hour, w.cycles[3]},
		{0, 0, time.Time{}}, // valid before the first cycle: nothing
	} {
		h := pastHistory(t, w, HistoryOptions{Delay: c.delay})
		if got, err := h.LastLearned(t.Context(), w.cycles[c.cycle], w.leads); err != nil || !got.Equal(c.want) {
			t.Errorf("cycle %d, delay %s: %s (%v), want %s", c.cycle, c.delay, got, err, c.want)
		}
	}
}
