package calibrate

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"
)

// Bounds of what the coherence is learned from: pairs of cases count, so few of a
// cycle say much.
const (
	coherentCycles = 128
	coherentPlaces = 40 // of a cycle and lead time
	coherentLeads  = 4
)

// The coherence is pulled towards the configured one as if that had been seen on so
// many days.
const coherentDays = 20

// cohere learns the coherence of members from errors at pairs of places and lead
// times on days that the networks had not seen: from the covariance of what the latent
// normal variable of each case must have been. It is the normal score of the
// observation under the distribution that the model gives the case, a Gaussian copula
// of errors; of an observation at the bound its expectation is known. What the raw
// members that sampled ones start from bring along, the noise need not supply. Networks
// of a joint model have been trained with noise of the coherence in space, which then
// stays.
func (m *Model) cohere(ctx context.Context, s *trainingSet, folds []fold, o TrainOptions) error {
	if !m.Method.LearnCoherence {
		return nil
	}
	groups, chosen, cycles := s.coherent(folds)
	if len(groups) < 2 {
		return nil
	}
	latents, reliability, err := m.latents(ctx, s, chosen, o)
	if err != nil {
		return err
	}
	p, times, err := m.Method.course()
	if err != nil {
		return err
	}
	response, err := m.response(ctx, p, times)
	if err != nil {
		return err
	}
	supplied := 0.0
	for _, r := range response[1:] {
		supplied += r * r
	}
	if supplied < 1e-6 {
		return nil // there is no noise to relate
	}
	all := s.moments(groups, latents, reliability)
	before := m.Method.Coherence
	if trained := m.Coherence; m.Method.Joint && m.Nets != nil {
		all.space = nil
		trained.LeadRange, trained.LocalRange = before.LeadRange, before.LocalRange
		before = trained
	}
	shapes := []bool{before.Smooth}
	if cycles >= coherentDays {
		shapes = []bool{false, true}
	}
	weight := float64(cycles) / float64(cycles+coherentDays)
	learned, steps := before, 1
	if s.censored {
		steps = newtonSteps
	}
	for range steps {
		learned = all.noise(learned, response[0]*response[0], supplied).fit(before, shapes)
	}
	m.Coherence = before.towards(learned, weight)
	return nil
}

// newtonSteps that the equation of pairs of censored cases takes; that of others is
// linear.
const newtonSteps = 4

// coherent chooses cases by cycle, and the held-out part of each fold that they are,
// and tells how many cycles there are.
func (s *trainingSet) coherent(folds []fold) (groups [][]int32, chosen []fold, number int) {
	byCycle := map[int64][]int32{}
	leads := map[time.Duration]bool{}
	for i, q := range s.origin {
		byCycle[q.cycle] = append(byCycle[q.cycle], int32(i))
		leads[q.lead] = true
	}
	cycles, all := sortedKeys(byCycle), sortedKeys(leads)
	use := map[time.Duration]bool{}
	for k := range min(len(all), coherentLeads) {
		use[all[k*(len(all)-1)/max(1, min(len(all), coherentLeads)-1)]] = true
	}
	taken := make([]bool, s.len())
	for k := range min(len(cycles), coherentCycles) {
		var group []int32
		count := map[time.Duration]int{}
		// Places in an order of their own, the same at all lead times.
		cases := slices.Clone(byCycle[cycles[k*len(cycles)/min(len(cycles), coherentCycles)]])
		slices.SortFunc(cases, func(a, b int32) int {
			return cmp.Or(cmp.Compare(scattered(s.origin[a]), scattered(s.origin[b])), cmp.Compare(a, b))
		})
		for _, i := range cases {
			lead := s.origin[i].lead
			if use[lead] && count[lead] < coherentPlaces {
				count[lead]++
				group = append(group, i)
				taken[i] = true
			}
		}
		groups = append(groups, group)
	}
	chosen = make([]fold, len(folds))
	for k, f := range folds {
		for _, i := range f.held {
			if taken[i] {
				chosen[k].held = append(chosen[k].held, i)
			}
		}
	}
	return groups, chosen, len(cycles)
}

