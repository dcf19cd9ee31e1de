package score

import "math"

// Sums gathers scores over cases. Sums of two sets of cases add up (Merge), so
// figures are formed from them after all cases are in, never averaged.
type Sums struct {
	Cases        int // with an observation and a forecast
	CRPS         float64
	Error        float64 // forecast mean - observation
	SquaredError float64
	Absolute     float64 // |forecast median - observation|

	// Compared is the CRPS that skill is computed from, of Comparable cases: the fair one of
	// independent members, that of dependent ones as they are.
	Compared   float64
	Comparable int

	Spreads  int     // cases with a fair CRPS and a variance: two members or more
	FairCRPS float64 // over those
	Variance float64 // unbiased
	Inflated float64 // variance (M+1)/M, the expected squared error of a reliable ensemble's mean

	Covered int     // observations within the central interval
	Width   float64 // of the interval
	Nominal float64 // its coverage: the level asked for, or (M-1)/(M+1) when M is too small for it

	Ranks  []int       // observations by rank, or by PIT
	Events []EventSums // one for each threshold
}

// EventSums are those of the event that the variable exceeds a threshold, over Cases,
// Spreads, and Comparable cases.
type EventSums struct{ Brier, FairBrier, Compared float64 }

// newSums has the histogram and events of the options.
func newSums(o Options) *Sums {
	return &Sums{Ranks: make([]int, o.Ranks), Events: make([]EventSums, len(o.Thresholds))}
}

// Merge adds the sums of other cases with the same options.
func (s *Sums) Merge(o *Sums) {
	s.Cases += o.Cases
	s.CRPS += o.CRPS
	s.Error += o.Error
	s.SquaredError += o.SquaredError
	s.Absolute += o.Absolute
	s.Compared += o.Compared
	s.Comparable += o.Comparable
	s.Spreads += o.Spreads
	s.FairCRPS += o.FairCRPS
	s.Variance += o.Variance
	s.Inflated += o.Inflated
	s.Covered += o.Covered
	s.Width += o.Width
	s.Nominal += o.Nominal
	for i, n := range o.Ranks {
		s.Ranks[i] += n
	}
	for i, e := range o.Events {
		s.Events[i].Brier += e.Brier
		s.Events[i].FairBrier += e.FairBrier
		s.Events[i].Compared += e.Compared
	}
}

// Summary holds the figures formed from sums, with the names of the JSON report.
type Summary struct {
	Cases int `json:"cases"`
	// CRPS of the members as they are, CRPSFair of the distribution that they are
	// independent draws of; the same for a forecast that is a distribution.
	CRPS     Number `json:"crps"`
	CRPSFair Number `json:"crps_fair"`
	Spread   Number `json:"spread"` // √(mean variance), divisor M-1
	RMSE     Number `json:"rmse"`   // of the ensemble mean
	// SpreadError is √(mean (M+1)/M variance) / RMSE, 1 for a reliable ensemble.
	SpreadError   Number `json:"spread_error"`
	Bias          Number `json:"bias"` // forecast mean - observation
	MAE           Number `json:"mae"`  // of the median
	Coverage      Number `json:"coverage"`
	Nominal       Number `json:"coverage_nominal"` // what Coverage should be
	Width         Number `json:"width"`            // of the interval
	RankHistogram []int  `json:"rank_histogram,omitempty"`
}

// Summary forms the figures; those of no case are NaN.
func (s *Sums) Summary() Summary {
	n, k := float64(s.Cases), float64(s.Spreads)
	rmse := math.Sqrt(s.SquaredError / n)
	return Summary{
		Cases:         s.Cases,
		CRPS:          Number(s.CRPS / n),
		CRPSFair:      Number(s.FairCRPS / k),
		Spread:        Number(math.Sqrt(s.Variance / k)),
		RMSE:          Number(rmse),
		SpreadError:   Number(math.Sqrt(s.Inflated/k) / rmse),
		Bias:          Number(s.Error / n),
		MAE:           Number(s.Absolute / n),
		Coverage:      Number(float64(s.Covered) / n),
		Nominal:       Number(s.Nominal / n),
		Width:         Number(s.Width / n),
		RankHistogram: s.Ranks,
	}
}
