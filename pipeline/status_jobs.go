package pipeline

import (
	"context"
	"fmt"
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
	Done       int           `json:"done"`
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
// tasks leave open is asked of the batch system, if there is one.
func (w *workspace) jobs(ctx context.Context, s scheduler) ([]JobStatus, error) {
	all, err := submissions(w.store.Dir())
	if err != nil || len(all) == 0 {
		return nil, err
	}
	all = all[max(0, len(all)-shownJobs):]
	q, err := s.queue(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, cause(ctx, err)
		}
		w.log.Debug().Msg("the queue is not known: " + err.Error())
		q = nil
	}
	var jobs []JobStatus
	for _, p := range all {
		for _, step := range p.Steps {
			j := JobStatus{Submission: p.name(), Step: step.Name, Job: step.Job, Tasks: len(step.Tasks)}
			for k := range step.Tasks {
				j.count(ctx, s, p, step, k+1, q)
			}
			jobs = append(jobs, j)
		}
	}
	return jobs, nil
}

// count adds what is known of one task. q is nil when there is no queue to ask.
func (j *JobStatus) count(ctx context.Context, s scheduler, p *submission, step *step, task int, q queue) {
	array := len(step.Tasks) > 1
	number := 0 // of a job that is no array
	if array {
		number = task
	}
	r := p.readRecord(step.Name, task)
	state, queued := q[step.Job][number]
	fail := func(code int, reason string) {
		j.Failed = append(j.Failed, TaskFailure{Task: task, ExitCode: code, Reason: reason, Log: p.logPath(step, task)})
	}
	switch {
	// A task that was put back has the record of the time before.
	case queued && state == "PENDING":
		j.Waiting++
	case r != nil && r.Ended != nil && r.ExitCode == ExitDone:
		j.Done++
	case r != nil && r.Ended != nil && !queued:
		fail(r.ExitCode, r.Reason)
	case queued:
		j.Running++
	case q == nil && r != nil:
		j.Running++ // as far as can be told here
	case q == nil:
		j.Waiting++
	default:
		reason := "it left no word: it was cancelled, killed as it began, or the step before it failed"
		if r != nil {
			reason = "it was killed without leaving word"
		}
		if state := s.history(ctx, step.Job, task, array); state != "" {
			reason += ": " + strings.ToLower(state)
		}
		fail(0, reason)
	}
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
func jobsTable(jobs []JobStatus) string {
	if len(jobs) == 0 {
		return ""
	}
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	t.AppendHeader(table.Row{"submission", "step", "job", "tasks", "done", "running", "waiting", "failed"})
	var notes strings.Builder
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
