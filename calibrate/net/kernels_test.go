package net

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Every implementation's SiLU and its derivative against float64, over the whole
// range of float32 exponents that matter.
func TestActivationAccuracy(t *testing.T) {
	x := []float32{0, float32(math.Copysign(0, -1))}
	for e := -40.0; e < 7; e += 0.13 {
		x = append(x, float32(math.Exp2(e)), -float32(math.Exp2(e)))
	}
	for v := -30.0; v < 30; v += 0.01 {
		x = append(x, float32(v))
	}
	n := len(x)
	x = append(x, make([]float32, lanesOf(n)-n)...)
	ones, got, slope := slices.Repeat([]float32{1}, len(x)), make([]float32, len(x)), make([]float32, len(x))
	for _, k := range available() {
		k.silu(got, x, len(x), 1, len(x))
		k.siluGrad(slope, x, ones, len(x), 1, len(x))
		for i, v := range x {
			f := float64(v)
			s := 1 / (1 + math.Exp(-f))
			// Beyond -86 the C kernels stop following the exponential down.
			if want := f * s; math.Abs(float64(got[i])-want) > (4e-7+1e-7*math.Abs(f))*math.Abs(want)+1e-35 {
				t.Errorf("%s: silu(%g) is %g, want %g", k.name(), v, got[i], want)
			}
			if want := s * (1 + f*(1-s)); math.Abs(float64(slope[i])-want) > 1e-6 {
				t.Errorf("%s: slope of silu at %g is %g, want %g", k.name(), v, slope[i], want)
			}
		}
		bad := slices.Repeat([]float32{float32(math.NaN())}, group)
		k.silu(bad, bad, group, 1, group)
		if bad[0] == bad[0] {
			t.Errorf("%s: silu(NaN) is %g", k.name(), bad[0])
		}
	}
}

// Matrix products against plain loops in float64, with sizes around the edges of
// register blocks and a leading dimension larger than the lanes.
func TestProducts(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 7))
	normals := func(n int) []float32 {
		s := make([]float32, n)
		for i := range s {
			s[i] = float32(rng.NormFloat64())
		}
		return s
	}
	near := func(got float32, want float64) bool { return math.Abs(float64(got)-want) < 1e-4 }
	const ld = 112
	for _, k := range available() {
		for _, s := range [][3]int{{1, 1, 16}, {4, 4, 64}, {5, 3, 96}, {8, 17, 80}, {3, 9, 112}} {
			m, kk, n := s[0], s[1], s[2]
			a, x, g, bias := normals(m*kk), normals(kk*ld), normals(m*ld), normals(m)
			for _, add := range []bool{false, true} {
				start := normals(m * ld)
				dst := slices.Clone(start)
				k.matmul(dst, ld, a, kk, 1, x, ld, bias, m, kk, n, add)
				wstart := normals(m * kk)
				w := slices.Clone(wstart)
				k.outer(w, g, ld, x, ld, m, kk, n, add)
				back := make([]float32, kk*ld)
				k.matmul(back, ld, a, 1, kk, g, ld, nil, kk, m, n, false)
				bstart := normals(m)
				b := slices.Clone(bstart)
				k.rowSum(b, g, ld, m, n, add)
				for i := range m {
					sum := 0.0
					for l := range ld {
						want := float64(bias[i])
						if add {
							want = float64(start[i*ld+l])
						}
						for j := range kk {
							want += float64(a[i*kk+j]) * float64(x[j*ld+l])
						}
						if l >= n {
							want = float64(start[i*ld+l]) // lanes beyond n are left alone
						} else {
							sum += float64(g[i*ld+l])
						}
						if !near(dst[i*ld+l], want) {
							t.Fatalf("%s %v add %v: product [%d, %d] is %g, want %g", k.name(), s, add, i, l, dst[i*ld+l], want)
						}
					}
					if add {
						sum += float64(bstart[i])
					}
					if !near(b[i], sum) {
						t.Fatalf("%s %v add %v: row sum %d is %g, want %g", k.name(), s, add, i, b[i], sum)
					}
					for j := range kk {
						want := 0.0
						if add {
							want = float64(wstart[i*kk+j])
						}
						for l := range n {
							want += float64(g[i*ld+l]) * float64(x[j*ld+l])
						}
						if !near(w[i*kk+j], want) {
							t.Fatalf("%s %v add %v: outer [%d, %d] is %g, want %g", k.name(), s, add, i, j, w[i*kk+j], want)
						}
					}
				}
				for j := range kk {
					for l := range n {
						want := 0.0
						for i := range m {
							want += float64(a[i*kk+j]) * float64(g[i*ld+l])
						}
						if !near(back[j*ld+l], want) {
							t.Fatalf("%s %v: transposed [%d, %d] is %g, want %g", k.name(), s, j, l, back[j*ld+l], want)
						}
					}
				}
			}
		}
	}
}

// Processors with AVX2 and with AVX-512 sample the same bits: a lane's operations do
// not depend on the vectors' width, and both fuse multiplications with additions.
func TestVectorWidthsSampleAlike(t *testing.T) {
	results := map[string][]float64{}
	for _, k := range available() {
		p, err := compile(k, perturbed(t, smallConfig))
		if err != nil {
			t.Fatal(err)
		}
		const cases, members = 19, 7
		b := randomBatch(p.Config(), cases*members, 3)
		x := make([]float64, len(b.X))
		for i, v := range b.X {
			x[i] = float64(v)
		}
		results[k.name()] = evaluate(p, x, b.C[:cases*smallConfig.Dc], cases, members, 0.2)
	}
	a, b := results["avx2"], results["avx512"]
	if a == nil || b == nil {
		t.Skip("needs a processor with both")
	}
	if !slices.Equal(a, b) {
		t.Error("AVX2 and AVX-512 differ")
	}
}
