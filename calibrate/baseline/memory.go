package baseline

import (
	"slices"
	"time"
)

// Past is the latest forecast of a place whose observation was known when the next was
// made, and that observation.
type Past struct{ Obs, Mean float64 }

// Memory has for each place the pairs of forecast and observation that forecasts to
// come may know: what Row.Past is made from. The zero value is empty.
type Memory struct{ places map[string][]dated }

type dated struct {
	valid time.Time
	Past
}

// Latest is the pair of a place whose valid time is the last that is not after known;
// nil when there is none.
func (m *Memory) Latest(place string, known time.Time) *Past {
	all := m.places[place]
	for i := len(all) - 1; i >= 0; i-- {
		if !all[i].valid.After(known) {
			return &all[i].Past
		}
	}
	return nil
}

// Take adds the pair of a row whose forecast could know what was valid up to known.
// Rows of a place come with ascending times; pairs that only earlier ones could use
// are forgotten.
func (m *Memory) Take(place string, r Row, known, valid time.Time) {
	if m.places == nil {
		m.places = map[string][]dated{}
	}
	n, mean, _ := moments(r.Members)
	if n == 0 || r.Obs != r.Obs {
		return
	}
	all := m.places[place]
	for len(all) > 1 && !all[1].valid.After(known) {
		all = all[1:]
	}
	m.places[place] = append(slices.Clip(all), dated{valid, Past{r.Obs, mean}})
}
