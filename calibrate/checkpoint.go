package calibrate

import (
	"encoding/hex"
	"fmt"
	"time"

	"sipipe/calibrate/net"
)

// CheckpointStore keeps what training has come to; a [Store] is one.
type CheckpointStore interface {
	NetworkStore
	Delete(key string) error
}

// checkpointEvery is the time of training that may be lost when the program is killed
// without a warning, beside that of a step.
const checkpointEvery = 30 * time.Second

// checkpointVersion changes with the meaning or layout of stored checkpoints.
const checkpointVersion = 1

// checkpoints are those of one training: a value for each fold, since folds are
// trained at the same time.
type checkpoints struct {
	store  CheckpointStore // nil: none are kept
	clock  func() time.Time
	prefix string
	fit    [32]byte
}

// foldCheckpoint is how far the training of a fold has come.
type foldCheckpoint struct {
	Fit     [32]byte   // of all that shapes the networks
	Done    learned    // parts that are trained
	Running *net.State // of the next part; nil when that has not begun

	of   *checkpoints
	key  string
	last time.Time // when it was kept, or the training began
}

// checkpoints of the training of networks that fit identifies.
func (m *Model) checkpoints(fit [32]byte, o TrainOptions) *checkpoints {
	return &checkpoints{
		store: o.Checkpoints, clock: o.Clock, fit: fit,
		prefix: fmt.Sprintf("training/%s/%s-%s", m.Variable, m.Anchor.UTC().Format("20060102"), hex.EncodeToString(fit[:6])),
	}
}

func (c *checkpoints) key(k int) string { return fmt.Sprintf("%s/%d", c.prefix, k) }

// load returns where the training of fold k is. What cannot be used, for whatever
// reason, is as good as none.
func (c *checkpoints) load(k int) *foldCheckpoint {
	at := &foldCheckpoint{}
	if c.store == nil || c.store.Get(c.key(k), checkpointVersion, at) != nil || at.Fit != c.fit {
		at = &foldCheckpoint{Fit: c.fit}
	}
	at.of, at.key = c, c.key(k)
	if c.clock != nil {
		at.last = c.clock()
	}
	return at
}

// discard removes the checkpoints of a training that is done.
func (c *checkpoints) discard(folds int) error {
	if c.store == nil {
		return nil
	}
	for k := range folds {
		if err := c.store.Delete(c.key(k)); err != nil {
			return fmt.Errorf("remove a checkpoint of training: %w", err)
		}
	}
	return nil
}

// due tells whether it is time to keep the state of the network that is trained.
func (f *foldCheckpoint) due() bool {
	if f.of.clock == nil {
		return false
	}
	// Either way: the clock may have been set back.
	return f.of.clock().Sub(f.last).Abs() >= checkpointEvery
}

// keep keeps the state of the network that is trained.
func (f *foldCheckpoint) keep(s net.State) error {
	f.Running = &s
	return f.save()
}

func (f *foldCheckpoint) save() error {
	if f.of.store == nil {
		return nil
	}
	if f.of.clock != nil {
		f.last = f.of.clock()
	}
	if err := f.of.store.Put(f.key, checkpointVersion, f); err != nil {
		return fmt.Errorf("keep a checkpoint of training: %w", err)
	}
	return nil
}
