package pipeline

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

// ticking is a clock that moves by a second at each look.
func ticking() func() time.Time {
	t := time.Date(2024, 7, 8, 0, 0, 0, 0, time.UTC)
	return func() time.Time {
		t = t.Add(time.Second)
		return t
	}
}

func TestStagesRunInOrderAndAreSkippedWhenDone(t *testing.T) {
	var ran []string
	stage := func(name string, done bool) Stage {
		return Stage{
			Name: name,
			Done: func(context.Context) (bool, string, error) { return done, "because", nil },
			Run:  func(context.Context) error { ran = append(ran, name); return nil },
		}
	}
	always := stage("always", false)
	always.Done = nil
	records, err := runStages(t.Context(), zerolog.Nop(), ticking(), []Stage{stage("a", false), stage("b", true), always})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "always"}, ran); diff != "" {
		t.Errorf("ran (-want +got):\n%s", diff)
	}
	want := []StageRecord{
		{Name: "a", Reason: "because", Seconds: 1},
		{Name: "b", Skipped: true, Reason: "because", Seconds: 1},
		{Name: "always", Seconds: 1},
	}
	if diff := cmp.Diff(want, records); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestStagesStopAtTheFirstError(t *testing.T) {
	broken := errors.New("broken")
	stages := []Stage{
		{Name: "a", Run: func(context.Context) error { return broken }},
		{Name: "b", Run: func(context.Context) error { t.Error("b was run"); return nil }},
	}
	_, err := runStages(t.Context(), zerolog.Nop(), ticking(), stages)
	if !errors.Is(err, broken) || err.Error() != "a: broken" {
		t.Errorf("error is %v", err)
	}
	stages[0].Done = func(context.Context) (bool, string, error) { return true, "", broken }
	stages[0].Run = func(context.Context) error { t.Error("a was run"); return nil }
	if _, err := runStages(t.Context(), zerolog.Nop(), ticking(), stages); !errors.Is(err, broken) {
		t.Errorf("an error of Done: %v", err)
	}
}

func TestStagesStopWhenTheContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stages := []Stage{
		{Name: "a", Run: func(context.Context) error { cancel(&SignalError{}); return nil }},
		{Name: "b", Run: func(context.Context) error { t.Error("b was run"); return nil }},
	}
	records, err := runStages(ctx, zerolog.Nop(), ticking(), stages)
	var stopped *SignalError
	if !errors.As(err, &stopped) || len(records) != 1 {
		t.Errorf("error is %v after %d stages", err, len(records))
	}
}
