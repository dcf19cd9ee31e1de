package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// paper is a scheduler that writes down what it is asked.
type paper struct {
	said   []string
	refuse int // the job that is refused; 0: none
	q      queue
	past   string
}

func (p *paper) submit(_ context.Context, script string, after dependency) (string, error) {
	job := fmt.Sprint(len(p.said) + 101)
	text := filepath.Base(script)
	if after.job != "" {
		text += fmt.Sprintf(" after %s", after.job)
	}
	if after.always {
		text += ", whatever came of it"
	}
	if p.said = append(p.said, text); len(p.said) == p.refuse {
		return "", &SchedulerError{Command: "sbatch", Text: "sbatch: error: invalid partition specified: nope", Err: errors.New("exit status 1")}
	}
	return job, nil
}

func (p *paper) cancel(_ context.Context, jobs []string) error {
	p.said = append(p.said, "cancel "+strings.Join(jobs, " "))
	return nil
}
func (p *paper) queue(context.Context) (queue, error)              { return p.q, nil }
func (p *paper) history(context.Context, string, int, bool) string { return p.past }

// opened is the workspace of the test's archive.
func opened(t *testing.T, args ...string) *workspace {
	t.Helper()
	clock := func() time.Time { return time.Date(2020, 1, 21, 9, 0, 0, 0, time.UTC) }
	g := &Global{Streams: Streams{Out: t.Output(), Err: t.Output()}, Config: "sipipe.yaml", Set: args, LogFormat: "text", clock: clock, Build: Build{Version: "1.2.3", Commit: "abc"}}
	s, err := g.begin("test")
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.open(t.Context(), reading)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.close() })
	return w
}

func cycleOn(day int) time.Time { return time.Date(2020, 1, day, 0, 0, 0, 0, time.UTC) }

// TestSubmitBackfill plans what is missing only, hands it in in order, and refuses what
// is in the queue.
func TestSubmitBackfill(t *testing.T) {
	dir := place(t)
	must(t, sipipe(t, "run", "--date", "2020-01-16"))
	w := opened(t, "calibrate.members=7")
	p, err := w.planBackfill(t.Context(), cycleOn(14), cycleOn(18), 0, true)
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "sipipe.yaml")
	if diff := cmp.Diff([]string{"--config=" + config, "--set=calibrate.members=7"}, p.Common); diff != "" {
		t.Errorf("flags of each command (-want +got):\n%s", diff)
	}
	sample := func(day int) [][]string {
		return [][]string{{"sample", fmt.Sprintf("--date=2020-01-%dT00Z", day), "--lock-wait=30m"}}
	}
	want := []*step{
		{Name: "train", Tasks: [][][]string{{{"train", "--from=2020-01-14T00Z", "--to=2020-01-18T00Z", "--lock-wait=30m"}}}},
		{Name: "sample", After: "train", Tasks: [][][]string{sample(14), sample(15), sample(17), sample(18)}},
		{Name: "verify", After: "sample", Always: true, Tasks: [][][]string{{{"verify", "--from=2020-01-14T00Z", "--to=2020-01-18T00Z", "--json"}}}},
	}
	if diff := cmp.Diff(want, p.Steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	s := &paper{}
	if err := w.handIn(t.Context(), s, p, "/bin/sipipe"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"train.sh", "sample.sh after 101", "verify.sh after 102, whatever came of it"}, s.said); diff != "" {
		t.Errorf("handed in (-want +got):\n%s", diff)
	}
	// One of its cycles again, while a task is in the queue and when none is.
	again, err := w.planBackfill(t.Context(), cycleOn(18), cycleOn(19), 2, false)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(again.Steps[1].Tasks); n != 1 || len(again.Steps[1].Tasks[0]) != 2 {
		t.Errorf("%d tasks for two cycles, two a task", n)
	}
	again.dir += "-2"
	busy := &paper{q: queue{"102": {3: "RUNNING"}}}
	if err := w.handIn(t.Context(), busy, again, "/bin/sipipe"); ExitCode(err) != ExitTryLater || !strings.Contains(err.Error(), "job 102") || len(busy.said) > 0 {
		t.Errorf("work in the queue was handed in again: %v, %q", err, busy.said)
	}
	if err := w.handIn(t.Context(), &paper{q: queue{"99": {0: "RUNNING"}}}, again, "/bin/sipipe"); err != nil {
		t.Errorf("work that is over cannot be handed in again: %v", err)
	}
}

// Places are not split further than they can be.
func TestSubmitMoreShardsThanPlaces(t *testing.T) {
	place(t)
	p, err := opened(t).planRun(t.Context(), &paper{}, cycleOn(18), 40, false)
	must2(t, err)
	if n, merge := len(p.Steps[1].Tasks), p.Steps[2].Tasks[0][0]; n != 6 || merge[2] != "--shards=6" {
		t.Errorf("%d tasks for 6 places, merged by %q", n, merge)
	}
}

