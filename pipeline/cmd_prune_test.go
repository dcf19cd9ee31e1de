package pipeline

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPrune(t *testing.T) {
	dir := place(t)
	must(t, sipipe(t, "backfill", "--from", "2020-01-15", "--to", "2020-01-20"))
	aside := filepath.Join(dir, "state/model/t2m/20200102-abc.gob.corrupt")
	old := filepath.Join(dir, "state/model/t2m/20200102-0123456789ab.gob")
	for _, path := range []string{aside, old} {
		must2(t, os.WriteFile(path, []byte("x"), 0o644))
	}
	// What was set aside may be a folder, and a plan may be damaged.
	folder := filepath.Join(dir, "state/model/t2m/20200109-abc.gob.corrupt")
	must2(t, os.MkdirAll(folder, 0o755))
	must2(t, os.WriteFile(filepath.Join(folder, "x.gob"), []byte("x"), 0o644))
	empty := filepath.Join(dir, "state/training/t2m/20200109")
	must2(t, os.MkdirAll(empty, 0o755))
	// Neither a product of another configuration nor somebody's notes are touched.
	must2(t, os.WriteFile("out/2020/01/15/notes.txt", nil, 0o644))
	copied, err := os.ReadFile("out/2020/01/16/sipipe_2020011600.nc.manifest.json")
	must2(t, err)
	must2(t, os.WriteFile("out/copy.nc.manifest.json", copied, 0o644))
	// The model of the 9th served the cycles up to the 15th; that of the 16th serves the others.
	superseded, err := filepath.Glob(filepath.Join(dir, "state/model/t2m/20200109-*.gob"))
	must2(t, err)
	// Shards that were never merged, and what was submitted, of old and of recent days.
	shard := strings.TrimSpace(must(t, sipipe(t, "sample", "--date", "2020-01-16", "--shard", "1/2")).out)
	must(t, sipipe(t, "sample", "--date", "2020-01-19", "--shard", "1/2"))
	var jobs []string
	for _, day := range []int{17, 19} {
		s := newSubmission(filepath.Join(dir, "state"), "backfill", time.Date(2020, 1, day, 0, 0, 0, 0, time.UTC), nil, nil)
		must2(t, os.MkdirAll(s.dir, 0o755))
		must2(t, s.save())
		jobs = append(jobs, s.dir)
	}
	spoiled := filepath.Join(dir, "state/jobs/20200110T000000Z-run")
	must2(t, os.MkdirAll(spoiled, 0o755))
	must2(t, os.WriteFile(filepath.Join(spoiled, planFile), []byte("{"), 0o644))
	before := snapshot(t, dir)

	listed := must(t, sipipe(t, "prune", "--older-than", "3d")).out
	if diff := cmp.Diff(before, snapshot(t, dir)); diff != "" {
		t.Fatalf("something was touched without --delete:\n%s", diff)
	}
	deleted := must(t, sipipe(t, "prune", "--older-than", "3d", "--delete")).out
	if listed != deleted {
		t.Errorf("listed\n%s\ndeleted\n%s", listed, deleted)
	}
	want := append(superseded, aside, folder, old, shard, jobs[0], spoiled)
	for _, day := range []string{"15", "16"} {
		product := filepath.Join(dir, "out/2020/01", day, "sipipe_202001"+day+"00.nc")
		want = append(want, product, manifestPath(product))
	}
	got := strings.Fields(deleted)
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("deleted (-want +got):\n%s", diff)
	}
	after := snapshot(t, dir)
	for path := range before {
		_, there := after[path]
		gone := slices.ContainsFunc(want, func(w string) bool { return strings.HasPrefix(path, w) })
		if filepath.Base(path) != "lock" && there == gone {
			t.Errorf("%s: there %t, to be deleted %t", path, there, gone)
		}
	}
	for _, path := range []string{"out/2020/01/16", "state/training"} {
		if _, err := os.Stat(path); err == nil {
			t.Errorf("an empty folder was left: %s", path)
		}
	}

	// What is left is what coming runs need, and what was deleted can be made again.
	if r := must(t, sipipe(t, "backfill", "--from", "2020-01-17", "--to", "2020-01-20", "--json")); strings.Count(r.out, `"skipped":true`) != 4 {
		t.Errorf("products were made again:\n%s", r.out)
	}
	must(t, sipipe(t, "run", "--date", "2020-01-15"))
	have := snapshot(t, dir)
	product := "out/2020/01/15/sipipe_2020011500.nc"
	for path, text := range before {
		if strings.HasSuffix(path, product) && have[path] != text {
			t.Errorf("%s was not made again as it was", path)
		}
	}
}

func TestPruneWantsAnAge(t *testing.T) {
	place(t)
	for _, args := range [][]string{{}, {"--older-than", "90"}, {"--older-than", "0d"}, {"--older-than", "-1d"}} {
		if r := sipipe(t, append([]string{"prune", "--delete"}, args...)...); r.code != ExitUsage {
			t.Errorf("%v: exit code %d, want %d", args, r.code, ExitUsage)
		}
	}
}

// A full disk is what prune is for: it works when nothing else may begin.
func TestPruneNeedsNoRoom(t *testing.T) {
	place(t)
	must(t, sipipe(t, "run", "--date", "2020-01-18"))
	t.Setenv("SIPIPE_OPERATIONS_MIN_FREE", "2000000000")
	if r := sipipe(t, "run", "--date", "2020-01-19"); r.code != ExitNoOutput || !strings.Contains(r.err, "sipipe prune") {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
	must(t, sipipe(t, "prune", "--older-than", "1d", "--delete"))
}
