package calibrate

import (
	"context"
	"strings"
	"testing"
)

// Training warns of too few steps, and of nothing else.
func TestCheckSteps(t *testing.T) {
	m := DefaultMethod()
	m.Scale = 1
	for _, c := range []struct {
		solver  string
		steps   int
		epsilon string
		want    string
	}{
		{"exponential", 8, "gamma", ""},
		{"euler-maruyama", 8, "gamma", "8 steps are too few"},
		{"euler", 16, "zero", "16 steps are too few"},
	} {
		m.Solver, m.Steps, m.Epsilon = c.solver, c.steps, c.epsilon
		warning, err := m.CheckSteps(context.Background(), 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(warning, c.want) || c.want == "" && warning != "" {
			t.Errorf("%s, %d steps: %q, want %q", c.solver, c.steps, warning, c.want)
		}
	}
	if warning, err := DefaultMethod().CheckSteps(context.Background(), 0, 1); err != nil || warning != "" {
		t.Errorf("the default method: %q, %v", warning, err)
	}
	m.Solver, m.Epsilon = "heun", "gamma"
	if _, err := m.CheckSampler(context.Background(), 1.1, 1); err == nil || !strings.Contains(err.Error(), "stochastic-heun") {
		t.Errorf("an ODE solver for an SDE: %v", err)
	}
}
