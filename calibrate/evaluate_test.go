package calibrate

import (
	"context"
	"math"
	"testing"

	"sipipe/calibrate/frame"
	"sipipe/calibrate/noise"
	"sipipe/ingest"
)

// Rain whose frame is too wide by a known factor: the factor is found again, and with it
// spread equals error in mm, up to a third of the cases dry.
func TestDispersionInUnitsOfTheVariable(t *testing.T) {
	const days, places, factor = 1500, 4, 0.8
	rain := WorkingSpace(ingest.Variable{StandardName: "precipitation_amount", Units: "kg m-2"})
	for _, mu := range []float64{3, 1, 0.5} {
		s := &trainingSet{members: 8, days: days, family: frame.Logistic, censored: true, working: rain}
		for i := range days * places {
			x := factor * noise.Seed(7).Int(int64(i)).Normal(0, 0)
			y := rain.Back(fromScore(x, mu, 0.6, frame.Logistic))
			for k := range s.members {
				s.template = append(s.template, float32(noise.Seed(8).Int(int64(i)).Normal(0, k)))
			}
			s.mu, s.sigma, s.observed = append(s.mu, float32(mu)), append(s.sigma, 0.6), append(s.observed, float32(y))
			s.score, s.censor = append(s.score, float32(x)), append(s.censor, y == 0)
			s.block = append(s.block, int32(i/places))
		}
		m := &Model{Method: DefaultMethod(), Working: rain}
		m.Start = s.start(m.Method.Dress)
		if err := m.disperse(context.Background(), s, foldsOf(s, 4), TrainOptions{}); err != nil {
			t.Fatal(err)
		}
		if math.Abs(m.Dispersion-factor) > 0.03 {
			t.Errorf("location %g: factor %.3f, want %.2f", mu, m.Dispersion, factor)
		}
	}
}