// scattered is a number that orders the places of a cycle without regard to where they
// are (Fibonacci hashing of place and cycle).
func scattered(q origin) uint64 { return (uint64(q.place) + uint64(q.cycle)) * 0x9E3779B97F4A7C15 }

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// latent is what an observation tells of the standard normal variable that it came from:
// its expectation, and the first two coefficients of that in normed Hermite polynomials
// of the variable. When two variables are correlated by r, the expectations have
// covariance first first' r + second second' r² and terms of r³.
type latent struct{ value, first, second float64 }

// censoredLatent is that of an observation at the bound, below which the variable is
// with the given probability; coefficients are those of any observation of the case.
func censoredLatent(below float64) latent {
	q := normalQuantile(below)
	density := math.Exp(logNormal(q, 1))
	mean := -density / below // given that the variable is below q
	return latent{
		value: mean,
		first: 1 - below + density*(q-mean),
		// ∫ (z²-1) z φ above q is (q²+1) φ(q), and ∫ (z²-1) φ below it is -q φ(q).
		second: density * (q*q + 1 - q*mean) / math.Sqrt2,
	}
}

// latents are what observations tell, by case, and the square of the correlation of
// uncensored values with the variable: of an ensemble only the rank of the observation
// is known, whose expected normal score stands for it.
func (m *Model) latents(ctx context.Context, s *trainingSet, chosen []fold, o TrainOptions) ([]latent, float64, error) {
	latents := make([]latent, s.len())
	tell := func(i int, score float64, below func(bound float64) float64) {
		latents[i] = latent{value: score, first: 1}
		if !s.censored {
			return
		}
		c := censoredLatent(below(normalScore(0, float64(s.mu[i]), float64(s.sigma[i]), s.family)))
		if !s.censor[i] {
			c.value = score
		}
		latents[i] = c
	}
	if m.Correction == 0 {
		for _, f := range chosen {
			for _, i := range f.held {
				tell(int(i), float64(s.score[i]), func(bound float64) float64 {
					return normalCDF(min(max(bound, -scoreClip), scoreClip))
				})
			}
		}
		return latents, 1, nil
	}
	// Expected normal scores of ranks (Blom 1958).
	var expected [heldMembers + 1]float64
	reliability := 0.0
	for r := range expected {
		expected[r] = normalQuantile((float64(r) + 0.625) / (heldMembers + 1.25))
		reliability += expected[r] * expected[r] / (heldMembers + 1)
	}
	err := m.held(ctx, s, chosen, m.Correction, o, func(i int, x []float64) {
		rank := func(y float64) (n int) {
			for _, v := range x {
				if v < y {
					n++
				}
			}
			return n
		}
		tell(i, expected[rank(float64(s.score[i])/m.Dispersion)], func(bound float64) float64 {
			return (float64(rank(bound)) + 0.5) / (heldMembers + 1)
		})
	})
	return latents, reliability, err
}

// pairBin is the mean over pairs of cases that are alike in distance: of the product of
// their latents, of those of their coefficients, and of the covariance of templates.
// count is the number of pairs that would tell as much if none were censored.
type pairBin struct{ km, height, hours, product, second, template, count float64 }

// pairs are bins of pairs of places at one lead time, of pairs of places at two, and of
// one place at two.
type pairs struct{ space, both, lead []pairBin }

// binOf distances: ten a factor of e, from 1 km or m or hour on.
func binOf(d float64) int { return int(10 * math.Log1p(d)) }

