package calibrate

import (
	"context"
	"math"
	"strconv"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"sipipe/calibrate/net"
	"sipipe/calibrate/noise"
)

// errorsOf makes an archive of normal scores with a known correlation.
func errorsOf(t *testing.T, c Coherence, cycles, places int, leads ...time.Duration) *trainingSet {
	t.Helper()
	s := &trainingSet{members: 2}
	var lat, lon, high []float64
	for i := range places {
		u := noise.Seed(2).Int(int64(i))
		lat, lon, high = append(lat, 46+4*u.Uniform(0, 0)), append(lon, -120+6*u.Uniform(0, 1)), append(high, 1500*u.Uniform(0, 2))
	}
	p := cartesian(lat, lon, high)
	n := places * len(leads)
	r := mat.NewSymDense(n, nil)
	for a := range n {
		for b := a; b < n; b++ {
			km, height := p.apart(a%places, b%places)
			r.SetSym(a, b, c.Correlation(km, height, leads[a/places]-leads[b/places]))
		}
	}
	var chol mat.Cholesky
	if !chol.Factorize(r) {
		t.Fatal("not positive definite")
	}
	var l mat.TriDense
	chol.LTo(&l)
	for d := range cycles {
		z, x := mat.NewVecDense(n, nil), mat.NewVecDense(n, nil)
		noise.Seed(3).Normals(z.RawVector().Data, uint32(d), 0)
		x.MulVec(&l, z)
		for a := range n {
			i := a % places
			s.score = append(s.score, float32(x.AtVec(a)))
			s.origin = append(s.origin, origin{int64(d) * 86400, leads[a/places], int32(i), float32(lat[i]), float32(lon[i]), float32(high[i])})
			s.template = append(s.template, 1, -1)
			s.mu, s.sigma, s.censor = append(s.mu, 0), append(s.sigma, 1), append(s.censor, false)
			s.block = append(s.block, int32(d))
		}
	}
	s.days = cycles
	return s
}

func learnt(t *testing.T, s *trainingSet) Coherence {
	t.Helper()
	m := &Model{Method: DefaultMethod(), Start: 1.1}
	m.Method.Dress = 1.1 // the template, common to all places, has no part
	if err := m.cohere(context.Background(), s, foldsOf(s, 4), TrainOptions{}); err != nil {
		t.Fatal(err)
	}
	return m.Coherence
}

// silent makes a model whose networks say nothing, so that its members are the frame's.
func silent(t *testing.T, s *trainingSet) *Model {
	t.Helper()
	m := &Model{Method: small(), Start: small().Dress, Correction: 1, Dispersion: 1}
	s.condition = make([]float32, s.len()*s.conditions.len())
	for range m.Method.Folds {
		n, err := net.New(net.Config{Dx: 1, Dc: s.conditions.len(), Dout: 2, Hidden: 4})
		if err != nil {
			t.Fatal(err)
		}
		m.Nets = append(m.Nets, n)
	}
	return m
}

// From a long archive the correlation is found; from a short one that which is
// configured hardly changes.
func TestCoherenceIsLearned(t *testing.T) {
	const h = time.Hour
	for _, want := range []Coherence{
		{Regional: 0.2, Local: 0.3, Range: 100, Height: 800, LeadRange: 40, LocalRange: 10},
		{Regional: 0, Local: 0.6, Range: 250, Height: 3000, LeadRange: 20, Smooth: true},
	} {
		s := errorsOf(t, want, 400, 40, 12*h, 24*h, 48*h)
		// No template: its two members cancel in the mean but not in the covariance.
		clear(s.template)
		got := learnt(t, s)
		if got.Smooth != want.Smooth {
			t.Errorf("%+v: learned %+v", want, got)
		}
		for _, km := range []float64{0, 30, 100, 300} {
			for _, apart := range []time.Duration{0, 12 * h, 36 * h} {
				a, b := want.Correlation(km, 2*km, apart), got.Correlation(km, 2*km, apart)
				if math.Abs(a-b) > 0.06 {
					t.Errorf("%+v: correlation at %g km and %s is %.3f, learned %.3f", want, km, apart, a, b)
				}
			}
		}
	}
	before := DefaultMethod().Coherence
	s := errorsOf(t, Coherence{Local: 1, Range: 1, Height: 1}, 3, 40, 24*h)
	clear(s.template)
	if got := learnt(t, s); got.Local > 3.0/23+1e-9 {
		t.Errorf("after three days %+v has become %+v", before, got)
	}
	// Nothing tells of space or lead times.
	if got := learnt(t, errorsOf(t, Coherence{Range: 1, Height: 1}, 50, 1, 24*h)); got != before {
		t.Errorf("one place has changed %+v to %+v", before, got)
	}
}

