package sde

import (
	"errors"
	"fmt"
	"strings"
)

// Last is what is done after the last time of the grid, when the grid stops short
// of its end because the drift is singular there. The names are those of Ma et al.
// (2024, SiT); none of the steps adds noise, so each loses a spread that grows with
// the length of the step.
type Last int

const (
	LastNone    Last = iota // nothing: the result belongs to the last time of the grid
	LastMean                // x + h f, the mean of an Euler-Maruyama step
	LastEuler               // x + h b with the drift b of the ODE
	LastTweedie             // E[x at the end | x], full denoising
)

var lastNames = [...]string{"none", "mean", "euler", "tweedie"}

// String returns the configuration name.
func (l Last) String() string { return lastNames[l] }

// ParseLast finds a last step by configuration name; an unknown one gives an error that lists the known.
func ParseLast(name string) (Last, error) {
	for i, n := range lastNames {
		if n == name {
			return Last(i), nil
		}
	}
	return 0, fmt.Errorf("unknown last step %q; known are %s", name, strings.Join(lastNames[:], ", "))
}

// finish takes the last step from the end of the grid to 1, or to 0 when time runs backward.
func (s *Solver) finish(x, times []float64, p Problem) error {
	t, end := times[len(times)-1], 1.0
	if times[1] < times[0] {
		end = 0
	}
	if s.options.Last == LastNone || t == end {
		return nil
	}
	y := s.work[0]
	var err error
	if s.options.Last == LastMean {
		err = p.Drift(y, t, x)
	} else {
		e, ok := p.(Ender)
		switch {
		case !ok:
			err = errors.New("needs a problem that is Ender; use mean or none")
		case s.options.Last == LastEuler:
			err = e.ODE(y, t, x)
		default:
			if err = e.End(y, t, x); err == nil {
				copy(x, y)
			}
		}
	}
	if err != nil {
		return fmt.Errorf("last step %s: %w", s.options.Last, err)
	}
	if s.options.Last != LastTweedie {
		for i := range x {
			x[i] += (end - t) * y[i]
		}
	}
	if i := notFinite(x); i >= 0 {
		return &DivergedError{Method: "last step " + s.options.Last.String(), Step: len(times) - 1, From: t, To: end, Component: i}
	}
	return nil
}