// moments are means over the pairs of each group.
func (s *trainingSet) moments(groups [][]int32, latents []latent, reliability float64) pairs {
	var square, n float64
	for _, g := range groups {
		for _, i := range g {
			square += latents[i].value * latents[i].value
			n += latents[i].first
		}
	}
	scale := 1 / (square / n * reliability)
	var bins [3]map[[3]int]*pairBin
	for k := range bins {
		bins[k] = map[[3]int]*pairBin{}
	}
	for _, g := range groups {
		var lat, lon, high []float64
		for _, i := range g {
			q := s.origin[i]
			lat, lon, high = append(lat, float64(q.lat)), append(lon, float64(q.lon)), append(high, float64(q.high))
		}
		p := cartesian(lat, lon, high)
		for a, i := range g {
			for b := range a {
				j := g[b]
				u, v := s.origin[i], s.origin[j]
				km, height := p.apart(a, b)
				hours := (u.lead - v.lead).Abs().Hours()
				kind := 0
				switch {
				case u.place == v.place && hours > 0:
					kind, km, height = 2, 0, 0
				case hours > 0:
					kind = 1
				}
				key := [3]int{binOf(km), binOf(height), binOf(hours)}
				bin := bins[kind][key]
				if bin == nil {
					bin = &pairBin{}
					bins[kind][key] = bin
				}
				x, y := latents[i], latents[j]
				w := x.first * y.first
				bin.km, bin.height, bin.hours = bin.km+w*km, bin.height+w*height, bin.hours+w*hours
				bin.product, bin.template = bin.product+x.value*y.value*scale, bin.template+w*s.templates(i, j)
				bin.second, bin.count = bin.second+x.second*y.second, bin.count+w
			}
		}
	}
	var out [3][]pairBin
	for k := range bins {
		keys := make([][3]int, 0, len(bins[k]))
		for key := range bins[k] {
			keys = append(keys, key)
		}
		slices.SortFunc(keys, func(a, b [3]int) int { return slices.Compare(a[:], b[:]) })
		for _, key := range keys {
			b := *bins[k][key]
			b.km, b.height, b.hours = b.km/b.count, b.height/b.count, b.hours/b.count
			b.product, b.second, b.template = b.product/b.count, b.second/b.count, b.template/b.count
			out[k] = append(out[k], b)
		}
	}
	return pairs{out[0], out[1], out[2]}
}

// noise is the correlation of bins that noise must supply, in the place of their
// products, in units of the variance that it supplies: what the template brings along is
// its covariance times the factor. Where second counts, the equation
//
//	r + second r² = product,  r = template factor + noise supplied
//
// is made linear about the coherence c. The roots themselves would be too small in
// bins of few pairs.
func (p pairs) noise(c Coherence, template, supplied float64) pairs {
	each := func(bins []pairBin) []pairBin {
		out := slices.Clone(bins)
		for k, b := range out {
			brought := template * b.template
			r := brought + supplied*c.Correlation(b.km, b.height, time.Duration(b.hours*float64(time.Hour)))
			r = (b.product + b.second*r*r) / (1 + 2*b.second*r)
			out[k].product = (r - brought) / supplied
		}
		return out
	}
	return pairs{each(p.space), each(p.both), each(p.lead)}
}

// templates is the covariance of the raw members that two cases start from.
func (s *trainingSet) templates(i, j int32) float64 {
	a, b := s.template[int(i)*s.members:][:s.members], s.template[int(j)*s.members:][:s.members]
	var sum float64
	for k, v := range a {
		if p := float64(v) * float64(b[k]); p == p {
			sum += p / float64(s.members)
		}
	}
	return sum
}

// apart are the distance [km] and the difference of altitude [m] of two places.
func (p positions) apart(a, b int) (km, height float64) {
	var d float64
	for k := range 3 {
		x := p.xyz[3*a+k] - p.xyz[3*b+k]
		d += x * x
	}
	return math.Sqrt(d), math.Abs(p.alt[a] - p.alt[b])
}

// Grids of ranges, from the first on by the factor, and their number.
func ranges(first, factor float64, n int) []float64 {
	out := make([]float64, n)
	for k := range out {
		out[k] = first * math.Pow(factor, float64(k))
	}
	return out
}

