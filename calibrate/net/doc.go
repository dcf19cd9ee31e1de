// Package net is the network of the interpolant: a small residual perceptron whose
// layers are modulated by interpolant time and by the conditions of a case. It is
// trained through Gorgonia and evaluated by a forward-only program.
//
// With x the state, t interpolant time in [0, 1] and c the conditions, of one lane
// (a case of a batch, or a member of a case):
//
//	e_t = silu(T2 silu(T1 phi(t) + d1) + d2)     phi: see Features
//	e_c = silu(C2 silu(C1 c + g1) + g2)          absent without conditions
//	scale_l = 1 + (At_l e_t + Ac_l e_c)[:H]      l = 0 … L
//	shift_l =     (At_l e_t + Ac_l e_c)[H:]
//	h_0 = silu(scale_0 * (Wx x + bx) + shift_0)
//	h_l = h_{l-1} + silu(scale_l * (W_l h_{l-1} + b_l) + shift_l)
//	out = Wo h_L + bo
//
// This is FiLM (Perez et al. 2018, "FiLM: visual reasoning with a general
// conditioning layer") with a modulation that is a sum of a term of time and a term
// of the case. The first is computed once a solver step ([Program.Time]), the
// second once a case ([Program.Cond]), so that a member and step costs the trunk
// alone ([Program.Eval]). Wo and bo start at zero: an untrained network gives
// exactly 0.
//
// With attention (Config.Attention) lanes are the places of a set, and each block sees
// what the others attend to beside its own place,
//
//	h_l = h_{l-1} + silu(scale_l * (W_l [h_{l-1}; a_l] + b_l) + shift_l)
//
// a_l being the attention of h_{l-1} over the set, with a bias that falls with the
// distance of places (see op_attention.go). The columns of W_l for a_l start at zero.
// [Sets] evaluates such networks. They know places by their distances and conditions
// alone, so any set of places will do, in any order.
//
// Gorgonia holds the network as an expression graph of fused operators (affine maps,
// SiLU, FiLM, loss), checks its types and shapes and derives the gradient's graph
// symbolically ([gorgonia.Backpropagate]). The sorted graph then runs on
// preallocated memory, by kernels in C for several vector widths or in portable Go
// (build tag purego, or no cgo).
package net
