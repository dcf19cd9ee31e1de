package frame

import (
	"fmt"
	"math"
)

// Options of a frame. The zero value of each field is its default.
type Options struct {
	// Experts; nil means DefaultExperts.
	Experts []Spec
	// Exchangeable members share their coefficients.
	Exchangeable bool
	// Censored: the variable has a point mass at zero (see censored).
	Censored bool
	// ScaleMemory [days]: how fast the scale forgets; default 30. Archives longer
	// than a year remember a tenth of their length when that is more.
	ScaleMemory float64
	// ScaleRows are the rows at most from which the scale is learned, and the regression
	// of a censored variable; default 20000. Of a longer archive see thinned.
	ScaleRows int
	// Learning is the rate at which weights follow errors; default 1.
	Learning float64
}

// The kernel of SKILL: fitted to the covariance of residuals by distance and by
// difference of altitude over the Pacific Northwest, in units of the residual
// variance.
var stationKernel = Kernel{Spatial: 0.21, Local: 0.14, Noise: 0.57, Range: 100, Height: 500}

// DefaultExperts span memories from a week to the whole archive. Their mean is
// more robust than the best of them on past days.
func DefaultExperts() []Spec {
	k := stationKernel
	recent := Kernel{Spatial: 0.15, Local: 0.10, Noise: 1, Range: 130, Height: 800}
	return []Spec{
		{Name: "week", Memory: 8, Penalty: 1.4, BiasMemory: 8, Bias: k},
		{Name: "fortnight", Before: true, Memory: 15, Penalty: 0.4, BiasMemory: 15, Bias: k},
		{Name: "fortnight-recent", Memory: 15, Penalty: 0.4, BiasMemory: 15, Bias: k, RecentMemory: 3, Recent: recent},
		{Name: "month", Memory: 30, Penalty: 0.14, BiasMemory: 30, Bias: k},
		{Name: "quarter", Memory: 90, Penalty: 0.14, BiasMemory: 30, Bias: k, RecentMemory: 3, Recent: recent, Archive: 120},
		{Name: "years", Penalty: 5, Season: true, Bias: k, RecentMemory: 3, Recent: recent, Archive: 400},
		{Name: "years-past", Penalty: 5, Season: true, Past: true, Before: true, BiasMemory: 365, Bias: k, Archive: 400},
		{Name: "years-smooth", Penalty: 5, Season: true, Past: true, Before: true, BiasMemory: 365, Bias: k, Archive: 400, Smooth: true},
		{Name: "years-recent", Penalty: 5, Season: true, BiasMemory: 365, Bias: k, RecentMemory: 3, Recent: recent, Archive: 400},
	}
}

func (o Options) withDefaults() Options {
	if o.Experts == nil {
		o.Experts = DefaultExperts()
	}
	if o.ScaleMemory == 0 {
		o.ScaleMemory = 30
	}
	if o.ScaleRows == 0 {
		o.ScaleRows = 20000
	}
	if o.Learning == 0 {
		o.Learning = 1
	}
	return o
}

// Frame is the state at one lead time. It is a plain value that encoding/gob
// can store; a frame restored goes on to the same bits.
type Frame struct {
	Options Options
	Experts []expert
	// Centre about which values are counted: the first mean seen.
	Centre float64
	// First and Last valid day taken in.
	First, Last float64
	Days        int // distinct valid days taken in
	// Discounted sums of squared archived residuals and their number, by station.
	Square, Count []float64
	Rows          thinned[scaleRow]
	Scale         scaleModel
	Fresh         int // rows since the scale was fitted
	// Discounted sum of daily mean absolute errors, and of days.
	Error, ErrorDays float64
	Past             []datedPair // [station] the last that was taken in
	Issued           []issued    // of the last day
	Censored         *censored
}

// Family of a predicted distribution.
type Family uint8

// The families. Sigma is the standard deviation of a normal and the scale
// parameter of a logistic distribution, whose sd is pi/sqrt(3) times that.
const (
	Normal Family = iota
	Logistic
)

// New returns a frame that has seen nothing.
func New(o Options) *Frame {
	f := &Frame{Options: o.withDefaults()}
	if o.Censored {
		f.Censored = &censored{}
	}
	return f
}

