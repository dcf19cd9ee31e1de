package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Names of steps.
const (
	stepTrain  = "train"
	stepSample = "sample"
	stepMerge  = "merge"
	stepVerify = "verify"
	stepAblate = "ablate"
	stepTable  = "table"
)

// SubmitOptions are the flags that all that is submitted has.
type SubmitOptions struct {
	DryRun bool
	JSON   bool
}

// AddFlags adds the flags of the command.
func (o *SubmitOptions) AddFlags(f *pflag.FlagSet) {
	f.BoolVar(&o.DryRun, "dry-run", false, "print the scripts, submit nothing")
	f.BoolVar(&o.JSON, "json", false, "print one JSON object, the plan with the numbers of the jobs")
}

func newSubmitCommand(g *Global) *cobra.Command {
	c := &cobra.Command{
		Use:   "submit",
		Short: "Hand work to Slurm",
		Long: `Hand work to Slurm as jobs and arrays that wait for each other. Only what is missing is
submitted: products and shards that are there and valid are passed over, so after a
failure the same command does the rest. What is asked of Slurm is set by the keys of
slurm; sipipe status tells how the jobs get on.

Scripts, logs and a record for each task lie in a folder of their own below jobs in the
state folder. All nodes must see the configuration, the archive, the state folder and
the products under the same paths.`,
		Example: `  sipipe submit backfill --from 2024-01-01 --to 2024-06-30 --dry-run
  sipipe submit backfill --from 2024-01-01 --to 2024-06-30 --set slurm.at_once=20
  sipipe submit run --date 2024-07-08 --shards 16
  sipipe submit ablate --date 2024-07-08 --vary steps=2,4,8,16 --vary hidden=16,64`,
		GroupID: groupWork,
		Args:    cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.Help()
			}
			return &UsageError{Command: c.CommandPath(), Text: fmt.Sprintf("no work %q; there are backfill, run and ablate", args[0])}
		},
	}
	c.AddCommand(newSubmitBackfillCommand(g), newSubmitRunCommand(g), newSubmitAblateCommand(g))
	return c
}

func newSubmitBackfillCommand(g *Global) *cobra.Command {
	var (
		o        SubmitOptions
		from, to string
		perTask  int
		verify   bool
	)
	c := &cobra.Command{
		Use:   "backfill --from DATE --to DATE",
		Short: "Submit the cycles of a range: one job that trains, then an array",
		Long: `Submit the cycles of a range that have no valid product: one job that makes the models
and statistical forecasts that they need, then an array that samples them, each task
its own cycles.`,
		Example: `  sipipe submit backfill --from 2024-01-01 --to 2024-06-30 --dry-run
  sipipe submit backfill --from 2024-01-01 --to 2024-06-30 --per-task 10 --verify`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			first, last, err := parseRange(from, to, g.clock())
			if err == nil && perTask < 0 {
				err = errors.New("--per-task is a number of cycles")
			}
			if err != nil {
				return &UsageError{Command: c.CommandPath(), Text: err.Error()}
			}
			return g.submit(c.Context(), o, "backfill", func(ctx context.Context, w *workspace) (*submission, error) {
				return w.planBackfill(ctx, first, last, perTask, verify)
			})
		},
	}
	f := c.Flags()
	addRangeFlags(f, &from, &to)
	f.IntVar(&perTask, "per-task", 0, "`cycles` of a task (default: one, or as many as make a thousand tasks)")
	f.BoolVar(&verify, "verify", false, "score the products at the end")
	o.AddFlags(f)
	completeDates(c, "from", "to")
	return c
}

