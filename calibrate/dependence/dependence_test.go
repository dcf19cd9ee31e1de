package dependence

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"

	"sipipe/calibrate/noise"
)

func TestPatterns(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name     string
		patterns [][]float64
		members  int
		want     []int // component of the lowest member's pattern, per component; -1: any
	}{
		{"one member a pattern", [][]float64{{3, 1, 2}, {10, 30, 20}}, 3, []int{1, 0}},
		{"several members a pattern", [][]float64{{3, 1, 2}, {10, 30, 20}}, 9, []int{1, 0}},
		{"a missing component", [][]float64{{3, nan, 2}, {10, 30, 20}}, 3, []int{-1, 0}},
	} {
		x := Patterns(noise.Seed(1), c.patterns, c.members)
		for k, want := range c.want {
			row := x[k*c.members : (k+1)*c.members]
			lowest := slices.Index(row, slices.Min(row)) % len(c.patterns[k])
			if want >= 0 && lowest != want {
				t.Errorf("%s: the lowest member of component %d follows pattern %d, want %d", c.name, k, lowest, want)
			}
		}
	}
	// As many members as patterns: the order is that of the patterns exactly.
	p := [][]float64{{5, 1, 4, 2, 3}, {1, 2, 3, 4, 5}}
	got := Arrange(Patterns(noise.Seed(2), p, 5), []float32{10, 20, 30, 40, 50, 1, 2, 3, 4, 5}, 2)
	if want := []float32{50, 10, 40, 20, 30, 1, 2, 3, 4, 5}; !slices.Equal(got, want) {
		t.Errorf("arranged %v, want %v", got, want)
	}
	// All components missing, or equal: no relation, but never an error.
	for _, p := range [][][]float64{{{nan, nan}, {nan, nan}}, {{0, 0}, {0, 0}}} {
		x := Patterns(noise.Seed(3), p, 4000)
		for _, v := range x {
			if !(v > 0 && v < 1) {
				t.Fatalf("order %v", v)
			}
		}
		if r := stat.Correlation(x[:4000], x[4000:], nil); math.IsNaN(p[0][0]) && math.Abs(r) > 0.05 {
			t.Errorf("patterns that are not there relate components: %.3f", r)
		}
	}
}

// A Gaussian copula has Spearman's correlation 6/π asin(r/2).
func TestGaussian(t *testing.T) {
	const n, r = 20000, 0.8
	x, err := Gaussian(noise.Seed(4), 2, n, func(_, _ int) float64 { return r })
	if err != nil {
		t.Fatal(err)
	}
	ranks := make([]float32, 2*n)
	for i := range ranks {
		ranks[i] = float32(i%n) / n
	}
	y := Arrange(x, ranks, 2)
	a, b := make([]float64, n), make([]float64, n)
	for i := range a {
		a[i], b[i] = float64(y[i]), float64(y[n+i])
	}
	if got, want := stat.Correlation(a, b, nil), 6/math.Pi*math.Asin(r/2); math.Abs(got-want) > 0.015 {
		t.Errorf("rank correlation %.4f, want %.4f", got, want)
	}
	if _, err := Gaussian(noise.Seed(1), 3, 4, func(_, _ int) float64 { return -0.9 }); err == nil {
		t.Error("a correlation that cannot be was taken")
	}
	// Two stations on one spot are comonotone, not an error.
	if _, err := Gaussian(noise.Seed(1), 2, 4, func(_, _ int) float64 { return 1 }); err != nil {
		t.Error(err)
	}
}

func TestArrangeKeepsMargins(t *testing.T) {
	nan := float32(math.NaN())
	x := []float32{3, 1, 2, nan, 7, 7, 5, 6}
	y := Arrange(Independent(noise.Seed(9), 2, 4), x, 2)
	for c := range 2 {
		a, b := slices.Clone(x[4*c:4*c+4]), slices.Clone(y[4*c:4*c+4])
		slices.Sort(a)
		slices.Sort(b)
		if !slices.EqualFunc(a, b, func(p, q float32) bool { return p == q || p != p && q != q }) {
			t.Errorf("component %d: %v became %v", c, x[4*c:4*c+4], y[4*c:4*c+4])
		}
	}
}
