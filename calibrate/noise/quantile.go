package noise

import (
	"math"
	"math/bits"
)

// The normal quantile function is tabulated: a branch-free lookup costs a fifth
// of a rational approximation with its separate tails. Following the hierarchical
// segmentation of Cheung, Lee, Luk and Villasenor (2007, "Hardware generation of
// arbitrary random number distributions from uniform distributions via the
// inversion method"), the tail probability's octave is its number of leading
// zeros, each octave has equal segments, and a polynomial serves each segment.
const (
	segmentBits = 3 // 8 segments an octave
	segments    = 32 << segmentBits
	degree      = 6
)

// polynomial holds the coefficients, lowest first, in the segment's own
// coordinate in [-1, 1].
type polynomial [degree + 1]float64

// quantiles is a constant table; its entries agree with the exact quantile to 1e-11.
var quantiles = tabulate()

// tabulate interpolates the upper quantile -Φ⁻¹(p) at the Chebyshev nodes of each segment.
func tabulate() *[segments]polynomial {
	var table [segments]polynomial
	for s := range table {
		octave, part := s>>segmentBits, s&(1<<segmentBits-1)
		// Segment s covers p·2³³ from lo to lo+width, the odd words w of [Quantile].
		top := math.Ldexp(1, 31-octave)
		width := top / (1 << segmentBits)
		lo := top + float64(part)*width
		var nodes, values [degree + 1]float64
		for i := range nodes {
			nodes[i] = math.Cos(math.Pi * (float64(i) + 0.5) / (degree + 1))
			p := math.Ldexp(lo+width*(nodes[i]+1)/2, -33)
			values[i] = upperQuantile(p)
		}
		table[s] = interpolate(nodes, values)
	}
	return &table
}

// upperQuantile solves Q(z) = p, p ≤ ½, for the upper tail probability Q of the
// standard normal. Erfinv sees p only through 1-2p, which rounds in the tail; a
// Newton step with the complementary error function restores the lost digits.
func upperQuantile(p float64) float64 {
	z := math.Sqrt2 * math.Erfinv(1-2*p)
	tail := math.Erfc(z/math.Sqrt2) / 2
	return z + (tail-p)*math.Sqrt(2*math.Pi)*math.Exp(z*z/2)
}

// interpolate returns the polynomial through the points, by Newton's divided
// differences expanded into powers.
func interpolate(x, y [degree + 1]float64) polynomial {
	for k := 1; k <= degree; k++ {
		for i := degree; i >= k; i-- {
			y[i] = (y[i] - y[i-1]) / (x[i] - x[i-k])
		}
	}
	var p polynomial
	for k := degree; k >= 0; k-- {
		for i := degree; i > 0; i-- {
			p[i] = p[i-1] - x[k]*p[i]
		}
		p[0] = y[k] - x[k]*p[0]
	}
	return p
}

// uniform maps 32 random bits to the middle of one of 2³² equal parts of (0, 1).
func uniform(u uint32) float64 { return (float64(u) + 0.5) * 0x1p-32 }

// Quantile returns Φ⁻¹((u + ½) 2⁻³²), the normal quantile of 32 random bits:
// strictly antisymmetric about the middle, within ±6.34, absolute error below 1e-11.
func Quantile(u uint32) float64 { return quantile(quantiles, u) }

func quantile(table *[segments]polynomial, u uint32) float64 {
	sign := uint32(int32(u) >> 31) // all ones above the median
	w := (u^sign)<<1 | 1           // tail probability · 2³³, odd
	octave := bits.LeadingZeros32(w)
	m := w << octave << 1 // the bits behind the leading one
	s := octave<<segmentBits | int(m>>(32-segmentBits))
	x := float64(int32(m<<segmentBits^1<<31)) * 0x1p-31
	p := &table[s&(segments-1)]
	z := p[0] + x*(p[1]+x*(p[2]+x*(p[3]+x*(p[4]+x*(p[5]+x*p[6])))))
	// Below the median the quantile is negative; the sign bit is set without a branch.
	return math.Float64frombits(math.Float64bits(z) ^ uint64(^sign)<<63)
}