// Prediction is the frame's distribution of location Mu and scale Sigma for n
// places in the working space, with what is needed later to learn from its observation.
type Prediction struct {
	Ready       bool // false: nothing below but Known and Place is set, too little is known
	Days        int  // valid days the frame had taken in
	Grown       bool // it came from rows enough for its residuals to be like those to come
	Family      Family
	Censored    bool      // values below zero stand for zero
	Mu, Sigma   []float32 // [n]; NaN where the raw ensemble is missing
	Expert      [][]float32
	ExpertBase  [][]float32 // without the recent layer
	StationLog  []float32   // [n] log of the station's scale
	SpreadLog   []float32   // [n]
	Known       []known     // [n] also when not Ready
	Place       []float32   // [n] the effect of the place as it was known, of a censored frame; also when not Ready
	Weights     []float64   // [expert], 0 for those that sleep
	ExpertNames []string
}

// Awake is the number of experts that spoke.
func (p *Prediction) Awake() (n int) {
	for _, e := range p.Expert {
		if e != nil {
			n++
		}
	}
	return n
}

// Minimum knowledge before a frame speaks, and archived residuals before they alone
// say what its scale is.
const (
	minDays = 4
	minRows = 8
	scaled  = 40
)

// matureDays is the number of days, with at least so many rows, that a frame must have
// taken in before its archived residuals shape the scale, or a network: the first
// forecasts, made from a few days, are not like those to come.
const matureDays = 8

// Mature tells whether a network may learn from the residuals of p.
func (p *Prediction) Mature() bool { return p.Ready && p.Days > matureDays && p.Grown }

const (
	trainClip    = 3.3  // observations are clipped to mu ± trainClip sigma in the regression: gross errors
	residualClip = 4.0  // and residuals in the scale
	regretMemory = 365. // days
	pseudoRows   = 8.   // shrinks a station's scale towards the mean
)

// span of the archive [days] seen so far.
func (f *Frame) span(day float64) float64 {
	if f.Days == 0 {
		return 0
	}
	return day - f.First
}

// Seasonal tells whether the archive is long enough for the scale to have a season.
func (f *Frame) seasonal(day float64) bool { return f.span(day) >= 500 }

func (f *Frame) awake(e *expert, day float64) bool { return f.span(day) >= e.Spec.Archive }

// Update takes in the observations of archived cases: obs[i] in working space,
// NaN when missing. p is the prediction that was made of them, not Ready when
// there was none. Calls are in ascending order of c.Day.
func (f *Frame) Update(s *Stations, c *Cases, obs []float32, p *Prediction) error {
	if len(obs) != c.Len() {
		panic("frame: observations and cases differ in number")
	}
	sum := make([]Summary, c.Len())
	var rows int
	for i := range sum {
		sum[i] = Summarise(c.members(i))
		if sum[i].Count > 0 && !isNaN(obs[i]) {
			rows++
		}
	}
	if rows == 0 {
		return nil
	}
	if f.Experts == nil && f.Censored == nil {
		f.start(s, c, sum)
	}
	gap := 0.0
	if f.Days > 0 {
		gap = c.Day - f.Last
		if gap < 0 {
			return fmt.Errorf("frame: day %.2f comes after day %.2f: updates must ascend", c.Day, f.Last)
		}
	} else {
		f.First = c.Day
	}
	if f.Days == 0 || gap > 0 {
		f.Days++
	}
	f.Last = c.Day
	switch {
	case f.Censored != nil:
		f.updateCensored(s, c, obs, p, gap)
	case p != nil && p.Ready:
		f.learnFrom(s, c, obs, p, gap)
	default:
		f.ageScale(gap)
	}
	for k := range f.Experts { // a censored frame has none
		f.Experts[k].take(f, s, c, sum, obs, p, gap, k)
	}
	f.remember(s, c, sum, obs, p)
	return nil
}

func isNaN(x float32) bool { return x != x }

func (f *Frame) start(s *Stations, c *Cases, sum []Summary) {
	n := 0
	for _, v := range sum {
		if v.Count > 0 {
			f.Centre += v.Mean
			n++
		}
	}
	f.Centre /= float64(n)
	position := s.Len() >= positionPlaces
	for _, spec := range f.Options.Experts {
		d := design{Each: !f.Options.Exchangeable, Members: c.Members, Position: position, Season: spec.Season, Past: spec.Past, Before: spec.Before}
		e := expert{Spec: spec, Design: d, Moments: newMoments(d.len())}
		if spec.Smooth {
			e.Smooth = &smooth{}
		}
		f.Experts = append(f.Experts, e)
	}
}