// When a step is refused, those before it do not run, and nothing is left.
func TestSubmitRefused(t *testing.T) {
	place(t)
	w := opened(t)
	p, err := w.planRun(t.Context(), slurm{}, cycleOn(18), 3, false)
	if err != nil {
		t.Fatal(err)
	}
	s := &paper{refuse: 3}
	err = w.handIn(t.Context(), s, p, "/bin/sipipe")
	if ExitCode(err) != ExitConfig || !strings.Contains(err.Error(), "invalid partition") {
		t.Errorf("error %v, code %d", err, ExitCode(err))
	}
	if diff := cmp.Diff([]string{"train.sh", "sample.sh after 101", "merge.sh after 102", "cancel 101 102"}, s.said); diff != "" {
		t.Errorf("handed in (-want +got):\n%s", diff)
	}
	if _, err := os.Stat(p.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder of what was refused is there: %v", err)
	}
}

// TestSubmittedShards does the tasks of a plan here, without a batch system: some first,
// then what the next plan says is missing.
func TestSubmittedShards(t *testing.T) {
	place(t)
	w := opened(t)
	do := func(p *submission, step string, number int) int {
		t.Helper()
		if err := errors.Join(os.MkdirAll(p.dir, 0o755), p.save()); err != nil {
			t.Fatal(err)
		}
		return sipipe(t, "task", "--plan", p.dir, "--step", step, "--number", fmt.Sprint(number)).code
	}
	p, err := w.planRun(t.Context(), slurm{}, cycleOn(18), 4, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		step   string
		number int
		code   int
	}{{"train", 1, 0}, {"sample", 2, 0}, {"sample", 4, 0}, {"merge", 1, ExitNoInput}} {
		if code := do(p, c.step, c.number); code != c.code {
			t.Fatalf("%s %d: exit code %d, want %d", c.step, c.number, code, c.code)
		}
	}
	// The merge has failed, a shard is not over, one was killed, and the queue says so.
	if err := p.writeRecord("sample", 1, &taskRecord{Begun: cycleOn(21), Host: "node1"}); err != nil {
		t.Fatal(err)
	}
	p.Steps[0].Job, p.Steps[1].Job, p.Steps[2].Job = "7", "8", "9"
	if err := p.save(); err != nil {
		t.Fatal(err)
	}
	jobs, _, err := w.jobs(t.Context(), &paper{q: queue{"8": {3: "PENDING"}}, past: "OUT_OF_MEMORY"})
	if err != nil {
		t.Fatal(err)
	}
	if len(jobs) != 3 || jobs[0].Done != 1 || jobs[1].Done != 2 || jobs[1].Waiting != 1 || len(jobs[1].Failed) != 1 || len(jobs[2].Failed) != 1 {
		t.Fatalf("jobs are %+v", jobs)
	}
	if f := jobs[1].Failed[0]; f.Task != 1 || f.Reason != "it was killed without leaving word: out_of_memory" || f.Log != p.dir+"/sample_8_1.log" {
		t.Errorf("the killed task is %+v", f)
	}
	if f := jobs[2].Failed[0]; f.ExitCode != ExitNoInput || !strings.Contains(f.Reason, "2 of 4 shards are missing") || f.Log != p.dir+"/merge_9.log" {
		t.Errorf("the failed merge is %+v", f)
	}
	// While one runs, the other missing one is planned, beside it and without training.
	busy := &paper{q: queue{"8": {3: "RUNNING"}, "9": {0: "PENDING"}}}
	beside, err := w.planRun(t.Context(), busy, cycleOn(18), 4, false)
	must2(t, err)
	if len(beside.Steps) != 2 || len(beside.Steps[0].Tasks) != 1 || beside.Steps[0].Tasks[0][0][2] != "--shard=1/4" || beside.Steps[0].After != "" ||
		!cmp.Equal(beside.Steps[1].Over, []string{"8"}) || beside.Steps[1].After != stepSample {
		t.Errorf("beside a task that runs the steps are %+v, %+v", beside.Steps[0], beside.Steps[len(beside.Steps)-1])
	}
	must2(t, w.checkSubmitted(t.Context(), busy, beside))
	busy.q["8"][1] = "PENDING"           // put back
	for _, shards := range []int{4, 5} { // all is in the queue; other shards of the cycle are
		p, err := w.planRun(t.Context(), busy, cycleOn(18), shards, false)
		must2(t, err)
		if err := w.checkSubmitted(t.Context(), busy, p); ExitCode(err) != ExitTryLater {
			t.Errorf("%d shards: %v", shards, err)
		}
	}
	rest, err := w.planRun(t.Context(), &paper{}, cycleOn(18), 4, false)
	if err != nil {
		t.Fatal(err)
	}
	rest.dir += "-2"
	var shards []string
	for _, task := range rest.Steps[1].Tasks {
		shards = append(shards, task[0][2])
	}
	if diff := cmp.Diff([]string{"--shard=1/4", "--shard=3/4"}, shards); diff != "" {
		t.Errorf("shards of the second plan (-want +got):\n%s", diff)
	}
	for i := range shards {
		if code := do(rest, "sample", i+1); code != ExitDone {
			t.Fatalf("exit code %d", code)
		}
	}
	last, err := w.planRun(t.Context(), &paper{}, cycleOn(18), 4, false)
	if err != nil {
		t.Fatal(err)
	}
	if last.dir += "-3"; len(last.Steps) != 1 || last.Steps[0].Name != stepMerge || last.Steps[0].After != "" {
		t.Fatalf("with all shards there the steps are %+v", last.Steps)
	}
	if code := do(last, "merge", 1); code != ExitDone {
		t.Fatalf("merge: exit code %d", code)
	}
	if p, err := w.planRun(t.Context(), slurm{}, cycleOn(18), 4, false); p != nil || err != nil {
		t.Errorf("there is nothing to do, and the plan is %+v, %v", p, err)
	}
	// What has failed is of no concern when the product is there.
	jobs, _, err = w.jobs(t.Context(), &paper{past: "OUT_OF_MEMORY"})
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range jobs {
		if len(j.Failed) > 0 || j.Done != j.Tasks {
			t.Errorf("after the merge %+v", j)
		}
	}
}

