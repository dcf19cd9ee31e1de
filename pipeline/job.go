package pipeline

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"sipipe/export"
	"sipipe/ingest"
)

// job is the work of one cycle. Its fields are what stages hand to each other.
type job struct {
	*workspace
	log     zerolog.Logger
	cycle   time.Time // of the product
	product string
	begun   bool // the product is being made: what degrades it is news

	forecast time.Time // cycle of the forecast it is made from: cycle, or an earlier one; of the ingest stage
	instead  string    // why it is an earlier one; of the ingest stage
	exact    bool      // no earlier one will do

	draw drawing // how members come about

	raw        []*ingest.Ensemble // by variable, as configured; of the ingest stage
	calibrated []*ingest.Ensemble // by variable; of the sample stage
	fallbacks  map[string]string  // kind by name of a variable; of the sample stage
	choices    map[string]string  // why its model is what it is; of the sample stage

	doubted     map[string]int         // places whose calibrated members are not plausible, by name of a variable; of the check stage
	ages        map[string]VariableAge // by name of a variable; of the sample stage
	implausible []string               // names of variables that were let pass; of the ingest and check stages
	leftOut     map[string]float64     // share of the latest observations that is not plausible, by name of a variable; of the sample stage
	provenance  export.Provenance
}

// jobOptions say which part of a job to do.
type jobOptions struct {
	Train  bool // make models
	Sample bool // make the product
	Force  bool // also when the product is there and valid
	Exact  bool // do not take an earlier forecast, whatever operations.on_missing says
	Merge  bool // take members from shards
	Shards int  // with Merge: their number; 0: there are none
}

// Outcome is what became of a job.
type Outcome struct {
	Cycle    time.Time `json:"cycle"`
	Product  string    `json:"product"`
	Manifest string    `json:"manifest"`
	Status   string    `json:"status"`
	Reasons  []string  `json:"reasons,omitempty"`
	Skipped  bool      `json:"skipped"` // it was there and valid
}

func (w *workspace) newJob(cycle time.Time, product string) *job {
	return &job{workspace: w, log: w.log.With().Str("cycle", formatCycle(cycle)).Logger(), cycle: cycle, forecast: cycle, product: product, draw: drawAll}
}

// run does the job of one cycle.
func (w *workspace) run(ctx context.Context, cycle time.Time, o jobOptions) (*Outcome, error) {
	product, err := w.product(cycle)
	if err != nil {
		return nil, err
	}
	j := w.newJob(cycle, product)
	j.exact = o.Exact || !o.Sample
	if w.ahead(cycle) {
		j.log.Warn().Msg("this cycle is ahead of the clock: metrics do not tell of it, and it is not the latest")
	}
	out := &Outcome{Cycle: cycle, Product: product, Manifest: manifestPath(product)}
	fail := func(err error) (*Outcome, error) { return nil, fmt.Errorf("cycle %s: %w", formatCycle(cycle), err) }

	records, err := j.do(ctx, j.ingestStage())
	if err != nil {
		return fail(err)
	}
	if !o.Sample {
		if _, err := j.do(ctx, j.trainStage()); err != nil {
			return fail(err)
		}
		return out, nil
	}
	for _, path := range []string{product, manifestPath(product)} {
		if err := sweepUnfinished(path); err != nil {
			return fail(err)
		}
	}
	want, err := j.wanted(ctx)
	if err != nil {
		return fail(cause(ctx, err))
	}
	reason := "it is asked for"
	if !o.Force {
		valid, why, err := validProduct(ctx, product, want)
		if err != nil {
			return fail(cause(ctx, err))
		}
		if valid {
			m, err := ReadManifest(product)
			if err != nil {
				return fail(err)
			}
			j.log.Info().Str("product", product).Str("status", m.Status).Msg("nothing to do: " + why)
			if err := j.refused(nil); err != nil {
				return fail(err)
			}
			out.Status, out.Reasons, out.Skipped = m.Status, m.Reasons, true
			j.tellLedger(m)
			return out, nil
		}
		reason = why
	}
	j.begin(reason)
	if o.Merge {
		j.draw = j.merging(o.Shards, want)
	}
	var stages []Stage
	if o.Train {
		stages = append(stages, j.trainStage())
	}
	more, err := j.do(ctx, append(stages, j.sampleStage(), j.examineStage(), j.exportStage())...)
	if err := errors.Join(err, j.refused(err)); err != nil {
		return fail(err)
	}
	records = append(records, more...)
	m, err := j.writeManifest(ctx, want, records)
	if err != nil {
		return fail(cause(ctx, err))
	}
	out.Status, out.Reasons = m.Status, m.Reasons
	j.tellLedger(m)
	j.log.Info().Str("product", product).Str("status", m.Status).Msg("cycle done")
	return out, nil
}

