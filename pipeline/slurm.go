package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// scheduler is what is asked of Slurm; its commands are the only way in.
type scheduler interface {
	// submit hands in a script and returns what the job is called. after may be empty.
	submit(ctx context.Context, script string, after dependency) (job string, err error)
	cancel(ctx context.Context, jobs []string) error
	// queue is what of the user's jobs is not over: their states, by job and task.
	queue(ctx context.Context) (queue, error)
	// history is the state of a task that is over; "" when it is not kept.
	history(ctx context.Context, job string, task int, array bool) string
}

// dependency is a job that must be over.
type dependency struct {
	job    string
	always bool     // however it ended
	over   []string // jobs that must be over too, however they ended
}

// queue is the state of tasks that are not over, such as RUNNING, by job and task; the
// only task of a job that is no array is 0.
type queue map[string]map[int]string

// slurm calls the commands of Slurm.
type slurm struct{}

// SchedulerError says that a command of the batch system did not work.
type SchedulerError struct {
	Command string
	Text    string // what it said
	Err     error
}

func (e *SchedulerError) Error() string {
	switch {
	case errors.Is(e.Err, exec.ErrNotFound):
		return e.what() + "; submit where Slurm can be reached, or look at the scripts with --dry-run"
	case e.later():
		return e.what() + "; try again later"
	}
	if strings.Contains(e.Text, "node configuration is not available") || strings.Contains(e.Text, "can not be satisfied") {
		return e.what() + "; no node has as much as is asked for: lower slurm.cpus, slurm.memory, slurm.train_cpus or slurm.train_memory, or choose another slurm.partition"
	}
	return e.what() + "; change the keys of slurm, or the options"
}

// what did not work.
func (e *SchedulerError) what() string {
	switch {
	case errors.Is(e.Err, exec.ErrNotFound):
		return e.Command + " is not there"
	case e.Text != "":
		return e.Text // it begins with the name of the command
	}
	return e.Command + ": " + e.Err.Error()
}

func (e *SchedulerError) Unwrap() error { return e.Err }

// later tells whether it may work at another time: the controller does not answer.
func (e *SchedulerError) later() bool {
	for _, sign := range []string{"Unable to contact", "Socket timed out", "Connection refused", "slurm_load_jobs error", "temporarily"} {
		if strings.Contains(e.Text, sign) {
			return true
		}
	}
	return false
}

func (slurm) command(ctx context.Context, name string, args ...string) (string, error) {
	var out, message bytes.Buffer
	c := exec.CommandContext(ctx, name, args...)
	c.Stdout, c.Stderr = &out, &message
	if err := c.Run(); err != nil {
		if ctx.Err() != nil {
			return "", cause(ctx, ctx.Err())
		}
		return "", &SchedulerError{Command: name, Text: strings.Join(strings.Fields(message.String()), " "), Err: err}
	}
	return strings.TrimSpace(out.String()), nil
}

func (s slurm) submit(ctx context.Context, script string, after dependency) (string, error) {
	args := []string{"--parsable"}
	over := after.over
	var all []string
	switch {
	case after.job != "" && after.always:
		over = append(over, after.job)
	case after.job != "":
		all = append(all, "afterok:"+after.job)
		args = append(args, "--kill-on-invalid-dep=yes")
	}
	if len(over) > 0 {
		all = append(all, "afterany:"+strings.Join(over, ":"))
	}
	if len(all) > 0 {
		args = append(args, "--dependency="+strings.Join(all, ","))
	}
	text, err := s.command(ctx, "sbatch", append(args, script)...)
	if err != nil {
		return "", err
	}
	job, _, _ := strings.Cut(text, ";") // the name of the cluster may follow
	if _, err := strconv.Atoi(job); err != nil {
		return "", &SchedulerError{Command: "sbatch", Text: fmt.Sprintf("sbatch printed %q, not the number of a job", text), Err: err}
	}
	return job, nil
}

func (s slurm) cancel(ctx context.Context, jobs []string) error {
	if len(jobs) == 0 {
		return nil
	}
	_, err := s.command(ctx, "scancel", jobs...)
	return err
}

func (s slurm) queue(ctx context.Context) (queue, error) {
	text, err := s.command(ctx, "squeue", "--noheader", "--me", "--array", "--format=%F %K %T")
	if err != nil {
		return nil, err
	}
	return parseQueue(text), nil
}

// parseQueue reads lines of job, task and state.
func parseQueue(text string) queue {
	q := queue{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 3 {
			continue
		}
		task, err := strconv.Atoi(f[1])
		if err != nil {
			task = 0 // N/A: no array
		}
		if q[f[0]] == nil {
			q[f[0]] = map[int]string{}
		}
		q[f[0]][task] = f[2]
	}
	return q
}

// stateWord is the state in front of details: "CANCELLED by 0".
var stateWord = regexp.MustCompile(`^[A-Z_]+`)

func (s slurm) history(ctx context.Context, job string, task int, array bool) string {
	if array {
		job += "_" + strconv.Itoa(task)
	}
	text, err := s.command(ctx, "sacct", "--noheader", "--parsable2", "--allocations", "--format=State", "--jobs="+job)
	if err != nil {
		return "" // many clusters keep no accounts
	}
	return stateWord.FindString(text)
}