// take adds the rows of one day to the expert's sums.
func (e *expert) take(f *Frame, s *Stations, c *Cases, sum []Summary, obs []float32, p *Prediction, gap float64, k int) {
	e.age(gap)
	e.grow(s.Len())
	if e.Moments.Days == 0 || gap > 0 {
		e.Moments.Days++
	}
	np := e.Design.len()
	x, row := make([]float64, np), make([]float64, np+2)
	spoke := p != nil && p.Ready && p.Expert[k] != nil
	for i := range sum {
		if sum[i].Count == 0 || isNaN(obs[i]) {
			continue
		}
		y, st := p.cut(i, obs[i]), c.Station[i]
		x = e.Design.fill(x, c, i, sum[i], f.Centre, s, p.known(i))
		e.Moments.add(x, y-f.Centre, row)
		if e.Smooth != nil {
			e.Smooth.add(c.Day, x, y-f.Centre, st)
		}
		e.Count[st]++
		e.Y[st] += y - f.Centre
		for j, v := range x {
			e.X[st*np+j] += v
		}
		if spoke && e.Spec.RecentMemory > 0 {
			e.RecentCount[st]++
			e.RecentSum[st] += y - float64(p.ExpertBase[k][i])
		}
	}
	if e.Smooth != nil {
		e.Smooth.Rows.thin(smoothRows)
	}
}

// cut is the observation of case i within trainClip scales of what was predicted.
func (p *Prediction) cut(i int, obs float32) float64 {
	if p == nil || !p.Ready {
		return float64(obs)
	}
	half := trainClip * float64(p.Sigma[i])
	return math.Min(math.Max(float64(obs), float64(p.Mu[i])-half), float64(p.Mu[i])+half)
}

func (f *Frame) ageScale(gap float64) {
	d := decay(gap, f.Options.ScaleMemory)
	scale(f.Square, d)
	scale(f.Count, d)
	slow := decay(gap, regretMemory)
	f.Error *= slow
	f.ErrorDays *= slow
	for k := range f.Experts {
		f.Experts[k].Regret *= slow
	}
}

// learnFrom takes the archived residuals into scale and weights.
func (f *Frame) learnFrom(s *Stations, c *Cases, obs []float32, p *Prediction, gap float64) {
	f.ageScale(gap)
	mature := f.Days > matureDays && p.Grown
	for len(f.Square) < s.Len() {
		f.Square = append(f.Square, 0)
		f.Count = append(f.Count, 0)
	}
	loss := make([]float64, len(f.Experts))
	var own, n float64
	for i, y := range obs {
		if isNaN(y) || isNaN(p.Mu[i]) {
			continue
		}
		r := float64(y) - float64(p.Mu[i])
		half := residualClip * float64(p.Sigma[i])
		r = math.Min(math.Max(r, -half), half)
		own += math.Min(math.Abs(float64(y)-float64(p.Mu[i])), half)
		n++
		for k := range loss {
			if p.Expert[k] != nil {
				loss[k] += math.Min(math.Abs(float64(y)-float64(p.Expert[k][i])), half)
			}
		}
		if !mature {
			continue
		}
		st := c.Station[i]
		f.Square[st] += r * r
		f.Count[st]++
		f.Rows.add(c.Day, st, scaleRow{Day: c.Day, Residual: float32(r), Station: p.StationLog[i], Spread: p.SpreadLog[i]})
		f.Fresh++
	}
	f.Rows.thin(f.Options.ScaleRows)
	if own == 0 {
		return
	}
	f.Error += own / n
	f.ErrorDays++
	usual := n * f.Error / f.ErrorDays
	for k := range loss {
		if p.Expert[k] != nil {
			f.Experts[k].Regret += (own - loss[k]) / usual
		}
	}
}

// memory of the scale [days] after so many days of archive.
func (f *Frame) scaleMemory(day float64) float64 {
	return math.Max(f.Options.ScaleMemory, f.span(day)/4)
}

