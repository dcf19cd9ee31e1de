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
