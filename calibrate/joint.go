package calibrate

import (
	"cmp"
	"context"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"

	"sipipe/calibrate/interpolant"
	"sipipe/calibrate/net"
	"sipipe/calibrate/noise"
	"sipipe/calibrate/sde"
	"sipipe/ingest"
)

// The joint interpolant: its state are the normal scores of all places of a cycle at
// one lead time. x0 is one raw member at all of them; the dressing, z and the Brownian
// increments are coherent fields with covariance K. With such noise
//
//	dX = (b + ε K ∇log ρ) dt + √(2ε) K^½ dW,   K ∇log ρ = -η/γ,   η = E[z | x_t]
//
// so that the equation, its solvers and heads are those of a single place, and each
// place's closed Gaussian field remains that part of the joint one which is known: with
// weight 0 members are those of the frame with coherent noise. Networks learn the rest
// from all places by attention: one model for all lead times, for any set of places
// (after Landry, Monteleoni and Charantonis 2025, arXiv 2504.03463, whose flow starts
// from independent noise and has no closed part). Places without observation are not
// seen in training, places without statistical forecast not in sampling.

const (
	// jointPlaces are the most that see each other, in training and in sampling: the cost
	// is their square. Of more, sets are drawn without regard to where places are;
	// beyond its set a place is related to others by the noise alone.
	jointPlaces = 64
	jointRows   = 4   // rows of a training step, of that of single places
	jointHeld   = 512 // sets that a network is judged on while it trains
)

// snapshots groups cases of one cycle and lead time, which follow each other.
func (s *trainingSet) snapshots(cases []int32) [][]int32 {
	var out [][]int32
	for from, k := 0, 1; k <= len(cases); k++ {
		a, b := s.origin[cases[from]], s.origin[cases[min(k, len(cases)-1)]]
		if k == len(cases) || a.cycle != b.cycle || a.lead != b.lead {
			out = append(out, cases[from:k])
			from = k
		}
	}
	return out
}

// fewer draws at most jointPlaces of a snapshot.
func fewer(snapshot []int32, k noise.Key) []int32 {
	if len(snapshot) <= jointPlaces {
		return snapshot
	}
	out := slices.Clone(snapshot)
	for i := range jointPlaces {
		j := i + k.Index(0, i, len(out)-i)
		out[i], out[j] = out[j], out[i]
	}
	return out[:jointPlaces]
}

// thinSnapshots leaves about heldCases of the held-out cases, in whole snapshots of at
// most jointPlaces.
func (s *trainingSet) thinSnapshots(folds []fold) []fold {
	total := 0
	for _, f := range folds {
		for _, c := range s.snapshots(f.held) {
			total += min(len(c), jointPlaces)
		}
	}
	stride := max(1, total/heldCases)
	out := make([]fold, len(folds))
	for k, f := range folds {
		for j, c := range s.snapshots(f.held) {
			if j%stride == 0 {
				out[k].held = append(out[k].held, fewer(c, noise.Seed(uint64(k)).Int(int64(j)))...)
			}
		}
	}
	return out
}

// positions of cases.
func (s *trainingSet) positions(cases []int32) positions {
	n := len(cases)
	lat, lon, alt := make([]float64, n), make([]float64, n), make([]float64, n)
	for j, i := range cases {
		q := s.origin[i]
		lat[j], lon[j], alt[j] = float64(q.lat), float64(q.lon), float64(q.high)
	}
	return cartesian(lat, lon, alt)
}

// scaled are positions in units of the ranges, [place, net.Coordinates].
func (c Coherence) scaled(p positions) []float32 {
	out := make([]float32, 0, len(p.alt)*net.Coordinates)
	for i, z := range p.alt {
		for k := range 3 {
			out = append(out, float32(p.xyz[3*i+k]/c.Range))
		}
		out = append(out, float32(z/c.Height))
	}
	return out
}

