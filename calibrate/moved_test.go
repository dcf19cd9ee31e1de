package calibrate

import (
	"slices"
	"strings"
	"testing"

	"sipipe/ingest"
)

func TestMoved(t *testing.T) {
	w := newWorld(5, 3, 20)
	h, err := NewHistory(w, newMemory(), "t2m", HistoryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		cycle  int
		change func(p *ingest.Places)
		says   string
	}{
		"as they were": {19, func(*ingest.Places) {}, ""},
		"rounded":      {19, func(p *ingest.Places) { p.Latitude[0] += 0.05 }, ""},
		"latitude 0": {19, func(p *ingest.Places) {
			clear(p.Latitude)
		}, "5 of 5 stations lie elsewhere"},
		"identifiers rotated": {19, func(p *ingest.Places) {
			p.ID = append(p.ID[1:], p.ID[0])
		}, "5 of 5 stations lie elsewhere"},
		"one":                  {19, func(p *ingest.Places) { p.Longitude[2] += 1 }, "1 of 5 stations lie elsewhere"},
		"across the date line": {19, func(p *ingest.Places) { p.Longitude[2] += 360 }, ""},
		"a new station":        {19, func(p *ingest.Places) { p.ID[2] = "new" }, ""},
		"an archive too young": {3, func(p *ingest.Places) { clear(p.Latitude) }, ""},
	} {
		raw, err := w.Ensemble(t.Context(), "t2m", w.cycles[c.cycle])
		if err != nil {
			t.Fatal(err)
		}
		p := *raw.Places
		p.ID, p.Latitude, p.Longitude = slices.Clone(p.ID), slices.Clone(p.Latitude), slices.Clone(p.Longitude)
		c.change(&p)
		raw.Places = &p
		why, err := h.Moved(t.Context(), raw)
		if err != nil || (why == "") != (c.says == "") || !strings.Contains(why, c.says) {
			t.Errorf("%s: %q (%v), want %q", name, why, err, c.says)
		}
	}
}
