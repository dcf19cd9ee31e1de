// Package interpolant holds the closed-form side of stochastic interpolants:
// paths, latent scales, parametrisations, losses, diffusions and Gaussian fields.
// It knows neither networks nor solvers, and nothing in it allocates once built.
//
// # Symbols
//
// t in [0, 1] is interpolant time, 0 at the raw forecast and 1 at the observation; a dot is d/dt.
//
//	x0, x1        a draw of the start (a raw member) and of the end (the observation)
//	z             standard normal latent, independent of x0 and x1
//	x_t           = α(t) x0 + β(t) x1 + γ(t) z
//	İ             = α̇ x0 + β̇ x1
//	v   = E[İ | x_t]          velocity
//	η   = E[z | x_t]          denoiser, called eta in the code
//	b   = v + γ̇ η             drift of the probability-flow ODE
//	s   = ∇ log ρ_t = -η/γ    called gradLogP: in this program "score" is a verification score
//	η0, η1        = E[x0 | x_t], E[x1 | x_t];  v = α̇ η0 + β̇ η1,  x_t = α η0 + β η1 + γ η
//	ε(t) ≥ 0      diffusion of the SDE dX = (b + ε s) dt + √(2ε) dW
//
// # Parts
//
//	Interpolant   a path with its latent scale: α, β, γ and derivatives at t
//	Heads         which two fields a model predicts: targets, losses, conversions
//	Diffusion     ε(t), with the coefficient (γγ̇ - ε)/γ in closed form
//	Process       the three together: what a sampler needs, and Validate
//	Gaussian      the exact fields when x0 and x1 are jointly Gaussian
//
// Sources: Albergo, Boffi and Vanden-Eijnden, "Stochastic interpolants: a unifying
// framework for flows and diffusions", arXiv 2303.08797, cited as [SI]; Ma et al.,
// "SiT: exploring flow and diffusion-based generative models with scalable
// interpolant transformers", arXiv 2401.08740, cited as [SiT].
package interpolant
