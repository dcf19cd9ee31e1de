package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TaskOptions are the flags of sipipe task.
type TaskOptions struct {
	Plan, Step string
	Number     int
}

// AddFlags adds the flags of the command.
func (o *TaskOptions) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&o.Plan, "plan", "", "`folder` of the submission")
	f.StringVar(&o.Step, "step", "", "`name` of the step")
	f.IntVar(&o.Number, "number", 0, "`number` of the task from 1 on (default: SLURM_ARRAY_TASK_ID, or 1)")
}

func newTaskCommand(g *Global) *cobra.Command {
	var o TaskOptions
	c := &cobra.Command{
		Use:   "task --plan DIR --step NAME",
		Short: "Do one task of what sipipe submit has planned",
		Long: `Do one task of what sipipe submit has planned, and leave a record of how it ended for
sipipe status. This is what the scripts of sipipe submit call.`,
		Example: `  sipipe task --plan state/jobs/20240708T033016Z-backfill --step sample --number 3`,
		GroupID: groupWork,
		Hidden:  true,
		Args:    noArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runTask(c.Context(), o, g) },
	}
	o.AddFlags(c.Flags())
	return c
}

func runTask(ctx context.Context, o TaskOptions, g *Global) error {
	usage := func(format string, args ...any) error {
		return &UsageError{Command: "sipipe task", Text: fmt.Sprintf(format, args...)}
	}
	s, err := readSubmission(o.Plan)
	if err != nil {
		return err
	}
	p, ok := s.step(o.Step)
	if !ok {
		return usage("the plan has no step %q", o.Step)
	}
	if o.Number == 0 {
		o.Number = 1
		if id := os.Getenv("SLURM_ARRAY_TASK_ID"); id != "" && len(p.Tasks) > 1 {
			if o.Number, err = strconv.Atoi(id); err != nil {
				return usage("SLURM_ARRAY_TASK_ID is %q, not a number", id)
			}
		}
	}
	if o.Number < 1 || o.Number > len(p.Tasks) {
		return usage("step %s has tasks 1 to %d, not %d", p.Name, len(p.Tasks), o.Number)
	}
	return g.doTask(ctx, s, p, o.Number)
}

// doTask runs the commands of a task and records how it ended.
func (g *Global) doTask(ctx context.Context, s *submission, p *step, number int) error {
	self := thisProcess(g.args, g.clock())
	r := &taskRecord{Begun: self.Start, Host: self.Host, Job: os.Getenv("SLURM_JOB_ID")}
	if n, err := strconv.Atoi(os.Getenv("SLURM_RESTART_COUNT")); err == nil {
		r.Restarts = n
	}
	if err := s.writeRecord(p.Name, number, r); err != nil {
		return err
	}
	var out bytes.Buffer
	failed := &TaskError{}
	for _, args := range p.Tasks[number-1] {
		code, reason := g.doCommand(ctx, append(append([]string(nil), s.Common...), args...), &out)
		if code != ExitDone && failed.code == ExitDone {
			*failed = TaskError{Args: args, code: code, reason: reason}
		}
		if ctx.Err() != nil {
			break
		}
	}
	if err := publish(s.outputPath(p.Name, number), out.Bytes()); err != nil {
		return err
	}
	ended := g.clock().UTC()
	r.Ended, r.ExitCode, r.Reason = &ended, failed.code, failed.reason
	if err := s.writeRecord(p.Name, number, r); err != nil || failed.code == ExitDone {
		return err
	}
	return failed
}

// doCommand runs a command of the program in this process.
func (g *Global) doCommand(ctx context.Context, args []string, out io.Writer) (code int, reason string) {
	one := &Global{
		Streams: Streams{Out: io.MultiWriter(g.Out, out), Err: g.Err}, Build: g.Build,
		Config: g.Config, LogFormat: g.LogFormat, args: args, clock: g.clock, sleep: g.sleep,
	}
	err := one.run(ctx)
	if err != nil {
		reason = strings.TrimSpace(err.Error())
	}
	return ExitCode(err), reason
}

// TaskError says that a command of a task has failed.
type TaskError struct {
	Args   []string
	code   int
	reason string
}

func (e *TaskError) Error() string {
	return fmt.Sprintf("sipipe %s: %s", strings.Join(e.Args, " "), e.reason)
}