// An observation at the bound, such as a dry day, tells less than others; the correlation
// is found all the same, also where there is none, and from ranks in ensembles of networks.
func TestCoherenceOfCensoredIsLearned(t *testing.T) {
	const h = time.Hour
	for _, want := range []Coherence{
		{Local: 1, Range: 1, Height: 1},
		{Regional: 0.1, Local: 0.6, Range: 150, Height: 800, LeadRange: 20, LocalRange: 6},
		{Regional: 0.2, Local: 0.1, Range: 250, Height: 3000, LeadRange: 20, Smooth: true},
	} {
		s := errorsOf(t, want, 400, 40, 12*h, 24*h, 48*h)
		clear(s.template)
		s.censored = true
		for i := range s.score {
			dry := 0.1 + 0.8*noise.Seed(4).Uniform(0, i) // probability
			bound := float32(normalQuantile(dry))
			s.mu[i], s.censor[i], s.score[i] = -bound, s.score[i] <= bound, max(s.score[i], bound)
		}
		networks := silent(t, s)
		if err := networks.cohere(context.Background(), s, foldsOf(s, len(networks.Nets)), TrainOptions{Threads: 2}); err != nil {
			t.Fatal(err)
		}
		for _, got := range []Coherence{learnt(t, s), networks.Coherence} {
			for _, km := range []float64{0, 30, 100, 300} {
				for _, apart := range []time.Duration{0, 12 * h, 36 * h} {
					a, b := want.Correlation(km, 2*km, apart), got.Correlation(km, 2*km, apart)
					if math.Abs(a-b) > 0.08 {
						t.Errorf("%+v: correlation at %g km and %s is %.3f, learned %.3f", want, km, apart, a, b)
					}
				}
			}
		}
	}
}

// What the raw members that all places start from have in common is not supplied by
// the noise once more.
func TestCoherenceOfTemplatesIsNotDoubled(t *testing.T) {
	s := errorsOf(t, Coherence{Regional: 0.6, Local: 0.4, Range: 1, Height: 1}, 300, 30, 24*time.Hour)
	m := &Model{Method: DefaultMethod(), Start: math.Hypot(1, 0.5)}
	m.Method.Epsilon, m.Method.Scale = "gamma", 1 // much of the template stays
	if err := m.cohere(context.Background(), s, foldsOf(s, 4), TrainOptions{}); err != nil {
		t.Fatal(err)
	}
	p, err := m.Method.process()
	if err != nil {
		t.Fatal(err)
	}
	times, err := m.Method.grid().Times()
	if err != nil {
		t.Fatal(err)
	}
	r, err := m.response(context.Background(), p, times)
	if err != nil {
		t.Fatal(err)
	}
	share := r[0] * r[0]
	// 0.6 in all: share from the template, which is the same everywhere, the rest noise.
	weight := 300.0 / (300 + coherentDays)
	want := 0.1 + weight*((0.6-share)/(1-share)-0.1)
	if got := m.Coherence; share < 0.2 || math.Abs(got.Regional-want) > 0.06 {
		t.Errorf("regional share %.3f, want %.3f (template %.2f)", got.Regional, want, share)
	}
}

