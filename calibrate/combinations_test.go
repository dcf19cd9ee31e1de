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
	ran, refused := 0, map[string]int{}
	for _, path := range interpolant.Paths() {
		for _, gamma := range append(interpolant.Gammas(), "") {
			for _, heads := range interpolant.HeadNames() {
				m := &Model{Method: small(), Start: set.start(0.5), Conditions: set.conditions}
				m.Method.Path, m.Method.Gamma, m.Method.Amplitude, m.Method.Heads = path, gamma, 0.9, heads
				m.Method.Hidden, m.Method.Embed, m.Method.Blocks, m.Method.MaxSteps, m.Method.Batch = 4, 4, 1, 8, 64
				m.Method.Epsilon, m.Method.Rate, m.Method.Steps = "zero", 0.02, 4
				var fields *field
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
							if !strings.Contains(text, "use ") && !strings.Contains(text, "choose ") && !strings.Contains(text, "leave ") && !strings.Contains(text, "set ") {
								t.Errorf("%s: refused without a remedy: %s", name, text)
							}
							continue
						}
						if fields == nil {
							learned, err := m.learnFold(ctx, set, folds[0], 0, 1)
							if err != nil {
								t.Fatalf("%s: %v", name, err)
							}
							// An untrained network says 0, which hides an infinite coefficient.
							for i := range learned.Nets[0].Weights {
								learned.Nets[0].Weights[i] += 0.1
							}
							m.Nets = append(m.Nets, learned.Nets...)
							fields = m.testField(t, set)
						}
						if err := m.carry(ctx, fields, set); err != nil {
							t.Errorf("%s: %v", name, err)
							continue
						}
						ran++
					}
				}
			}
		}
	}
	if ran < 2000 {
		t.Errorf("%d combinations ran, 2000 and more should", ran)
	}
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
	times, err := sde.Grid{Spacing: m.Method.Grid, Steps: m.Method.Steps}.Times()
	if err != nil {
		return err
	}
	x := make([]float64, testCases*testMembers)
	for i := range x {
		z := normalQuantile((float64(i) + 0.5) / float64(len(x)))
		x[i] = m.begin(p, set.drawStart(i/testMembers, 0.5), z)
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