// Predict returns the distribution of new cases. It may refit the scale, so it
// belongs to the frame's sequence of calls like Update.
func (f *Frame) Predict(s *Stations, c *Cases) (*Prediction, error) {
	if f.Censored != nil {
		return f.predictCensored(s, c)
	}
	p := &Prediction{Known: f.known(c)}
	var rows float64
	for k := range f.Experts {
		rows = math.Max(rows, f.Experts[k].Moments.rows())
	}
	if f.Days < minDays || rows < minRows {
		return p, nil
	}
	n := c.Len()
	var awake []int
	var best float64 = math.Inf(-1)
	for k := range f.Experts {
		e := &f.Experts[k]
		if !f.awake(e, c.Day) {
			continue
		}
		if !e.Spoke {
			e.Spoke, e.Regret = true, 0
		}
		if err := e.prepare(s, math.Max(0, c.Cycle-f.Last)); err != nil {
			return nil, fmt.Errorf("expert %q: %w", e.Spec.Name, err)
		}
		awake = append(awake, k)
		best = math.Max(best, e.Regret)
	}
	p.Weights = make([]float64, len(f.Experts))
	p.Expert = make([][]float32, len(f.Experts))
	p.ExpertBase = make([][]float32, len(f.Experts))
	var total, variance float64
	for _, k := range awake {
		w := math.Exp(f.Options.Learning * (f.Experts[k].Regret - best))
		p.Weights[k] = w
		total += w
	}
	for _, k := range awake {
		p.Weights[k] /= total
		variance += p.Weights[k] * f.Experts[k].expectedVariance()
		p.Expert[k] = make([]float32, n)
		if f.Experts[k].Spec.RecentMemory > 0 {
			p.ExpertBase[k] = make([]float32, n)
		}
	}
	for k := range f.Experts {
		p.ExpertNames = append(p.ExpertNames, f.Experts[k].Spec.Name)
	}
	f.refitScale(c.Day)
	level := f.level(variance)
	p.Mu, p.Sigma = make([]float32, n), make([]float32, n)
	p.StationLog, p.SpreadLog = make([]float32, n), make([]float32, n)
	var x []float64
	for i := range n {
		sum := Summarise(c.members(i))
		if sum.Count == 0 {
			nan := float32(math.NaN())
			p.Mu[i], p.Sigma[i] = nan, nan
			continue
		}
		var mu float64
		for _, k := range awake {
			e := &f.Experts[k]
			if x == nil || len(x) != e.Design.len() {
				x = make([]float64, e.Design.len())
			}
			x = e.Design.fill(x, c, i, sum, f.Centre, s, p.Known[i])
			base, full := e.at(x, c.Station[i])
			p.Expert[k][i] = float32(full + f.Centre)
			if p.ExpertBase[k] != nil {
				p.ExpertBase[k][i] = float32(base + f.Centre)
			}
			mu += p.Weights[k] * (full + f.Centre)
		}
		var unknown float64 // variance of the error that residuals of other places do not have
		for _, k := range awake {
			unknown += p.Weights[k] * f.Experts[k].unknown[c.Station[i]]
		}
		station := f.stationScale(c.Station[i], level)
		spread := math.Log(sum.SD + spreadFloor*math.Sqrt(level))
		p.Mu[i] = float32(mu)
		p.StationLog[i], p.SpreadLog[i] = float32(math.Log(station)), float32(spread)
		p.Sigma[i] = float32(math.Hypot(f.sigma(station, spread, c.Day), math.Sqrt(unknown)))
	}
	p.Ready, p.Days, p.Grown = true, f.Days, rows >= scaled
	return p, nil
}

// level is the mean squared archived residual over stations, or the variance of
// the regression's residual before there is any.
func (f *Frame) level(variance float64) float64 {
	var sq, n float64
	for i := range f.Square {
		sq += f.Square[i]
		n += f.Count[i]
	}
	if n < scaled {
		return (sq + variance*(scaled-n)) / scaled
	}
	return sq / n
}

func (f *Frame) stationScale(st int, level float64) float64 {
	if st >= len(f.Square) {
		return math.Sqrt(level)
	}
	return math.Sqrt((f.Square[st] + pseudoRows*level) / (f.Count[st] + pseudoRows))
}

func (f *Frame) sigma(station, spread, day float64) float64 {
	if f.Scale.A == nil {
		return station
	}
	return f.Scale.at(math.Log(station), spread, day)
}

// refitScale fits the scale again when the rows have grown by a fiftieth.
func (f *Frame) refitScale(day float64) {
	if f.Rows.Seen < scaled || f.Fresh*50 < f.Rows.Seen {
		return
	}
	f.Scale = fitScale(&f.Rows, day, f.scaleMemory(day), f.seasonal(day))
	f.Fresh = 0
}
