package score

// pairedSum is the sum of a score over the cases of a day.
type pairedSum struct{ sum, cases float64 }

// skillOf compares two systems' scores of the same days.
func skillOf(x, y []pairedSum, b Bootstrap) Skill {
	skill := func(days []int) float64 {
		var a, n, c, m float64
		for _, d := range days {
			a += x[d].sum
			n += x[d].cases
			c += y[d].sum
			m += y[d].cases
		}
		return 1 - a/n/(c/m)
	}
	all := make([]int, len(x))
	mean := [2][]float64{}
	for d := range all {
		all[d] = d
		mean[0] = append(mean[0], x[d].sum/x[d].cases)
		mean[1] = append(mean[1], y[d].sum/y[d].cases)
	}
	b.Level = 0.95
	lower, upper := b.Interval(len(all), skill)
	_, p := DieboldMariano(mean[0], mean[1], AutomaticLag)
	return Skill{CRPSS: Number(skill(all)), CI95: [2]Number{Number(lower), Number(upper)}, P: Number(p)}
}
