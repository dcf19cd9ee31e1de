// Package selfcheck tells how well a sampler works before any data are seen: it
// carries laws that are known in closed form, on the scale of the model, through
// the configured path, diffusion, solver and grid, and compares where they end with
// where they must end.
//
// A model's state is the observation's normal score: it starts at a raw member of
// standard deviation near 1 and ends near a standard normal, which is the linear
// problem of the exponential solver. The laws checked differ from it as learned
// corrections do: in location, in spread, in dependence on the raw member, in
// skewness, in the number of modes.
package selfcheck
