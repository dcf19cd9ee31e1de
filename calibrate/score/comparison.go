package score

import (
	"fmt"
	"math"
)

// System is a forecast method in a Comparison.
type System struct {
	Name    string
	Options Options
}

// Forecast of one system for one case: members, or a distribution.
type Forecast struct {
	Members      []float32 // NaN = missing
	Independent  bool      // members that stand in for dependent ones, such as raw ones that were handed on
	Distribution Distribution
}

func (f Forecast) missing() bool {
	if f.Distribution != nil {
		return false
	}
	for _, v := range f.Members {
		if !math.IsNaN(float64(v)) {
			return false
		}
	}
	return true
}

// Comparison scores systems on the cases that all of them forecast. It is not safe
// for concurrent use; see Accumulator.
type Comparison struct {
	Systems []System
	Scores  []*Accumulator // [system]
	// Incomplete counts observed cases left out because a system had no forecast.
	Incomplete int
}

// NewComparison of systems, each with a name of its own.
func NewComparison(systems []System) *Comparison {
	c := &Comparison{Systems: systems}
	for _, s := range systems {
		c.Scores = append(c.Scores, NewAccumulator(s.Options))
	}
	return c
}

// Add a case with the forecasts of the systems, in their order. It returns false
// and counts nothing for any system when the observation or a forecast is missing.
func (c *Comparison) Add(k Case, y float64, forecasts []Forecast) bool {
	if len(forecasts) != len(c.Systems) {
		panic("score: forecasts do not match the systems")
	}
	if math.IsNaN(y) {
		return false
	}
	for _, f := range forecasts {
		if f.missing() {
			c.Incomplete++
			return false
		}
	}
	for i, f := range forecasts {
		if f.Distribution != nil {
			c.Scores[i].AddDistribution(k, y, f.Distribution)
		} else {
			c.Scores[i].addMembers(k, y, f.Members, c.Systems[i].Options.Dependent && !f.Independent)
		}
	}
	return true
}

// Merge adds the cases of another comparison of the same systems.
func (c *Comparison) Merge(o *Comparison) error {
	if len(c.Systems) != len(o.Systems) {
		return fmt.Errorf("merge scores: %d and %d systems", len(c.Systems), len(o.Systems))
	}
	for i, s := range c.Systems {
		if s.Name != o.Systems[i].Name {
			return fmt.Errorf("merge scores: systems %q and %q", s.Name, o.Systems[i].Name)
		}
		if err := c.Scores[i].Merge(o.Scores[i]); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
	}
	c.Incomplete += o.Incomplete
	return nil
}
