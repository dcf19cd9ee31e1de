package main

import "math"

// slope of an axis: the power of the size with which each quantity grows, between the
// two largest sizes, where fixed costs count least.
type slope struct {
	Axis      string  `json:"axis"`
	DailyCPU  float64 `json:"daily_cpu"`
	DailyPeak float64 `json:"daily_peak"`
	ColdCPU   float64 `json:"cold_cpu"`
	ColdPeak  float64 `json:"cold_peak"`
}

// along is the size of a point along its axis.
func (p *point) along() float64 {
	switch p.Axis {
	case "stations":
		return float64(p.Stations)
	case "members":
		return float64(p.Members)
	case "leads":
		return float64(p.Leads)
	}
	return float64(p.Days)
}

// slopes of the axes, whose points follow each other in ascending order.
func slopes(points []point) []slope {
	var all []slope
	for i := range points {
		if i == 0 || i+1 < len(points) && points[i+1].Axis == points[i].Axis || points[i-1].Axis != points[i].Axis {
			continue
		}
		a, b := &points[i-1], &points[i]
		power := func(y func(*point) float64) float64 {
			return math.Log(y(b)/y(a)) / math.Log(b.along()/a.along())
		}
		all = append(all, slope{
			Axis:      b.Axis,
			DailyCPU:  power(func(p *point) float64 { return p.Daily.CPU }),
			DailyPeak: power(func(p *point) float64 { return p.Daily.Peak }),
			ColdCPU:   power(func(p *point) float64 { return p.Cold.CPU }),
			ColdPeak:  power(func(p *point) float64 { return p.Cold.Peak }),
		})
	}
	return all
}
