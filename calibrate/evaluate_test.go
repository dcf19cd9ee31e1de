package calibrate

import (
	"context"
	"math"
	"testing"

	"sipipe/calibrate/frame"
	"sipipe/calibrate/noise"
	"sipipe/ingest"
)

// A frame that is too wide by a known factor: it is found again, and with it spread equals
// error in the units of the variable. Rain has none: its dry days are in the frame.
func TestDispersionInUnitsOfTheVariable(t *testing.T) {
	const days, places, factor = 1500, 4, 0.8
	wind := WorkingSpace(ingest.Variable{StandardName: "wind_speed", Units: "m s-1"})
	rain := WorkingSpace(ingest.Variable{StandardName: "precipitation_amount", Units: "kg m-2"})
	for _, c := range []struct {
		space Working
		mu    float64
		want  float64
	}{{wind, 3, factor}, {wind, 1.5, factor}, {rain, 1.5, 1}} {
		s := &trainingSet{members: 8, days: days, censored: c.space.Censored, working: c.space}
		for i := range days * places {
			x := factor * noise.Seed(7).Int(int64(i)).Normal(0, 0)
			for k := range s.members {
				s.template = append(s.template, float32(noise.Seed(8).Int(int64(i)).Normal(0, k)))
			}
			s.observed = append(s.observed, float32(c.space.Back(fromScore(x, c.mu, 0.6, frame.Normal))))
			s.mu, s.sigma = append(s.mu, float32(c.mu)), append(s.sigma, 0.6)
			s.score, s.censor = append(s.score, float32(x)), append(s.censor, false)
			s.block = append(s.block, int32(i/places))
		}
		m := &Model{Method: DefaultMethod(), Working: c.space, Dispersion: 1}
		m.Start = s.start(m.Method.Dress)
		if err := m.disperse(context.Background(), s, foldsOf(s, 4), TrainOptions{}); err != nil {
			t.Fatal(err)
		}
		if math.Abs(m.Dispersion-c.want) > 0.02 {
			t.Errorf("%s at %g: factor %.3f, want %.2f", c.space.Name, c.mu, m.Dispersion, c.want)
		}
	}
}
