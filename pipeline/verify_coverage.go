package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/rs/zerolog"
)

// Coverage counts what there is to verify: the cycles of the period with a forecast, and
// what became of them.
type Coverage struct {
	Cycles   int `json:"cycles"`
	Products int `json:"products"` // that are verified
	Without  int `json:"without_product"`
	// Earlier were made from an earlier forecast, before that of the cycle had come. They
	// are not verified.
	Earlier int `json:"from_earlier_forecast"`
	// Stale are verified though they were made with another configuration, or from other
	// data, than a run would find now.
	Stale int `json:"stale"`
}

// coverage looks at the manifests of cycles.
func (w *workspace) coverage(ctx context.Context, cycles []time.Time) (Coverage, error) {
	c := Coverage{Cycles: len(cycles)}
	for _, cycle := range cycles {
		product, err := w.product(cycle)
		if err != nil {
			return c, err
		}
		m, err := ReadManifest(product)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			c.Without++
			continue
		case err != nil:
			return c, err
		case m.ForecastCycle != nil:
			c.Earlier++
			continue
		}
		c.Products++
		j := w.newJob(cycle, product)
		j.log = zerolog.Nop()
		if err := j.ingestStage().Run(ctx); err != nil {
			if ctx.Err() != nil {
				return c, err
			}
			continue // as verification will say
		}
		want, err := j.wanted(ctx)
		if err != nil {
			return c, err
		}
		if m.outdated(want) != "" {
			c.Stale++
		}
	}
	return c, nil
}

// text is one line for people.
func (c Coverage) text() string {
	text := fmt.Sprintf("%d cycles with a forecast: %d have a product, %d have none", c.Cycles, c.Products, c.Without)
	if c.Earlier > 0 {
		text += fmt.Sprintf(", %d one from an earlier forecast, which is not verified", c.Earlier)
	}
	if c.Stale > 0 {
		text += fmt.Sprintf("; %d of these were made with another configuration or from other data than a run would find now: sipipe status names them, sipipe backfill makes them again", c.Stale)
	}
	return text
}
