// Package noise makes random numbers that depend only on what they are for.
//
// A stream is named by a [Key]: the seed, then any number of labels such as the
// variable, the cycle, the lead time, the place and the purpose. Element i of
// row r of a stream is a pure function of (key, r, i): it does not depend on the
// order of calls, on the length of the slice it is written to, on threads, on
// tiles or on shards. By convention a row is a solver step and an element is a member:
//
//	key := noise.Seed(1).Text("t2m").Time(cycle).Int(int64(lead)).Text(station)
//	key.Text("latent").Normals(z, 0, 0)         // one normal a member
//	key.Text("increment").Normals(dw, step, 0)  // the same, a row a step
//
// The generator is Philox4x32 with ten rounds (Salmon, Moraes, Dror and Shaw 2011,
// "Parallel random numbers: as easy as 1, 2, 3"), a keyed bijection of a 128-bit
// counter. One block serves four elements, each with 32 random bits.
package noise