func (c Coherence) coordinates(p *ingest.Places) []float32 {
	return c.scaled(cartesian(p.Latitude, p.Longitude, p.Altitude))
}

// drawnField draws coherent fields for the places of a set, n at a time.
type drawnField struct {
	field waveField
	draw  []float64
}

// at writes n fields [field, place] from a key.
func (f *drawnField) at(dst []float64, k noise.Key, p positions, n int) {
	places := len(p.alt)
	const vectors = waves * drawsPerWave
	size := vectors + n*(amplitudes+places)
	if cap(f.draw) < size {
		f.draw = make([]float64, size)
	}
	draw := f.draw[:size]
	k.Normals(draw, 0, 0)
	f.field.set(p, draw[:vectors])
	local := math.Sqrt(f.field.coherence.Local)
	for q := range n {
		d := draw[vectors+q*(amplitudes+places):][:amplitudes+places]
		for i := range places {
			dst[q*places+i] = f.field.at(i, d[:amplitudes]) + local*d[amplitudes+i]
		}
	}
}

// jointBatcher draws sets: a snapshot, a raw member, a time, coherent latents.
type jointBatcher struct {
	*batcher
	snapshots [][]int32
	coherence Coherence
	field     drawnField
	noise     []float64
}

func (m *Model) jointBatcher(s *trainingSet, cases []int32, key noise.Key) (*jointBatcher, error) {
	b, err := m.batcher(s, cases, key)
	if err != nil {
		return nil, err
	}
	j := &jointBatcher{batcher: b, snapshots: s.snapshots(cases), coherence: m.Coherence}
	j.field.field.coherence = m.Coherence
	return j, nil
}

// largest is the number of places of the largest set.
func (b *jointBatcher) largest() int {
	n := 0
	for _, s := range b.snapshots {
		n = max(n, min(len(s), jointPlaces))
	}
	return n
}

// fillSets draws the sets of a step, as many as there is room for; it is a function of
// the step and the key. Times are spread evenly over a step.
func (b *jointBatcher) fillSets(batch *net.Batch, r rows, step int) {
	batch.Sets = batch.Sets[:0]
	key := b.key.Int(int64(step))
	signs := 1
	if b.antithetic {
		signs = 2
	}
	oneSided := b.process.Interpolant.Kind() == interpolant.OneSided
	shift := key.Uniform(0, 0)
	for row, k := 0, 0; ; k++ {
		sk := key.Int(int64(k))
		set := b.snapshots[sk.Index(0, 0, len(b.snapshots))]
		set = fewer(set, sk.Text("places"))
		n := len(set)
		if row+signs*n > len(r.x) {
			return
		}
		_, u := math.Modf(shift + float64(k)*(math.Sqrt(5)-1)/2)
		t, weight := b.times.At(u)
		member := sk.Index(0, 2, b.set.members)
		p := b.set.positions(set)
		if len(b.noise) < 2*n {
			b.noise = make([]float64, 2*n)
		}
		b.field.at(b.noise, sk.Text("fields"), p, 2)
		where := b.coherence.scaled(p)
		for sign := range signs {
			for j, i := range set {
				x0 := b.set.startFrom(int(i), member) + b.dress*b.noise[j]
				if oneSided {
					x0 = 0
				}
				z := b.noise[n+j]
				if sign == 1 {
					z = -z
				}
				b.put(r, row+j, int(i), t, weight, x0, b.set.drawScore(int(i), sk.Uniform(1, j)), z)
			}
			copy(batch.P[row*net.Coordinates:], where)
			batch.Sets = append(batch.Sets, n)
			row += n
		}
	}
}

