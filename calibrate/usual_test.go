package calibrate

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"sipipe/ingest"
	"sipipe/ingest/store"
)

func TestUnusual(t *testing.T) {
	nan := float32(math.NaN())
	add := func(x float32) func(*ingest.Ensemble) {
		return func(e *ingest.Ensemble) {
			for i := range e.Values {
				e.Values[i] += x
			}
		}
	}
	without := func(places int) func(*ingest.Ensemble) {
		return func(e *ingest.Ensemble) {
			for i := range e.Values[:places*len(e.Members)] {
				e.Values[i] = nan
			}
		}
	}
	members := func(keep int) func(*ingest.Ensemble) {
		return func(e *ingest.Ensemble) {
			for i := range e.Values {
				if i%len(e.Members) >= keep {
					e.Values[i] = nan
				}
			}
		}
	}
	fewer := func(e *ingest.Ensemble) { // as a file that has only so many
		n := len(e.Members)
		for i := range e.Values[:len(e.Values)/n] {
			e.Values[i] = e.Values[i*n]
		}
		e.Members, e.Values = e.Members[:1], e.Values[:len(e.Values)/n]
	}
	for name, c := range map[string]struct {
		days   int // less than 0: as many cycles, twice a day
		change func(*ingest.Ensemble)
		says   []string
	}{
		"as it is":                   {20, add(0), nil},
		"warmer":                     {20, add(40), []string{"the mean of the raw forecast is +"}},
		"colder":                     {20, add(-40), []string{"the mean of the raw forecast is -"}},
		"half of the places":         {20, without(10), []string{"has values at 10 places and lead times, those of the last 19 cycles of this hour at 20"}},
		"a few places":               {20, without(7), nil},
		"other hours":                {-16, add(80), nil}, // 7 before are of 12 UTC
		"both":                       {20, func(e *ingest.Ensemble) { add(40)(e); without(10)(e) }, []string{"values at 10", "is +"}},
		"most members":               {20, members(1), []string{"has 1 members with values, those of the last 19 cycles of this hour"}},
		"a file with fewer members":  {20, fewer, []string{"has 1 members with values, those of the last 19 cycles of this hour"}},
		"a value is missing":         {20, func(e *ingest.Ensemble) { e.Values[0] = nan }, nil},
		"nothing to compare it with": {8, add(80), nil},
		"enough to compare it with":  {9, add(80), []string{"is +"}},
	} {
		w := newWorld(20, 3, max(c.days, -c.days))
		if c.days < 0 { // twice a day
			for i := range w.cycles {
				w.cycles[i] = w.cycles[0].Add(time.Duration(i) * 12 * time.Hour)
			}
		}
		h := pastHistory(t, w, HistoryOptions{})
		e, err := w.Ensemble(t.Context(), "t2m", w.cycles[len(w.cycles)-1])
		if err != nil {
			t.Fatal(err)
		}
		c.change(e)
		got, _, err := h.Unusual(t.Context(), e)
		if err != nil || len(got) != len(c.says) {
			t.Errorf("%s: %q (%v), want %d reasons", name, got, err, len(c.says))
			continue
		}
		for i, says := range c.says {
			if !strings.Contains(got[i], says) {
				t.Errorf("%s: %q, want %q", name, got[i], says)
			}
		}
	}
}

// What is known of the day before is not a forecast that is taken for wrong.
func TestUnlikeIsNotTheDayBefore(t *testing.T) {
	w := newWorld(20, 3, 20)
	w.warm = w.cycles[15]
	h := pastHistory(t, w, HistoryOptions{})
	for k, known := range map[int]bool{15: true, 16: false, 17: true} {
		a, err := h.At(t.Context(), w.cycles[k], nil)
		if err != nil {
			t.Fatal(err)
		}
		if a.Unlike != (k == 15) {
			t.Errorf("cycle %d: unlike %v", k, a.Unlike)
		}
		if before := a.Lead[0].Known[0].Before; (before == before) != known {
			t.Errorf("cycle %d: the forecast of the day before is %g", k, before)
		}
	}
}

// The mean is one of departures, so that it does not change when warm places are missing.
func TestDepartures(t *testing.T) {
	nan := float32(math.NaN())
	fields := [][]float32{{0, 10}, {1, nan}, {nan, 11}}
	departure := departures(fields) // from 0.5 and 10.5
	for k, want := range []float64{-0.5, 0.5, 0.5} {
		if got := departure(fields[k]); got != want {
			t.Errorf("field %d: %g, want %g", k, got, want)
		}
	}
}

// No cycle of the sample is unlike those before, and each would be if it were 30 K warmer
// or had half of its places.
func TestUnusualInSample(t *testing.T) {
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	a, err := ingest.Open(t.Context(), ingest.Options{
		Forecasts: "../sample/pnw-t2m/forecasts/{date:%Y/%m}/fc_{date:%Y%m%d%H}.nc", Variables: []string{"t2m"}, Store: st, Screen: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	h, err := NewHistory(a, st, "t2m", HistoryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for k, cycle := range a.Cycles("t2m") {
		e, err := a.Ensemble(t.Context(), "t2m", cycle)
		if err != nil {
			t.Fatal(err)
		}
		warm, half := *e, *e
		warm.Values, half.Values = slices.Clone(e.Values), slices.Clone(e.Values)
		for i := range e.Values {
			warm.Values[i] += 30
			if i/len(e.Members)%2 == 0 {
				half.Values[i] = float32(math.NaN())
			}
		}
		for want, f := range []*ingest.Ensemble{e, &warm, &half} {
			got, _, err := h.Unusual(t.Context(), f)
			if err != nil || len(got) != min(1, want) && (want == 0 || k >= 15) {
				t.Errorf("%s: case %d: %q (%v)", cycle, want, got, err)
			}
		}
	}
}
