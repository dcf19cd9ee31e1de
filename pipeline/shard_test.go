package pipeline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// withNetworks makes the models of a test have networks, though hasty ones.
func withNetworks(t *testing.T) {
	t.Helper()
	for key, value := range map[string]string{
		"METHOD": "interpolant", "NETWORK_MIN_DAYS": "4", "NETWORK_MIN_CASES": "16", "NETWORK_FOLDS": "2",
		"NETWORK_MAX_STEPS": "50", "NETWORK_HIDDEN": "8", "NETWORK_BATCH": "64", "INTERPOLANT_STEPS": "4",
	} {
		t.Setenv("SIPIPE_CALIBRATE_"+key, value)
	}
}

// TestShardsMakeTheProductOfOneProcess splits the six places in ways that fit and in
// ways that do not, one with more parts than places.
func TestShardsMakeTheProductOfOneProcess(t *testing.T) {
	for _, networks := range []bool{false, true} {
		dir := place(t)
		if networks {
			withNetworks(t)
		}
		product := filepath.Join(dir, "out/2020/01/18/sipipe_2020011800.nc")
		must(t, sipipe(t, "run", "--date", "2020-01-18"))
		want, err := os.ReadFile(product)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{1, 2, 4, 7} {
			if err := os.RemoveAll("out"); err != nil {
				t.Fatal(err)
			}
			var wait sync.WaitGroup
			results := make([]result, n)
			for i := range n {
				wait.Go(func() {
					results[i] = sipipe(t, "sample", "--date", "2020-01-18", "--shard", fmt.Sprintf("%d/%d", i+1, n))
				})
			}
			wait.Wait()
			for i, r := range results {
				path := filepath.Join(dir, fmt.Sprintf("state/shards/2020011800/t2m/%dof%d.gob", i+1, n))
				if must(t, r).out != path+"\n" {
					t.Errorf("shard %d of %d prints %q, want %s", i+1, n, r.out, path)
				}
			}
			if got, _ := filepath.Glob("out/*"); len(got) > 0 {
				t.Fatalf("shards wrote %q", got)
			}
			if r := must(t, sipipe(t, "merge", "--date", "2020-01-18", "--shards", fmt.Sprint(n))); r.out != product+"\n" {
				t.Errorf("merge prints %q", r.out)
			}
			got, err := os.ReadFile(product)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("networks %t: the product of %d shards is not that of one process", networks, n)
			}
			if left, _ := filepath.Glob("state/shards/*/*/*.gob"); len(left) > 0 {
				t.Errorf("merge leaves %q", left)
			}
			// What was merged is a product like any other.
			if r := must(t, sipipe(t, "run", "--date", "2020-01-18", "--json")); !strings.Contains(r.out, `"skipped":true`) {
				t.Errorf("run does not take the merged product: %s", r.out)
			}
		}
	}
}

func TestMergeNamesMissingShards(t *testing.T) {
	place(t)
	must(t, sipipe(t, "train", "--date", "2020-01-18"))
	merge := func(args ...string) result {
		return sipipe(t, append([]string{"merge", "--date", "2020-01-18"}, args...)...)
	}
	fails := func(r result, code int, text string) {
		t.Helper()
		if r.code != code || !strings.Contains(r.err, text) {
			t.Errorf("exit code %d, want %d and %q in\n%s", r.code, code, text, r.err)
		}
		if made, _ := filepath.Glob("out/*/*/*/*"); len(made) > 0 {
			t.Errorf("merge wrote %q", made)
		}
	}
	fails(merge(), ExitNoInput, "there are no shards of cycle 2020-01-18T00Z; make them with sipipe sample --shard 1/N to N/N")
	for _, i := range []string{"2", "6"} {
		must(t, sipipe(t, "sample", "--date", "2020-01-18", "--shard", i+"/6"))
	}
	const missing = "4 of 6 shards are missing or were made from something else: 1,3-5; make them with sipipe sample --shard 1/6 and merge again"
	fails(merge(), ExitNoInput, missing)
	fails(merge("--shards", "6"), ExitNoInput, missing)
	for _, i := range []string{"1", "3", "4", "5"} {
		must(t, sipipe(t, "sample", "--date", "2020-01-18", "--shard", i+"/6"))
	}
	// A shard that is damaged, and one of another configuration.
	path := "state/shards/2020011800/t2m/3of6.gob"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 1
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	must(t, sipipe(t, "sample", "--date", "2020-01-18", "--shard", "5/6", "--set", "calibrate.members=8"))
	fails(merge(), ExitNoInput, "2 of 6 shards are missing or were made from something else: 3,5; make them")
	// Making all again does only what is missing.
	var done []string
	for i := 1; i <= 6; i++ {
		var o ShardOutcome
		r := must(t, sipipe(t, "sample", "--date", "2020-01-18", "--json", "--shard", fmt.Sprintf("%d/6", i)))
		if err := json.Unmarshal([]byte(r.out), &o); err != nil {
			t.Fatal(err)
		}
		if !o.Skipped {
			done = append(done, o.Shard)
		}
	}
	if !slices.Equal(done, []string{"3/6", "5/6"}) {
		t.Errorf("shards made again: %q", done)
	}
	must(t, merge())
}

