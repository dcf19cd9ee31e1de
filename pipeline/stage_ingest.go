package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"sipipe/ingest"
)

// openArchive reads what is new in the archive.
func openArchive(ctx context.Context, w *workspace) (archive, error) {
	report, stop := w.progress.Start("reading the archive")
	defer stop()
	interpolation := ingest.Interpolation(w.Ingest.GridToStations)
	if interpolation == "off" {
		interpolation = ingest.NoInterpolation
	}
	a, err := ingest.Open(ctx, ingest.Options{
		Forecasts:     w.Resolve(w.Ingest.Forecasts),
		Observations:  w.Resolve(w.Ingest.Observations),
		Variables:     w.Variables,
		Root:          w.Root,
		Store:         w.store,
		Dims:          w.Ingest.Dimensions,
		Units:         w.Ingest.Units,
		ObservedNames: w.Ingest.ObservedNames,
		ObservedUnits: w.Ingest.ObservedUnits,
		Interpolation: interpolation,
		CacheBytes:    w.Operations.Memory * 1e6 / 8,
		Screen:        w.Ingest.Implausible != implausibleWarn,
		Progress:      func(p ingest.Progress) { report(p.Done, p.Total) },
	})
	if err != nil {
		return nil, err
	}
	if err := w.warn(a); err != nil {
		return nil, err
	}
	return newScreenedArchive(a, w.log, openNotices(w.store, "observations", !w.access.reads()), w.Variables), nil
}

// warned is how many files that cannot be used are named; the rest are counted.
const warned = 20

// warn names the files of the archive that are left out, since what is learned without
// them is not what it could be. Those that earlier runs have named are only counted.
func (w *workspace) warn(a *ingest.Archive) error {
	faults := a.Faults()
	w.ledger.archive(len(faults))
	notices := openNotices(w.store, "files", !w.access.reads())
	now := map[string]bool{}
	fresh := 0
	for _, f := range faults {
		what := f.Variable + ": " + f.Err.Error()
		now[what] = true
		e := w.log.Debug()
		if !notices.known[what] {
			if fresh++; fresh <= warned {
				e = w.log.Warn()
			}
		}
		if !f.Cycle.IsZero() {
			e = e.Str("cycle", formatCycle(f.Cycle))
		}
		e.Str("file", f.Path).Str("variable", f.Variable).Msg("left out: " + f.Err.Error())
	}
	if fresh > warned {
		w.log.Warn().Int("files", fresh-warned).Msg("more files of the archive cannot be used; -v names them")
	}
	if known := len(faults) - fresh; known > 0 && !w.access.reads() {
		w.log.Info().Int("files", known).Msg("files and cycles of the archive are left out as before; -v names them")
	}
	if err := notices.keep(now); err != nil {
		return err
	}
	if err := a.NoObservations(); err != nil {
		w.log.Warn().Msg(err.Error())
	}
	for _, note := range a.Notes() {
		w.log.Debug().Msg(note)
	}
	return nil
}

// ingestStage reads the raw forecast of each variable.
func (j *job) ingestStage() Stage {
	return Stage{Name: "ingest", Run: func(ctx context.Context) error {
		err := j.read(ctx, j.cycle)
		if err != nil && j.Operations.OnMissing == onMissingPrevious && !j.exact && lacksInput(err) {
			return j.readPrevious(ctx, err)
		}
		return err
	}}
}

// read reads the raw forecast of a cycle.
func (j *job) read(ctx context.Context, cycle time.Time) error {
	j.forecast, j.raw, j.implausible, j.provenance.Degraded = cycle, nil, nil, nil
	for _, v := range j.Variables {
		e, err := j.archive.Ensemble(ctx, v, cycle)
		if err != nil {
			return j.withOthers(v, cycle, err)
		}
		if n := membersThere(e); n < j.Operations.MinMembers {
			return &ingest.UnusableError{
				Path:   e.Source.Path,
				Var:    v,
				Why:    fmt.Sprintf("%d of %d members have values, %d are needed", n, len(e.Members), j.Operations.MinMembers),
				Remedy: "wait for the rest of the forecast, or lower operations.min_members",
			}
		}
		for _, warning := range j.archive.Warnings(v, cycle) {
			j.log.Warn().Str("variable", v).Str("file", e.Source.Path).Msg(warning)
		}
		j.warnUnknown(e)
		if why := j.archive.Doubt(v, cycle); why != "" {
			j.degrade(e.Variable.Name + ": the raw forecast is not plausible: " + why)
			if j.Ingest.Implausible == implausibleWarn {
				j.implausible = append(j.implausible, e.Variable.Name)
			}
		}
		j.raw = append(j.raw, e)
	}
	return nil
}

// withOthers adds to why a variable has no forecast how to have the others without it.
func (j *job) withOthers(variable string, cycle time.Time, err error) error {
	others := slices.DeleteFunc(slices.Clone(j.Variables), func(v string) bool {
		return v == variable || j.archive.EnsembleHash(v, cycle) == [32]byte{}
	})
	if len(others) == 0 || !lacksInput(err) {
		return err
	}
	return fmt.Errorf("%w; a product without it is made with --set variables=%s", err, strings.Join(others, ","))
}

// membersThere counts the members that have any value.
func membersThere(e *ingest.Ensemble) int {
	n, m := 0, len(e.Members)
	for k := range m {
		for i := k; i < len(e.Values); i += m {
			if v := e.Values[i]; v == v {
				n++
				break
			}
		}
	}
	return n
}

// wanted is what a valid product must have been made from.
func (j *job) wanted(ctx context.Context) (Wanted, error) {
	if err := ctx.Err(); err != nil {
		return Wanted{}, err
	}
	w := Wanted{Cycle: j.cycle, ConfigSHA256: j.Hash, Instead: j.instead}
	digest := sha256.New()
	seen := map[ingest.Source]bool{}
	for _, e := range j.raw {
		if !seen[e.Source] {
			seen[e.Source] = true
			w.Inputs = append(w.Inputs, FileRecord{Path: e.Source.Path, SHA256: e.Source.SHA256})
			j.provenance.Inputs = append(j.provenance.Inputs, e.Source)
		}
	}
	for _, v := range j.Variables {
		h, err := j.history(v)
		if err != nil {
			return Wanted{}, err
		}
		sum := h.Content(j.forecast)
		digest.Write(sum[:])
	}
	w.Archive = hex.EncodeToString(digest.Sum(nil))
	return w, nil
}
