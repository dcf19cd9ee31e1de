package pipeline

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// shownJobs is the number of submissions, the latest ones, that status tells of.
const shownJobs = 5

// JobStatus is how far one step of a submission has come.
type JobStatus struct {
	Submission string        `json:"submission"`
	Step       string        `json:"step"`
	Job        string        `json:"job"`
	Tasks      int           `json:"tasks"`
	Done       int           `json:"done"` // also what others have done since
	Running    int           `json:"running"`
	Waiting    int           `json:"waiting"`
	Failed     []TaskFailure `json:"failed,omitempty"`
}

// TaskFailure is a task that has ended without having done its work.
type TaskFailure struct {
	Task     int    `json:"task"`
	ExitCode int    `json:"exit_code,omitempty"`
	Reason   string `json:"reason"`
	Log      string `json:"log"`
}

// jobs are the steps of the latest submissions, oldest first. What the records of the
// tasks leave open is asked of the batch system; unknown says why that cannot be done, if
// it matters.
func (w *workspace) jobs(ctx context.Context, s scheduler) (jobs []JobStatus, unknown string, err error) {
	all, err := submissions(w.store.Dir())
	if err != nil || len(all) == 0 {
		return nil, "", err
	}
	all = all[max(0, len(all)-shownJobs):]
	q, asked := s.queue(ctx)
	if ctx.Err() != nil {
		return nil, "", cause(ctx, ctx.Err())
	}
	for _, p := range all {
		if p.damaged != nil {
			w.log.Warn().Str("submission", p.name()).Msg(p.damaged.Error())
		}
		for _, step := range p.Steps {
			j := JobStatus{Submission: p.name(), Step: step.Name, Job: step.Job, Tasks: len(step.Tasks)}
			for k := range step.Tasks {
				if err := w.count(ctx, &j, s, p, step, k+1, q); err != nil {
					return nil, "", err
				}
			}
			if asked != nil && j.Running+j.Waiting > 0 {
				unknown = whatFailed(asked)
			}
			jobs = append(jobs, j)
		}
	}
	return jobs, unknown, nil
}

// whatFailed is an error of the batch system without the advice of submitting.
func whatFailed(err error) string {
	if batch := (*SchedulerError)(nil); errors.As(err, &batch) {
		return batch.what()
	}
	return err.Error()
}

// count adds what is known of one task. q is nil when there is no queue to ask.
func (w *workspace) count(ctx context.Context, j *JobStatus, s scheduler, p *submission, step *step, task int, q queue) error {
	array := len(step.Tasks) > 1
	number := 0 // of a job that is no array
	if array {
		number = task
	}
	r := p.readRecord(step.Name, task)
	state, queued := q[step.Job][number]
	ended := r != nil && r.Ended != nil
	switch {
	// A task that was put back has the record of the time before.
	case queued && state == "PENDING":
		j.Waiting++
		return nil
	case ended && r.ExitCode == ExitDone:
		j.Done++
		return nil
	case queued:
		j.Running++
		return nil
	}
	if made, err := w.madeSince(p, step, task); err != nil || made {
		j.Done++
		return err
	}
	failure := TaskFailure{Task: task, Log: p.logPath(step, task)}
	switch {
	case ended:
		failure.ExitCode, failure.Reason = r.ExitCode, r.Reason
	case q == nil && r != nil:
		j.Running++ // as far as can be told here
		return nil
	case q == nil:
		j.Waiting++
		return nil
	case r != nil:
		failure.Reason = "it was killed without leaving word"
	default:
		failure.Reason = "it left no word: it was cancelled, killed as it began, or the step before it failed"
	}
	if !ended {
		if state := s.history(ctx, step.Job, task, array); state != "" {
			failure.Reason += ": " + strings.ToLower(state)
		}
	}
	j.Failed = append(j.Failed, failure)
	return nil
}

// madeSince tells whether others have done since what a task was to do: all products that
// it had a part in were written after it was submitted.
func (w *workspace) madeSince(p *submission, step *step, task int) (bool, error) {
	if step.Name == stepVerify {
		return false, nil
	}
	cycles := p.Cycles
	if step.Name == stepSample {
		cycles = nil
		for _, args := range step.Tasks[task-1] {
			for _, arg := range args {
				if text, ok := strings.CutPrefix(arg, "--date="); ok {
					r, err := parseCycle(text, "", p.Created)
					if err != nil {
						return false, nil // it is not ours to say what is wrong with a plan
					}
					cycles = append(cycles, r.at)
				}
			}
		}
	}
	for _, c := range cycles {
		product, err := w.product(c)
		if err != nil {
			return false, err
		}
		info, err := os.Stat(manifestPath(product))
		if err != nil || info.ModTime().Before(p.Created) {
			return false, nil
		}
	}
	return len(cycles) > 0, nil
}

// logPath is where the batch system writes the log of a task.
func (s *submission) logPath(p *step, task int) string {
	name := p.Job
	if len(p.Tasks) > 1 {
		name += fmt.Sprintf("_%d", task)
	}
	return fmt.Sprintf("%s/%s_%s.log", s.dir, p.Name, name)
}

// shownFailures of a step are told of one by one.
const shownFailures = 5

// jobsTable is the table of jobs and what went wrong, as text.
func jobsTable(jobs []JobStatus, unknown string) string {
	if len(jobs) == 0 {
		return ""
	}
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.AppendHeader(table.Row{"submission", "step", "job", "tasks", "done", "running", "waiting", "failed"})
	var notes strings.Builder
	if unknown != "" {
		fmt.Fprintf(&notes, "the queue cannot be asked, so that running and waiting are what tasks have recorded: %s\n", unknown)
	}
	for _, j := range jobs {
		t.AppendRow(table.Row{j.Submission, j.Step, j.Job, j.Tasks, j.Done, j.Running, j.Waiting, len(j.Failed)})
		for _, f := range j.Failed[:min(len(j.Failed), shownFailures)] {
			fmt.Fprintf(&notes, "%s %s, task %d: %s", j.Submission, j.Step, f.Task, f.Reason)
			if f.ExitCode != 0 {
				fmt.Fprintf(&notes, " (exit code %d)", f.ExitCode)
			}
			fmt.Fprintf(&notes, "; its log is %s\n", f.Log)
		}
		if n := len(j.Failed) - shownFailures; n > 0 {
			fmt.Fprintf(&notes, "%s %s: %d more tasks failed\n", j.Submission, j.Step, n)
		}
	}
	return t.Render() + "\n" + notes.String()
}
