package calibrate

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// NoModelError says that a model was asked for that is not in the store.
type NoModelError struct {
	Variable string
	Anchor   time.Time
	Why      string
}

func (e *NoModelError) Error() string {
	return fmt.Sprintf("%s: no valid model of %s: %s; make one with sipipe train, or use sipipe run",
		e.Variable, e.Anchor.Format(time.DateOnly), e.Why)
}

// Is makes it an input that is missing.
func (e *NoModelError) Is(target error) bool { return target == fs.ErrNotExist }

// Anchor is the training time of the model that a cycle uses; ok is false when the
// archive has none yet.
func (h *History) Anchor(cycle time.Time) (anchor time.Time, ok bool) {
	if len(h.cycles) == 0 {
		return time.Time{}, false
	}
	return Anchor(h.cycles[0], cycle)
}

// modelKey names the model of an anchor. Configurations that share a state folder
// do not overwrite each other's models.
func (h *History) modelKey(anchor time.Time, fit [32]byte) string {
	return fmt.Sprintf("model/%s/%s-%s", h.variable, anchor.UTC().Format("20060102"), hex.EncodeToString(fit[:6]))
}

// Model returns the model for a cycle: that of the latest anchor, from the store
// if it fits, or else trained now; made says which. Before the first anchor the
// model is the frame alone.
func (h *History) Model(ctx context.Context, cycle time.Time, m Method, o TrainOptions) (model *Model, made bool, err error) {
	model, err = h.Stored(cycle, m, o.Seed)
	var none *NoModelError
	if err == nil || !errors.As(err, &none) {
		return model, false, err
	}
	o.Networks, o.Checkpoints = h.store, h.store
	if model, err = Train(ctx, h, none.Anchor, m, o); err != nil {
		return nil, false, fmt.Errorf("train %s for %s: %w", h.variable, none.Anchor.Format(time.DateOnly), err)
	}
	if err := h.store.Put(h.modelKey(none.Anchor, model.Fit), modelVersion, model); err != nil {
		return nil, false, fmt.Errorf("save model: %w", err)
	}
	return model, true, nil
}

// Stored returns the model for a cycle from the store, or a *NoModelError.
func (h *History) Stored(cycle time.Time, m Method, seed uint64) (*Model, error) {
	if len(h.cycles) == 0 {
		return nil, fmt.Errorf("%s: the archive is empty: %w", h.variable, fs.ErrNotExist)
	}
	anchor, ok := Anchor(h.cycles[0], cycle)
	if !ok {
		// Nothing to learn from: what Train would say at the first cycle.
		s := &trainingSet{}
		return &Model{
			Variable: h.variable, Method: m, Seed: seed, Dispersion: 1, Start: s.start(m.Dress),
			Coherence: m.Coherence,
			Report:    Report{Reason: "the archive has just begun: the frame alone"},
		}, nil
	}
	want := m.fit(h.variable, seed, anchor, h.available(anchor))
	var model Model
	if err := h.store.Get(h.modelKey(anchor, want), modelVersion, &model); err != nil {
		why := err.Error()
		if errors.Is(err, fs.ErrNotExist) {
			why = "there is none yet"
		}
		return nil, &NoModelError{h.variable, anchor, why}
	}
	if model.Fit != want {
		return nil, &NoModelError{h.variable, anchor, "the one in the store was made from other data or with another method"}
	}
	return &model, nil
}
