package pipeline

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"time"

	"sipipe/calibrate"
	"sipipe/calibrate/score"
	"sipipe/export"
	"sipipe/ingest"
)

// The systems of a verification, from the least to the most processed.
const (
	systemRaw        = "raw"
	systemEMOS       = "emos"
	systemFeatured   = "emos_features"
	systemBMA        = "bma"
	systemFrame      = "frame"
	systemCalibrated = "calibrated"
)

// systems are those that are compared.
func systems() []string {
	return []string{systemRaw, systemEMOS, systemFeatured, systemBMA, systemFrame, systemCalibrated}
}

// thresholds of the events whose probabilities are scored, by units of the variable.
func thresholds(v ingest.Variable) []float64 {
	switch v.Units {
	case "K":
		return []float64{273.15, 298.15}
	case "kg m-2":
		return []float64{0.1, 1, 5, 10, 20}
	case "m s-1":
		return []float64{10, 15, 20}
	}
	return nil
}

// verification gathers the scores of one variable.
type verification struct {
	*workspace
	variable string
	history  *calibrate.History
	past     *pastRows
	scored   func(station string) bool
	quarters quarters
	systems  []score.System
	scores   *score.Comparison
	vectors  *vectors
	gallery  gallery
	products int // cycles with a product
}

// verify scores the products of cycles, variable by variable; with only, at withheld
// stations alone.
func (w *workspace) verify(ctx context.Context, cycles []time.Time, only bool) (*VerifyReport, error) {
	r := &VerifyReport{
		From: formatDay(cycles[0]), To: formatDay(cycles[len(cycles)-1]),
		config: w.Hash, version: w.global.Build.Version,
	}
	var err error
	if r.Coverage, err = w.coverage(ctx, cycles); err != nil {
		return nil, err
	}
	r.command = fmt.Sprintf("sipipe verify --from %s --to %s", r.From, r.To)
	report, stop := w.progress.Start("verifying")
	defer stop()
	withheld, err := newWithheld(w.Calibrate.Withhold, w.Calibrate.Seed)
	if err != nil {
		return nil, err
	}
	for k, v := range w.Variables {
		h, err := w.history(v)
		if err != nil {
			return nil, err
		}
		scored := func(string) bool { return true }
		if only {
			if scored, err = withheld.of(w.archive, v); err != nil {
				return nil, err
			}
		}
		ver := &verification{workspace: w, variable: v, history: h, scored: scored, past: newPastRows(w, v)}
		ver.vectors = newVectors(ver)
		for i, c := range cycles {
			report(k*len(cycles)+i, len(w.Variables)*len(cycles))
			if err := ver.add(ctx, c); err != nil {
				return nil, fmt.Errorf("verify %s of cycle %s: %w", v, formatCycle(c), err)
			}
		}
		if ver.products == 0 {
			return nil, &NoProductError{Variable: v, From: cycles[0], To: cycles[len(cycles)-1], Path: w.Export.Path}
		}
		if ver.scores == nil {
			return nil, &NoObservationError{Variable: v, From: cycles[0], To: cycles[len(cycles)-1], Observations: w.Ingest.Observations}
		}
		bootstrap := score.Bootstrap{Seed: w.Calibrate.Seed}
		s, err := ver.scores.Report(score.ReportOptions{Target: systemCalibrated, Bootstrap: bootstrap})
		if err != nil {
			return nil, err
		}
		s.Dependence = ver.vectors.report(bootstrap)
		s.From, s.To = r.From, r.To
		page, err := ver.page(s, w.Calibrate.Draw == string(calibrate.DrawStratified))
		if err != nil {
			return nil, err
		}
		r.add(v, s, page)
	}
	return r, nil
}

// NoProductError says that there is nothing to verify.
type NoProductError struct {
	Variable, Path string
	From, To       time.Time
}

func (e *NoProductError) Error() string {
	return fmt.Sprintf("no product of %s from %s to %s in %s; make them with sipipe backfill --from %s --to %s",
		e.Variable, formatDay(e.From), formatDay(e.To), e.Path, formatDay(e.From), formatDay(e.To))
}

// Is makes it an input that is missing.
func (e *NoProductError) Is(target error) bool { return target == fs.ErrNotExist }

// NoObservationError says that nothing can be verified yet.
type NoObservationError struct {
	Variable, Observations string
	From, To               time.Time
}

func (e *NoObservationError) Error() string {
	return fmt.Sprintf("no observation of %s matches a product from %s to %s; check ingest.observations (%s) and wait for the valid times to pass",
		e.Variable, formatDay(e.From), formatDay(e.To), e.Observations)
}

// Is makes it an input that is missing.
func (e *NoObservationError) Is(target error) bool { return target == fs.ErrNotExist }

