package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"sipipe/calibrate"
	"sipipe/ingest"
)

// Shard is part I of N of the places of a cycle, counted from 1. Its members are those
// that one process would have made for these places.
type Shard struct{ I, N int }

func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.I, s.N) }

// maxShards is more than anybody needs, and bounds what a typing error costs.
const maxShards = 10000

// parseShard reads "I/N".
func parseShard(text string) (Shard, error) {
	i, n, ok := strings.Cut(text, "/")
	var s Shard
	var err1, err2 error
	s.I, err1 = strconv.Atoi(i)
	s.N, err2 = strconv.Atoi(n)
	if !ok || err1 != nil || err2 != nil || s.N < 1 || s.N > maxShards || s.I < 1 || s.I > s.N {
		return Shard{}, fmt.Errorf("--shard %s is not a part such as 3/8, from 1/8 to 8/8; at most %d parts", text, maxShards)
	}
	return s, nil
}

// places are those of the shard, of all: shards differ by at most one place.
func (s Shard) places(all int) (first, count int) {
	first = all * (s.I - 1) / s.N
	return first, all*s.I/s.N - first
}

// shardVersion changes with the meaning or layout of stored shards.
const shardVersion = 2

// shardHead says what a stored shard is.
type shardHead struct {
	Fit     [32]byte // of all that shaped it
	Members int
}

// storedShard is what is kept of a shard of one variable until it is merged.
type storedShard struct {
	shardHead
	Values []float32 // [lead, place, member]
}

// Parts implements store.Parted.
func (s *storedShard) Parts() iter.Seq[any] {
	return func(yield func(any) bool) { _ = yield(&s.shardHead) && yield(&s.Values) }
}

// shardFit identifies what a shard of a variable is made from. Members of two builds of
// the program are not mixed.
func (j *job) shardFit(s Shard, want Wanted, model *calibrate.Model, variable, kind string) ([32]byte, error) {
	sum, err := model.Hash()
	if err != nil {
		return sum, err
	}
	text, err := json.Marshal(struct {
		Version  int
		Shard    Shard
		Want     Wanted
		Variable string
		Kind     string
		Model    [32]byte
		Build    Build
	}{shardVersion, s, want, variable, kind, sum, j.global.Build})
	if err != nil {
		return sum, fmt.Errorf("encode what a shard is made from: %w", err)
	}
	return sha256.Sum256(text), nil
}

// shardsPrefix begins the keys of shards.
const shardsPrefix = "shards/"

func shardPrefix(cycle time.Time) string {
	return shardsPrefix + cycle.UTC().Format("2006010215") + "/"
}

func shardKey(cycle time.Time, variable string, s Shard) string {
	return fmt.Sprintf("%s%s/%dof%d", shardPrefix(cycle), variable, s.I, s.N)
}

// drawing says how the members of a variable come about: kind is the fallback it is
// delivered by.
type drawing func(ctx context.Context, model *calibrate.Model, raw *ingest.Ensemble, archived *calibrate.Archived, kind string, o calibrate.SampleOptions) (*ingest.Ensemble, error)

// drawAll makes all members here.
func drawAll(ctx context.Context, model *calibrate.Model, raw *ingest.Ensemble, archived *calibrate.Archived, _ string, o calibrate.SampleOptions) (*ingest.Ensemble, error) {
	s, err := model.Sample(ctx, raw, archived, o)
	if err != nil {
		return nil, err
	}
	return s.Ensemble, nil
}

// ShardOutcome is what became of a shard.
type ShardOutcome struct {
	Cycle   time.Time `json:"cycle"`
	Shard   string    `json:"shard"`
	Files   []string  `json:"files"`
	Skipped bool      `json:"skipped"` // it was there and valid
}

