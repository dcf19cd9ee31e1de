package baseline

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// The latest pair is that whose observation was there, whatever was forecast since.
func TestMemory(t *testing.T) {
	var m Memory
	at := func(hours int) time.Time { return time.Unix(0, 0).Add(time.Duration(hours) * time.Hour) }
	if got := m.Latest("a", at(1000)); got != nil {
		t.Errorf("%+v from an empty memory", got)
	}
	// Cycles each 12 hours, of 30 hours, with a delay of one.
	for k := range 100 {
		cycle := 12 * k
		r := Row{Members: []float32{float32(k), float32(k) + 2}, Obs: float64(10 * k)}
		got := m.Latest("a", at(cycle-1))
		if j := (cycle - 31) / 12; cycle < 31 {
			if got != nil {
				t.Errorf("cycle %d knows %+v, before any observation", k, got)
			}
		} else if got == nil || *got != (Past{float64(10 * j), float64(j) + 1}) {
			t.Errorf("cycle %d knows %+v, want that of cycle %d", k, got, j)
		}
		m.Take("a", r, at(cycle-1), at(cycle+30))
		m.Take("a", Row{Members: r.Members, Obs: math.NaN()}, at(cycle-1), at(cycle+30))
	}
	if n := len(m.places["a"]); n > 4 {
		t.Errorf("%d pairs of a place are kept", n)
	}
	if m.Latest("b", at(2000)) != nil {
		t.Error("a pair of another place")
	}
}

func TestEMOSFeatures(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	rows := simulated(20000, 10, func(*rand.Rand, float64, float64, int) float64 { return 0 })
	without := make([]Row, len(rows))
	for i := range rows {
		r := &rows[i]
		r.Past = &Past{5 * rng.NormFloat64(), 5 * rng.NormFloat64()}
		_, mean, _ := moments(r.Members)
		low, high := math.Inf(1), math.Inf(-1)
		for _, v := range r.Members {
			low, high = min(low, float64(v)), max(high, float64(v))
		}
		r.Obs = 1 + .9*mean + .05*mean*mean + .3*(low-mean) + .2*(high-mean) + .5*r.Past.Obs - .4*r.Past.Mean + .7*rng.NormFloat64()
		without[i] = *r
		without[i].Past = nil
	}
	e, err := FitEMOS(rows, EMOSOptions{Features: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{1, .9, .05, .3, .2, .5, -.4} {
		near(t, "coefficient", e.Location[i], want, .03)
	}
	if _, ok := e.Predict(rows[0].Members, 0); ok {
		t.Error("a prediction without the past that it takes")
	}
	if d, ok := e.PredictRow(rows[0]); !ok || math.Abs(d.SD()-.7) > .02 {
		t.Errorf("prediction %+v", d)
	}
	// Rows without a past are left out.
	again, err := FitEMOS(append(without, rows...), EMOSOptions{Features: true})
	if err != nil || !reflect.DeepEqual(again, e) {
		t.Errorf("rows without a past change the fit: %v", err)
	}
}