func formatDay(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// dayNumber counts days since 1970-01-01, as scores do.
func dayNumber(t time.Time) int { return int(math.Floor(float64(t.Unix()) / 86400)) }

// add scores the product of one cycle; a cycle without product is passed over.
func (v *verification) add(ctx context.Context, cycle time.Time) error {
	path, err := v.product(cycle)
	if err != nil {
		return err
	}
	m, err := ReadManifest(path)
	if err != nil {
		v.log.Debug().Str("cycle", formatCycle(cycle)).Msg("no complete product")
		return nil
	}
	if m.ForecastCycle != nil {
		v.log.Debug().Str("cycle", formatCycle(cycle)).Msg("its product is made from an earlier forecast")
		return nil
	}
	product, err := export.Read(ctx, path)
	if err != nil {
		return err
	}
	raw, err := v.archive.Ensemble(ctx, v.variable, cycle)
	if err != nil {
		return err
	}
	v.warnUnknown(raw)
	k := slices.IndexFunc(product.Vars, func(e *ingest.Ensemble) bool { return e.Variable.Name == raw.Variable.Name })
	if k < 0 {
		return nil
	}
	v.products++
	archived, err := v.history.At(ctx, cycle, nil)
	if err != nil {
		return err
	}
	for l, lead := range raw.Leads {
		obs, err := v.archive.Observed(ctx, v.variable, cycle.Add(lead))
		if err != nil {
			return err
		}
		if obs == nil {
			continue
		}
		if err := v.addLead(ctx, raw, product.Vars[k], archived, obs, l); err != nil {
			return err
		}
	}
	return v.vectors.finish(ctx, raw)
}

// addLead scores one lead time of a cycle.
func (v *verification) addLead(ctx context.Context, raw, calibrated *ingest.Ensemble, archived *calibrate.Archived, obs *ingest.Observed, l int) error {
	lead := raw.Leads[l]
	cl, found := slices.BinarySearch(calibrated.Leads, lead)
	if !found {
		return nil
	}
	place := map[string]int{}
	for i, id := range calibrated.Places.ID {
		place[id] = i
	}
	if v.scores == nil {
		v.gallery.variable = raw.Variable
		o := func(members int, dependent bool) score.Options {
			return score.Options{Ranks: members + 1, Thresholds: thresholds(raw.Variable), Dependent: dependent, Seed: v.Calibrate.Seed}
		}
		for _, name := range systems() {
			s := score.System{Name: name, Options: o(len(raw.Members), false)}
			if name == systemCalibrated {
				s.Options = o(len(calibrated.Members), v.Calibrate.Draw == string(calibrate.DrawStratified))
			}
			v.systems = append(v.systems, s)
		}
		v.scores = score.NewComparison(v.systems)
		v.quarters = newQuarters(raw.Places)
	}
	past, err := v.past.fit(ctx, raw, lead)
	if err != nil {
		return err
	}
	w := calibrate.WorkingSpace(raw.Variable)
	valid := raw.Cycle.Add(lead)
	day := dayNumber(valid)
	for i, id := range raw.Places.ID {
		at, ok := slices.BinarySearch(obs.ID, id)
		j, there := place[id]
		if !ok || !there || !v.scored(id) {
			continue
		}
		members := raw.At(l, i)
		e, featured, b := past.predict(id, members, day)
		y := float64(obs.Values[at])
		var forecasts []score.Forecast
		for _, s := range v.systems {
			var f score.Forecast
			switch s.Name {
			case systemRaw:
				f.Members = members
			case systemEMOS:
				f = distributionOr(e, members)
			case systemFeatured:
				f = distributionOr(featured, members)
			case systemBMA:
				f = distributionOr(b, members)
			case systemFrame:
				f = distributionOr(w.Distribution(archived.Lead[l], i), members)
			case systemCalibrated:
				f.Members = calibrated.At(cl, j)
				f.Independent = ingest.HandedOn(f.Members, members)
			}
			forecasts = append(forecasts, f)
		}
		added := v.scores.Add(score.Case{Day: day, Lead: lead, Station: id, Region: v.quarters.of(raw.Places, i)}, y, forecasts)
		if added {
			v.gallery.take(raw.Places, i, lead, raw.Cycle, members, calibrated.At(cl, j), y)
			v.vectors.cycle = append(v.vectors.cycle, component{i, l, members, calibrated.At(cl, j), e, y})
		}
	}
	return nil
}

// quarters divide the stations by the medians of latitude and longitude.
type quarters struct{ latitude, longitude float64 }

// leastQuartered is the fewest stations that are divided.
const leastQuartered = 20

func newQuarters(p *ingest.Places) quarters {
	if p.Len() < leastQuartered {
		return quarters{math.NaN(), math.NaN()}
	}
	return quarters{score.Median(p.Latitude), score.Median(p.Longitude)}
}

// of names the region of a place.
func (q quarters) of(p *ingest.Places, i int) string {
	if math.IsNaN(q.latitude) {
		return "whole"
	}
	name := [2]string{"south", "north"}
	side := [2]string{"west", "east"}
	at := func(x, middle float64) int {
		if x < middle {
			return 0
		}
		return 1
	}
	return name[at(p.Latitude[i], q.latitude)] + "-" + side[at(p.Longitude[i], q.longitude)]
}

// distributionOr falls back to the raw members where a system has no forecast yet,
// as a service would.
func distributionOr(d score.Distribution, members []float32) score.Forecast {
	if d == nil {
		return score.Forecast{Members: members}
	}
	return score.Forecast{Distribution: d}
}
