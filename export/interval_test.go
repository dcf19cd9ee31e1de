package export

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sipipe/ingest"
)

const hour = time.Hour

func TestCellMethodsSpeakOfThisFilesAxis(t *testing.T) {
	for _, c := range []struct {
		in, want string
		interval bool
	}{
		{"", "", false},
		{"time: point", "time: point", false},
		{"step: minimum (interval: 12 hours)", "time: minimum (interval: 12 hours)", true},
		{"area: mean step: maximum", "area: mean time: maximum", true},
		{"lead_time: Point", "time: Point", false},
		{"time1: sum", "time: sum", true},
		{"area: mean", "area: mean", false},
		{"footstep: sum", "footstep: sum", false}, // another word
	} {
		v := ingest.Variable{CellMethods: c.in}
		if got := cellMethods(v); got != c.want {
			t.Errorf("%q becomes %q, want %q", c.in, got, c.want)
		}
		if got := overInterval(v); got != c.interval {
			t.Errorf("%q speaks of an interval: %v, want %v", c.in, got, c.interval)
		}
	}
}

func TestBounds(t *testing.T) {
	variable := func(methods string, leads ...time.Duration) *ingest.Ensemble {
		return &ingest.Ensemble{Variable: ingest.Variable{Name: methods, CellMethods: methods}, Cycle: cycle, Leads: leads, Members: []int32{0}, Places: stations()}
	}
	type intervals = [][2]time.Duration
	for _, c := range []struct {
		what string
		vars []*ingest.Ensemble
		want intervals
	}{
		{"an instant has none", []*ingest.Ensemble{variable("", 6*hour, 12*hour)}, nil},
		{"the length that is stated", []*ingest.Ensemble{variable("step: minimum (interval: 12 hours)", 30*hour)}, intervals{{18 * hour, 30 * hour}}},
		{"stated in minutes", []*ingest.Ensemble{variable("time: mean (interval: 90 min)", 3*hour)}, intervals{{90 * time.Minute, 3 * hour}}},
		{"from one lead to the next", []*ingest.Ensemble{variable("time: sum", 6*hour, 12*hour, 24*hour)}, intervals{{0, 6 * hour}, {6 * hour, 12 * hour}, {12 * hour, 24 * hour}}},
		{"the first not before the cycle", []*ingest.Ensemble{variable("time: sum", 3*hour, 9*hour)}, intervals{{0, 3 * hour}, {3 * hour, 9 * hour}}},
		{"an accumulation over nothing at the cycle", []*ingest.Ensemble{variable("time: sum", 0, 6*hour)}, intervals{{0, 0}, {0, 6 * hour}}},
		{"a single lead says nothing", []*ingest.Ensemble{variable("time: sum", 6*hour)}, nil},
		{"instants beside intervals", []*ingest.Ensemble{variable("", 0, 6*hour, 12*hour), variable("time: sum", 6*hour, 12*hour)}, intervals{{0, 0}, {0, 6 * hour}, {6 * hour, 12 * hour}}},
		{"two lengths on one axis", []*ingest.Ensemble{variable("time: maximum (interval: 6 hours)", 24*hour), variable("time: maximum (interval: 12 hours)", 24*hour)}, nil},
	} {
		a, err := newAxes(c.vars)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, a.bounds(c.vars)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.what, diff)
		}
	}
}

func TestISODuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                             "PT0S",
		6 * hour:                      "PT6H",
		24 * hour:                     "P1D",
		54*hour + 30*time.Minute:      "P2DT6H30M",
		90 * time.Second:              "PT1M30S",
		48*hour + 1*time.Second:       "P2DT1S",
		15 * 24 * hour:                "P15D",
		2*time.Minute + 5*time.Second: "PT2M5S",
	} {
		if got := isoDuration(d); got != want {
			t.Errorf("%s is %s, want %s", d, got, want)
		}
	}
}
