// Package store keeps values in a folder, one file a key: what sipipe remembers
// between runs. A value is there complete or not at all, is checked against its
// SHA-256 when it is read, and carries the version of its type, so that a run never
// works on half a file, a damaged one, or one of another program version.
//
// The file of key "a/b" is a/b.gob:
//
//	magic [8] | version uint32 | length of key uint32 | key | value | SHA-256 of all that precedes [32]
//
// with integers in big-endian order. The value is a stream of gob messages, one a part
// (see Parted), or a part's numbers as they are in memory. The key is there because a
// file that was renamed or copied by hand is as wrong as a damaged one.
//
// A value may be hundreds of megabytes: it is written as it is encoded, and read twice,
// once for its checksum and once to be decoded, so that it is never in memory in both
// forms.
package store
