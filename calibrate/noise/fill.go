package noise

// lanes is the number of elements that one Philox block serves.
const lanes = 4

// Normals writes independent standard normals: dst[j] is element first+j of the
// row. It panics when an element lies outside [0, 2³⁴).
func (k Key) Normals(dst []float64, row uint32, first int) {
	check(len(dst), first)
	table := quantiles
	for first%lanes != 0 && len(dst) > 0 {
		dst[0] = k.Normal(row, first)
		dst, first = dst[1:], first+1
	}
	i := uint32(first / lanes)
	for len(dst) >= lanes {
		r0, r1, r2, r3 := k.block(row, i)
		dst[0] = quantile(table, r0)
		dst[1] = quantile(table, r1)
		dst[2] = quantile(table, r2)
		dst[3] = quantile(table, r3)
		dst = dst[lanes:]
		i++
	}
	for j := range dst {
		dst[j] = k.Normal(row, int(i)*lanes+j)
	}
}

// Uniforms writes independent uniforms in (0, 1), in steps of 2⁻³²: dst[j] is
// element first+j of the row. Normals of the same key and row are the normal
// quantiles of these. It panics when an element lies outside [0, 2³⁴).
func (k Key) Uniforms(dst []float64, row uint32, first int) {
	check(len(dst), first)
	for first%lanes != 0 && len(dst) > 0 {
		dst[0] = k.Uniform(row, first)
		dst, first = dst[1:], first+1
	}
	i := uint32(first / lanes)
	for len(dst) >= lanes {
		r0, r1, r2, r3 := k.block(row, i)
		dst[0] = uniform(r0)
		dst[1] = uniform(r1)
		dst[2] = uniform(r2)
		dst[3] = uniform(r3)
		dst = dst[lanes:]
		i++
	}
	for j := range dst {
		dst[j] = k.Uniform(row, int(i)*lanes+j)
	}
}

// Normal is one element of [Key.Normals].
func (k Key) Normal(row uint32, element int) float64 { return Quantile(k.Bits(row, element)) }

// Uniform is one element of [Key.Uniforms].
func (k Key) Uniform(row uint32, element int) float64 { return uniform(k.Bits(row, element)) }

// Bits are the 32 random bits behind one element. It panics when the element
// lies outside [0, 2³⁴).
func (k Key) Bits(row uint32, element int) uint32 {
	check(1, element)
	r0, r1, r2, r3 := k.block(row, uint32(element/lanes))
	switch element % lanes {
	case 0:
		return r0
	case 1:
		return r1
	case 2:
		return r2
	default:
		return r3
	}
}

// Index is a uniform choice among n elements, such as the raw member that starts
// a sampled one; its bias is below n·2⁻³². It panics when n is not positive.
func (k Key) Index(row uint32, element, n int) int {
	if n <= 0 || n > 1<<32 {
		panic("noise: Index needs 1 to 2^32 choices")
	}
	return int(uint64(k.Bits(row, element)) * uint64(n) >> 32)
}

// check panics when n elements from first on leave the range of the counter.
func check(n, first int) {
	if first < 0 || n > lanes<<32-first {
		panic("noise: element out of range [0, 2^34)")
	}
}
