package pipeline

import (
	"maps"
	"slices"

	"sipipe/ingest/store"
)

// notices remembers, in the state folder, which faults of the archive runs have warned
// of: they are news once, and not each day for years.
type notices struct {
	store *store.Store
	key   string
	write bool // else what is known is only looked at
	known map[string]bool
}

const noticesVersion = 1

// openNotices reads what is known of a kind; nothing, when it cannot be read.
func openNotices(s *store.Store, kind string, write bool) *notices {
	n := &notices{store: s, key: "notices/" + kind, write: write, known: map[string]bool{}}
	var kept []string
	if s.Get(n.key, noticesVersion, &kept) == nil {
		for _, fault := range kept {
			n.known[fault] = true
		}
	}
	return n
}

// keep makes these the faults that are known.
func (n *notices) keep(faults map[string]bool) error {
	if maps.Equal(faults, n.known) {
		return nil
	}
	n.known = faults
	if !n.write {
		return nil
	}
	return n.store.Put(n.key, noticesVersion, slices.Sorted(maps.Keys(faults)))
}
