package calibrate

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"sipipe/calibrate/frame"
	"sipipe/calibrate/interpolant"
	"sipipe/calibrate/noise"
	"sipipe/calibrate/sde"
	"sipipe/ingest"
)

// Draw says how the members of a case relate to each other.
type Draw string

// The choices of Draw.
const (
	// DrawStratified spreads the members of a case evenly over its distribution:
	// along the direction of the noise to which the result is most sensitive, each
	// member has a stratum of its own. Which member gets which follows from
	// coherent fields, so dependence between places, lead times and variables
	// stays.
	DrawStratified Draw = "stratified"
	// DrawIndependent makes independent members.
	DrawIndependent Draw = "independent"
)

// SampleOptions of Model.Sample.
type SampleOptions struct {
	Members int
	Seed    uint64
	Threads int // no influence on the result
	Draw    Draw
	// First and Count select places, for shards; Count 0 is all from First on.
	First, Count int
	Progress     func(done, total int)
}

// Sampled is a calibrated ensemble and how it came about.
type Sampled struct {
	Ensemble *ingest.Ensemble // members 0 … N-1; places as asked for
	// RawLeads had no statistical forecast and hold raw members.
	RawLeads []time.Duration
	// Calls of the networks for a member, place and lead time, on average. It counts
	// the model's networks, of which all are evaluated in a call, as one.
	Calls float64
}

// sampler is what the tiles of one call share.
type sampler struct {
	model   *Model
	options SampleOptions
	// tilePlaces are sampled together.
	tilePlaces int
	process    interpolant.Process
	begin      beginning
	times      []float64
	ens        *ingest.Ensemble
	arch       *Archived
	key        noise.Key
	working    Working
	// response of the exact Gaussian sampler to each source of noise: [0] the
	// template, [1] the dressing, [2+k] the noise of step k.
	response []float64
	spread   float64 // sum of squares of response[1:]
	start    []int   // [member] the raw member a sampled one starts from
	waves    []float64
	values   []float32    // result, [lead, place, member]
	calls    atomic.Int64 // of the networks, by lane
}

// tilePlaces is the number of places sampled together: enough lanes for the
// network's arithmetic, few enough to stay in cache.
const tilePlaces = 16

// Sample draws calibrated members of a cycle. ens is the raw ensemble and a its
// archived statistical forecast. The result is a function of the arguments but for
// Threads and shards: each place's members depend on that place alone, on the seed
// and on the cycle; those of a joint model on all places, which are all computed
// whichever are asked for.
func (m *Model) Sample(ctx context.Context, ens *ingest.Ensemble, a *Archived, o SampleOptions) (*Sampled, error) {
	if o.Members < 1 {
		return nil, fmt.Errorf("sample %d members: at least one is needed", o.Members)
	}
	if o.Count == 0 {
		o.Count = ens.Places.Len() - o.First
	}
	if o.First < 0 || o.Count < 0 || o.First+o.Count > ens.Places.Len() {
		return nil, fmt.Errorf("sample places %d to %d of %d", o.First, o.First+o.Count, ens.Places.Len())
	}
	p, grid, err := m.Method.course()
	if err != nil {
		return nil, err
	}
	first, count := o.First, o.Count
	tilePlaces := tilePlaces
	if m.Method.Joint && m.Correction > 0 {
		// Places see each other: all are sampled, and those asked for kept.
		o.First, o.Count = 0, ens.Places.Len()
		tilePlaces = max(1, o.Count)
	}
	s := &sampler{
		tilePlaces: tilePlaces,
		model:      m, options: o, process: p, begin: m.beginning(p), times: grid, ens: ens, arch: a,
		key: noise.Seed(o.Seed).Time(ens.Cycle), working: WorkingSpace(ens.Variable),
	}
	if err := s.respond(ctx); err != nil {
		return nil, err
	}
	s.shared()
	out := s.result()
	if err := s.run(ctx); err != nil {
		return nil, err
	}
	if count != o.Count {
		out = placesOf(out, first, count)
	}
	r := &Sampled{Ensemble: out, Calls: float64(s.calls.Load()) / math.Max(1, float64(len(s.values)))}
	for l, q := range a.Lead {
		if !q.Ready {
			r.RawLeads = append(r.RawLeads, ens.Leads[l])
		}
	}
	return r, nil
}

// Raw gives raw members at all places in the form of sampled ones: each once, those
// that the sampled members of the same options start from, and the rest missing.
func Raw(ens *ingest.Ensemble, o SampleOptions) *ingest.Ensemble {
	o.First, o.Count = 0, ens.Places.Len()
	s := &sampler{options: o, ens: ens, key: noise.Seed(o.Seed).Time(ens.Cycle)}
	s.starts()
	out := s.result()
	t := &tile{sampler: s}
	for l := range ens.Leads {
		t.raw(l, 0, o.Count)
	}
	return out
}

