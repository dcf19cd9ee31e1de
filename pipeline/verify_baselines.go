package pipeline

import (
	"context"
	"slices"
	"time"

	"sipipe/calibrate"
	"sipipe/calibrate/baseline"
	"sipipe/calibrate/score"
	"sipipe/ingest"
)

// pastRows are the training rows of the baselines, which come in as cycles are
// verified.
type pastRows struct {
	*workspace
	variable string
	members  []int32 // numbers of members, in the order of the rows
	lead     map[time.Duration]*leadRows
}

// leadRows are those of one lead time.
type leadRows struct {
	next   int // cycles of the archive taken in
	pool   baseline.Pool
	memory baseline.Memory
}

func newPastRows(w *workspace, variable string) *pastRows {
	return &pastRows{workspace: w, variable: variable, lead: map[time.Duration]*leadRows{}}
}

// baselines are fitted to what was there at a cycle; nil: too little was.
type baselines struct {
	rows           *pastRows
	raw            *ingest.Ensemble
	memory         *baseline.Memory
	known          time.Time // observations valid up to then
	emos, featured *baseline.EMOS
	bma            baseline.Averaging
}

// predict returns the distributions of EMOS, EMOS with features and BMA at a place; nil
// where there is none. Where features lack what they need EMOS does without.
func (b *baselines) predict(place string, members []float32, day int) (emos, featured, bma score.Distribution) {
	if b.emos != nil {
		if d, ok := b.emos.Predict(members, day); ok {
			emos = d
		}
	}
	featured = emos
	if b.featured != nil {
		if d, ok := b.featured.PredictRow(baseline.Row{Members: members, Day: day, Past: b.memory.Latest(place, b.known)}); ok {
			featured = d
		}
	}
	if b.bma != nil {
		if d, ok := b.bma.Predict(b.rows.align(b.raw.Members, members)); ok {
			bma = d
		}
	}
	return emos, featured, bma
}

// align brings members into the order of the rows, by number.
func (r *pastRows) align(numbers []int32, members []float32) []float32 {
	if slices.Equal(numbers, r.members) {
		return members
	}
	return calibrate.Realign(members, 1, numbers, r.members)
}

// fit fits the baselines to what was available at the cycle of raw.
func (r *pastRows) fit(ctx context.Context, raw *ingest.Ensemble, lead time.Duration) (*baselines, error) {
	l := r.lead[lead]
	if l == nil {
		l = &leadRows{}
		r.lead[lead] = l
	}
	cycles := r.archive.Cycles(r.variable)
	for ; l.next < len(cycles); l.next++ {
		c := cycles[l.next]
		if c.Add(lead + r.Calibrate.Delay).After(raw.Cycle) {
			break
		}
		if err := r.take(ctx, l, c, lead); err != nil {
			return nil, err
		}
	}
	known := raw.Cycle.Add(-r.Calibrate.Delay)
	last := dayNumber(known)
	o := baseline.Rolling{
		Censored:     calibrate.WorkingSpace(raw.Variable).Censored,
		Exchangeable: calibrate.Exchangeable(r.Calibrate.Exchangeable).Of(raw),
	}
	b := &baselines{rows: r, raw: raw, memory: &l.memory, known: known}
	for _, fit := range []struct {
		to      **baseline.EMOS
		formula func(*baseline.Pool, int) (baseline.EMOS, error)
	}{{&b.emos, o.EMOS}, {&b.featured, o.FeaturedEMOS}} {
		switch e, err := fit.formula(&l.pool, last); {
		case err == nil:
			*fit.to = &e
		case !baseline.TooLittle(err):
			return nil, err
		}
	}
	switch bma, err := o.BMA(&l.pool, last); {
	case err == nil:
		b.bma = bma
	case !baseline.TooLittle(err):
		return nil, err
	}
	return b, nil
}

// take adds the rows of one cycle.
func (r *pastRows) take(ctx context.Context, l *leadRows, cycle time.Time, lead time.Duration) error {
	obs, err := r.learning.Observed(ctx, r.variable, cycle.Add(lead))
	if err != nil || obs == nil {
		return err
	}
	e, err := r.archive.Ensemble(ctx, r.variable, cycle)
	if err != nil {
		return err
	}
	at, found := slices.BinarySearch(e.Leads, lead)
	if !found {
		return nil
	}
	for _, number := range e.Members {
		if !slices.Contains(r.members, number) {
			r.members = append(r.members, number)
		}
	}
	valid, known := cycle.Add(lead), cycle.Add(-r.Calibrate.Delay)
	day := dayNumber(valid)
	var rows []baseline.Row
	for i, id := range e.Places.ID {
		if k, ok := slices.BinarySearch(obs.ID, id); ok {
			row := baseline.Row{
				Members: r.align(e.Members, e.At(at, i)), Obs: float64(obs.Values[k]), Day: day, Past: l.memory.Latest(id, known),
			}
			l.memory.Take(id, row, known, valid)
			rows = append(rows, row)
		}
	}
	l.pool.Add(rows)
	return nil
}
