package calibrate

import (
	"context"
	"math"
	"slices"
	"testing"

	"sipipe/calibrate/frame"
	"sipipe/calibrate/net"
	"sipipe/ingest"
)

func smallJoint() Method {
	m := small()
	m.Joint = true
	return m
}

// withNetworks is a joint model whose networks have weight 1 and say what move makes of
// fresh ones, with the forecast of a cycle.
func withNetworks(t *testing.T, w *world, move func(n *net.Net)) (*Model, *Archived, *ingest.Ensemble) {
	t.Helper()
	m := smallJoint()
	m.MinDays = 1000 // none are trained
	cycle := w.cycles[len(w.cycles)-1]
	model, a, _ := calibrated(t, w, newMemory(), cycle, m, 1, SampleOptions{Members: 2})
	for k := range 2 {
		n, err := net.New(net.Config{
			Dx: 1, Dc: model.Conditions.len(), Dout: 2, Hidden: m.Hidden, Blocks: m.Blocks, Emb: m.Embed, Attention: m.Attention, Seed: uint64(k),
		})
		if err != nil {
			t.Fatal(err)
		}
		move(n)
		model.Nets = append(model.Nets, n)
	}
	model.Correction = 1
	ens, err := w.Ensemble(context.Background(), "t2m", cycle)
	if err != nil {
		t.Fatal(err)
	}
	return model, a, ens
}

// loud moves every weight, so that places have an influence on each other.
func loud(n *net.Net) {
	for i := range n.Weights {
		n.Weights[i] += float32(0.2 * math.Sin(float64(7*i)))
	}
}

func members(t *testing.T, m *Model, e *ingest.Ensemble, a *Archived, o SampleOptions) *ingest.Ensemble {
	t.Helper()
	o.Members, o.Seed, o.Draw = 12, 1, DrawStratified
	r, err := m.Sample(context.Background(), e, a, o)
	if err != nil {
		t.Fatal(err)
	}
	return r.Ensemble
}

// Networks that say nothing leave the members of the frame, to the bit.
func TestUntrainedJointIsTheFrame(t *testing.T) {
	model, a, ens := withNetworks(t, newWorld(20, 6, 30), func(*net.Net) {})
	joint := members(t, model, ens, a, SampleOptions{Threads: 2})
	model.Correction = 0
	if !equalBits(joint.Values, members(t, model, ens, a, SampleOptions{Threads: 2}).Values) {
		t.Error("members differ from those of the frame")
	}
	model.Correction = 1
	loud(model.Nets[0])
	if equalBits(joint.Values, members(t, model, ens, a, SampleOptions{Threads: 2}).Values) {
		t.Error("networks make no difference")
	}
}

// Threads and shards have no influence on the bits, and the order of places only on
// rounding.
func TestJointMembersBelongToPlaces(t *testing.T) {
	for _, places := range []int{21, 70} { // one set, and two
		jointMembersBelongToPlaces(t, places)
	}
}

func jointMembersBelongToPlaces(t *testing.T, places int) {
	model, a, ens := withNetworks(t, newWorld(places, 6, 30), loud)
	all := members(t, model, ens, a, SampleOptions{Threads: 1})
	if !equalBits(all.Values, members(t, model, ens, a, SampleOptions{Threads: 3}).Values) {
		t.Error("threads have an influence")
	}
	part := members(t, model, ens, a, SampleOptions{Threads: 2, First: 5, Count: 9})
	if !equalBits(part.Values, all.Values[5*12:14*12]) || !slices.Equal(part.Places.ID, ens.Places.ID[5:14]) {
		t.Error("a shard has other members than the whole")
	}
	order := []int{20, 3, 7}
	for i := range places {
		if !slices.Contains(order, i) {
			order = append(order, i)
		}
	}
	moved, from := rearranged(ens, a, order)
	got := members(t, model, moved, from, SampleOptions{Threads: 2})
	for to, i := range order {
		for e := range 12 {
			if x, y := got.At(0, to)[e], all.At(0, i)[e]; math.Abs(float64(x-y)) > 1e-3 {
				t.Fatalf("place %d, member %d: %g, in another order %g", i, e, y, x)
			}
		}
	}
}