// shard makes the members of a part of the places and keeps them in the state folder,
// where merge finds them. A shard that is there and valid is left as it is.
func (w *workspace) shard(ctx context.Context, cycle time.Time, s Shard, force bool) (*ShardOutcome, error) {
	j, want, err := w.prepare(ctx, cycle)
	if err != nil {
		return nil, err
	}
	j.log = j.log.With().Stringer("shard", s).Logger()
	out := &ShardOutcome{Cycle: cycle, Shard: s.String(), Skipped: true}
	j.draw = func(ctx context.Context, model *calibrate.Model, raw *ingest.Ensemble, archived *calibrate.Archived, kind string, o calibrate.SampleOptions) (*ingest.Ensemble, error) {
		key := shardKey(cycle, raw.Variable.Name, s)
		path, err := w.store.Path(key)
		if err != nil {
			return nil, err
		}
		out.Files = append(out.Files, path)
		fit, err := j.shardFit(s, want, model, raw.Variable.Name, kind)
		if err != nil {
			return nil, err
		}
		var stored storedShard
		if err := w.store.Get(key, shardVersion, &stored); err == nil && stored.Fit == fit && !force {
			return raw, nil // what is returned is not looked at
		}
		out.Skipped = false
		stored = storedShard{shardHead: shardHead{Fit: fit, Members: o.Members}}
		if o.First, o.Count = s.places(raw.Places.Len()); o.Count > 0 {
			e, err := drawAll(ctx, model, raw, archived, kind, o)
			if err != nil {
				return nil, err
			}
			stored.Values = e.Values
		}
		if err := w.store.Put(key, shardVersion, &stored); err != nil {
			return nil, &OutputError{Path: path, Err: err}
		}
		return raw, nil
	}
	if _, err := j.do(ctx, j.sampleStage()); err != nil {
		return nil, fmt.Errorf("cycle %s: shard %s: %w", formatCycle(cycle), s, err)
	}
	if out.Skipped {
		j.log.Info().Msg("nothing to do: shard is there and valid")
	} else {
		j.log.Info().Msg("shard done")
	}
	return out, nil
}

// prepare reads the forecast of a cycle and says what its product must be made from.
func (w *workspace) prepare(ctx context.Context, cycle time.Time) (*job, Wanted, error) {
	product, err := w.product(cycle)
	if err != nil {
		return nil, Wanted{}, err
	}
	j := w.newJob(cycle, product)
	_, err = j.do(ctx, j.ingestStage())
	var want Wanted
	if err == nil {
		want, err = j.wanted(ctx)
	}
	if err != nil {
		return nil, want, fmt.Errorf("cycle %s: %w", formatCycle(cycle), cause(ctx, err))
	}
	return j, want, nil
}

// merging draws members from n shards.
func (j *job) merging(n int, want Wanted) drawing {
	return func(ctx context.Context, model *calibrate.Model, raw *ingest.Ensemble, _ *calibrate.Archived, kind string, _ calibrate.SampleOptions) (*ingest.Ensemble, error) {
		if n == 0 {
			return nil, &MissingShardsError{Cycle: j.cycle}
		}
		parts, missing, err := j.shards(ctx, n, want, model, raw, kind)
		if err != nil {
			return nil, err
		}
		if len(missing) > 0 {
			return nil, &MissingShardsError{Cycle: j.cycle, Missing: missing, N: n}
		}
		return calibrate.Merge(raw, parts)
	}
}

// shards reads the n shards of a variable; missing are those that are not there or do
// not fit, from 1 on, ascending.
func (j *job) shards(ctx context.Context, n int, want Wanted, model *calibrate.Model, raw *ingest.Ensemble, kind string) (parts []*ingest.Ensemble, missing []int, err error) {
	parts = make([]*ingest.Ensemble, n)
	for k := range parts {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		s := Shard{k + 1, n}
		fit, err := j.shardFit(s, want, model, raw.Variable.Name, kind)
		if err != nil {
			return nil, nil, err
		}
		var stored storedShard
		if err := j.store.Get(shardKey(j.cycle, raw.Variable.Name, s), shardVersion, &stored); err != nil || stored.Fit != fit {
			missing = append(missing, s.I) // whatever is wrong with it, it is to be made again
			continue
		}
		parts[k] = stored.ensemble(raw, s)
	}
	return parts, missing, nil
}

