package pipeline

import (
	"strings"
	"testing"
)

// Training a model with networks warns once of too few steps, with the figures, and of
// nothing when they are enough or the model is there.
func TestTrainWarnsOfTooFewSteps(t *testing.T) {
	place(t)
	t.Setenv("SIPIPE_CALIBRATE_METHOD", "interpolant")
	for key, value := range map[string]string{"HIDDEN": "4", "BLOCKS": "1", "FOLDS": "2", "BATCH": "64", "MAX_STEPS": "10", "MIN_DAYS": "4", "MIN_CASES": "16"} {
		t.Setenv("SIPIPE_CALIBRATE_NETWORK_"+key, value)
	}
	train := func(set ...string) string {
		t.Helper()
		args := []string{"train", "--date", "2020-01-18", "--log-format", "text"}
		for _, s := range set {
			args = append(args, "--set", "calibrate.interpolant."+s)
		}
		return must(t, sipipe(t, args...)).err
	}
	few := []string{"solver=euler-maruyama", "epsilon_scale=1", "steps=3"}
	if text := train(few...); strings.Count(text, "WRN") != 1 || !strings.Contains(text, "3 steps are too few: the standard deviation is off by") {
		t.Errorf("3 steps of Euler-Maruyama: %s", text)
	}
	if text := train(few...); strings.Contains(text, "too few") {
		t.Errorf("the model is there: %s", text)
	}
	if text := train(); strings.Contains(text, "too few") || !strings.Contains(text, "trained") {
		t.Errorf("as configured by default: %s", text)
	}
}
