package frame

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
)

func scatter(n int, seed uint64) *Stations {
	rng := rand.New(rand.NewPCG(seed, 0))
	s := &Stations{}
	for i := range n {
		s.Lookup([]string{strconv.Itoa(i)}, []float64{44 + 5*rng.Float64()}, []float64{-124 + 8*rng.Float64()}, []float64{2000 * rng.Float64()})
	}
	return s
}

// One station alone: the best linear predictor is K/(K + noise/n) times its mean.
func TestKrigeSingleStation(t *testing.T) {
	s := scatter(1, 1)
	k := Kernel{Spatial: 1.5, Local: 1, Noise: 4, Range: 100, Height: 500}
	bias, _, err := krige(s, k, []float64{2}, []float64{8})
	if err != nil {
		t.Fatal(err)
	}
	if want := 2 * 2.5 / (2.5 + 0.5); math.Abs(bias[0]-want) > 1e-12 { // by hand
		t.Errorf("got %v, want %v", bias[0], want)
	}
}

func TestKrigeUnseenStation(t *testing.T) {
	s := &Stations{}
	//                     known    1 km away  far away
	s.Lookup([]string{"a", "b", "c"}, []float64{45, 45 + 1/kmPerDegree, 60}, []float64{0, 0, 90}, []float64{100, 100, 100})
	k := Kernel{Spatial: 1, Local: 0.5, Noise: 1, Range: 100, Height: 500}
	bias, unknown, err := krige(s, k, []float64{3, 0, 0}, []float64{4, 0, 0})
	if err != nil {
		t.Fatal(err)
	}
	w := 3 / (1.5 + 0.25)
	if want := math.Exp(-0.01) * w; math.Abs(bias[1]-want) > 1e-9 {
		t.Errorf("near: got %v, want the spatial part %v", bias[1], want)
	}
	if math.Abs(bias[2]) > 1e-12 {
		t.Errorf("far: got %v, want 0", bias[2])
	}
	// By hand: what is left of the local part after four days; of the whole bias after a
	// neighbour has told its part; and all of it.
	for i, want := range []float64{.5 * 1 / (1 + 4*.5), 1.5 - math.Exp(-0.02)/1.75, 1.5} {
		if math.Abs(unknown[i]-want) > 1e-9 {
			t.Errorf("station %d: variance %v is not known, want %v", i, unknown[i], want)
		}
	}
}

// Beyond denseKriging stations only neighbours are used; where both can be
// computed they must nearly agree.
func TestNeighboursApproachDenseKriging(t *testing.T) {
	const n = 400
	s := scatter(n, 2)
	rng := rand.New(rand.NewPCG(3, 0))
	mean, count := make([]float64, n), make([]float64, n)
	for i := range n {
		mean[i] = math.Sin(s.Latitude[i]) + 0.5*rng.NormFloat64()
		count[i] = 1 + 10*rng.Float64()
		if i%10 == 0 {
			count[i] = 0
		}
	}
	k := Kernel{Spatial: 1.5, Local: 1, Noise: 4, Range: 100, Height: 500}
	dense, unknown, err := krige(s, k, mean, count)
	if err != nil {
		t.Fatal(err)
	}
	s.prepareNear([]Spec{{Bias: k}})
	local := make([]float64, n)
	localUnknown := make([]float64, n)
	for i := range localUnknown {
		localUnknown[i] = k.Spatial + k.Local
	}
	if err := krigeNear(s, k, mean, count, local, localUnknown); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < n; i += 10 { // those without history
		if d := localUnknown[i] / unknown[i]; d < 1-1e-9 || d > 1.1 {
			t.Errorf("station %d: %v of neighbours alone, %v of all", i, localUnknown[i], unknown[i])
		}
	}
	var diff, size float64
	for i := range n {
		diff += (local[i] - dense[i]) * (local[i] - dense[i])
		size += dense[i] * dense[i]
	}
	if r := math.Sqrt(diff / size); r > 0.06 {
		t.Errorf("relative difference %.4f, want at most 0.06", r)
	}
}

func TestNeighboursAreNearest(t *testing.T) {
	s := scatter(300, 4)
	cells := newCells(s)
	for _, i := range []int{0, 17, 123} {
		got := cells.nearest(i)
		limit, _ := s.distances(i, int(got[neighbours-1]))
		inside := 0
		for j := range 300 {
			if km, _ := s.distances(i, j); km <= limit {
				inside++
			}
		}
		if got[0] != int32(i) || inside != neighbours {
			t.Errorf("station %d: first neighbour %d, %d stations within the last one's distance", i, got[0], inside)
		}
	}
}
