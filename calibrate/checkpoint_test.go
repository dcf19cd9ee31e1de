package calibrate

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"sipipe/calibrate/net"
)

// witness is a store that shows each Put, before it is done.
type witness struct {
	*memory
	mu  sync.Mutex
	put func(key string, v any)
}

func (w *witness) Put(key string, version int, v any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.put(key, v)
	return w.memory.Put(key, version, v)
}

// hurried is a clock by which a checkpoint is due after each step.
func hurried() func() time.Time {
	var mu sync.Mutex
	now := at("2020-01-01")
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Hour)
		return now
	}
}

// train makes the model of a cycle with a store, and its hash.
func train(ctx context.Context, t *testing.T, w *world, s Store, cycle time.Time, m Method, clock func() time.Time) ([32]byte, error) {
	t.Helper()
	h, err := NewHistory(w, s, "t2m", HistoryOptions{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	model, _, err := h.Model(ctx, cycle, m, TrainOptions{Seed: 1, Threads: 2, Clock: clock})
	if err != nil {
		return [32]byte{}, err
	}
	sum, err := model.Hash()
	if err != nil {
		t.Fatal(err)
	}
	return sum, nil
}

func leftovers(s *memory) []string {
	keys, _ := s.List("training/")
	return keys
}

// TestTrainingGoesOn ends training at many moments, with a warning and without, and
// wants the model of an undisturbed one.
func TestTrainingGoesOn(t *testing.T) {
	for _, kind := range []string{"one network", "separate", "joint"} {
		m := small()
		m.MaxSteps, m.Hidden, m.Separate, m.Joint = 40, 8, kind == "separate", kind == "joint"
		w := newWorld(12, 5, 60)
		cycle := w.cycles[58]
		undisturbed := newMemory()
		want, err := train(t.Context(), t, w, undisturbed, cycle, m, nil)
		if err != nil {
			t.Fatal(err)
		}
		if left := leftovers(undisturbed); len(left) > 0 {
			t.Errorf("an undisturbed training leaves %q", left)
		}

		// Without a warning: go on from what was there at some of the moments.
		var moments []map[string][]byte
		steps := 0
		s := &witness{memory: newMemory()}
		s.put = func(key string, v any) {
			if c, ok := v.(*foldCheckpoint); ok {
				if moments = append(moments, maps.Clone(s.memory.data)); c.Running != nil {
					steps = max(steps, c.Running.Step)
				}
			}
		}
		if got, err := train(t.Context(), t, w, s, cycle, m, hurried()); err != nil || got != want {
			t.Fatalf("%s: with checkpoints the model is another one, %v", kind, err)
		}
		networks := len(m.parts()) * m.Folds
		if len(moments) < networks*30 || steps != m.MaxSteps {
			t.Fatalf("%s: %d checkpoints up to step %d", kind, len(moments), steps)
		}
		for i := 0; i < len(moments); i += 37 {
			s := &memory{data: moments[i]}
			if got, err := train(t.Context(), t, w, s, cycle, m, nil); err != nil || got != want {
				t.Errorf("%s: after the end at checkpoint %d the model is another one, %v", kind, i, err)
			}
			if left := leftovers(s); len(left) > 0 {
				t.Errorf("%s: training leaves %q", kind, left)
			}
		}
	}
}

// With a warning no step is made twice: a context that ends is a checkpoint.
func TestEndedTrainingLosesNothing(t *testing.T) {
	m := small()
	m.MaxSteps, m.Hidden = 60, 8
	w := newWorld(12, 5, 60)
	cycle := w.cycles[58]
	want, err := train(t.Context(), t, w, newMemory(), cycle, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &witness{memory: newMemory()}
	last, starts := map[string]int{}, 0
	for {
		ctx, cancel := context.WithCancel(t.Context())
		s.put = func(key string, v any) {
			c, ok := v.(*foldCheckpoint)
			if !ok || c.Running == nil {
				return
			}
			if c.Running.Step < last[key] {
				t.Errorf("%s: step %d after step %d", key, c.Running.Step, last[key])
			}
			last[key] = c.Running.Step
			if c.Running.Step%10 == 0 {
				cancel()
			}
		}
		got, err := train(ctx, t, w, s, cycle, m, hurried())
		cancel()
		if starts++; starts > 50 {
			t.Fatal("training does not get on")
		}
		if errors.Is(err, context.Canceled) {
			if len(last) == 0 {
				t.Fatal("no checkpoint")
			}
			continue
		}
		if err != nil || got != want {
			t.Errorf("after %d starts the model is another one, %v", starts, err)
		}
		break
	}
	if starts < 3 {
		t.Errorf("%d starts: training was hardly interrupted", starts)
	}
	if left := leftovers(s.memory); len(left) > 0 {
		t.Errorf("training leaves %q", left)
	}
}

// A checkpoint that does not fit is not used.
func TestForeignCheckpointIsNotUsed(t *testing.T) {
	m := small()
	m.MaxSteps, m.Hidden = 20, 8
	w := newWorld(12, 5, 60)
	cycle := w.cycles[58]
	want, err := train(t.Context(), t, w, newMemory(), cycle, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &witness{memory: newMemory()}
	s.put = func(key string, v any) {
		if c, ok := v.(*foldCheckpoint); ok {
			if !strings.HasPrefix(key, "training/t2m/") {
				t.Errorf("checkpoint at %s", key)
			}
			c.Fit[0] ^= 1
			if c.Running == nil {
				c.Running = &net.State{Step: 7}
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	clock := hurried()
	_, err = train(ctx, t, w, s, cycle, m, func() time.Time { cancel(); return clock() })
	cancel()
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("training was not ended: %v", err)
	}
	if len(leftovers(s.memory)) == 0 {
		t.Fatal("no checkpoint")
	}
	if got, err := train(t.Context(), t, w, s.memory, cycle, m, nil); err != nil || got != want {
		t.Errorf("the model is another one, %v", err)
	}
}

// TestChainGoesOn ends the making of archived forecasts, which then goes on where it
// was, with the same links.
func TestChainGoesOn(t *testing.T) {
	w := newWorld(12, 5, 60)
	whole := newMemory()
	made := func(ctx context.Context, s Store, links *int) error {
		h, err := NewHistory(w, s, "t2m", HistoryOptions{Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.At(ctx, w.cycles[len(w.cycles)-1], func(int, int) { *links++ })
		return err
	}
	n := 0
	if err := made(t.Context(), whole, &n); err != nil || n != 60 {
		t.Fatalf("%d links: %v", n, err)
	}
	s := &witness{memory: newMemory()}
	total := 0
	for total <= 60 {
		ctx, cancel := context.WithCancel(t.Context())
		puts := 0
		s.put = func(key string, _ any) {
			if strings.HasPrefix(key, "archived/") {
				if puts++; puts == 7 {
					cancel()
				}
			}
		}
		err := made(ctx, s, &total)
		cancel()
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if total != 60 {
		t.Errorf("%d links were made, want each of the 60 once", total)
	}
	keys, _ := whole.List("archived/")
	for _, k := range keys {
		var a, b Archived
		if err := errors.Join(whole.Get(k, archivedVersion, &a), s.Get(k, archivedVersion, &b)); err != nil {
			t.Fatal(err)
		}
		if hashOf(a) != hashOf(b) {
			t.Errorf("%s differs", k)
		}
	}
}
