package score

// DaySum is the sum of a score over the cases of a day.
type DaySum struct{ Sum, Cases float64 }

// SkillOf compares two systems' scores of the same days.
func SkillOf(x, y []DaySum, b Bootstrap) Skill {
	skill := func(days []int) float64 {
		var a, n, c, m float64
		for _, d := range days {
			a += x[d].Sum
			n += x[d].Cases
			c += y[d].Sum
			m += y[d].Cases
		}
		return 1 - a/n/(c/m)
	}
	all := make([]int, len(x))
	mean := [2][]float64{}
	for d := range all {
		all[d] = d
		mean[0] = append(mean[0], x[d].Sum/x[d].Cases)
		mean[1] = append(mean[1], y[d].Sum/y[d].Cases)
	}
	b.Level = 0.95
	lower, upper := b.Interval(len(all), skill)
	_, p := DieboldMariano(mean[0], mean[1], AutomaticLag)
	return Skill{CRPSS: Number(skill(all)), CI95: [2]Number{Number(lower), Number(upper)}, P: Number(p)}
}