func TestWrongShards(t *testing.T) {
	place(t)
	for _, s := range []string{"0/4", "5/4", "4", "a/b", "1/0", "1/20000", "1/4/2", "-1/4"} {
		if r := sipipe(t, "sample", "--date", "2020-01-18", "--shard", s); r.code != ExitUsage {
			t.Errorf("--shard %s: exit code %d\n%s", s, r.code, r.err)
		}
	}
	if r := sipipe(t, "sample", "--date", "2020-01-18", "--shard", "1/4"); r.code != ExitNoInput || !strings.Contains(r.err, "make one with sipipe train") {
		t.Errorf("without a model: exit code %d\n%s", r.code, r.err)
	}
}

// Every place is in one shard, and shards differ by at most one place.
func TestShardsCoverPlaces(t *testing.T) {
	for _, all := range []int{0, 1, 5, 16, 1000} {
		for _, n := range []int{1, 2, 3, 7, 1000} {
			next := 0
			for i := 1; i <= n; i++ {
				first, count := Shard{i, n}.places(all)
				if first != next || count < all/n || count > (all+n-1)/n {
					t.Errorf("shard %d of %d of %d places: %d from %d on, want from %d on", i, n, all, count, first, next)
				}
				next += count
			}
			if next != all {
				t.Errorf("%d shards have %d of %d places", n, next, all)
			}
		}
	}
}

// Tasks share the state folder with each other, but not with a run.
func TestSharedState(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	const noWait, briefly = 0, 20 * time.Millisecond
	one, err := shareLock(t.Context(), dir, noWait)
	if err != nil {
		t.Fatal(err)
	}
	two, err := shareLock(t.Context(), dir, noWait)
	if err != nil {
		t.Fatalf("a second task: %v", err)
	}
	if _, _, err := acquireLock(t.Context(), dir, briefly, holder); ExitCode(err) != ExitTryLater {
		t.Errorf("a run beside tasks: %v", err)
	}
	claim, err := claimFile(t.Context(), filepath.Join(dir, claims, "a.lock"), noWait)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := claimFile(t.Context(), filepath.Join(dir, claims, "a.lock"), briefly); ExitCode(err) != ExitTryLater {
		t.Errorf("two tasks at one cycle: %v", err)
	}
	other, err := claimFile(t.Context(), filepath.Join(dir, claims, "b.lock"), noWait)
	if err != nil {
		t.Errorf("another cycle: %v", err)
	}
	for _, release := range []func() error{claim, other, one, two} {
		if err := release(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := claimFile(t.Context(), filepath.Join(dir, claims, "a.lock"), noWait); err != nil {
		t.Errorf("a claim after it was released: %v", err)
	}
	if _, _, err := acquireLock(t.Context(), dir, noWait, holder); err != nil {
		t.Fatalf("a run after tasks: %v", err)
	}
	if _, err := shareLock(t.Context(), dir, briefly); err == nil || !strings.Contains(err.Error(), "process 4711 on node7") {
		t.Errorf("a task beside a run: %v", err)
	}
}
