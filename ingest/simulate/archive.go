package simulate

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"sipipe/ingest/ncio"
)

// archive is one simulation on its way to files.
type archive struct {
	Options
	*world
	atmosphere
	quantities []quantity
	cycles     []time.Time
	leads      []time.Duration
	done       func() // called after each unit of work
	observed   int    // observations written that are not missing
}

func newArchive(ctx context.Context, o Options) (*archive, error) {
	a := &archive{Options: o, cycles: o.cycles(), leads: o.leads()}
	if o.Kind == Gaussian {
		a.atmosphere = &martingale{seed: o.Seed, leads: a.leads}
	} else {
		l, err := newLorenz(ctx, o, midnight(o.From), a.last())
		if err != nil {
			return nil, err
		}
		a.atmosphere = l
	}
	a.world = &world{seed: o.Seed, localNoise: a.atmosphere.localNoise(), step: o.Step}
	if o.Layout == Grid {
		a.places = grid(o.Places, a.correlation)
	} else {
		a.places = stations(o.Seed, o.Places, a.correlation)
	}
	a.quantities = a.world.quantities(o.Variables)
	return a, nil
}

// last is the time of the last cycle: later observations are not known yet.
func (a *archive) last() time.Time { return a.cycles[len(a.cycles)-1] }

// ticks lists the times of observations from the first day to the last cycle.
func (a *archive) ticks() []time.Time {
	var list []time.Time
	for t := midnight(a.From); !t.After(a.last()); t = t.Add(a.tick()) {
		list = append(list, t)
	}
	return list
}

// salt tells the noise of variables apart, whichever are asked for.
func salt(q quantity) int64 { return int64(slices.Index(Variables(), q.variable().Name)) }

// forecast streams the members of a cycle to use, lead by lead; slab is
// [variable][member*places + place] and valid until use returns. The next lead
// is computed meanwhile. ideal asks for draws of the observation from its true
// conditional distribution in place of raw members.
func (a *archive) forecast(ctx context.Context, cycle time.Time, ideal bool, use func(lead int, slab [][]float32) error) error {
	members := a.Members
	if ideal {
		members = a.Ideal
	}
	states := make([][]state, len(a.leads))
	for i := range states {
		states[i] = make([]state, members)
	}
	a.ensemble(states, cycle, ideal)

	const buffers = 2
	free, ready := make(chan [][]float32, buffers), make(chan [][]float32, buffers)
	for range buffers {
		slab := make([][]float32, len(a.quantities))
		for v := range slab {
			slab[v] = make([]float32, members*a.Len())
		}
		free <- slab
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		seen := newSignal(a.Len())
		for lead := range a.leads {
			select {
			case slab := <-free:
				a.fill(slab, seen, cycle, lead, states[lead], ideal)
				ready <- slab
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	group.Go(func() error {
		for lead := range a.leads {
			select {
			case slab := <-ready:
				if err := use(lead, slab); err != nil {
					return err
				}
				free <- slab
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return group.Wait()
}

// fill computes the slab of one lead; seen is scratch.
func (a *archive) fill(slab [][]float32, seen *signal, cycle time.Time, lead int, states []state, ideal bool) {
	valid := cycle.Add(a.leads[lead])
	maps, use := make([]field, len(a.quantities)), forForecast
	for v, q := range a.quantities {
		if ideal {
			maps[v], use = q.observed(valid), forIdealForecast
		} else {
			maps[v] = q.raw(valid)
		}
	}
	n := a.Len()
	for member := range states {
		a.see(seen, &states[member])
		for v, q := range a.quantities {
			r := source(a.seed, use, salt(q), cycle.Unix(), int64(a.leads[lead]), int64(member))
			maps[v](slab[v][member*n:(member+1)*n], seen, r)
		}
	}
}

// observe writes the observations of a valid time to dst, [variable][place];
// missing ones are set to missing. It counts what it observes in a.observed
// when count is true.
func (a *archive) observe(dst [][]float32, seen *signal, valid time.Time, missing float32, count bool) {
	truth := a.truth(valid)
	a.see(seen, &truth)
	for v, q := range a.quantities {
		q.observed(valid)(dst[v], seen, a.observationSource(forObservation, q, valid))
		r := a.observationSource(forMissing, q, valid)
		for i := range dst[v] {
			if r.Float64() < a.Missing {
				dst[v][i] = missing
			} else if count {
				a.observed++
			}
		}
	}
}

func (a *archive) observationSource(use purpose, q quantity, valid time.Time) *rand.Rand {
	return source(a.seed, use, salt(q), valid.Unix())
}

// attrs are the global attributes of a file. They do not name the range of
// cycles, on which a cycle's file does not depend.
func (a *archive) attrs(title, content string) []ncio.Attr {
	driver := "two-scale Lorenz '96 system as truth, one-scale stochastic model as forecast (Wilks 2005)"
	if a.Kind == Gaussian {
		driver = "martingale model of forecast evolution, jointly Gaussian"
	}
	list := []ncio.Attr{
		text("Conventions", "CF-1.11"),
		text("title", title),
		text("source", content+" by sipipe simulate: "+driver),
		text("simulated", string(a.Kind)),
		text("simulated_seed", strconv.FormatUint(a.Seed, 10)),
		text("comment", "Not real data. The truth behind them is in "+truthFile+"."),
	}
	if a.Grid == nil {
		list = append(list, text("featureType", "timeSeries"))
	}
	return list
}

const (
	titleForecasts    = "Simulated raw ensemble forecasts"
	titleIdeal        = "Simulated draws from the true conditional distribution of the observations"
	titleObservations = "Simulated observations"
)

// defaultFill is the default fill value of netCDF for float.
const defaultFill = float32(9.9692099683868690e+36)

// blank is NaN, the fill value of EUPPBench.
var blank = float32(math.NaN())

// chunkValues bounds the values of a chunk: 4 MiB of float32.
const chunkValues = 1 << 20

// pathError names the file that could not be written.
func pathError(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("write %s: %w", path, err)
}
