package frame

import (
	"bytes"
	"encoding/gob"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// world draws forecasts and observations with a known relation:
// observed = 0.9 mean + 30 + station bias + noise sd 1.5.
type world struct {
	rng      *rand.Rand
	ids      []string
	lat, lon []float64
	alt      []float64
	bias     []float64
	members  int
}

func newWorld(stations, members int) *world {
	w := &world{rng: rand.New(rand.NewPCG(7, 7)), members: members}
	for i := range stations {
		w.ids = append(w.ids, strconv.Itoa(i))
		w.lat = append(w.lat, 44+5*w.rng.Float64())
		w.lon = append(w.lon, -124+8*w.rng.Float64())
		w.alt = append(w.alt, 1000*w.rng.Float64())
		w.bias = append(w.bias, w.rng.NormFloat64())
	}
	return w
}

const worldNoise = 1.5

func (w *world) day(s *Stations, day float64) (*Cases, []float32, []float64) {
	c := &Cases{Day: day, Cycle: day - 1, Members: w.members, Station: s.Lookup(w.ids, w.lat, w.lon, w.alt)}
	obs, truth := make([]float32, len(w.ids)), make([]float64, len(w.ids))
	for i := range w.ids {
		centre := 280 + 5*w.rng.NormFloat64()
		var mean float64
		for range w.members {
			v := float32(centre + w.rng.NormFloat64())
			c.Values = append(c.Values, v)
			mean += float64(v) / float64(w.members)
		}
		truth[i] = 0.9*mean + 30 + w.bias[i]
		obs[i] = float32(truth[i] + worldNoise*w.rng.NormFloat64())
	}
	return c, obs, truth
}

// play runs the frame over days and returns the last prediction and its truth.
func play(t *testing.T, f *Frame, w *world, s *Stations, from, to int) (*Prediction, []float64) {
	t.Helper()
	var p *Prediction
	var truth []float64
	for d := from; d < to; d++ {
		c, obs, tr := w.day(s, float64(d))
		var err error
		if p, err = f.Predict(s, c); err != nil {
			t.Fatal(err)
		}
		truth = tr
		if err := f.Update(s, c, obs, p); err != nil {
			t.Fatal(err)
		}
	}
	return p, truth
}

func TestFrameFindsLocationAndScale(t *testing.T) {
	w, s := newWorld(60, 8), &Stations{}
	p, truth := play(t, New(Options{Exchangeable: true}), w, s, 0, 60)
	if !p.Ready {
		t.Fatal("not ready after 60 days")
	}
	var ss, sigma float64
	for i := range truth {
		e := float64(p.Mu[i]) - truth[i]
		ss += e * e / float64(len(truth))
		sigma += float64(p.Sigma[i]) / float64(len(truth))
	}
	// A station's bias is known from about 15 effective days: sd 1.5/sqrt(15) = 0.39,
	// shrunk somewhat less than that.
	if rmse := math.Sqrt(ss); rmse > 0.5 {
		t.Errorf("rms error of the location %.3f, want below 0.5 (bias sd 1, noise sd 1.5)", rmse)
	}
	if want := math.Sqrt(worldNoise*worldNoise + ss); math.Abs(sigma-want) > 0.15 {
		t.Errorf("mean sigma %.3f, want %.3f", sigma, want)
	}
}

// One station has a row a day. The frame speaks after eight of them, with errors near
// those of noise and a scale that is honest about how little it knows.
func TestFrameSpeaksSoonAtOneStation(t *testing.T) {
	var squared, z, n float64
	for seed := range 40 {
		w, s, f := newWorld(1, 8), &Stations{}, New(Options{Exchangeable: true})
		w.rng = rand.New(rand.NewPCG(uint64(seed), 9))
		for d := range 16 {
			c, obs, _ := w.day(s, float64(d))
			p, err := f.Predict(s, c)
			if err != nil {
				t.Fatal(err)
			}
			if p.Ready != (d >= minRows) {
				t.Fatalf("after %d rows: ready is %v", d, p.Ready)
			}
			if p.Ready {
				r := float64(obs[0] - p.Mu[0])
				squared += r * r
				z += math.Pow(r/float64(p.Sigma[0]), 2)
				n++
			}
			if err := f.Update(s, c, obs, p); err != nil {
				t.Fatal(err)
			}
		}
	}
	if rmse := math.Sqrt(squared / n); rmse > 2*worldNoise {
		t.Errorf("error %.2f after 8 to 15 rows, want below twice the noise of %.1f", rmse, worldNoise)
	}
	if v := z / n; v < 0.5 || v > 1.5 {
		t.Errorf("mean squared error is %.2f of the squared scale, want about 1", v)
	} else {
		t.Logf("error %.2f, %.2f of the squared scale", math.Sqrt(squared/n), v)
	}
}

// The bias of a place that was never observed is not known: its error has the sd
// √(1.5² + 1²) and its scale says so, while that of the others stays at that of noise.
func TestScaleAtUnseenStations(t *testing.T) {
	const seen = 120
	w, s, f := newWorld(200, 8), &Stations{}, New(Options{Exchangeable: true})
	var z [2]float64
	var n [2]float64
	for d := range 40 {
		c, obs, _ := w.day(s, float64(d))
		p, err := f.Predict(s, c)
		if err != nil {
			t.Fatal(err)
		}
		for i, y := range obs {
			if d >= 20 {
				k := 0
				if i >= seen {
					k = 1
				}
				r := float64(y-p.Mu[i]) / float64(p.Sigma[i])
				z[k] += r * r
				n[k]++
			}
			if i >= seen {
				obs[i] = float32(math.NaN())
			}
		}
		if err := f.Update(s, c, obs, p); err != nil {
			t.Fatal(err)
		}
	}
	for k, name := range []string{"observed", "unseen"} {
		if v := z[k] / n[k]; v < 0.8 || v > 1.25 {
			t.Errorf("%s places: mean squared error is %.2f of the squared scale, want about 1", name, v)
		} else {
			t.Logf("%s: %.2f", name, v)
		}
	}
}

// Thirty places, each with a bias of its own of sd 1, tell nothing of position: at places
// higher and further out than all of them the error is that of a bias not known.
func TestFewPlacesTellNothingOfPosition(t *testing.T) {
	const seen = 30
	w, s, f := newWorld(seen+10, 8), &Stations{}, New(Options{Exchangeable: true})
	for i := seen; i < len(w.ids); i++ {
		w.lat[i], w.lon[i], w.alt[i] = 49.5, -125-0.1*float64(i-seen), 1500
	}
	var square, n float64
	for d := range 60 {
		c, obs, truth := w.day(s, float64(d))
		p, err := f.Predict(s, c)
		if err != nil {
			t.Fatal(err)
		}
		for i := seen; i < len(obs); i++ {
			if d >= 30 {
				square += math.Pow(float64(p.Mu[i])-truth[i], 2)
				n++
			}
			obs[i] = float32(math.NaN())
		}
		if err := f.Update(s, c, obs, p); err != nil {
			t.Fatal(err)
		}
	}
	if rms := math.Sqrt(square / n); rms > 1.3 {
		t.Errorf("rms error %.2f at places far from all others, biases have an sd of 1", rms)
	}
}

// A frame stored and restored must go on to the same bits: a run at a cycle may
// not depend on how many processes led to it.
func TestFrameGoesOnAfterStoring(t *testing.T) {
	run := func(store bool) *Prediction {
		w, s := newWorld(25, 5), &Stations{}
		f := New(Options{})
		play(t, f, w, s, 0, 14)
		if store {
			var b bytes.Buffer
			if err := gob.NewEncoder(&b).Encode(struct {
				F *Frame
				S *Stations
			}{f, s}); err != nil {
				t.Fatal(err)
			}
			var r struct {
				F *Frame
				S *Stations
			}
			if err := gob.NewDecoder(&b).Decode(&r); err != nil {
				t.Fatal(err)
			}
			f, s = r.F, r.S
		}
		p, _ := play(t, f, w, s, 14, 20)
		return p
	}
	a, b := run(false), run(true)
	for i := range a.Mu {
		if a.Mu[i] != b.Mu[i] || a.Sigma[i] != b.Sigma[i] {
			t.Fatalf("place %d: %v ± %v without and %v ± %v with storing", i, a.Mu[i], a.Sigma[i], b.Mu[i], b.Sigma[i])
		}
	}
}

func TestFrameMissing(t *testing.T) {
	w, s := newWorld(30, 6), &Stations{}
	f := New(Options{})
	play(t, f, w, s, 0, 10)
	c, _, _ := w.day(s, 10)
	nan := float32(math.NaN())
	for j := range 6 {
		c.Values[3*6+j] = nan // place 3 has no forecast
	}
	c.Values[5*6+1] = nan // place 5 lacks one member
	p, err := f.Predict(s, c)
	if err != nil {
		t.Fatal(err)
	}
	if !isNaN(p.Mu[3]) || !isNaN(p.Sigma[3]) {
		t.Errorf("place without forecast: got %v ± %v, want NaN", p.Mu[3], p.Sigma[3])
	}
	if isNaN(p.Mu[5]) || p.Sigma[5] <= 0 {
		t.Errorf("place with one member missing: got %v ± %v", p.Mu[5], p.Sigma[5])
	}
}

func TestFrameIsSilentAtFirst(t *testing.T) {
	w, s := newWorld(30, 6), &Stations{}
	p, _ := play(t, New(Options{}), w, s, 0, minDays) // the last prediction knows minDays-1 days
	if p.Ready {
		t.Errorf("ready after %d days", minDays-1)
	}
}

func TestUpdateRefusesToGoBack(t *testing.T) {
	w, s := newWorld(30, 6), &Stations{}
	f := New(Options{})
	play(t, f, w, s, 5, 8)
	c, obs, _ := w.day(s, 3)
	if err := f.Update(s, c, obs, nil); err == nil || !strings.Contains(err.Error(), "ascend") {
		t.Errorf("got %v, want an error about the order", err)
	}
}

// Gross errors must not move the forecast: one observation of +40 K.
func TestFrameResistsGrossError(t *testing.T) {
	predict := func(gross float32) *Prediction {
		w, s := newWorld(30, 6), &Stations{}
		f := New(Options{})
		play(t, f, w, s, 0, 12)
		c, obs, _ := w.day(s, 12)
		p, err := f.Predict(s, c)
		if err != nil {
			t.Fatal(err)
		}
		obs[4] += gross
		if err := f.Update(s, c, obs, p); err != nil {
			t.Fatal(err)
		}
		p, _ = play(t, f, w, s, 13, 14)
		return p
	}
	a, b := predict(0), predict(40)
	// One observation at the clip, 3.3 sigma, moves its own station most: by about
	// its share of a fortnight's rows.
	for i := range a.Mu {
		if d := math.Abs(float64(a.Mu[i] - b.Mu[i])); d > 1.0 {
			t.Errorf("place %d moves by %.2f K", i, d)
		}
	}
}

func TestFitScaleRecoversSpreadDependence(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	var rows thinned[scaleRow]
	for d := range 200 {
		for place := range 30 {
			spread := 0.3 * rng.NormFloat64()
			sigma := 2 * math.Exp(0.5*spread)
			rows.add(float64(d), place, scaleRow{Day: float64(d), Residual: float32(sigma * rng.NormFloat64()), Station: float32(math.Log(2)), Spread: float32(spread)})
		}
	}
	m := fitScale(&rows, 200, 0, false)
	for _, spread := range []float64{-0.5, 0, 0.5} {
		want := 2 * math.Exp(0.5*spread)
		if got := m.at(math.Log(2), spread, 200); math.Abs(got-want) > 0.05*want {
			t.Errorf("spread %+.1f: sigma %.3f, want %.3f within 5 %%", spread, got, want)
		}
	}
}
