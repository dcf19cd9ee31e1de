package calibrate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/gob"
	"io/fs"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sipipe/ingest"
	"sipipe/ingest/store"
)

// world is an archive in memory with a known relation of forecasts and
// observations. Every number is a function of cycle, place and member, so that a
// longer archive is an extension of a shorter one.
type world struct {
	places, members int
	cycles          []time.Time
	leads           []time.Duration
	variable        ingest.Variable
	// observe makes an observation from the ensemble's mean and two independent
	// standard normals, the first shared by all places of a day.
	observe func(mean, regional, local float64) float64
	until   time.Time // observations later than that are not there; zero: all are
	// Observations later than late, unless it is zero, are larger by lateBias.
	late     time.Time
	lateBias float64
	warm     time.Time // the forecast of that cycle is 80 K too warm
}

func newWorld(places, members, days int) *world {
	w := &world{
		places: places, members: members,
		leads:    []time.Duration{24 * time.Hour},
		variable: ingest.Variable{Name: "t2m", StandardName: "air_temperature", Units: "K"},
		observe:  func(mean, regional, local float64) float64 { return mean + 1 + 0.3*regional + 1.2*local },
	}
	for d := range days {
		w.cycles = append(w.cycles, at("2020-01-01").AddDate(0, 0, d))
	}
	return w
}

func random(words ...int64) *rand.Rand {
	h := sha256.New()
	_ = binary.Write(h, binary.LittleEndian, words)
	s := h.Sum(nil)
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(s), binary.LittleEndian.Uint64(s[8:])))
}

func (w *world) Cycles(string) []time.Time { return w.cycles }

func (w *world) position() *ingest.Places {
	p := &ingest.Places{}
	for i := range w.places {
		r := random(1, int64(i))
		p.ID = append(p.ID, "s"+strconv.Itoa(1000+i))
		p.Latitude = append(p.Latitude, 44+4*r.Float64())
		p.Longitude = append(p.Longitude, -124+6*r.Float64())
		p.Altitude = append(p.Altitude, 1500*r.Float64())
	}
	return p
}

// centre of the ensemble at a place.
func (w *world) centre(cycle time.Time, place int) float64 {
	return 280 + 4*random(2, cycle.Unix()).NormFloat64() + 2*random(3, cycle.Unix(), int64(place)).NormFloat64()
}

func (w *world) Ensemble(_ context.Context, _ string, cycle time.Time) (*ingest.Ensemble, error) {
	if !slices.ContainsFunc(w.cycles, cycle.Equal) {
		return nil, fs.ErrNotExist
	}
	e := &ingest.Ensemble{Variable: w.variable, Cycle: cycle, Leads: w.leads, Places: w.position()}
	for m := range w.members {
		e.Members = append(e.Members, int32(m))
	}
	for l := range w.leads {
		for i := range w.places {
			r := random(4, cycle.Unix(), int64(l), int64(i))
			for range w.members {
				v := w.centre(cycle, i) + 0.5*r.NormFloat64()
				if cycle.Equal(w.warm) {
					v += 80
				}
				e.Values = append(e.Values, float32(v))
			}
		}
	}
	return e, nil
}

func (w *world) Observed(_ context.Context, _ string, valid time.Time) (*ingest.Observed, error) {
	if !slices.ContainsFunc(w.ObservedTimes(""), valid.Equal) {
		return nil, nil
	}
	p := w.position()
	o := &ingest.Observed{Variable: w.variable, Valid: valid, ID: p.ID}
	for i := range w.places {
		y := w.observe(w.centre(valid.Add(-w.leads[0]), i), random(5, valid.Unix()).NormFloat64(), random(6, valid.Unix(), int64(i)).NormFloat64())
		if !w.late.IsZero() && valid.After(w.late) {
			y += w.lateBias
		}
		o.Values = append(o.Values, float32(y))
	}
	return o, nil
}

func (w *world) ObservedTimes(string) []time.Time {
	var times []time.Time
	for _, c := range w.cycles {
		if v := c.Add(w.leads[0]); w.until.IsZero() || !v.After(w.until) {
			times = append(times, v)
		}
	}
	return times
}

func hashOf(v any) [32]byte {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(v); err != nil {
		panic(err)
	}
	return sha256.Sum256(b.Bytes())
}

func (w *world) EnsembleHash(_ string, cycle time.Time) [32]byte {
	e, _ := w.Ensemble(context.Background(), "", cycle)
	return hashOf(e.Values)
}

func (w *world) ObservedHash(_ string, valid time.Time) [32]byte {
	o, _ := w.Observed(context.Background(), "", valid)
	if o == nil {
		return [32]byte{}
	}
	return hashOf(o.Values)
}

// memory is a Store.
type memory struct {
	mu   sync.Mutex
	data map[string][]byte
}

func newMemory() *memory { return &memory{data: map[string][]byte{}} }

func (m *memory) Put(key string, _ int, v any) error {
	var b bytes.Buffer
	enc := gob.NewEncoder(&b)
	for part := range partsOf(v) {
		if err := enc.Encode(part); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.data[key] = b.Bytes()
	return nil
}

func (m *memory) Get(key string, _ int, v any) error {
	m.mu.Lock()
	b, ok := m.data[key]
	m.mu.Unlock()
	if !ok {
		return fs.ErrNotExist
	}
	dec := gob.NewDecoder(bytes.NewReader(b))
	for part := range partsOf(v) {
		if err := dec.Decode(part); err != nil {
			return err
		}
	}
	return nil
}

// partsOf a value: itself, unless it is stored in parts.
func partsOf(v any) iter.Seq[any] {
	if p, ok := v.(store.Parted); ok {
		return p.Parts()
	}
	return func(yield func(any) bool) { yield(v) }
}

func (m *memory) List(prefix string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var keys []string
	for k := range m.data {
		if strings.HasPrefix(k, prefix) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys, nil
}

func (m *memory) Delete(key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.data, key)
	return nil
}

// calibrated runs the job of a cycle.
func calibrated(t *testing.T, w *world, s Store, cycle time.Time, m Method, threads int, o SampleOptions) (*Model, *Archived, *Sampled) {
	t.Helper()
	ctx := context.Background()
	h, err := NewHistory(w, s, "t2m", HistoryOptions{Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	a, err := h.At(ctx, cycle, nil)
	if err != nil {
		t.Fatal(err)
	}
	model, _, err := h.Model(ctx, cycle, m, TrainOptions{Seed: 1, Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	ens, err := w.Ensemble(ctx, "t2m", cycle)
	if err != nil {
		t.Fatal(err)
	}
	o.Seed, o.Threads = 1, threads
	r, err := model.Sample(ctx, ens, a, o)
	if err != nil {
		t.Fatal(err)
	}
	return model, a, r
}

// small is a method whose networks train in a second.
func small() Method {
	m := DefaultMethod()
	m.Hidden, m.MaxSteps, m.Folds, m.Batch = 16, 200, 2, 128
	return m
}

func equalBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}
