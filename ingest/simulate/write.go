package simulate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"sipipe/ingest/ncio"
)

// Names below Options.Dir.
const (
	forecastsFolder    = "archive/forecasts"
	observationsFolder = "archive/observations"
	idealFolder        = "ideal"
	configurationFile  = "sipipe.yaml"
)

// Summary says what was written.
type Summary struct {
	Config       string // path of the configuration
	Cycles       int
	Places       int
	Members      int
	Leads        int
	Variables    int
	Observations int // that are not missing
}

// FolderError reports a folder that holds something else than a simulated archive.
type FolderError struct {
	Dir       string
	Simulated bool // it holds a simulated archive, which is not to be replaced
}

func (e *FolderError) Error() string {
	if e.Simulated {
		return e.Dir + " holds a simulated archive already; replace it with --force, or name a new folder"
	}
	return fmt.Sprintf("%s is not empty and no simulated archive (it has no %s made by sipipe); name a new folder", e.Dir, truthFile)
}

// Write simulates an archive into o.Dir and tells progress after each unit of
// work, which may be nil. A simulated archive that is there already is a *FolderError,
// or with o.Force replaced (its folders archive and ideal, truth.nc and sipipe.yaml);
// state and output of earlier runs are left alone. Memory is bounded by one cycle's values (layout
// EUPP) or one lead time's (others), whatever the range.
func Write(ctx context.Context, o Options, progress func(done, total int)) (Summary, error) {
	o = o.withDefaults()
	if err := o.Validate(); err != nil {
		return Summary{}, fmt.Errorf("simulate: %w", err)
	}
	if err := claim(ctx, o.Dir, o.Force); err != nil {
		return Summary{}, err
	}
	a, err := newArchive(ctx, o)
	if err != nil {
		return Summary{}, fmt.Errorf("simulate the truth: %w", err)
	}
	a.done = a.counter(progress)
	for _, step := range []func(context.Context) error{a.writeTruth, a.writeForecasts, a.writeObservations, a.writeConfiguration} {
		if err := step(ctx); err != nil {
			return Summary{}, err
		}
	}
	return Summary{
		Config: filepath.Join(o.Dir, configurationFile), Cycles: len(a.cycles), Places: a.Len(), Members: o.Members,
		Leads: len(a.leads), Variables: len(a.quantities), Observations: a.observed,
	}, nil
}

// claim makes sure that dir may be written to, and clears an earlier simulation.
func claim(ctx context.Context, dir string, force bool) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return fmt.Errorf("look into the folder to write to: %w", err)
	}
	f, err := ncio.Open(ctx, filepath.Join(dir, truthFile))
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &FolderError{Dir: dir}
	}
	simulated := f.Text("simulated")
	if err := f.Close(); err != nil {
		return err
	}
	if simulated == "" {
		return &FolderError{Dir: dir}
	}
	if !force {
		return &FolderError{Dir: dir, Simulated: true}
	}
	for _, name := range []string{"archive", idealFolder} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("clear the earlier simulation: %w", err)
		}
	}
	return nil
}

// counter returns a function that tells progress of one more unit of work.
func (a *archive) counter(progress func(done, total int)) func() {
	if progress == nil {
		return func() {}
	}
	total := len(a.cycles)
	if a.Ideal > 0 {
		total += len(a.cycles)
	}
	if a.Layout == EUPP {
		total += len(a.cycles)
	} else {
		total += len(months(a.ticks()))
	}
	done := 0
	return func() {
		done++
		progress(done, total)
	}
}

func (a *archive) writeForecasts(ctx context.Context) error {
	kinds := []struct {
		ideal bool
		path  string
	}{{false, forecastsFolder}, {true, idealFolder}}
	if a.Ideal == 0 {
		kinds = kinds[:1]
	}
	for _, k := range kinds {
		root := filepath.Join(a.Dir, k.path)
		if a.Layout == EUPP {
			if err := a.writeEUPPForecasts(ctx, filepath.Join(root, "forecasts.nc"), k.ideal); err != nil {
				return err
			}
			continue
		}
		for _, cycle := range a.cycles {
			if err := a.writeCycle(ctx, root, cycle, k.ideal); err != nil {
				return err
			}
			a.done()
		}
	}
	return nil
}

func (a *archive) writeObservations(ctx context.Context) error {
	root := filepath.Join(a.Dir, observationsFolder)
	if a.Layout == EUPP {
		return a.writeEUPPObservations(ctx, filepath.Join(root, "observations.nc"))
	}
	for _, month := range months(a.ticks()) {
		if err := a.writeMonth(ctx, root, month); err != nil {
			return err
		}
		a.done()
	}
	return nil
}
