package pipeline

import (
	"fmt"
	"slices"
	"strings"
)

// An hour is foreign to an archive when fewer than fewHours earlier cycles are of it, and
// less than one in 24, which is its share when cycles are hourly.
const fewHours = 4

// checkHour marks the product of a cycle at an hour of the day that the archive hardly
// has: the same lead time is another time of day there, with other errors.
func (j *job) checkHour(variable, name string) {
	var hours []int
	own, all := 0, 0
	for _, c := range j.learning.Cycles(variable) {
		if !c.Before(j.forecast) {
			break
		}
		all++
		if h := c.UTC().Hour(); h == j.forecast.UTC().Hour() {
			own++
		} else if !slices.Contains(hours, h) {
			hours = append(hours, h)
		}
	}
	if own >= fewHours || 24*own >= all {
		return
	}
	slices.Sort(hours)
	text := make([]string, len(hours))
	for i, h := range hours {
		text[i] = fmt.Sprintf("%02d", h)
	}
	j.degrade(fmt.Sprintf("%s: learned at other times of day: %d of %d earlier cycles are of %02d UTC, the others of %s UTC",
		name, own, all, j.forecast.UTC().Hour(), strings.Join(text, ", ")))
}