// missingShards are those of n that are not there, or do not fit, for any variable.
// Without a model none can be there.
func (j *job) missingShards(ctx context.Context, n int, want Wanted) ([]int, error) {
	j.log = zerolog.Nop()
	missing := map[int]bool{}
	j.draw = func(ctx context.Context, model *calibrate.Model, raw *ingest.Ensemble, _ *calibrate.Archived, kind string, _ calibrate.SampleOptions) (*ingest.Ensemble, error) {
		_, some, err := j.shards(ctx, n, want, model, raw, kind)
		for _, i := range some {
			missing[i] = true
		}
		return raw, err
	}
	var none *calibrate.NoModelError
	switch err := j.sampleStage().Run(ctx); {
	case errors.As(err, &none):
		for i := range n {
			missing[i+1] = true
		}
	case err != nil:
		return nil, err
	}
	return slices.Sorted(maps.Keys(missing)), nil
}

// ensemble gives the stored values their places.
func (s *storedShard) ensemble(raw *ingest.Ensemble, part Shard) *ingest.Ensemble {
	e := *raw
	first, count := part.places(raw.Places.Len())
	e.Places = raw.Places.Slice(first, count)
	e.MemberNames, e.Members = nil, make([]int32, s.Members)
	for i := range e.Members {
		e.Members[i] = int32(i)
	}
	e.Values = s.Values
	return &e
}

// merge makes the product of a cycle from n shards; 0 is as many as there are.
func (w *workspace) merge(ctx context.Context, cycle time.Time, n int, force bool) (*Outcome, error) {
	if n == 0 {
		var err error
		if n, err = w.shardsThere(cycle); err != nil {
			return nil, err
		}
	}
	out, err := w.run(ctx, cycle, jobOptions{Sample: true, Force: force, Merge: true, Shards: n})
	if err != nil {
		return nil, err
	}
	return out, w.discardShards(cycle)
}

// discardShards removes the shards of a cycle once they are in its product.
func (w *workspace) discardShards(cycle time.Time) error {
	keys, err := w.store.List(shardPrefix(cycle))
	for _, key := range keys {
		err = errors.Join(err, w.store.Delete(key))
	}
	if err != nil {
		return fmt.Errorf("remove merged shards: %w", err)
	}
	return nil
}

// shardsThere is the number of parts that the shards of a cycle come in, from their
// names: the one of which most are there.
func (w *workspace) shardsThere(cycle time.Time) (int, error) {
	keys, err := w.store.List(shardPrefix(cycle))
	if err != nil {
		return 0, err
	}
	there := map[int]int{}
	for _, key := range keys {
		_, of, _ := strings.Cut(key[strings.LastIndexByte(key, '/')+1:], "of")
		if n, err := strconv.Atoi(of); err == nil && n > 0 && n <= maxShards {
			there[n]++
		}
	}
	best := 0
	for n, count := range there {
		// Larger than another by share; of equal ones the one with fewer parts.
		if a, b := count*best, there[best]*n; best == 0 || a > b || a == b && n < best {
			best = n
		}
	}
	return best, nil
}

// MissingShardsError says that a cycle cannot be merged yet.
type MissingShardsError struct {
	Cycle   time.Time
	Missing []int // empty: all, and N is not known
	N       int
}

func (e *MissingShardsError) Error() string {
	if len(e.Missing) == 0 {
		return fmt.Sprintf("there are no shards of cycle %s; make them with sipipe sample --shard 1/N to N/N", formatCycle(e.Cycle))
	}
	return fmt.Sprintf("%d of %d shards are missing or were made from something else: %s; make them with sipipe sample --shard %d/%d and merge again",
		len(e.Missing), e.N, formatRanges(e.Missing), e.Missing[0], e.N)
}

// Is makes it an input that is missing.
func (e *MissingShardsError) Is(target error) bool { return target == fs.ErrNotExist }

// formatRanges is a list of ascending numbers such as 1-3,7.
func formatRanges(numbers []int) string {
	var parts []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		text := strconv.Itoa(numbers[i])
		if j > i {
			text += "-" + strconv.Itoa(numbers[j])
		}
		parts = append(parts, text)
		i = j + 1
	}
	return strings.Join(parts, ",")
}
