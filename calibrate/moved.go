package calibrate

import (
	"context"
	"fmt"
	"math"
	"time"

	"sipipe/ingest"
)

// Where a station lies is known when most of the movedCycles before agree.
const (
	movedCycles  = 8
	movedDegrees = 0.1 // of latitude, some 11 km
)

// Moved says how many stations of a raw forecast lie elsewhere than where those of the
// recent cycles have them, with the first; "" when none does. Ships, which lie nowhere, and
// grids are not looked at.
func (h *History) Moved(ctx context.Context, raw *ingest.Ensemble) (string, error) {
	if raw.Places.Grid != nil {
		return "", nil
	}
	var before []*ingest.Places
	earlier := func(c time.Time) bool { return len(before) < movedCycles && c.Before(raw.Cycle) }
	if err := h.past(ctx, raw, len(h.cycles), earlier, func(e *ingest.Ensemble) error {
		before = append(before, e.Places)
		return nil
	}); err != nil {
		return "", fmt.Errorf("where stations lie: %w", err)
	}
	type position struct{ latitude, longitude float64 }
	at := map[string][]position{}
	for _, p := range before {
		for i, id := range p.ID {
			at[id] = append(at[id], position{p.Latitude[i], p.Longitude[i]})
		}
	}
	near := func(a, b position) bool {
		east := math.Remainder(a.longitude-b.longitude, 360) * math.Cos(a.latitude*math.Pi/180)
		return math.Hypot(a.latitude-b.latitude, east) <= movedDegrees
	}
	moved, first := 0, ""
	for i, id := range raw.Places.ID {
		now := position{raw.Places.Latitude[i], raw.Places.Longitude[i]}
		for _, known := range at[id] {
			agree := 0
			for _, p := range at[id] {
				if near(p, known) {
					agree++
				}
			}
			if 2*agree <= movedCycles {
				continue
			}
			if !near(now, known) {
				if moved++; moved == 1 {
					first = fmt.Sprintf("%s at %.2f, %.2f and not at %.2f, %.2f", id, now.latitude, now.longitude, known.latitude, known.longitude)
				}
			}
			break
		}
	}
	if moved == 0 {
		return "", nil
	}
	return fmt.Sprintf("%d of %d stations lie elsewhere than in most of the last %d cycles, %s for one; look at coordinates and identifiers in the file of the raw forecast",
		moved, raw.Places.Len(), len(before), first), nil
}
