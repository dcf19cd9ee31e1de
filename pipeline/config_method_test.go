package pipeline

import (
	"strings"
	"testing"
)

// What cannot work is refused before anything is read, with reason and remedy. All
// combinations are tried in package calibrate.
func TestImpossibleSamplersAreWrongConfigurations(t *testing.T) {
	place(t)
	for _, c := range []struct{ set, reason, remedy string }{
		{"gamma=zero", "no SDE", "set epsilon zero"},
		{"gamma=none", "no latent scale", "choose a gamma"},
		{"path=vp", "own latent scale", "set gamma none"},
		{"solver=heun", "integrates an ODE", "use solver stochastic-heun"},
		{"epsilon=constant solver=stochastic-heun", "singular at t = 0", "set first_time 0.001"},
		{"gamma=sine epsilon=constant", "without bound", "use heads v-s"},
		{"path=vp gamma=none epsilon=zero solver=heun", "singular at t = 1", "set last_time 0.999 and last_step euler"},
		{"solver=edm epsilon=zero churn=1", "one-sided path", "set churn 0, or path one-sided-linear and gamma none"},
	} {
		args := []string{"run", "--date", "2020-01-18"}
		for _, s := range strings.Fields(c.set) {
			args = append(args, "--set", "calibrate.interpolant."+s)
		}
		r := sipipe(t, args...)
		if r.code != ExitConfig || !strings.Contains(r.err, c.reason) || !strings.Contains(r.err, c.remedy) {
			t.Errorf("%s: code %d, %s", c.set, r.code, r.err)
		}
	}
}