// tellLedger notes the product for the metrics. One that is ahead of the clock would be the
// newest for as long, and no alarm of what is missing meanwhile could ring.
func (j *job) tellLedger(m *Manifest) {
	if !j.ahead(j.cycle) {
		j.ledger.product(m)
	}
}

// do runs stages of the job and notes how long they took.
func (j *job) do(ctx context.Context, stages ...Stage) ([]StageRecord, error) {
	records, err := runStages(ctx, j.log, j.global.clock, stages)
	j.ledger.stages(records)
	return records, err
}

// begin tells the log that the product is made, why, and what degrades it so far.
func (j *job) begin(why string) {
	j.log.Info().Str("reason", why).Msg("cycle begins")
	j.begun = true
	known := j.provenance.Degraded
	j.provenance.Degraded = nil
	for _, reason := range known {
		j.degrade(reason)
	}
}

// degrade notes that the product is less than was asked for.
func (j *job) degrade(reason string) {
	j.provenance.Degraded = append(j.provenance.Degraded, reason)
	if j.begun {
		j.log.Warn().Str("reason", reason).Msg("degraded")
	}
}

// command makes the product of this job again. It is the same for a product of run
// and of backfill, since the two do not differ.
func (j *job) command() string {
	return fmt.Sprintf("sipipe run --date %s --cycle %s", j.cycle.UTC().Format(time.DateOnly), j.cycle.UTC().Format("15"))
}

// writeManifest declares the product complete.
func (j *job) writeManifest(ctx context.Context, want Wanted, records []StageRecord) (*Manifest, error) {
	output, err := recordFile(ctx, j.product, filepath.Base(j.product))
	if err != nil {
		return nil, errors.Join(&OutputError{Path: j.product, Err: err}, ctx.Err())
	}
	m := &Manifest{
		Version:      manifestVersion,
		Cycle:        j.cycle,
		Status:       StatusOK,
		Reasons:      j.provenance.Degraded,
		ConfigSHA256: want.ConfigSHA256,
		Archive:      want.Archive,
		Inputs:       want.Inputs,
		Ignored:      j.ignored(),
		Outputs:      []FileRecord{output},
		Variables:    j.counts(),
		Seed:         j.Calibrate.Seed,
		Versions:     versions(j.global.Build),
		Created:      j.global.clock().UTC().Truncate(time.Second),
		PeakMemory:   peakMemory(),
		Stages:       records,
	}
	if len(m.Reasons) > 0 {
		m.Status = StatusDegraded
	}
	if j.previous() {
		m.ForecastCycle = &j.forecast
	}
	at, reproducible, err := sourceDateEpoch()
	if err != nil {
		return nil, err
	}
	if reproducible {
		m.Created, m.PeakMemory, m.Stages = at, 0, nil
	}
	return m, m.Write(j.product)
}

// places is the largest number of places of a variable.
func (j *job) places() int {
	most := 0
	for _, e := range j.raw {
		most = max(most, e.Places.Len())
	}
	return most
}

// ignored are the files that could have been of use for the product and cannot be used:
// of its cycle and earlier ones, the latest first, and those of no cycle that is known.
func (j *job) ignored() []IgnoredFile {
	var all []IgnoredFile
	for _, f := range slices.Backward(j.archive.Faults()) {
		if !f.Cycle.After(j.cycle) && len(all) < maxIgnored {
			all = append(all, ignoredFile(f))
		}
	}
	return all
}

// maxIgnored bounds what a manifest names.
const maxIgnored = 100

// counts describe the variables of the product.
func (j *job) counts() []VariableRecord {
	var records []VariableRecord
	for i, e := range j.calibrated {
		method := j.provenance.Variables[e.Variable.Name]
		missing := 0
		for _, v := range j.raw[i].Values {
			if v != v {
				missing++
			}
		}
		there := membersThere(j.raw[i])
		records = append(records, VariableRecord{
			Name:        e.Variable.Name,
			Method:      method.Name,
			Fallback:    j.fallbacks[e.Variable.Name],
			Suspect:     slices.Contains(j.implausible, e.Variable.Name),
			Doubted:     j.doubted[e.Variable.Name],
			LeftOut:     j.leftOut[e.Variable.Name],
			VariableAge: j.ages[e.Variable.Name],
			Model:       method.ModelSHA256,
			Choice:      j.choices[e.Variable.Name],
			RawMembers:  there,
			RawLacking:  len(j.raw[i].Members) - there,
			Members:     len(e.Members),
			Leads:       len(e.Leads),
			Places:      e.Places.Len(),
			Missing:     missing,
		})
	}
	return records
}
