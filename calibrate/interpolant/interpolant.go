package interpolant

import (
	"fmt"
	"math"
	"strings"
)

// Interpolant is a path with its latent scale, as named in the configuration.
type Interpolant struct {
	Path
	name string
}

// New builds an interpolant from configuration names. The amplitude a scales γ:
//
//	brownian   √(a t(1-t))      quadratic  a t(1-t)
//	sine       a sin²(πt)       zero       0; a is not used
//
// Paths that bring their own scale (one-sided-*, vp, encoding-decoding) take the
// gamma "" or none and any a. Unknown names give an error that lists the known ones.
func New(path, gamma string, a float64) (Interpolant, error) {
	for _, p := range paths {
		if p.name != path {
			continue
		}
		if p.ownScale {
			if gamma != "" && gamma != "none" {
				return Interpolant{}, fmt.Errorf("path %q brings its own latent scale, so gamma %q cannot be used; set gamma none", path, gamma)
			}
			made, err := p.make(nil)
			return Interpolant{made, path}, err
		}
		if gamma == "" || gamma == "none" {
			return Interpolant{}, fmt.Errorf("path %q has no latent scale of its own; choose a gamma: %s", path, strings.Join(Gammas(), ", "))
		}
		g, err := NewGamma(gamma, a)
		if err != nil {
			return Interpolant{}, err
		}
		made, err := p.make(g)
		if err != nil {
			return Interpolant{}, err
		}
		return Interpolant{made, fmt.Sprintf("%s, gamma %s %g", path, gamma, a)}, nil
	}
	return Interpolant{}, fmt.Errorf("unknown path %q; known are %s", path, strings.Join(Paths(), ", "))
}

// NewGamma builds a latent scale from its configuration name and amplitude.
func NewGamma(name string, a float64) (Gamma, error) {
	for _, g := range gammas {
		if g.name != name {
			continue
		}
		made := g.make(a)
		if _, zero := made.(Zero); !zero && (!(a > 0) || math.IsInf(a, 0)) {
			return nil, fmt.Errorf("gamma %q needs a positive amplitude, not %g; for no latent use gamma \"zero\"", name, a)
		}
		return made, nil
	}
	return nil, fmt.Errorf("unknown gamma %q; known are %s", name, strings.Join(Gammas(), ", "))
}

// Paths lists the names that [New] knows.
func Paths() []string {
	var names []string
	for _, p := range paths {
		names = append(names, p.name)
	}
	return names
}

// Gammas lists the latent scales that [New] knows.
func Gammas() []string {
	var names []string
	for _, g := range gammas {
		names = append(names, g.name)
	}
	return names
}

// String returns the names the interpolant was built from.
func (i Interpolant) String() string { return i.name }

// X returns x_t = α x0 + β x1 + γ z.
func (i Interpolant) X(t, x0, x1, z float64) float64 { return i.At(t).X(x0, x1, z) }

// Start returns the value at t = 0 from which sampling starts: x0 on a two-sided
// path, γ(0) z on a one-sided one. A mirror starts from a draw of its own law, given as x0.
func (i Interpolant) Start(x0, z float64) float64 {
	if i.Kind() == OneSided {
		return i.At(0).Gamma * z
	}
	return x0
}

// Deterministic reports whether γ ≡ 0, so that only the ODE exists.
func (i Interpolant) Deterministic() bool { return i.At(0.5).Gamma == 0 }