// learnJoint trains the network of a fold, and stops when it gets no better on the
// days of that fold.
func (m *Model) learnJoint(ctx context.Context, s *trainingSet, f fold, p part, key noise.Key, at *foldCheckpoint) (*net.Net, net.TrainReport, error) {
	train, err := m.jointBatcher(s, f.train, key.Text("rows"))
	if err != nil {
		return nil, net.TrainReport{}, err
	}
	held, err := m.jointBatcher(s, f.held, key.Text("held rows"))
	if err != nil {
		return nil, net.TrainReport{}, err
	}
	d := s.conditions.len()
	judge := newRows(jointHeld*held.largest(), d, p)
	sets := &net.Batch{P: make([]float32, len(judge.x)*net.Coordinates)}
	held.fillSets(sets, judge, 0)
	c := m.Method.network(d, p, key.Text("weights"))
	c.Attention = m.Method.Attention
	o := m.Method.training(at)
	o.Set = train.largest()
	o.Batch = max(jointRows*m.Method.Batch, 2*o.Set)
	o.Validate = func(_ int, n *net.Net) (float64, error) { return judge.lossOfSets(n, sets) }
	return net.Train(ctx, c, o, net.SourceFunc(func(step int, b *net.Batch) error {
		train.fillSets(b, rows{p, b.X, b.T, b.C, b.Y, b.W}, step)
		return nil
	}))
}

// lossOfSets is the mean of w (h²/2 - h y) over the rows of some sets.
func (r rows) lossOfSets(n *net.Net, b *net.Batch) (float64, error) {
	most, total := 0, 0
	for _, k := range b.Sets {
		most, total = max(most, k), total+k
	}
	s, err := net.NewSets(most, n)
	if err != nil {
		return 0, err
	}
	d := len(r.c) / len(r.x)
	x, out := make([]float64, most), make([]float64, r.heads*most)
	var sum float64
	from := 0
	for _, k := range b.Sets {
		for i := range k {
			x[i] = float64(r.x[from+i])
		}
		s.Places(b.P[from*net.Coordinates:(from+k)*net.Coordinates], r.c[from*d:(from+k)*d])
		s.Eval(out, x[:k], float64(r.t[from]))
		for i := range k {
			for head := range r.heads {
				j := r.heads*(from+i) + head
				sum += float64(r.w[j]) * interpolant.Loss(out[head*k+i], float64(r.y[j]))
			}
		}
		from += k
	}
	return sum / float64(r.heads*total), nil
}

// snapshots samples cases of fold k, places of a cycle and lead time together.
func (h *heldOut) snapshots(ctx context.Context, solver *sde.Solver, k int, cases []int32) error {
	s, m := h.set, h.model
	d := s.conditions.len()
	field := drawnField{field: waveField{coherence: m.Coherence}}
	var jn *jointNet
	if h.weight > 0 {
		var err error
		if jn, err = newJointNet(m.Nets[k:k+1], &m.Conditions, jointPlaces, heldMembers, 1); err != nil {
			return err
		}
	}
	for _, set := range s.snapshots(cases) {
		n := len(set)
		fl := newField(h.process, m.gaussian(), n*heldMembers)
		at := s.positions(set)
		if jn != nil {
			jn.where = m.Coherence.scaled(at)
			for j, i := range set {
				jn.set(j, s.condition[int(i)*d:(int(i)+1)*d])
			}
			jn.ready(n)
			fl.learned, fl.weight = jn, h.weight
		}
		sk := h.key.Int(s.origin[set[0]].cycle).Int(int64(s.origin[set[0]].lead))
		q := len(h.times)
		drawn := make([]float64, heldMembers*q*n) // [member, source, place]
		x := make([]float64, n*heldMembers)
		for e := range heldMembers {
			mine := drawn[e*q*n : (e+1)*q*n]
			field.at(mine, sk.Int(int64(e)), at, q)
			member := sk.Index(1, e, s.members)
			for j, i := range set {
				x[j*heldMembers+e] = h.begin.at(s.startFrom(int(i), member), mine[j])
			}
		}
		err := solver.Solve(ctx, x, h.times, fl, func(dst []float64, step int) {
			for e := range heldMembers {
				for j := range n {
					dst[j*heldMembers+e] = drawn[(e*q+1+step)*n+j]
				}
			}
		})
		if err != nil {
			return err
		}
		h.visit(set, x)
	}
	return nil
}

