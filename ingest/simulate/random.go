package simulate

import "math/rand/v2"

// purpose keeps the random streams of different uses apart.
type purpose uint64

const (
	forTruth purpose = iota + 1
	forAnalysis
	forMember
	forIdealMember
	forPlace
	forField
	forObservation
	forForecast
	forIdealForecast
	forMissing
	forInnovation
)

// source returns the random stream of a purpose and its keys. Equal arguments
// give equal streams, different ones independent streams.
func source(seed uint64, use purpose, keys ...int64) *rand.Rand {
	h := mix(seed) ^ mix(uint64(use)<<32)
	for _, k := range keys {
		h = mix(h ^ mix(uint64(k)))
	}
	return rand.New(rand.NewPCG(h, mix(h)))
}

// mix is the output function of SplitMix64 (Steele et al. 2014), a bijection
// that spreads every bit of its argument over the result.
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