func newSubmitRunCommand(g *Global) *cobra.Command {
	var (
		o           SubmitOptions
		date, cycle string
		shards      int
		verify      bool
	)
	c := &cobra.Command{
		Use:   "run --date DATE [--cycle HH] --shards N",
		Short: "Submit one cycle in shards: train, an array of shards, merge",
		Long: `Submit one cycle whose places are split into shards: one job that trains, an array with
a task for each shard, and one job that merges them.`,
		Example: `  sipipe submit run --date 2024-07-08 --shards 16 --dry-run
  sipipe submit run --date today --cycle 12 --shards 16`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			request, err := parseCycle(date, cycle, g.clock())
			if err == nil && (shards < 1 || shards > maxShards) {
				err = fmt.Errorf("--shards is %d; valid: 1 to %d", shards, maxShards)
			}
			if err != nil {
				return &UsageError{Command: c.CommandPath(), Text: err.Error()}
			}
			return g.submit(c.Context(), o, "run", func(ctx context.Context, w *workspace) (*submission, error) {
				at, err := w.find(request)
				if err != nil {
					return nil, err
				}
				return w.planRun(ctx, slurm{}, at, shards, verify)
			})
		},
	}
	f := c.Flags()
	addCycleFlags(f, &date, &cycle)
	f.IntVar(&shards, "shards", 1, "`number` of parts to split the places into")
	f.BoolVar(&verify, "verify", false, "score the product at the end, which takes observations of it")
	o.AddFlags(f)
	completeDates(c, "date")
	return c
}

// submit plans work and hands it in, or shows it.
func (g *Global) submit(ctx context.Context, o SubmitOptions, kind string, plan func(context.Context, *workspace) (*submission, error)) error {
	s, err := g.begin("submit")
	if err != nil {
		return err
	}
	access := reading
	if o.DryRun {
		access = looking
	}
	return s.with(ctx, access, func(w *workspace) error {
		p, err := plan(ctx, w)
		if err != nil {
			return cause(ctx, err)
		}
		if p == nil {
			w.log.Info().Msg("nothing to submit: what was asked for is there and valid")
			return nil
		}
		program, err := os.Executable()
		if err != nil {
			return fmt.Errorf("find the program: %w", err)
		}
		if o.DryRun {
			return w.showScripts(p, program)
		}
		if err := w.handIn(ctx, slurm{}, p, program); err != nil {
			return err
		}
		if o.JSON {
			return printJSON(g.Out, p)
		}
		for _, step := range p.Steps {
			if err := printLine(g.Out, fmt.Sprintf("%s\t%s\t%d", step.Job, step.Name, len(step.Tasks))); err != nil {
				return err
			}
		}
		return nil
	})
}

// showScripts prints what would be submitted.
func (w *workspace) showScripts(p *submission, program string) error {
	for i, step := range p.Steps {
		text := "# " + step.Name + ".sh"
		if i > 0 {
			text = "\n" + text
		}
		if step.After != "" {
			text += ", after " + step.After
		}
		if n := len(step.Tasks); n > 1 {
			text += fmt.Sprintf(": %d tasks; the first", n)
		}
		text += ":\n"
		for _, args := range step.Tasks[0] {
			text += "#   sipipe " + strings.Join(args, " ") + "\n"
		}
		if err := printLine(w.global.Out, text+strings.TrimSuffix(p.batchScript(step, &w.Slurm, program), "\n")); err != nil {
			return err
		}
	}
	return nil
}

// handIn writes the scripts and submits them. When one is refused, those before it are
// cancelled.
func (w *workspace) handIn(ctx context.Context, s scheduler, p *submission, program string) (err error) {
	if err := w.checkSubmitted(ctx, s, p); err != nil {
		return err
	}
	if err := os.MkdirAll(p.dir, 0o755); err != nil {
		return &OutputError{Path: p.dir, Err: err}
	}
	// The plan comes first: a task may begin before the next one is submitted.
	if err := p.save(); err != nil {
		return err
	}
	var jobs []string
	defer func() {
		if err != nil {
			err = errors.Join(err, s.cancel(context.WithoutCancel(ctx), jobs), os.RemoveAll(p.dir))
		}
	}()
	for _, step := range p.Steps {
		script := filepath.Join(p.dir, step.Name+".sh")
		if err := publish(script, []byte(p.batchScript(step, &w.Slurm, program))); err != nil {
			return err
		}
		var after dependency
		if before, ok := p.step(step.After); ok {
			after = dependency{job: before.Job, always: step.Always}
		}
		after.over = step.Over
		if step.Job, err = s.submit(ctx, script, after); err != nil {
			return err
		}
		jobs = append(jobs, step.Job)
		w.log.Info().Str("job", step.Job).Str("step", step.Name).Int("tasks", len(step.Tasks)).Msg("submitted")
	}
	return p.save()
}