// jointNet evaluates the mean of some networks for all places of a cycle, lanes being
// [place, member], members several at a time.
type jointNet struct {
	workers    []*jointWorker
	conditions *conditions
	where      []float32 // [place, net.Coordinates]
	members    int
	order      []int     // of places, by which they are cut into sets; nil: as they come
	values     []float32 // [place, conditions] standardised
	seen       []bool    // [place] takes part
	sets       []jointSet
}

// jointSet are places that see each other.
type jointSet struct {
	places           []int
	where, condition []float32
}

type jointWorker struct {
	sets   *net.Sets
	x, out []float64
}

// newJointNet prepares networks for up to so many places; where they are is still to
// be said.
func newJointNet(nets []*net.Net, c *conditions, places, members, threads int) (*jointNet, error) {
	j := &jointNet{conditions: c, members: members, values: make([]float32, places*c.len()), seen: make([]bool, places)}
	for range max(1, min(threads, members)) {
		most := min(places, jointPlaces)
		s, err := net.NewSets(most, nets...)
		if err != nil {
			return nil, err
		}
		j.workers = append(j.workers, &jointWorker{s, make([]float64, most), make([]float64, 2*most)})
	}
	return j, nil
}

func (t *jointNet) set(j int, c []float32) {
	d := t.conditions.len()
	copy(t.values[j*d:(j+1)*d], c)
	t.seen[j] = true
}

func (t *jointNet) condition(j int, members []float32, mu, sigma, day, leadDays float64) {
	d := t.conditions.len()
	c := t.values[j*d : (j+1)*d]
	t.conditions.raw(c, members, mu, sigma, day, leadDays)
	t.conditions.standardise(c)
	t.seen[j] = mu == mu && sigma == sigma
}

func (t *jointNet) ready(cases int) {
	var present []int
	for i := range cases {
		if t.order != nil {
			i = t.order[i]
		}
		if t.seen[i] {
			present = append(present, i)
		}
	}
	t.sets = t.sets[:0]
	d, n := t.conditions.len(), (len(present)+jointPlaces-1)/jointPlaces
	for k := range n {
		set := jointSet{places: present[k*len(present)/n : (k+1)*len(present)/n]}
		for _, j := range set.places {
			set.where = append(set.where, t.where[j*net.Coordinates:(j+1)*net.Coordinates]...)
			set.condition = append(set.condition, t.values[j*d:(j+1)*d]...)
		}
		t.sets = append(t.sets, set)
	}
}

// Eval implements correction. Where a place does not take part it is 0.
func (t *jointNet) Eval(out []float64, at float64, x []float64) error {
	clear(out)
	lanes := len(x)
	var g errgroup.Group
	for k, w := range t.workers {
		g.Go(func() error {
			for _, set := range t.sets {
				n := len(set.places)
				w.sets.Places(set.where, set.condition)
				for e := k; e < t.members; e += len(t.workers) {
					for i, j := range set.places {
						w.x[i] = x[j*t.members+e]
					}
					w.sets.Eval(w.out[:2*n], w.x[:n], at)
					for i, j := range set.places {
						out[j*t.members+e], out[lanes+j*t.members+e] = w.out[i], w.out[n+i]
					}
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// scatter orders places by their names, without regard to where they are or stand in
// the file.
func scatter(p *ingest.Places) []int {
	order := make([]int, p.Len())
	rank := make([]uint32, p.Len())
	for i, id := range p.ID {
		order[i], rank[i] = i, noise.Seed(0).Text(id).Bits(0, 0)
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(rank[a], rank[b]), cmp.Compare(p.ID[a], p.ID[b]))
	})
	return order
}