// result makes the ensemble that is to be filled in.
func (s *sampler) result() *ingest.Ensemble {
	out := *s.ens
	out.Places = s.ens.Places.Slice(s.options.First, s.options.Count)
	out.Members, out.MemberNames = make([]int32, s.options.Members), nil
	for i := range out.Members {
		out.Members[i] = int32(i)
	}
	s.values = make([]float32, len(s.ens.Leads)*s.options.Count*s.options.Members)
	out.Values = s.values
	return &out
}

// placesOf keeps some of an ensemble's places.
func placesOf(e *ingest.Ensemble, first, count int) *ingest.Ensemble {
	n, m := e.Places.Len(), len(e.Members)
	out := *e
	out.Places = e.Places.Slice(first, count)
	out.Values = make([]float32, 0, len(e.Leads)*count*m)
	for l := range e.Leads {
		out.Values = append(out.Values, e.Values[(l*n+first)*m:][:count*m]...)
	}
	return &out
}

// respond finds the response of the Gaussian sampler.
func (s *sampler) respond(ctx context.Context) error {
	var err error
	if s.response, err = s.model.response(ctx, s.process, s.times); err != nil {
		return err
	}
	for _, v := range s.response[1:] {
		s.spread += v * v
	}
	if s.options.Draw == DrawStratified && s.spread < 1e-6 {
		s.options.Draw = DrawIndependent // without noise there is nothing to stratify
	}
	return nil
}

// response of the Gaussian sampler to each source of noise: [0] the template, [1] the
// dressing, [2+k] the noise of step k. It is linear, so that unit impulses sent
// through it describe it completely.
func (m *Model) response(ctx context.Context, p interpolant.Process, times []float64) ([]float64, error) {
	n := len(times) + 1 // template, dressing, steps
	f := newField(p, m.gaussian(), n)
	solver, err := m.Method.solver()
	if err != nil {
		return nil, err
	}
	begin := m.beginning(p)
	x := make([]float64, n)
	x[0], x[1] = begin.at(1, 0), begin.at(0, 1)
	err = solver.Solve(ctx, x, times, f, func(dst []float64, step int) {
		clear(dst)
		dst[2+step] = 1
	})
	if err != nil {
		return nil, fmt.Errorf("response of the sampler: %w", err)
	}
	return x, nil
}

// shared draws what all places of a member share: the raw member it starts from
// and its wave vectors.
func (s *sampler) shared() {
	s.starts()
	n := s.options.Members
	s.waves = make([]float64, n*waves*drawsPerWave)
	for i := range n {
		s.latent().Text("waves").Normals(s.waves[i*waves*drawsPerWave:(i+1)*waves*drawsPerWave], uint32(i), 0)
	}
}

// starts draws the raw members that sampled ones start from.
func (s *sampler) starts() {
	n, raw := s.options.Members, len(s.ens.Members)
	s.start = make([]int, n)
	k := s.key.Text("start")
	// A random order of the raw members, repeated: each starts as many as any other.
	order := make([]int, raw)
	for j := range order {
		order[j] = j
	}
	for i := range n {
		if i%raw == 0 {
			round := uint32(i / raw)
			for j := raw - 1; j > 0; j-- {
				q := k.Index(round, j, j+1)
				order[j], order[q] = order[q], order[j]
			}
		}
		s.start[i] = order[i%raw]
	}
}

// latent is the key of the noise fields, which are each variable's own. The raw
// members that sampled ones start from are the same for all variables, so that what
// the raw ensemble knows of their relation stays.
func (s *sampler) latent() noise.Key { return s.key.Text(s.ens.Variable.Name) }

