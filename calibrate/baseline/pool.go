package baseline

import (
	"math"
	"slices"
)

// Pool holds the training rows that baselines need of an archive, in memory that
// does not grow with it: the latest days for rolling fits, and rows spread evenly
// over all of it for seasonal ones. The zero value is empty.
type Pool struct {
	latest []Row // of the last poolDays days
	all    []Row // every stride-th
	stride int
	seen   int // rows added
	first  int // day of the first
}

// Bounds of a pool: values are rows times members.
const (
	poolDays   = 30
	poolValues = 2_000_000
)

// Add takes in the rows of a day, which is not before that of the rows added last.
// Members are copied. Of a day with more rows than a thirtieth of the bound every
// k-th is kept; when the rows of the whole archive pass it, every second one goes.
func (p *Pool) Add(rows []Row) {
	if len(rows) == 0 {
		return
	}
	day, members := rows[0].Day, 1
	for _, r := range rows {
		members = max(members, len(r.Members))
	}
	if p.seen == 0 {
		p.first, p.stride = day, 1
	}
	old := slices.IndexFunc(p.latest, func(r Row) bool { return r.Day > day-poolDays })
	if old < 0 {
		old = len(p.latest)
	}
	p.latest = slices.Delete(p.latest, 0, old)
	daily := (len(rows)*members*poolDays + poolValues - 1) / poolValues
	for i, r := range rows {
		latest, any := i%daily == 0, p.seen%p.stride == 0
		p.seen++
		if !latest && !any {
			continue
		}
		r.Members = slices.Clone(r.Members)
		if latest {
			p.latest = append(p.latest, r)
		}
		if any {
			p.all = append(p.all, r)
		}
	}
	for len(p.all)*members > poolValues {
		kept := p.all[:0]
		for i := 0; i < len(p.all); i += 2 {
			kept = append(kept, p.all[i])
		}
		clear(p.all[len(kept):])
		p.all = kept
		p.stride *= 2
	}
}

// window holds the rows of the days up to last: every one that is kept of the latest
// days, and for longer windows those that are spread over the archive.
func (p *Pool) window(days, last int) []Row {
	from := p.all
	if days <= poolDays {
		from = p.latest
	}
	return Window(from, last-days+1, last)
}

// season holds the rows spread over the archive, up to the day last, whose day of the year
// is at most so many days from it.
func (p *Pool) season(last, days int) []Row {
	var out []Row
	for _, r := range p.all {
		if r.Day <= last && math.Abs(math.Remainder(float64(r.Day-last), year)) <= float64(days) {
			out = append(out, r)
		}
	}
	return out
}