// SubmittedError says that the work is in the queue already.
type SubmittedError struct{ Name, Job string }

func (e *SubmittedError) Error() string {
	return fmt.Sprintf("cycles of it are in the queue already, as %s, job %s; wait for it, or cancel it with scancel %s", e.Name, e.Job, e.Job)
}

// queuedTask is a task of an earlier submission that is in the queue.
type queuedTask struct {
	of    *submission
	job   string
	shard string // that it makes, such as 3/8; "" when it makes none
}

// queuedBefore are the tasks in the queue of submissions of the same cycles.
func (w *workspace) queuedBefore(ctx context.Context, s scheduler, p *submission) (tasks []queuedTask, err error) {
	before, err := submissions(w.store.Dir())
	if err != nil {
		return nil, err
	}
	before = slices.DeleteFunc(before, func(b *submission) bool { return !b.overlaps(p) })
	if len(before) == 0 {
		return nil, nil
	}
	q, err := s.queue(ctx)
	if err != nil {
		return nil, err
	}
	for _, b := range before {
		for _, step := range b.Steps {
			for number := range q[step.Job] { // 0 in a job that is no array
				task := queuedTask{of: b, job: step.Job}
				for _, arg := range step.Tasks[max(number, 1)-1][0] {
					if shard, ok := strings.CutPrefix(arg, shardFlag); ok {
						task.shard = shard
					}
				}
				tasks = append(tasks, task)
			}
		}
	}
	return tasks, nil
}

// shardFlag is what a command of a task has before its shard.
const shardFlag = "--shard="

// checkSubmitted refuses work that is in the queue. Shards may be submitted beside others
// of their cycle; what was to merge those is of no use then, since some have failed.
func (w *workspace) checkSubmitted(ctx context.Context, s scheduler, p *submission) error {
	queued, err := w.queuedBefore(ctx, s, p)
	if err != nil {
		return err
	}
	_, some := p.step(stepSample)
	merge, _ := p.step(stepMerge)
	for _, q := range queued {
		if sample, ok := q.of.step(stepSample); !ok || !some || merge == nil || !slices.Contains(merge.Over, sample.Job) {
			return &SubmittedError{Name: q.of.name(), Job: q.job}
		}
	}
	return nil
}

// common are the flags that each command of a task needs to see the configuration
// that this one sees.
func (w *workspace) common() ([]string, error) {
	var flags []string
	if w.File != "" {
		path, err := filepath.Abs(w.File)
		if err != nil {
			return nil, fmt.Errorf("find the configuration: %w", err)
		}
		flags = append(flags, "--config="+path)
	}
	for _, pair := range w.global.Set {
		flags = append(flags, "--set="+pair)
	}
	for _, key := range slices.Sorted(maps.Keys(w.global.flags)) {
		flags = append(flags, "--set="+key+"="+w.global.flags[key].Value)
	}
	return flags, nil
}

// taskLockWait is how long tasks wait for a run that has the state folder for itself.
const taskLockWait = "--lock-wait=30m"

// lockWait are the flags of a command of a task that takes the lock.
func (w *workspace) lockWait() []string {
	if w.Operations.LockWait > 0 {
		return nil
	}
	return []string{taskLockWait}
}

// plan begins a submission.
func (w *workspace) plan(kind string, cycles []time.Time) (*submission, error) {
	if strings.ContainsAny(w.store.Dir(), "\n\r") {
		return nil, &ConfigError{Origin: w.Origins["state"], Key: "state", Text: "has a line break, which the lines of a script for Slurm cannot hold"}
	}
	common, err := w.common()
	if err != nil {
		return nil, err
	}
	return newSubmission(w.store.Dir(), kind, w.global.clock(), cycles, common), nil
}

// training is the step that makes what sampling the cycles takes.
func (w *workspace) training(cycles []time.Time) *step {
	first, last := cycles[0], cycles[len(cycles)-1]
	return &step{Name: stepTrain, Tasks: [][][]string{{
		append([]string{"train", "--from=" + formatCycle(first), "--to=" + formatCycle(last)}, w.lockWait()...),
	}}}
}

