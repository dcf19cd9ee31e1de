package noise

import (
	"math"
	"testing"
	"time"
)

// Known answers of philox4x32-10 from the Random123 distribution (kat_vectors):
// all zeros, all ones, and the digits of pi.
func TestPhiloxKnownAnswers(t *testing.T) {
	for _, c := range []struct {
		name    string
		counter [4]uint32
		key     [2]uint32
		want    [4]uint32
	}{
		{"zeros", [4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{
			"ones",
			[4]uint32{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
			[2]uint32{0xffffffff, 0xffffffff},
			[4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
		},
		{
			"pi",
			[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
			[2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1},
		},
	} {
		var got [4]uint32
		got[0], got[1], got[2], got[3] = philox(c.counter[0], c.counter[1], c.counter[2], c.counter[3], c.key[0], c.key[1])
		if got != c.want {
			t.Errorf("%s: got %08x, want %08x", c.name, got, c.want)
		}
	}
}

// The quantile agrees with Go's Erfinv (Wichura's AS 241) over all octaves, at
// their borders and at the ends.
func TestQuantile(t *testing.T) {
	var words []uint32
	for octave := range 32 {
		lo := uint32(1) << octave
		words = append(words, lo-1, lo, lo+1)
		for i := range uint32(200) {
			words = append(words, lo+uint32(uint64(lo)*uint64(i)/200))
		}
	}
	worst := 0.0
	for _, w := range words {
		for _, u := range []uint32{w, ^w} {
			want := math.Sqrt2 * math.Erfinv((2*float64(u)+1-0x1p32)*0x1p-32) // exact argument
			worst = max(worst, math.Abs(Quantile(u)-want))
		}
		if Quantile(w) != -Quantile(^w) {
			t.Fatalf("Quantile(%#x) is not antisymmetric", w)
		}
	}
	if worst > 1e-11 {
		t.Errorf("largest error %.2g, want at most 1e-11", worst)
	}
	// scipy.stats.norm.ppf(2**-33), the smallest possible value.
	if got := Quantile(0); math.Abs(got+6.3379577545537895) > 1e-11 {
		t.Errorf("Quantile(0) = %v, want -6.33795775455", got)
	}
}

// An element does not depend on where a call starts or how much it fills.
func TestElementsDoNotDependOnTheSlice(t *testing.T) {
	key := Seed(7).Text("t2m")
	const n = 37
	whole := make([]float64, n)
	for name, c := range map[string]struct {
		fill func([]float64, uint32, int)
		one  func(uint32, int) float64
	}{
		"normals":  {key.Normals, key.Normal},
		"uniforms": {key.Uniforms, key.Uniform},
	} {
		c.fill(whole, 3, 0)
		for first := range n {
			for end := first; end <= n; end++ {
				part := make([]float64, end-first)
				c.fill(part, 3, first)
				for j, v := range part {
					if v != whole[first+j] {
						t.Fatalf("%s %d in call [%d, %d): got %v, want %v", name, first+j, first, end, v, whole[first+j])
					}
				}
			}
			if got := c.one(3, first); got != whole[first] {
				t.Fatalf("%s: one element %d: got %v, want %v", name, first, got, whole[first])
			}
		}
	}
}

// Different names, orders and splits of labels give different streams; equal
// instants in different zones the same one.
func TestKeys(t *testing.T) {
	root := Seed(1)
	cycle := time.Date(2024, 7, 8, 0, 0, 0, 0, time.UTC)
	keys := map[Key]string{}
	for name, k := range map[string]Key{
		"seed 1": root, "seed 2": Seed(2), "empty text": root.Text(""), "a": root.Text("a"), "b": root.Text("b"), "ab": root.Text("ab"),
		"a then b": root.Text("a").Text("b"), "b then a": root.Text("b").Text("a"), "a NUL": root.Text("a\x00"),
		"eight": root.Text("12345678"), "nine": root.Text("123456789"), "int 0": root.Int(0), "int 1": root.Int(1), "int -1": root.Int(-1),
		"cycle": root.Time(cycle), "next cycle": root.Time(cycle.Add(6 * time.Hour)),
	} {
		if other, taken := keys[k]; taken {
			t.Errorf("%q and %q have the same key", name, other)
		}
		keys[k] = name
	}
	if root.Time(cycle) != root.Time(cycle.In(time.FixedZone("", 3600))) {
		t.Error("the key of an instant depends on its time zone")
	}
}

// Pinned values: a change of the generator would change every forecast already issued.
func TestStreamIsFrozen(t *testing.T) {
	key := Seed(1).Text("t2m").Time(time.Date(2024, 7, 8, 0, 0, 0, 0, time.UTC)).Int(48).Text("KSEA")
	want := [4]uint32{0x98139baa, 0x22709ad0, 0x83479469, 0x93576a8f}
	for i, w := range want {
		if got := key.Bits(5, i); got != w {
			t.Errorf("element %d: %#08x, want %#08x", i, got, w)
		}
	}
}

// Moments and correlations of 4·10⁵ normals lie within five standard errors of
// those of independent normals, across elements, rows and neighbouring keys.
func TestNormalsAreIndependentNormals(t *testing.T) {
	const n = 400_000
	a, b, c := make([]float64, n), make([]float64, n), make([]float64, n)
	key := Seed(3).Text("place")
	key.Normals(a, 0, 0)
	key.Normals(b, 1, 0)
	Seed(3).Text("placf").Normals(c, 0, 0)
	mean := func(f func(i int) float64) float64 {
		s := 0.0
		for i := range n - 1 {
			s += f(i)
		}
		return s / (n - 1)
	}
	for _, s := range []struct {
		name           string
		f              func(i int) float64
		want, variance float64 // of one term
	}{
		{"mean", func(i int) float64 { return a[i] }, 0, 1},
		{"variance", func(i int) float64 { return a[i] * a[i] }, 1, 2},
		{"third moment", func(i int) float64 { return a[i] * a[i] * a[i] }, 0, 15},
		{"fourth moment", func(i int) float64 { return a[i] * a[i] * a[i] * a[i] }, 3, 96},
		{"neighbours", func(i int) float64 { return a[i] * a[i+1] }, 0, 1},
		{"squares of neighbours", func(i int) float64 { return (a[i]*a[i] - 1) * (a[i+1]*a[i+1] - 1) }, 0, 4},
		{"rows", func(i int) float64 { return a[i] * b[i] }, 0, 1},
		{"keys", func(i int) float64 { return a[i] * c[i] }, 0, 1},
	} {
		if got, se := mean(s.f), math.Sqrt(s.variance/n); math.Abs(got-s.want) > 5*se {
			t.Errorf("%s: %.5f, want %v ± %.5f", s.name, got, s.want, 5*se)
		}
	}
}

// Index is uniform: χ² of 7 classes, 6 degrees of freedom, 99.99 % point 27.9.
func TestIndex(t *testing.T) {
	const n, classes = 70_000, 7
	var count [classes]float64
	for i := range n {
		count[Seed(5).Index(0, i, classes)]++
	}
	chi := 0.0
	for _, c := range count {
		chi += (c - n/classes) * (c - n/classes) / (n / classes)
	}
	if chi > 27.9 {
		t.Errorf("chi squared %.1f, want below 27.9: %v", chi, count)
	}
}

func TestOutOfRangePanics(t *testing.T) {
	for name, f := range map[string]func(){
		"negative": func() { Seed(1).Normals(make([]float64, 1), 0, -1) },
		"beyond":   func() { Seed(1).Uniforms(make([]float64, 2), 0, 1<<34-1) },
		"choices":  func() { Seed(1).Index(0, 0, 0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
	Seed(1).Normals(make([]float64, 1), 0, 1<<34-1) // the last element is fine
}

func BenchmarkNormals(b *testing.B) {
	dst := make([]float64, 4096)
	key := Seed(1)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		key.Normals(dst, uint32(i), 0)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(dst)), "ns/normal")
}

func BenchmarkUniforms(b *testing.B) {
	dst := make([]float64, 4096)
	key := Seed(1)
	for i := 0; b.Loop(); i++ {
		key.Uniforms(dst, uint32(i), 0)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(dst)), "ns/uniform")
}
