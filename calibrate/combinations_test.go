package calibrate

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"sipipe/calibrate/interpolant"
	"sipipe/calibrate/sde"
)

// Every path × gamma × heads × epsilon × solver either trains and samples finite
// numbers, or is refused beforehand with a reason and a remedy. Networks are of the
// smallest, and trained a little, so that a singular coefficient meets an output
// that is not zero.
func TestAllCombinationsRunOrAreRefused(t *testing.T) {
	set := gathered(t, newWorld(8, 5, 16), newMemory())
	folds := foldsOf(set, 2)
	ctx := context.Background()
	ran, cuts, refused := 0, 0, map[string]int{}
	for _, path := range interpolant.Paths() {
		for _, gamma := range append(interpolant.Gammas(), "") {
			for _, heads := range interpolant.HeadNames() {
				m := &Model{Method: small(), Start: set.start(0.5), Conditions: set.conditions}
				m.Method.Path, m.Method.Gamma, m.Method.Amplitude, m.Method.Heads = path, gamma, 0.9, heads
				m.Method.Hidden, m.Method.Embed, m.Method.Blocks, m.Method.MaxSteps, m.Method.Batch = 4, 4, 1, 8, 64
				m.Method.Epsilon, m.Method.Rate, m.Method.Steps = "zero", 0.02, 4
				var fields *field
				learn := func(name string) *field {
					if fields != nil {
						return fields
					}
					learned, err := m.learnFold(ctx, set, folds[0], 0, &checkpoints{}, 1)
					if err != nil {
						t.Fatalf("%s: %v", name, err)
					}
					// An untrained network says 0, which hides an infinite coefficient.
					for i := range learned.Nets[0].Weights {
						learned.Nets[0].Weights[i] += 0.1
					}
					m.Nets = append(m.Nets, learned.Nets...)
					fields = m.testField(t, set)
					return fields
				}
				for _, epsilon := range interpolant.Diffusions() {
					for _, solver := range sde.Methods() {
						m.Method.Epsilon, m.Method.Scale, m.Method.Solver = epsilon, 1, solver
						name := fmt.Sprintf("path %s, gamma %q, heads %s, epsilon %s, solver %s", path, gamma, heads, epsilon, solver)
						if err := m.Method.Validate(); err != nil {
							text := err.Error()
							refused[text]++
							if strings.Contains(text, "use heads v-s") {
								remedy := m.Method
								remedy.Heads, remedy.Solver = "v-s", "exponential"
								if err := remedy.Validate(); err != nil {
									t.Errorf("%s: heads v-s do not help either: %v", name, err)
								}
							}
							if remedy, ok := cut(m.Method, text); ok {
								// Both ends may have to be cut, one after the other.
								err := remedy.Validate()
								if err != nil {
									if remedy, ok = cut(remedy, err.Error()); ok {
										err = remedy.Validate()
									}
								}
								if err != nil {
									t.Errorf("%s: cutting the grid does not help: %v", name, err)
								}
								saved := m.Method
								m.Method = remedy
								if err := m.carry(ctx, learn(name), set); err != nil {
									t.Errorf("%s on a grid that is cut: %v", name, err)
								}
								m.Method = saved
								cuts++
							}
							if !strings.Contains(text, "use ") && !strings.Contains(text, "choose ") && !strings.Contains(text, "leave ") && !strings.Contains(text, "set ") {
								t.Errorf("%s: refused without a remedy: %s", name, text)
							}
							continue
						}
						if err := m.carry(ctx, learn(name), set); err != nil {
							t.Errorf("%s: %v", name, err)
							continue
						}
						ran++
					}
				}
			}
		}
	}
	if ran < 2000 || cuts < 500 {
		t.Errorf("%d combinations ran and %d on a grid that is cut; 2000 and 500 should at least", ran, cuts)
	}
}

// cut makes the changes to the grid that a refusal asks for; ok is false when it
// asks for none.
func cut(m Method, refusal string) (remedy Method, ok bool) {
	if strings.Contains(refusal, "first_time 0.001") {
		m.FirstTime, ok = 0.001, true
	}
	if strings.Contains(refusal, "last_time 0.999 and last_step euler") {
		m.LastTime, m.Last, ok = 0.999, "euler", true
	}
	m.Grid, m.Steps = "cosine", 16
	return m, ok
}

const (
	testCases   = 3
	testMembers = 7
)

// testField is the learned field of a few cases of a set.
func (m *Model) testField(t *testing.T, set *trainingSet) *field {
	t.Helper()
	p, err := m.Method.process()
	if err != nil {
		t.Fatal(err)
	}
	tn, err := newTileNet(m.all(), &m.Conditions, testCases, testMembers)
	if err != nil {
		t.Fatal(err)
	}
	d := set.conditions.len()
	for j := range testCases {
		tn.set(j, set.condition[j*d:(j+1)*d])
	}
	tn.ready(testCases)
	f := newField(p, m.gaussian(), testCases*testMembers)
	f.learned, f.weight = tn, 1
	return f
}

// carry samples the cases of a field with the method's sampler and tells what is
// wrong with the result.
func (m *Model) carry(ctx context.Context, f *field, set *trainingSet) error {
	p, err := m.Method.process()
	if err != nil {
		return err
	}
	f.process = p
	solver, err := m.Method.solver()
	if err != nil {
		return err
	}
	times, err := m.Method.grid().Times()
	if err != nil {
		return err
	}
	x := make([]float64, testCases*testMembers)
	for i := range x {
		z := normalQuantile((float64(i) + 0.5) / float64(len(x)))
		x[i] = m.beginning(p).at(set.drawStart(i/testMembers, 0.5), z)
	}
	err = solver.Solve(ctx, x, times, f, func(dst []float64, step int) {
		for i := range dst {
			dst[i] = normalQuantile(math.Mod(0.61803398875*float64(i+1)+0.37*float64(step), 1))
		}
	})
	if err != nil {
		return err
	}
	for i, v := range x {
		if !(math.Abs(v) < 1e6) {
			return fmt.Errorf("lane %d ends at %g", i, v)
		}
	}
	return nil
}
