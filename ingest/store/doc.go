// Package store keeps values in a folder, one file a key: what sipipe remembers
// between runs. A value is there complete or not at all, is checked against its
// SHA-256 when it is read, and carries the version of its type, so that a run never
// works on half a file, a damaged one, or one of another program version.
//
// The file of key "a/b" is a/b.gob:
//
//	magic [8] | version uint32 | length of key uint32 | key | length of value uint64 |
//	value in gob encoding | SHA-256 of all that precedes [32]
//
// with integers in big-endian order. The key is part of it because a file that was
// renamed or copied by hand is as wrong as a damaged one.
package store
