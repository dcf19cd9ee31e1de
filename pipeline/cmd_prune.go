package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// PruneOptions are the flags of sipipe prune.
type PruneOptions struct {
	OlderThan string
	Delete    bool
	JSON      bool
}

// AddFlags adds the flags of the command.
func (o *PruneOptions) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&o.OlderThan, "older-than", "", "`age` before the newest cycle, or the clock when that is earlier, such as 90d")
	f.BoolVar(&o.Delete, "delete", false, "delete what is listed; without it nothing is touched")
	f.BoolVar(&o.JSON, "json", false, "print one JSON object a file instead of its path")
	addLockFlag(f)
}

func newPruneCommand(g *Global) *cobra.Command {
	var o PruneOptions
	c := &cobra.Command{
		Use:   "prune --older-than AGE",
		Short: "List or delete old products and what no coming run needs",
		Long: `List the files that are no longer needed, or delete them with --delete: products and
manifests of cycles older than an age, the models that only such cycles used, shards of
such cycles that were never merged, stored forecasts of cycles that have left the
archive, damaged values that were set aside, and plans and logs of what was submitted to
Slurm longer ago by the clock.

The age is counted back from the newest cycle of the archive, or from the clock when that
is earlier: when no forecasts come, nothing grows old, and neither does it when one has a
date of the future. What is learned from is kept, however old; a
product that was deleted can be made again as long as its forecast is in the archive.
The archive itself is never touched.`,
		Example: `  sipipe prune --older-than 90d
  sipipe prune --older-than 90d --delete
  sipipe prune --older-than 1d --json | jq -s 'map(.bytes) | add'`,
		GroupID: groupWork,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runPrune(c.Context(), o, g) },
	}
	o.AddFlags(c.Flags())
	return c
}

// prunable is a file that may go.
type prunable struct {
	Path  string     `json:"path"`
	Kind  string     `json:"kind"` // product, manifest, shard, state, corrupt, which may be a folder, or job, which is one
	Cycle *time.Time `json:"cycle,omitempty"`
	Bytes int64      `json:"bytes"`
}

func runPrune(ctx context.Context, o PruneOptions, g *Global) error {
	usage := func(text string) error { return &UsageError{Command: "sipipe prune", Text: text} }
	if o.OlderThan == "" {
		return usage("--older-than is not set; for example 90d")
	}
	age, err := parseDuration(o.OlderThan)
	if err != nil || age <= 0 {
		return usage(fmt.Sprintf("--older-than %s is not an age such as 90d or 36h", o.OlderThan))
	}
	s, err := g.begin("prune")
	if err != nil {
		return err
	}
	access := reading
	if o.Delete {
		access = tidying
	}
	return s.with(ctx, access, func(w *workspace) error {
		newest, err := w.find(cycleRequest{latest: true, hour: -1})
		if err != nil {
			return err
		}
		now := g.clock()
		if newest.After(now) {
			newest = now.UTC()
		}
		files, err := w.prunable(newest.Add(-age), now.Add(-age))
		if err != nil {
			return err
		}
		var bytes int64
		for _, f := range files {
			if err := ctx.Err(); err != nil {
				return cause(ctx, err)
			}
			if o.Delete {
				if err := w.remove(f); err != nil {
					return err
				}
			}
			bytes += f.Bytes
			if err := f.print(g.Out, o.JSON); err != nil {
				return err
			}
		}
		done := "nothing deleted; --delete does it"
		if o.Delete {
			done = "deleted"
			if err := removeEmpty(w.store.Dir()); err != nil {
				return err
			}
		}
		w.log.Info().Int("files", len(files)).Int64("bytes", bytes).Str("before", formatCycle(newest.Add(-age))).Msg(done)
		return nil
	})
}

func (f prunable) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return printJSON(w, f)
	}
	return printLine(w, f.Path)
}