// Members follow the shares: places have all in common, or nothing.
func TestSharesOfMembers(t *testing.T) {
	m := small()
	m.Interpolant = false
	m.Path, m.Gamma = "one-sided-linear", "" // noise alone
	m.LearnCoherence = false
	for _, c := range []struct {
		coherence Coherence
		least     float64
		most      float64
	}{
		{Coherence{Regional: 1, Range: 1, Height: 1}, 0.99, 1.001},
		{Coherence{Local: 1, Range: 1, Height: 1}, -0.2, 0.2},
	} {
		m.Coherence = c.coherence
		w := newWorld(6, 8, 30)
		_, _, r := calibrated(t, w, newMemory(), w.cycles[24], m, 1, SampleOptions{Members: 200, Draw: DrawIndependent})
		a, b := r.Ensemble.At(0, 1), r.Ensemble.At(0, 4)
		if got := correlation(a, b); got < c.least || got > c.most {
			t.Errorf("%+v: members are correlated by %.2f", c.coherence, got)
		}
	}
}

// Members are related between lead times by each share as its range says.
func TestMembersOfLeadTimes(t *testing.T) {
	m := small()
	m.Interpolant = false
	m.Path, m.Gamma = "one-sided-linear", "" // noise alone
	m.LearnCoherence = false
	for _, c := range []Coherence{
		{Regional: 1, LeadRange: 40},
		{LeadRange: 15},
		{Local: 1, LocalRange: 20},
		{Regional: 0.2, Local: 0.5, LeadRange: 60},
	} {
		c.Range, c.Height = 100, 500
		m.Coherence = c
		w := newWorld(3, 8, 30)
		w.leads = []time.Duration{24 * time.Hour, 48 * time.Hour}
		_, _, r := calibrated(t, w, newMemory(), w.cycles[26], m, 1, SampleOptions{Members: 2000, Draw: DrawIndependent})
		got, want := correlation(r.Ensemble.At(0, 1), r.Ensemble.At(1, 1)), c.Correlation(0, 0, 24*time.Hour)
		if math.Abs(got-want) > 4/math.Sqrt(2000) {
			t.Errorf("%+v: members are correlated by %.2f, want %.2f", c, got, want)
		}
	}
}

func correlation(a, b []float32) float64 {
	var x, y, xx, yy, xy float64
	for i := range a {
		u, v := float64(a[i]), float64(b[i])
		x, y, xx, yy, xy = x+u, y+v, xx+u*u, yy+v*v, xy+u*v
	}
	n := float64(len(a))
	return (xy - x*y/n) / math.Sqrt((xx-x*x/n)*(yy-y*y/n))
}

// The local share of a station depends on its name, not on where it stands in the file
// or which others are there.
func TestLocalShareGoesWithTheStation(t *testing.T) {
	m := small()
	m.Interpolant, m.LearnCoherence = false, false
	m.Coherence = Coherence{Local: 1, Range: 1, Height: 1}
	w := newWorld(6, 8, 30)
	model, a, all := calibrated(t, w, newMemory(), w.cycles[24], m, 1, SampleOptions{Members: 10})
	ens, err := w.Ensemble(context.Background(), "t2m", w.cycles[24])
	if err != nil {
		t.Fatal(err)
	}
	tail := *ens
	tail.Places = ens.Places.Slice(4, 2)
	tail.Values = ens.Values[4*8:]
	p := *a.Lead[0]
	p.Mu, p.Sigma = p.Mu[4:], p.Sigma[4:]
	b := *a
	b.Lead = append(b.Lead[:0:0], &p)
	part, err := model.Sample(context.Background(), &tail, &b, SampleOptions{Members: 10, Seed: 1, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		if !equalBits(part.Ensemble.At(0, i), all.Ensemble.At(0, 4+i)) {
			t.Error("station " + strconv.Itoa(4+i) + " alone has other members")
		}
	}
}
