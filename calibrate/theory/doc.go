// Package theory computes what the pictures of the theory page show, from laws
// whose fields are known in closed form: paths of single states under the ODE and
// under SDEs, the error of solvers against their steps, and the law at intermediate
// times for several latent scales. It returns plain data; drawing is done elsewhere.
package theory
