package simulate

import (
	"context"
	"math"
	"path/filepath"

	"sipipe/ingest/ncio"
)

// truthFile, in the folder of the archive, holds what is behind the data. It
// also marks the folder as a simulated archive.
const truthFile = "truth.nc"

// writeTruth writes truthFile: the slow variables of the truth, standardised, the
// weights that turn them into the signals p and q at a place, the constants of
// every variable, and in attributes the formulas. For Kind Gaussian it adds the
// distribution of the true signal given the mean of the raw members' signals,
// and the lowest CRPS that any forecast made from one raw ensemble can have.
func (a *archive) writeTruth(ctx context.Context) error {
	var s sheet
	s.attrs = append(a.attrs("Truth behind a simulated archive", "written"),
		text("signals", "p(time, station) = sum over ring, slot of weight_p * slow, q likewise with weight_q; z, z1, z2 ~ N(0, 1)"))
	times, n := a.ticks(), a.Len()
	s.dim("time", len(times))
	s.dim("ring", rings)
	s.dim("slot", slots)
	s.dim("station", n)
	s.dim("strlen", longest(a.ID))
	s.add("time", []string{"time"}, seconds(times),
		text("standard_name", "time"), text("units", epochUnits), text("calendar", "standard"))
	s.add("slow", []string{"time", "ring", "slot"}, a.slowStates(),
		text("long_name", "slow variables of the truth, standardised"), text("units", "1"))
	a.addSites(&s)
	station := []string{"station"}
	for _, q := range a.quantities {
		for _, c := range q.known() {
			s.add(c.name, station, c.values, text("long_name", c.meaning), text("units", c.units))
		}
		s.attrs = append(s.attrs, text("map_"+q.variable().Name, q.maps()))
	}
	if m, ok := a.atmosphere.(*martingale); ok {
		a.addConditional(&s, m)
	} else {
		s.attrs = append(s.attrs, ncio.Attr{Name: "analysis_error", Value: []float64{analysisError / climateSD}})
	}
	s.attrs = append(s.attrs, ncio.Attr{Name: "dispersion", Value: []float64{dispersion}})
	path := filepath.Join(a.Dir, truthFile)
	return pathError(path, ncio.WriteAtomic(ctx, path, s.write))
}

// slowStates is the truth at all ticks, [time, ring, slot].
func (a *archive) slowStates() []float64 {
	var x []float64
	for _, t := range a.ticks() {
		truth := a.truth(t)
		for ring := range rings {
			x = append(x, truth[ring][:]...)
		}
	}
	return x
}

// addSites adds the places and their weights, [station, ring, slot].
func (a *archive) addSites(s *sheet) {
	n := a.Len()
	station := []string{"station"}
	s.add("station_id", []string{"station", "strlen"}, a.ID, text("cf_role", "timeseries_id"))
	s.add("latitude", station, a.Latitude, text("standard_name", "latitude"), text("units", "degrees_north"))
	s.add("longitude", station, a.Longitude, text("standard_name", "longitude"), text("units", "degrees_east"))
	s.add("altitude", station, a.Altitude, text("standard_name", "surface_altitude"), text("units", "m"))
	s.add("model_altitude", station, a.ModelAltitude, text("long_name", "height of the raw model's ground"), text("units", "m"))
	p, q := make([]float32, n*rings*slots), make([]float32, n*rings*slots)
	for i := range a.site {
		at := &a.site[i]
		for ring := range rings {
			for j, k := range at.slot {
				p[(i*rings+ring)*slots+k] = float32(at.p[ring][j])
				q[(i*rings+ring)*slots+k] = float32(at.q[ring][j])
			}
		}
	}
	dims := []string{"station", "ring", "slot"}
	s.add("weight_p", dims, p, text("long_name", "weights of the first signal"), text("units", "1"))
	s.add("weight_q", dims, q, text("long_name", "weights of the second signal"), text("units", "1"))
}

// addConditional adds what is exactly known in Kind Gaussian.
func (a *archive) addConditional(s *sheet, m *martingale) {
	hours, weight, variance := make([]float64, len(a.leads)), make([]float64, len(a.leads)), make([]float64, len(a.leads))
	for i, lead := range a.leads {
		hours[i] = lead.Hours()
		weight[i], variance[i] = m.conditional(lead, a.Members)
	}
	s.dim("step", len(hours))
	step := []string{"step"}
	s.add("step", step, hours, text("standard_name", "forecast_period"), text("units", "hours"))
	s.add("signal_weight", step, weight, text("units", "1"),
		text("long_name", "mean of the true signal given the mean of the raw members' signals, over the latter"))
	s.add("signal_variance", step, variance, text("units", "1"),
		text("long_name", "variance of the true signal given the mean of the raw members' signals"))
	for _, q := range a.quantities {
		t, ok := q.(*temperature)
		if !ok {
			continue
		}
		sd := make([]float64, 0, len(hours)*a.Len())
		crps := make([]float64, 0, len(hours)*a.Len())
		for _, v := range variance {
			for _, noise := range t.noise {
				total := math.Sqrt(temperatureAmplitude*temperatureAmplitude*v + noise*noise)
				sd = append(sd, total)
				crps = append(crps, total/math.Sqrt(math.Pi))
			}
		}
		dims := []string{"step", "station"}
		s.add("t2m_conditional_sd", dims, sd, text("units", "K"),
			text("long_name", "standard deviation of the observation given the raw ensemble"))
		s.add("t2m_optimal_crps", dims, crps, text("units", "K"),
			text("long_name", "expected CRPS of the true conditional distribution: conditional_sd / sqrt(pi)"))
	}
}