// That the queue cannot be asked is said when tasks may be in it.
func TestQueueUnknown(t *testing.T) {
	place(t)
	w := opened(t)
	p, err := w.planRun(t.Context(), slurm{}, cycleOn(18), 2, false)
	must2(t, err)
	must2(t, errors.Join(os.MkdirAll(p.dir, 0o755), p.save()))
	dir := t.TempDir()
	for script, want := range map[string]string{
		"": "squeue is not there",
		"echo 'squeue: error: Unable to contact slurm controller' >&2; exit 1": "squeue: error: Unable to contact slurm controller",
	} {
		if script != "" {
			must2(t, os.WriteFile(filepath.Join(dir, "squeue"), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
		}
		t.Setenv("PATH", dir)
		if r := must(t, sipipe(t, "status")); !strings.Contains(r.out, "the queue cannot be asked") || !strings.Contains(r.out, want) {
			t.Errorf("status does not say %q:\n%s", want, r.out)
		}
		var r StatusReport
		must2(t, json.Unmarshal([]byte(must(t, sipipe(t, "status", "--json")).out), &r))
		if r.QueueUnknown != want {
			t.Errorf("%q, want %q", r.QueueUnknown, want)
		}
		must2(t, os.RemoveAll(filepath.Join(dir, "squeue")))
	}
	for _, step := range p.Steps {
		for k := range step.Tasks {
			must2(t, p.writeRecord(step.Name, k+1, &taskRecord{Begun: cycleOn(21), Ended: &p.Created}))
		}
	}
	if r := must(t, sipipe(t, "status")); strings.Contains(r.out, "the queue") {
		t.Errorf("all is over, and status speaks of the queue:\n%s", r.out)
	}
}

// TestBatchScript has a POSIX shell read the script of a folder with whatever a path may
// hold: the words that the program gets are those that were meant.
func TestBatchScript(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "it's a $(touch owned) `touch owned` \"pro\\gram\"")
	if err := os.WriteFile(program, []byte("#!/bin/sh\nfor word; do printf '%s\\n' \"$word\"; done\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	c := DefaultConfig().Slurm
	c.Partition, c.Account, c.AtOnce, c.TrainCPUs, c.Options = "fast", "dwd/post", 4, 8, []string{"--qos=short"}
	s := &submission{Kind: "backfill", dir: dir + "/100% $HOME; 'jobs'"}
	p := &step{Name: stepSample, Tasks: make([][][]string, 20)}
	script := s.batchScript(p, &c, program)
	for _, line := range []string{
		"--array=1-20%4", "--cpus-per-task=2", "--mem=2G", "--time=0-01:00:00", "--partition=fast", "--account=dwd/post", "--qos=short",
		"--requeue --open-mode=append --signal=B:TERM@60", "/100%% $HOME;",
	} {
		if !strings.Contains(script, line) {
			t.Errorf("no %s in\n%s", line, script)
		}
	}
	if train := s.batchScript(&step{Name: stepTrain, Tasks: make([][][]string, 1)}, &c, program); !strings.Contains(train, "--cpus-per-task=8") ||
		!strings.Contains(train, "--time=0-06:00:00") || strings.Contains(train, "--array") {
		t.Errorf("script of training:\n%s", train)
	}
	run := exec.CommandContext(t.Context(), "/bin/sh", "-c", script)
	run.Dir = dir
	out, err := run.CombinedOutput()
	if want := "task\n--plan\n" + s.dir + "\n--step\nsample\n"; err != nil || string(out) != want {
		t.Errorf("the program gets\n%s\nwant\n%s(%v)", out, want, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "owned")); err == nil {
		t.Error("the shell ran what a path holds")
	}
}

// A path with a line break would put a line of its own into the script.
func TestSubmitRefusesLineBreaks(t *testing.T) {
	place(t)
	w := opened(t, "state=state\n#SBATCH")
	if _, err := w.planBackfill(t.Context(), cycleOn(14), cycleOn(18), 0, false); ExitCode(err) != ExitConfig {
		t.Errorf("error %v", err)
	}
}

func TestSlurmTime(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Minute: "0-00:01:00", 90 * time.Second: "0-00:02:00", 26*time.Hour + 5*time.Minute: "1-02:05:00", 10 * 24 * time.Hour: "10-00:00:00",
	} {
		if got := slurmTime(d); got != want {
			t.Errorf("%s is %s, want %s", d, got, want)
		}
	}
}

func TestParseQueue(t *testing.T) {
	got := parseQueue("2 3 RUNNING\n2 4 PENDING\n5 N/A COMPLETING\n\n")
	if diff := cmp.Diff(queue{"2": {3: "RUNNING", 4: "PENDING"}, "5": {0: "COMPLETING"}}, got); diff != "" {
		t.Errorf("queue (-want +got):\n%s", diff)
	}
}

// A command of Slurm that is not there, does not get through, or refuses.
func TestSchedulerFails(t *testing.T) {
	for _, c := range []struct {
		script string
		code   int
		text   string
	}{
		{"", ExitConfig, "sbatch is not there"},
		{"echo 'sbatch: error: Unable to contact slurm controller (connect failure)' >&2; exit 1", ExitTryLater, "try again later"},
		{"echo 'sbatch: error: Batch job submission failed: Requested node configuration is not available' >&2; exit 1", ExitConfig, "lower slurm.cpus, slurm.memory, slurm.train_cpus"},
		{"echo 'sbatch: error: invalid partition specified: x' >&2; exit 1", ExitConfig, "invalid partition specified: x; change the keys of slurm"},
		{"echo hello", ExitConfig, "not the number of a job"},
	} {
		dir := t.TempDir()
		if c.script != "" {
			if err := os.WriteFile(filepath.Join(dir, "sbatch"), []byte("#!/bin/sh\n"+c.script+"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		t.Setenv("PATH", dir)
		_, err := slurm{}.submit(t.Context(), "x.sh", dependency{})
		if ExitCode(err) != c.code || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%q: code %d, want %d: %v", c.script, ExitCode(err), c.code, err)
		}
	}
	dir := t.TempDir()
	said := filepath.Join(dir, "said")
	if err := os.WriteFile(filepath.Join(dir, "sbatch"), []byte("#!/bin/sh\necho \"$@\" > "+said+"\necho '42;cluster'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	for _, c := range []struct {
		after dependency
		args  string
	}{
		{dependency{}, ""},
		{dependency{job: "41"}, " --kill-on-invalid-dep=yes --dependency=afterok:41"},
		{dependency{job: "41", always: true}, " --dependency=afterany:41"},
		{dependency{job: "41", over: []string{"7", "8"}}, " --kill-on-invalid-dep=yes --dependency=afterok:41,afterany:7:8"},
	} {
		job, err := slurm{}.submit(t.Context(), "x.sh", c.after)
		text, _ := os.ReadFile(said)
		if err != nil || job != "42" || string(text) != "--parsable"+c.args+" x.sh\n" {
			t.Errorf("job %q of %q: %v", job, text, err)
		}
	}
}

// A plan that was changed is not followed, and status says so.
func TestDamagedPlan(t *testing.T) {
	place(t)
	p, err := opened(t).planRun(t.Context(), &paper{}, cycleOn(18), 2, false)
	must2(t, err)
	must2(t, errors.Join(os.MkdirAll(p.dir, 0o755), p.save()))
	alter(t, filepath.Join(p.dir, planFile), "--shard=2/2", "--shard=1/2")
	r := sipipe(t, "task", "--plan", p.dir, "--step", "sample", "--number", "2")
	if r.code != ExitData || !strings.Contains(r.err, "its checksum does not match; submit again") {
		t.Errorf("exit code %d\n%s", r.code, r.err)
	}
	if r := must(t, sipipe(t, "status")); !strings.Contains(r.err, "its checksum does not match") {
		t.Errorf("status says nothing of it:\n%s", r.err)
	}
}
