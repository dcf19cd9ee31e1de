package calibrate

import (
	"path"
	"strings"
	"time"
)

// Unneeded lists what is stored of the variable and read by no run of a cycle at or
// after from: models and networks of earlier training times, and archived forecasts of
// cycles that the archive has no longer. Archived forecasts of cycles that it has are
// all needed, however old: models are trained on them.
func (h *History) Unneeded(from time.Time) ([]string, error) {
	var unneeded []string
	oldest, trained := h.Anchor(from)
	for _, kind := range []string{"model/", "networks/"} {
		keys, err := h.store.List(kind + h.variable + "/")
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			text, _, _ := strings.Cut(path.Base(key), "-")
			anchor, err := time.Parse("20060102", text)
			if err == nil && trained && anchor.Before(oldest) {
				unneeded = append(unneeded, key)
			}
		}
	}
	used := map[string]bool{}
	for _, c := range h.cycles {
		used[h.archivedKey(c)], used[h.scoresKey(c)] = true, true
	}
	for _, kind := range []string{"archived/", "scores/"} {
		keys, err := h.store.List(kind + h.variable + "/")
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			c, err := time.Parse("2006010215", path.Base(key))
			if err == nil && c.Before(from) && !used[key] {
				unneeded = append(unneeded, key)
			}
		}
	}
	return unneeded, nil
}
