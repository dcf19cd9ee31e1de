package pipeline

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sipipe/ingest"
)

// days names the products that a command has printed by their day of the month.
func days(out string) string {
	var d []string
	for line := range strings.Lines(out) {
		d = append(d, filepath.Base(filepath.Dir(strings.TrimSpace(line))))
	}
	return strings.Join(d, " ")
}

func TestCatchUp(t *testing.T) {
	place(t)
	must(t, sipipe(t, "run", "--date", "2020-01-17"))
	must(t, sipipe(t, "run", "--date", "2020-01-19"))
	// The product of the 19th is damaged, the forecast of the 18th is missing.
	must2(t, os.WriteFile("out/2020/01/19/sipipe_2020011900.nc", []byte("x"), 0o644))
	must2(t, os.Remove(forecast))
	r := must(t, sipipe(t, "run", "--date", "2020-01-20", "--catchup", "3"))
	if got := days(r.out); got != "16 19 20" { // the last three before the 20th are 16, 17 and 19
		t.Errorf("made %s, want 16 19 20", got)
	}
	if r := must(t, sipipe(t, "backfill", "--catchup", "4")); r.out != "" || !strings.Contains(r.err, "nothing to do") {
		t.Errorf("made %s\n%s", r.out, r.err)
	}
}

// A broken cycle among those to catch up with does not keep the wanted one from being
// made, and is not passed over in silence.
func TestCatchUpGoesOnAfterABrokenCycle(t *testing.T) {
	place(t)
	must2(t, os.WriteFile(forecast, []byte("CDF"), 0o644))
	r := sipipe(t, "run", "--date", "2020-01-20", "--catchup", "2")
	if r.code != ExitData || days(r.out) != "19 20" || !strings.Contains(r.err, "fc_2020011800.nc") {
		t.Errorf("exit code %d, made %s\n%s", r.code, days(r.out), r.err)
	}
	r = sipipe(t, "backfill", "--catchup", "4")
	if r.code != ExitData || days(r.out) != "17" {
		t.Errorf("exit code %d, made %s\n%s", r.code, days(r.out), r.err)
	}
	for _, args := range [][]string{{"--catchup", "2", "--from", "2020-01-01"}, {"--catchup", "-2"}, {}} {
		if r := sipipe(t, append([]string{"backfill"}, args...)...); r.code != ExitUsage {
			t.Errorf("%v: exit code %d, want %d", args, r.code, ExitUsage)
		}
	}
}

// The exit code is that of the cycle that is asked for, whatever became of those before, and
// the log tells of each.
func TestCatchUpEndsAsTheCycleAskedFor(t *testing.T) {
	place(t)
	must2(t, os.WriteFile(forecast, []byte("CDF"), 0o644))
	must2(t, os.Remove("archive/forecasts/2020/01/fc_2020012000.nc"))
	r := sipipe(t, "run", "--date", "2020-01-20", "--catchup", "2")
	if r.code != ExitNoInput || days(r.out) != "19" {
		t.Errorf("exit code %d, made %s", r.code, days(r.out))
	}
	for _, says := range []string{`"cycle":"2020-01-18T00Z","exit_code":65`, "cycle 2020-01-20T00Z: ingest: no forecast"} {
		if !strings.Contains(r.err, says) {
			t.Errorf("the log does not say %s:\n%s", says, r.err)
		}
	}
	world := &worldClock{now: time.Date(2020, 1, 20, 6, 0, 0, 0, time.UTC)}
	if r := sipipeIn(t, world, "run", "--date", "2020-01-20", "--catchup", "2", "--wait", "10m"); r.code != ExitTryLater {
		t.Errorf("when waited for: exit code %d", r.code)
	}
}

func TestWorse(t *testing.T) {
	order := []error{
		&SpaceError{}, &ingest.ImplausibleError{}, &ShortageError{}, &WaitError{}, // worst first
	}
	for i, a := range order {
		for j, b := range order {
			want := ExitCode(order[min(i, j)])
			if got := ExitCode(worse(a, b)); got != want {
				t.Errorf("of %T and %T: %d, want %d", a, b, got, want)
			}
		}
		if ExitCode(worse(nil, a)) != ExitCode(a) || ExitCode(worse(a, nil)) != ExitCode(a) {
			t.Errorf("%T is lost", a)
		}
	}
	if worse(nil, nil) != nil {
		t.Error("nothing wrong is taken for something")
	}
}
