package net

import "math"

// Features writes phi(t), the network's view of interpolant time:
//
//	phi(t) = [2t-1, sin(pi t), cos(pi t), …, sin(K pi t), cos(K pi t)]
//
// with 1 + 2K = (len(dst)-1)/stride + 1 elements, every stride-th of dst. Half
// periods keep the two ends of the path apart.
func Features(dst []float32, stride int, t float64) {
	dst[0] = float32(2*t - 1)
	s1, c1 := math.Sincos(math.Pi * t)
	s, c := s1, c1
	for i := stride; i+stride < len(dst); i += 2 * stride {
		dst[i], dst[i+stride] = float32(s), float32(c)
		// The angle of the next frequency is larger by pi t.
		s, c = s*c1+c*s1, c*c1-s*s1
	}
}
