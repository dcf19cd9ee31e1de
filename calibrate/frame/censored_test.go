package frame

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The closed form of the CRPS of a logistic distribution censored at zero,
// against the integral of (F - 1{x >= y})² from 0.
func TestCensoredLogisticCRPS(t *testing.T) {
	for _, c := range []struct{ y, m, s float64 }{{0, -1, 0.7}, {1.2, 0.5, 0.9}, {3, 1, 0.4}, {0, 2, 1}, {0, -6, 0.5}, {8, -2, 1}} {
		z, l := (c.y-c.m)/c.s, -c.m/c.s
		got := c.s * (-z + 2*softplus(z) - 1 - softplus(l) + logistic(l))
		var want float64
		const h = 1e-4
		for x := h / 2; x < c.y+40*c.s; x += h {
			f := logistic((x - c.m) / c.s)
			if x >= c.y {
				f--
			}
			want += f * f * h
		}
		if math.Abs(got-want) > 1e-4 {
			t.Errorf("y %v, m %v, s %v: got %.6f, integral %.6f", c.y, c.m, c.s, got, want)
		}
	}
}

// A known censored logistic relation must be found again.
func TestCensoredFrameRecoversDistribution(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	f, s := New(Options{Censored: true, Exchangeable: true}), &Stations{}
	draw := func(day float64) (*Cases, []float32, []float64) {
		const n, m = 10, 11
		c := &Cases{Day: day, Cycle: day - 1, Members: m}
		obs, loc := make([]float32, n), make([]float64, n)
		for i := range n {
			c.Station = append(c.Station, s.Lookup([]string{string(rune('a' + i))}, []float64{47}, []float64{11}, []float64{500})...)
			centre := 1.5 * rng.NormFloat64()
			var mean float64
			for range m {
				v := math.Max(0, centre+0.5*rng.NormFloat64())
				c.Values = append(c.Values, float32(v))
				mean += v / m
			}
			loc[i] = -0.5 + 1.2*mean
			u := rng.Float64()
			obs[i] = float32(math.Max(0, loc[i]+0.6*math.Log(u/(1-u))))
		}
		return c, obs, loc
	}
	for d := range 300 {
		c, obs, _ := draw(float64(d))
		if err := f.Update(s, c, obs, nil); err != nil {
			t.Fatal(err)
		}
	}
	c, _, loc := draw(301)
	p, err := f.Predict(s, c)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Ready || p.Family != Logistic || !p.Censored {
		t.Fatalf("got %+v, want a ready censored logistic prediction", p)
	}
	// 3000 rows; the location's sd of error at a typical case is about 0.05.
	for i := range loc {
		if math.Abs(float64(p.Mu[i])-loc[i]) > 0.25 || math.Abs(float64(p.Sigma[i])-0.6) > 0.12 {
			t.Errorf("case %d: got %.2f ± %.2f, want %.2f ± 0.60", i, p.Mu[i], p.Sigma[i], loc[i])
		}
	}
}

// Places at which rain falls otherwise than forecast: the frame learns each one's share of
// it, from forecasts that did not know it.
func TestCensoredFrameLearnsPlaces(t *testing.T) {
	const places, members, scale = 12, 5, 0.5
	rng := rand.New(rand.NewPCG(6, 6))
	f, s := New(Options{Censored: true, Exchangeable: true}), &Stations{}
	effect := func(i int) float64 { return 0.8 * (float64(i)/(places-1) - 0.5) * 2 }
	draw := func(day float64) (c *Cases, obs []float32, location []float64) {
		c = &Cases{Day: day, Cycle: day - 1, Members: members}
		for i := range places {
			c.Station = append(c.Station, s.Lookup([]string{string(rune('a' + i))}, []float64{40 + 2*float64(i*5%places)}, []float64{11}, []float64{500})...)
			centre, mean := 1.5+rng.NormFloat64(), 0.0
			for range members {
				v := math.Max(0, centre+0.3*rng.NormFloat64())
				c.Values = append(c.Values, float32(v))
				mean += v / members
			}
			location = append(location, mean+effect(i))
			u := rng.Float64()
			obs = append(obs, float32(math.Max(0, location[i]+scale*math.Log(u/(1-u)))))
		}
		return c, obs, location
	}
	for d := range 400 {
		c, obs, _ := draw(float64(d))
		p, err := f.Predict(s, c)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Update(s, c, obs, p); err != nil {
			t.Fatal(err)
		}
	}
	var square float64
	const days = 20
	for d := range days {
		c, _, location := draw(400 + float64(d))
		p, err := f.Predict(s, c)
		if err != nil {
			t.Fatal(err)
		}
		for i := range places {
			square += math.Pow(float64(p.Mu[i])-location[i], 2) / (days * places)
		}
	}
	// Effects have a root mean square of 0.50, which is the error of who does not know them.
	// Without effects the error is 0.10; what is more comes from dry days, on which they
	// do not show.
	if rms := math.Sqrt(square); rms > 0.25 {
		t.Errorf("locations are wrong by %.3f (rms), effects are %.2f", rms, 0.50)
	}
}