// leastPairs in space or in time from which anything is learned.
const leastPairs = 100

// fit finds the coherence with the least squared deviation from the covariance of
// pairs; what they cannot tell is as before.
func (p pairs) fit(before Coherence, shapes []bool) Coherence {
	c := before
	if count(p.space) >= leastPairs {
		best, next := math.Inf(1), c
		for _, next.Smooth = range shapes {
			for _, next.Range = range ranges(10, 1.3, 24) {
				for _, next.Height = range ranges(50, 1.7, 16) {
					next.share(p.space)
					if e := next.squares(p.space); e < best {
						best, c = e, next
					}
				}
			}
		}
	}
	if count(p.lead) >= leastPairs {
		best, with := math.Inf(1), c
		// 0: nothing is kept
		hours := append([]float64{0}, ranges(2, 1.3, 24)...)
		for _, with.LeadRange = range hours {
			for _, with.LocalRange = range hours {
				if e := with.squares(p.lead)/count(p.lead) + with.squares(p.both)/max(1, count(p.both)); e < best {
					best, c = e, with
				}
			}
		}
	}
	return c
}

func count(bins []pairBin) (n float64) {
	for _, b := range bins {
		n += b.count
	}
	return n
}

// squares sums squared deviations over pairs.
func (c Coherence) squares(bins []pairBin) (sum float64) {
	for _, b := range bins {
		d := c.Correlation(b.km, b.height, time.Duration(b.hours*float64(time.Hour))) - b.product
		sum += b.count * d * d
	}
	return sum
}

// share finds the shares, none negative, that fit best with given ranges.
func (c *Coherence) share(bins []pairBin) {
	var n, k1, k2, y, yk float64
	for _, b := range bins {
		k := c.falling(b.km, b.height)
		n, k1, k2, y, yk = n+b.count, k1+b.count*k, k2+b.count*k*k, y+b.count*b.product, yk+b.count*k*b.product
	}
	best := math.Inf(1)
	try := func(r, s float64) {
		r, s = math.Min(math.Max(r, 0), 1), math.Min(math.Max(s, 0), 1)
		if r+s > 1+1e-9 {
			return
		}
		if e := r*r*n + s*s*k2 + 2*r*s*k1 - 2*r*y - 2*s*yk; e < best {
			best, c.Regional, c.Local = e, r, math.Max(0, 1-r-s)
		}
	}
	// The least is inside, or on an edge of the triangle.
	if det := n*k2 - k1*k1; det > 1e-9*n*k2 {
		try((k2*y-k1*yk)/det, (n*yk-k1*y)/det)
	}
	try(y/n, 0)
	if k2 > 0 {
		try(0, yk/k2)
	}
	if d := n + k2 - 2*k1; d > 0 { // r + s = 1
		r := math.Min(math.Max((y-yk+k2-k1)/d, 0), 1)
		try(r, 1-r)
	}
}

// towards goes from c to o by a weight from 0 to 1: shares by their difference, ranges by
// their ratio.
func (c Coherence) towards(o Coherence, weight float64) Coherence {
	mix := func(a, b float64) float64 { return a + weight*(b-a) }
	geometric := func(a, b float64) float64 {
		if a <= 0 || b <= 0 || a == b {
			return mix(a, b)
		}
		return math.Exp(mix(math.Log(a), math.Log(b)))
	}
	if c.Local == 0 {
		c.LocalRange = o.LocalRange // it had no meaning
	}
	return Coherence{
		Smooth: o.Smooth, Regional: mix(c.Regional, o.Regional), Local: mix(c.Local, o.Local),
		Range: geometric(c.Range, o.Range), Height: geometric(c.Height, o.Height),
		LeadRange: geometric(c.LeadRange, o.LeadRange), LocalRange: geometric(c.LocalRange, o.LocalRange),
	}
}