// run samples all tiles.
func (s *sampler) run(ctx context.Context) error {
	tiles := (s.options.Count + s.tilePlaces - 1) / s.tilePlaces
	amplitude := s.amplitudes()
	pos := cartesian(s.ens.Places.Latitude, s.ens.Places.Longitude, s.ens.Places.Altitude)
	next := make(chan int)
	done := newCounter(tiles, s.options.Progress)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(next)
		for i := range tiles {
			select {
			case next <- i:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range max(1, min(s.options.Threads, tiles)) {
		g.Go(func() error {
			t, err := s.newTile()
			if err != nil {
				return err
			}
			for i := range next {
				first := s.options.First + i*s.tilePlaces
				if err := t.sample(ctx, first, min(s.tilePlaces, s.options.First+s.options.Count-first), pos, amplitude); err != nil {
					return err
				}
				done.add()
			}
			s.calls.Add(t.field.calls)
			return nil
		})
	}
	return g.Wait()
}

// sources of noise of a lane: the dressing and one a step.
func (s *sampler) sources() int { return len(s.times) }

// amplitudes draws those of the fields of every lead, member and source,
// [lead, member, source, amplitudes]; consecutive leads are correlated.
func (s *sampler) amplitudes() []float64 {
	m, q := s.options.Members, s.sources()
	a := make([]float64, len(s.ens.Leads)*m*q*amplitudes)
	row := q * amplitudes
	for l := range s.ens.Leads {
		keep := 0.0
		if l > 0 {
			keep = kept(s.model.Coherence.LeadRange, s.ens.Leads[l]-s.ens.Leads[l-1])
		}
		fresh := math.Sqrt(1 - keep*keep)
		k := s.latent().Text("amplitudes").Int(int64(s.ens.Leads[l]))
		for i := range m {
			dst := a[(l*m+i)*row : (l*m+i+1)*row]
			k.Normals(dst, uint32(i), 0)
			if l > 0 {
				before := a[((l-1)*m+i)*row:][:row]
				for j := range dst {
					dst[j] = keep*before[j] + fresh*dst[j]
				}
			}
		}
	}
	return a
}

// tile is the work of one goroutine.
type tile struct {
	*sampler
	solver  *sde.Solver
	field   *field
	net     network
	fields  []waveField // [member]
	noise   []float64   // [source, lane]
	local   []float64   // [source, lane] each place's own share of it
	x       []float64   // [lane]
	driving []float64   // [lane] what the Gaussian sampler would make of the noise
	order   []int
	members []float32 // raw, working space
	shape   []float32 // template
}

func (s *sampler) newTile() (*tile, error) {
	lanes := s.tilePlaces * s.options.Members
	t := &tile{
		sampler: s,
		field:   newField(s.process, s.model.gaussian(), lanes),
		fields:  make([]waveField, s.options.Members),
		noise:   make([]float64, s.sources()*lanes),
		local:   make([]float64, s.sources()*lanes),
		x:       make([]float64, lanes),
		driving: make([]float64, lanes),
		order:   make([]int, s.options.Members),
		members: make([]float32, len(s.ens.Members)),
		shape:   make([]float32, len(s.ens.Members)),
	}
	for i := range t.fields {
		t.fields[i].coherence = s.model.Coherence
	}
	var err error
	if t.solver, err = s.model.Method.solver(); err != nil {
		return nil, err
	}
	if s.model.Correction > 0 {
		if s.model.Method.Joint {
			var n *jointNet
			if n, err = newJointNet(s.model.Nets, &s.model.Conditions, s.ens.Places.Len(), s.options.Members, s.options.Threads); err == nil {
				n.where, n.order = s.model.Coherence.coordinates(s.ens.Places), scatter(s.ens.Places)
				t.net = n
			}
		} else {
			t.net, err = newTileNet(s.model.all(), &s.model.Conditions, tilePlaces, s.options.Members)
		}
		if err != nil {
			return nil, err
		}
		t.field.learned, t.field.weight = t.net, s.model.Correction
	}
	return t, nil
}

// sample fills in places first … first+count-1 of all leads. Lanes are [place, member].
func (t *tile) sample(ctx context.Context, first, count int, pos positions, amplitude []float64) error {
	m, q := t.options.Members, t.sources()
	here := positions{pos.xyz[3*first : 3*(first+count)], pos.alt[first : first+count]}
	if slices.ContainsFunc(t.arch.Lead, func(p *frame.Prediction) bool { return p.Ready }) {
		for i := range t.fields {
			t.fields[i].set(here, t.waves[i*waves*drawsPerWave:(i+1)*waves*drawsPerWave])
		}
	}
	lanes := count * m
	last := -1
	for l := range t.ens.Leads {
		p := t.arch.Lead[l]
		if !p.Ready {
			t.raw(l, first, count)
			continue
		}
		t.own(last, l, first, count)
		last = l
		share := math.Sqrt(t.model.Coherence.Local)
		for i := range m {
			a := amplitude[(l*m+i)*q*amplitudes:]
			for k := range q {
				row := t.noise[k*lanes:]
				for j := range count {
					row[j*m+i] = t.fields[i].at(j, a[k*amplitudes:(k+1)*amplitudes]) + share*t.local[k*lanes+j*m+i]
				}
			}
		}
		if err := t.solve(ctx, l, first, count, p); err != nil {
			return fmt.Errorf("places %d to %d, lead time +%g h: %w", first, first+count-1, t.ens.Leads[l].Hours(), err)
		}
	}
	return nil
}

// own draws each place's own noise of lead l, related to that of lead last, -1 when
// there was none. It depends on the station's name alone.
func (t *tile) own(last, l, first, count int) {
	if t.model.Coherence.Local == 0 {
		return
	}
	keep := 0.0
	if last >= 0 {
		keep = kept(t.model.Coherence.LocalRange, t.ens.Leads[l]-t.ens.Leads[last])
	}
	fresh := math.Sqrt(1 - keep*keep)
	m, q := t.options.Members, t.sources()
	draw := make([]float64, q)
	for j := range count {
		k := t.latent().Text("own").Text(t.ens.Places.ID[first+j]).Int(int64(t.ens.Leads[l]))
		for i := range m {
			k.Normals(draw, uint32(i), 0)
			for s, v := range draw {
				lane := &t.local[(s*count+j)*m+i]
				*lane = keep**lane + fresh*v
			}
		}
	}
}

// solve integrates the lanes of one lead from their noise.
func (t *tile) solve(ctx context.Context, l, first, count int, p *frame.Prediction) error {
	m := t.options.Members
	lanes := count * m
	w := t.working
	x := t.x[:lanes]
	for j := range count {
		raw := t.ens.At(l, first+j)
		for i, v := range raw {
			t.members[i] = w.Forward(v)
		}
		mu, sigma := float64(p.Mu[first+j]), float64(p.Sigma[first+j])
		template(t.shape, t.members, templateFloor*sigma)
		for i := range m {
			x[j*m+i] = float64(t.shape[t.start[i]])
			if x[j*m+i] != x[j*m+i] {
				x[j*m+i] = 0 // a missing raw member starts from the mean of the others
			}
		}
		if t.net != nil {
			t.net.condition(j, t.members, mu, sigma, dayOf(t.ens.Cycle.Add(t.ens.Leads[l])), t.ens.Leads[l].Hours()/24)
		}
	}
	if t.options.Draw == DrawStratified {
		t.stratify(x, count)
	}
	for i := range x {
		x[i] = t.begin.at(x[i], t.noise[i])
	}
	if t.net != nil {
		t.net.ready(count)
	}
	err := t.solver.Solve(ctx, x, t.times, t.field, func(dst []float64, step int) {
		copy(dst, t.noise[(1+step)*lanes:(2+step)*lanes])
	})
	if err != nil {
		return err
	}
	n := t.options.Count
	for j := range count {
		mu, sigma := float64(p.Mu[first+j]), float64(p.Sigma[first+j])
		dst := t.values[(l*n+first-t.options.First+j)*m:]
		for i := range m {
			v := fromScore(t.model.Dispersion*x[j*m+i], mu, sigma, p.Family)
			dst[i] = float32(w.Back(v))
		}
	}
	return nil
}

// stratify moves the noise of each place's members so that what the Gaussian
// sampler would make of it, g = sum_k response_k noise_k, takes the quantiles of
// its distribution, one each, in the order g had:
//
//	noise_k += response_k (q - g) / sum response²
//
// g is standard normal, so q are normal quantiles; the other directions of the
// noise stay as they were drawn.
func (t *tile) stratify(x []float64, count int) {
	m, lanes := t.options.Members, len(x)
	g := t.driving[:lanes]
	for i := range g {
		g[i] = t.response[0] * x[i]
	}
	for k := range t.sources() {
		r, row := t.response[1+k], t.noise[k*lanes:(k+1)*lanes]
		for i := range g {
			g[i] += r * row[i]
		}
	}
	sd := t.model.gaussianSD(t.response, t.spread)
	for j := range count {
		at := g[j*m : (j+1)*m]
		for i := range t.order {
			t.order[i] = i
		}
		slices.SortFunc(t.order, func(a, b int) int { return cmp.Or(cmp.Compare(at[a], at[b]), cmp.Compare(a, b)) })
		for rank, i := range t.order {
			q := sd * normalQuantile((float64(rank)+0.5)/float64(m))
			shift := (q - at[i]) / t.spread
			for k := range t.sources() {
				t.noise[k*lanes+j*m+i] += shift * t.response[1+k]
			}
		}
	}
}

// raw fills in a lead without a statistical forecast with raw members, each once, in
// the order that sampled ones start from them. Where more are asked for, the rest is
// missing: repeated members would give some raw ones more weight than others, and pass
// for an ensemble larger than it is.
func (t *tile) raw(l, first, count int) {
	m, n := t.options.Members, t.options.Count
	for j := range count {
		from := t.ens.At(l, first+j)
		dst := t.values[(l*n+first-t.options.First+j)*m:]
		for i := range m {
			dst[i] = float32(math.NaN())
			if i < len(from) {
				dst[i] = from[t.start[i]]
			}
		}
	}
}