// verifying is the step that scores products when all before it has ended.
func (w *workspace) verifying(first, last time.Time, after string) *step {
	return &step{Name: stepVerify, After: after, Always: true, Tasks: [][][]string{{
		{"verify", "--from=" + formatCycle(first), "--to=" + formatCycle(last), "--json"},
	}}}
}

// mostTasks of an array: the usual limit of Slurm is 1000 (MaxArraySize 1001).
const mostTasks = 1000

// planBackfill is nil when there is nothing to do.
func (w *workspace) planBackfill(ctx context.Context, first, last time.Time, perTask int, verify bool) (*submission, error) {
	cycles, err := w.within(w.seen(), first, last)
	if err != nil {
		return nil, err
	}
	missing, err := w.withoutProduct(ctx, cycles)
	if err != nil || len(missing) == 0 {
		return nil, err
	}
	p, err := w.plan("backfill", missing)
	if err != nil {
		return nil, err
	}
	if perTask == 0 {
		perTask = (len(missing) + mostTasks - 1) / mostTasks
	}
	sample := &step{Name: stepSample, After: stepTrain}
	for part := range slices.Chunk(missing, perTask) {
		var commands [][]string
		for _, c := range part {
			commands = append(commands, append([]string{"sample", "--date=" + formatCycle(c)}, w.lockWait()...))
		}
		sample.Tasks = append(sample.Tasks, commands)
	}
	p.Steps = []*step{w.training(missing), sample}
	if verify {
		p.Steps = append(p.Steps, w.verifying(cycles[0], cycles[len(cycles)-1], stepSample))
	}
	return p, nil
}

// planRun is nil when there is nothing to do. Shards that are in the queue, of an earlier
// submission, are left to it.
func (w *workspace) planRun(ctx context.Context, s scheduler, cycle time.Time, shards int, verify bool) (*submission, error) {
	valid, _, err := w.hasValidProduct(ctx, cycle)
	if err != nil || valid {
		return nil, err
	}
	p, err := w.plan("run", []time.Time{cycle})
	if err != nil {
		return nil, err
	}
	j, want, err := w.prepare(ctx, cycle)
	if err != nil {
		return nil, err
	}
	if most := j.places(); shards > most {
		w.log.Warn().Int("shards", shards).Int("places", most).Msg("more shards than places: as many are planned as there are places")
		shards = most
	}
	missing, err := j.missingShards(ctx, shards, want)
	if err != nil {
		return nil, err
	}
	date := "--date=" + formatCycle(cycle)
	sample := &step{Name: stepSample}
	merge := &step{Name: stepMerge, Tasks: [][][]string{{append([]string{"merge", date, "--shards=" + strconv.Itoa(shards)}, w.lockWait()...)}}}
	queued, err := w.queuedBefore(ctx, s, p)
	if batch := (*SchedulerError)(nil); err != nil && !errors.As(err, &batch) { // handing in asks again
		return nil, err
	}
	for _, i := range missing {
		shard := Shard{i, shards}.String()
		busy := slices.IndexFunc(queued, func(q queuedTask) bool { return q.shard == shard })
		if busy < 0 {
			sample.Tasks = append(sample.Tasks, [][]string{append([]string{"sample", date, shardFlag + shard}, w.lockWait()...)})
		} else if job := queued[busy].job; !slices.Contains(merge.Over, job) {
			merge.Over = append(merge.Over, job)
		}
	}
	// What runs has its model, and another training would wait for it.
	if len(merge.Over) == 0 && len(missing) > 0 {
		sample.After = stepTrain
		p.Steps = append(p.Steps, w.training([]time.Time{cycle}))
	}
	if len(sample.Tasks) > 0 {
		merge.After = stepSample
		p.Steps = append(p.Steps, sample)
	}
	p.Steps = append(p.Steps, merge)
	if verify {
		p.Steps = append(p.Steps, w.verifying(cycle, cycle, stepMerge))
	}
	return p, nil
}
