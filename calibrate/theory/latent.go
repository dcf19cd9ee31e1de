package theory

import "sipipe/calibrate/interpolant"

// Latent is the law on the way for one latent scale.
type Latent struct {
	Name    string
	Density Density   // at a few times
	Times   []float64 // of the curves below
	Alpha   []float64
	Beta    []float64
	Gamma   []float64
}

// Latents gives the law at five times of the linear path for several γ, between
// the same two laws.
func Latents() ([]Latent, error) {
	var out []Latent
	for _, c := range []struct {
		name, gamma string
		a           float64
	}{
		{"γ = 0", "zero", 0},
		{"γ = t(1 − t)", "quadratic", 1},
		{"γ = √(t(1 − t))", "brownian", 1},
		{"γ = sin²(πt)", "sine", 1},
	} {
		i, err := interpolant.New("linear", c.gamma, c.a)
		if err != nil {
			return nil, err
		}
		l := Latent{Name: c.name, Times: even(0, 1, 101)}
		l.Density = densityOf(twoToTwo(), i, even(-3.6, 3.6, 361), even(0, 1, 5))
		for _, t := range l.Times {
			at := i.At(t)
			l.Alpha, l.Beta, l.Gamma = append(l.Alpha, at.Alpha), append(l.Beta, at.Beta), append(l.Gamma, at.Gamma)
		}
		out = append(out, l)
	}
	return out, nil
}