// rearranged is a forecast for some of the places, in another order.
func rearranged(ens *ingest.Ensemble, a *Archived, order []int) (*ingest.Ensemble, *Archived) {
	e, b := *ens, *a
	e.Places, e.Values = &ingest.Places{}, nil
	p, q := a.Lead[0], &frame.Prediction{}
	*q = *p
	q.Mu, q.Sigma = nil, nil
	for _, i := range order {
		e.Places.ID = append(e.Places.ID, ens.Places.ID[i])
		e.Places.Latitude = append(e.Places.Latitude, ens.Places.Latitude[i])
		e.Places.Longitude = append(e.Places.Longitude, ens.Places.Longitude[i])
		e.Places.Altitude = append(e.Places.Altitude, ens.Places.Altitude[i])
		e.Values = append(e.Values, ens.At(0, i)...)
		q.Mu, q.Sigma = append(q.Mu, p.Mu[i]), append(q.Sigma, p.Sigma[i])
	}
	b.Lead = []*frame.Prediction{q}
	return &e, &b
}

// A place without statistical forecast has no influence on the others: they are as if
// it were not in the file. One that has, has.
func TestAbsentPlacesHaveNoInfluence(t *testing.T) {
	model, a, ens := withNetworks(t, newWorld(14, 6, 30), loud)
	rest := []int{0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13}
	without, b := rearranged(ens, a, rest)
	want := members(t, model, without, b, SampleOptions{Threads: 1})
	masked := *a
	p := *a.Lead[0]
	p.Mu, p.Sigma = slices.Clone(p.Mu), slices.Clone(p.Sigma)
	p.Mu[4], p.Sigma[4] = float32(math.NaN()), float32(math.NaN())
	masked.Lead = []*frame.Prediction{&p}
	got, full := members(t, model, ens, &masked, SampleOptions{Threads: 1}), members(t, model, ens, a, SampleOptions{Threads: 1})
	changed := false
	for k, i := range rest {
		if !equalBits(got.At(0, i), want.At(0, k)) {
			t.Fatalf("place %d depends on one that is absent", i)
		}
		changed = changed || !equalBits(full.At(0, i), want.At(0, k))
	}
	if !changed {
		t.Error("a place that is there has no influence either")
	}
}

// Where all places of a day are in the same of two regimes, joint members learn to be,
// and the loss on days not seen is far below that of networks that see one place.
func TestJointLearnsRegimes(t *testing.T) {
	w := newWorld(10, 6, 100)
	w.observe = func(mean, regional, local float64) float64 { return mean + 1 + math.Copysign(2, regional) + 0.4*local }
	m := smallJoint()
	m.Hidden, m.MaxSteps, m.Batch = 32, 300, 128
	cycle := w.cycles[96]
	model, a, _ := calibrated(t, w, newMemory(), cycle, m, 2, SampleOptions{Members: 2})
	for k, loss := range model.Report.Losses {
		if loss > -0.08 {
			t.Errorf("network %d has a loss of %.3f on days it has not seen; one place alone has -0.04", k, loss)
		}
	}
	model.Correction = 1
	ens, err := w.Ensemble(context.Background(), "t2m", cycle)
	if err != nil {
		t.Fatal(err)
	}
	r, err := model.Sample(context.Background(), ens, a, SampleOptions{Members: 60, Seed: 1, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	same := 0
	for k := range 60 {
		up := 0
		for i := range ens.Places.Len() {
			if float64(r.Ensemble.At(0, i)[k]) > w.centre(cycle, i)+1 {
				up++
			}
		}
		if up <= 1 || up >= ens.Places.Len()-1 {
			same++
		}
	}
	if same < 40 {
		t.Errorf("%d of 60 members are in one regime at nearly all places", same)
	}
}

func TestJointHasNoDensityOfOnePlace(t *testing.T) {
	model, a, ens := withNetworks(t, newWorld(5, 6, 30), loud)
	if _, err := model.Likelihood(context.Background(), ens, a, Case{}, []float64{280}); err == nil {
		t.Error("a density is given")
	}
}
