package selfcheck

import (
	"context"
	"fmt"

	"sipipe/calibrate/interpolant"
	"sipipe/calibrate/sde"
)

// change of a sampler, in the words of the configuration.
type change struct {
	text  string
	apply func(s *Sampler) (changed bool)
}

// changes are tried in this order: those first that cost a user least. Other heads take
// another training, another epsilon is another SDE.
func changes(steps int) []change {
	solver := func(s *Sampler) bool {
		changed := s.Solver.Method != "exponential"
		s.Solver.Method, s.Solver.Churn = "exponential", 0
		return changed
	}
	end := func(s *Sampler) bool {
		changed := s.Grid.Last > 0 && s.Solver.Last == sde.LastNone
		if changed {
			s.Solver.Last = sde.LastEuler
		}
		return changed
	}
	heads := func(h interpolant.Heads) func(*Sampler) bool {
		return func(s *Sampler) bool {
			changed := s.Process.Heads != h
			s.Process.Heads = h
			return changed
		}
	}
	plain, score := heads(interpolant.VelocityDenoiser), heads(interpolant.VelocityGradLogP)
	whole := func(s *Sampler) bool {
		changed := s.Grid.Last > 0
		s.Grid.Last, s.Solver.Last = 0, sde.LastNone
		return changed
	}
	uncut := func(s *Sampler) bool {
		changed := s.Grid.First > 0
		s.Grid.First = 0
		return changed
	}
	both := func(a, b func(*Sampler) bool) func(*Sampler) bool {
		return func(s *Sampler) bool { return a(s) && b(s) }
	}
	all := []change{
		{"last_step euler", end},
		{"last_time to 1", whole},
		{"first_time to 0", uncut},
		{"solver exponential", solver},
		{"solver exponential and last_step euler", both(solver, end)},
		// Heads of x0 and x1 first: with them networks' errors grow, which more steps do not mend.
		{"heads v-eta", func(s *Sampler) bool { return s.Process.Heads >= interpolant.StartEnd && plain(s) }},
	}
	for _, factor := range []int{2, 4, 8} {
		n := factor * steps
		all = append(all, change{fmt.Sprintf("steps to %d", n), func(s *Sampler) bool { s.Grid.Steps = n; return true }})
	}
	return append(all,
		change{"heads v-s", score}, change{"heads v-eta", plain},
		change{"heads v-s and last_step euler", both(score, end)}, change{"heads v-s and solver exponential", both(score, solver)},
		change{"heads v-eta and solver exponential", both(plain, solver)},
		change{"epsilon gamma and epsilon_scale 1", func(s *Sampler) bool {
			d, err := interpolant.NewDiffusion("gamma", 1)
			if err != nil || s.Process.Diffusion.Zero() {
				return false
			}
			s.Process.Diffusion = d
			return true
		}},
	)
}

// remedy is the first change with which the sampler keeps within the limits, or "".
func (s Sampler) remedy(ctx context.Context, threads int) (string, error) {
	for _, c := range changes(s.Grid.Steps) {
		other := s
		if !c.apply(&other) || other.Validate(ctx) != nil {
			continue
		}
		r, err := other.run(ctx, Options{Steps: []int{other.Grid.Steps}, Threads: threads})
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if err == nil && r.Enough() {
			return c.text, nil
		}
	}
	return "", nil
}
