package calibrate

import (
	"testing"
	"time"
)

// Forecasts of fewer experts are left out when those of all are enough, in days and in
// cases.
func TestAlike(t *testing.T) {
	day := at("2020-01-01")
	sources := func(days, awake, places int) (s []source) {
		for range days {
			s = append(s, source{day, 24 * time.Hour, places, awake}, source{day, 30 * time.Hour, places, awake})
			day = day.AddDate(0, 0, 1)
		}
		return s
	}
	for name, c := range map[string]struct {
		young, grown []source
		all          bool
	}{
		"enough":                {sources(400, 4, 10), sources(alikeDays, 7, 10), false},
		"a day too few":         {sources(400, 4, 10), sources(alikeDays-1, 7, 10), true},
		"too few cases":         {sources(400, 4, 10), sources(alikeDays, 7, 5), true},
		"of one kind":           {nil, sources(10, 4, 10), true},
		"a kind without expert": {sources(100, 0, 10), sources(100, 0, 10), true},
	} {
		want := len(c.grown)
		if c.all {
			want += len(c.young)
		}
		if got := alike(append(c.young, c.grown...)); len(got) != want || got[len(got)-1] != c.grown[len(c.grown)-1] {
			t.Errorf("%s: %d of %d forecasts, want %d", name, len(got), len(c.young)+len(c.grown), want)
		}
	}
}
