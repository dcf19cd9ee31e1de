package score

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Flatness describes a rank histogram with K bins, counts n_r and relative
// frequencies f_r, r = 0 … K-1, that have the probabilities p_r when forecasts are
// reliable: 1/K, or those of EvenRanks.
type Flatness struct {
	// ChiSquare is sum_r (n_r - n p_r)²/(n p_r), with K-1 degrees of freedom, and P its
	// probability when forecasts are reliable and cases independent.
	ChiSquare Number `json:"chi_square"`
	P         Number `json:"p"`
	// ReliabilityIndex is sum_r |f_r - p_r| (Delle Monache et al. 2006).
	ReliabilityIndex Number `json:"reliability_index"`
	// Slope is the mean of 2r/(K-1) - 1: positive when observations lie too often
	// above the members, that is, when forecasts are too low. From -1 to 1.
	Slope  Number `json:"slope"`
	SlopeP Number `json:"slope_p"`
	// Dispersion is the variance of the ranks about the centre relative to that of
	// uniform ranks, less what it is for reliable forecasts: positive for U-shaped histograms, of too little spread.
	Dispersion  Number `json:"dispersion"`
	DispersionP Number `json:"dispersion_p"`
}

// EvenRanks are the probabilities of the ranks of an observation among members when
// forecasts are reliable: all the same, or for dependent members half as large for
// the first and the last, see Accumulator.
func EvenRanks(k int, dependent bool) []float64 {
	p := make([]float64, k)
	for r := range p {
		p[r] = 1 / float64(k)
		if dependent && k > 1 {
			p[r] = 1 / float64(k-1)
			if r == 0 || r == k-1 {
				p[r] /= 2
			}
		}
	}
	return p
}

// NewFlatness of a histogram. The tests of slope and dispersion are the linear and
// the quadratic component of the chi-square statistic, one degree of freedom each
// (Jolliffe and Primo 2008, Mon. Wea. Rev. 136, 2133). They take cases to be
// independent; for cases of many places a day see DailyFlatness.
func NewFlatness(histogram []int) Flatness {
	f := shape(histogram, EvenRanks(len(histogram), false))
	n, k := float64(total(histogram)), len(histogram)
	if n == 0 || k < 3 {
		return f
	}
	test := func(mean Number, contrast func(r, k int) float64) Number {
		var v float64
		for r := range k {
			v += contrast(r, k) * contrast(r, k) / float64(k)
		}
		m := float64(mean)
		return Number(distuv.ChiSquared{K: 1}.Survival(n * m * m / v))
	}
	f.SlopeP = test(f.Slope, linear)
	f.DispersionP = test(f.Dispersion, quadratic)
	return f
}

// DailyFlatness of histograms by day with the probabilities even: slope and dispersion are tested as means
// over days (MeanTest), which allows for any dependence within a day and for
// correlation from day to day. P still is that of independent cases.
func DailyFlatness(days [][]int, even []float64) Flatness {
	var sum []int
	for _, h := range days {
		sum = addCounts(sum, h)
	}
	f := shape(sum, even)
	slope, dispersion := make([]float64, len(days)), make([]float64, len(days))
	usual := usualDispersion(even)
	for i, h := range days {
		for r, c := range h {
			slope[i] += float64(c) * linear(r, len(h))
			dispersion[i] += float64(c) * (quadratic(r, len(h)) - usual)
		}
	}
	_, p := MeanTest(slope, AutomaticLag)
	_, q := MeanTest(dispersion, AutomaticLag)
	f.SlopeP, f.DispersionP = Number(p), Number(q)
	return f
}

func total(h []int) int {
	n := 0
	for _, c := range h {
		n += c
	}
	return n
}

func addCounts(dst, h []int) []int {
	if dst == nil {
		dst = make([]int, len(h))
	}
	for i, c := range h {
		dst[i] += c
	}
	return dst
}

// usualDispersion is the mean of the quadratic contrast for reliable forecasts.
func usualDispersion(even []float64) float64 {
	var sum float64
	for r, p := range even {
		sum += p * quadratic(r, len(even))
	}
	return sum
}

// shape is Flatness without the tests of its components.
func shape(histogram []int, even []float64) Flatness {
	n, k := float64(total(histogram)), len(histogram)
	nan := Number(math.NaN())
	if n == 0 || k < 2 {
		return Flatness{nan, nan, nan, nan, nan, nan, nan}
	}
	observed, expected := make([]float64, k), make([]float64, k)
	var index, slope, dispersion float64
	for r, c := range histogram {
		observed[r], expected[r] = float64(c), n*even[r]
		index += math.Abs(float64(c)/n - even[r])
		slope += float64(c) / n * linear(r, k)
		dispersion += float64(c) / n * quadratic(r, k)
	}
	dispersion -= usualDispersion(even)
	chi := stat.ChiSquare(observed, expected)
	return Flatness{
		ChiSquare:        Number(chi),
		P:                Number(distuv.ChiSquared{K: float64(k - 1)}.Survival(chi)),
		ReliabilityIndex: Number(index),
		Slope:            Number(slope),
		SlopeP:           nan,
		Dispersion:       Number(dispersion),
		DispersionP:      nan,
	}
}

// linear and quadratic are contrasts of the ranks: their mean over r is zero.
func linear(r, k int) float64 { return 2*float64(r)/float64(k-1) - 1 }

func quadratic(r, k int) float64 {
	d := float64(r) - float64(k-1)/2
	return 12*d*d/(float64(k)*float64(k)-1) - 1
}