// prunable lists what no run of a cycle from the given one on needs, and records of what
// was submitted before a time.
func (w *workspace) prunable(from, submitted time.Time) ([]prunable, error) {
	files, err := w.oldProducts(from)
	if err != nil {
		return nil, err
	}
	for _, of := range []struct{ prefix, kind string }{{shardsPrefix, "shard"}, {refusalsPrefix, "state"}} {
		values, err := w.oldValues(of.prefix, of.kind, from)
		if err != nil {
			return nil, err
		}
		files = append(files, values...)
	}
	jobs, err := submissions(w.store.Dir())
	if err != nil {
		return nil, err
	}
	for _, s := range jobs {
		if s.Created.Before(submitted) {
			files = append(files, prunable{Path: s.dir, Kind: "job"})
		}
	}
	for _, v := range w.Variables {
		h, err := w.history(v)
		if err != nil {
			return nil, err
		}
		keys, err := h.Unneeded(from)
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			path, err := w.store.Path(key)
			if err != nil {
				return nil, err
			}
			files = append(files, prunable{Path: path, Kind: "state"})
		}
	}
	corrupt, err := w.store.Corrupt()
	if err != nil {
		return nil, err
	}
	for _, path := range corrupt {
		files = append(files, prunable{Path: path, Kind: "corrupt"})
	}
	there := files[:0]
	for _, f := range files {
		info, err := os.Lstat(f.Path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("look at what may go: %w", err)
		}
		f.Bytes = info.Size()
		if info.IsDir() {
			if f.Bytes, err = folderSize(f.Path); err != nil {
				return nil, err
			}
		}
		there = append(there, f)
	}
	return there, nil
}

// oldProducts lists products and manifests of cycles before a time. The product comes before
// its manifest, so that what is interrupted between them is finished by the next prune.
func (w *workspace) oldProducts(before time.Time) ([]prunable, error) {
	var files []prunable
	err := w.eachProduct(func(product string, m *Manifest) {
		if !m.Cycle.Before(before) {
			return
		}
		for _, f := range []prunable{{Path: product, Kind: "product"}, {Path: manifestPath(product), Kind: "manifest"}} {
			f.Cycle = &m.Cycle
			files = append(files, f)
		}
	})
	slices.SortStableFunc(files, func(a, b prunable) int { return a.Cycle.Compare(*b.Cycle) })
	return files, err
}

// eachProduct visits the products that are there. A product is known by its manifest; that
// its path is the one which the configuration gives to its cycle makes sure that it is one of
// this configuration.
func (w *workspace) eachProduct(visit func(product string, m *Manifest)) error {
	root := w.Resolve(fixedFolder(w.Export.Path))
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		}
		product, ok := strings.CutSuffix(path, manifestSuffix)
		if !ok || !d.Type().IsRegular() {
			return nil
		}
		m, err := ReadManifest(product)
		if err != nil {
			return nil
		}
		own, err := w.product(m.Cycle)
		if err == nil && own == product {
			visit(product, m)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("list products: %w", err)
	}
	return nil
}

// oldValues lists values of cycles before a time, whose keys have the cycle after a prefix:
// shards that were never merged, and reasons of refusals.
func (w *workspace) oldValues(prefix, kind string, before time.Time) ([]prunable, error) {
	keys, err := w.store.List(prefix)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", prefix, err)
	}
	var files []prunable
	for _, key := range keys {
		_, rest, _ := strings.Cut(key, "/")
		name, _, _ := strings.Cut(rest, "/")
		cycle, err := time.Parse("2006010215", name)
		if err != nil || !cycle.Before(before) {
			continue
		}
		path, err := w.store.Path(key)
		if err != nil {
			return nil, err
		}
		files = append(files, prunable{Path: path, Kind: kind, Cycle: &cycle})
	}
	return files, nil
}

// folderSize is the sum of the sizes of the files below a folder.
func folderSize(dir string) (bytes int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("measure %s: %w", dir, err)
	}
	return bytes, nil
}

// remove deletes a file, and the folders above it that have become empty, of those
// that a path template makes.
func (w *workspace) remove(f prunable) error {
	remove := os.Remove
	if f.Kind == "job" || f.Kind == "corrupt" { // may be folders
		remove = os.RemoveAll
	}
	if err := remove(f.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &OutputError{Path: f.Path, Err: err}
	}
	if f.Kind != "manifest" {
		return nil
	}
	root := w.Resolve(fixedFolder(w.Export.Path))
	for dir := filepath.Dir(f.Path); strings.HasPrefix(dir, root+string(filepath.Separator)); dir = filepath.Dir(dir) {
		if os.Remove(dir) != nil {
			break // it holds something
		}
	}
	return nil
}

// removeEmpty removes the empty folders below a folder.
func removeEmpty(root string) error {
	var folders []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != root {
			folders = append(folders, path)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("look for empty folders: %w", err)
	}
	for _, folder := range slices.Backward(folders) { // what lies below a folder comes after it
		_ = os.Remove(folder) // unless it holds something
	}
	return nil
}
