package noise

// Constants of Philox4x32 (Salmon et al. 2011, section 4.3): the multipliers of
// the two halves of a round and the increments of the two key words.
const (
	multiplier0 = 0xD2511F53
	multiplier1 = 0xCD9E8D57
	increment0  = 0x9E3779B9
	increment1  = 0xBB67AE85
	rounds      = 10
)

// philox encrypts the counter (c0, c1, c2, c3) under the key (k0, k1) by ten
// rounds of Philox4x32.
func philox(c0, c1, c2, c3, k0, k1 uint32) (r0, r1, r2, r3 uint32) {
	for range rounds {
		p0 := uint64(c0) * multiplier0
		p1 := uint64(c2) * multiplier1
		c0, c1, c2, c3 = uint32(p1>>32)^c1^k0, uint32(p1), uint32(p0>>32)^c3^k1, uint32(p0)
		k0 += increment0
		k1 += increment1
	}
	return c0, c1, c2, c3
}
