package interpolant

// Loss is one sample of the quadratic loss of a head,
//
//	½ ĥ² - ĥ y
//
// which is ½(ĥ - y)² up to a term free of ĥ and so minimised by ĥ = E[y | x_t].
// With the targets y of [Heads.Targets] these are the objectives of [SI], section 2
// (theorem 7 for b and v, theorem 8 for s and η; numbering of version 4):
//
//	b:  ½|b̂|² - b̂·(İ + γ̇z)      η:  ½|η̂|² - η̂·z
//	s:  ½|ŝ|² + γ⁻¹ ŝ·z         v:  ½|v̂|² - v̂·İ
//
// The gradient with respect to ĥ is ĥ - y.
func Loss(h, y float64) float64 { return h * (0.5*h - y) }

// PairLoss is the mean of [Loss] over the antithetic points I ± γz ([SI] section 6):
// hPlus and hMinus are the head at each, yPlus and yMinus its targets for z and -z.
// Where y grows like γ̇ z or z/γ the two large terms cancel to first order, which
// keeps the variance of the mean finite at the ends.
func PairLoss(hPlus, yPlus, hMinus, yMinus float64) float64 {
	return 0.5 * (Loss(hPlus, yPlus) + Loss(hMinus, yMinus))
}
