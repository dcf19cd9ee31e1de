package pipeline

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// warning is how long before the end of its time a task is told: enough to keep where
// training is, see grace.
const warning = time.Minute

// batchScript is the script that sbatch takes for a step. It holds no logic: the
// program takes the place of the shell, so that it is what gets the signal, and finds
// in the plan what to do.
func (s *submission) batchScript(p *step, c *SlurmConfig, program string) string {
	var b strings.Builder
	option := func(format string, args ...any) { fmt.Fprintf(&b, "#SBATCH "+format+"\n", args...) }
	b.WriteString("#!/bin/sh\n")
	option("--job-name=sipipe-%s-%s", s.Kind, p.Name)
	log := "%j"
	if n := len(p.Tasks); n > 1 {
		log = "%A_%a"
		limit := ""
		if c.AtOnce > 0 {
			limit = fmt.Sprintf("%%%d", c.AtOnce)
		}
		option("--array=1-%d%s", n, limit)
	}
	cpus, memory, limit := c.CPUs, c.Memory, c.Time
	if p.Name == stepTrain {
		if c.TrainCPUs > 0 {
			cpus = c.TrainCPUs
		}
		if c.TrainMemory != "" {
			memory = c.TrainMemory
		}
		if c.TrainTime > 0 {
			limit = c.TrainTime
		}
	}
	option("--ntasks=1 --cpus-per-task=%d", cpus)
	if memory != "" {
		option("--mem=%s", memory)
	}
	option("--time=%s", slurmTime(limit))
	if c.Partition != "" {
		option("--partition=%s", c.Partition)
	}
	if c.Account != "" {
		option("--account=%s", c.Account)
	}
	option("--requeue --open-mode=append --signal=B:TERM@%d", int(warning.Seconds()))
	option("--output=%s", batchQuote(batchPattern(s.dir)+"/"+p.Name+"_"+log+".log"))
	for _, o := range c.Options {
		option("%s", o)
	}
	fmt.Fprintf(&b, "exec %s task --plan %s --step %s\n", shellQuote(program), shellQuote(s.dir), p.Name)
	return b.String()
}

// slurmTime is a duration as Slurm reads it, days-hours:minutes:seconds, in whole
// minutes, rounded up.
func slurmTime(d time.Duration) string {
	minutes := int((d + time.Minute - 1) / time.Minute)
	return fmt.Sprintf("%d-%02d:%02d:00", minutes/(24*60), minutes/60%24, minutes%60)
}

// shellQuote makes text one word of a POSIX shell, whatever is in it.
func shellQuote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// batchPattern keeps sbatch from reading % in a path as the name of a job.
func batchPattern(path string) string { return strings.ReplaceAll(path, "%", "%%") }

// batchQuote makes text one word of an #SBATCH line.
func batchQuote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// What goes into #SBATCH lines as it is must be one plain word.
var (
	slurmWord   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.,:+@/-]*$`)
	slurmMemory = regexp.MustCompile(`^[1-9][0-9]*[KMGT]?$`)
	slurmOption = regexp.MustCompile(`^--[a-z][a-z0-9-]*(=[A-Za-z0-9_.,:=+%@/\[\]()*&|!-]+)?$`)
)

// checkSlurm refuses values that would be more than one word of a script.
func (l *Loaded) checkSlurm(bad func(key, text string, args ...any)) {
	c := &l.Slurm
	for _, w := range []struct{ key, value string }{
		{"slurm.partition", c.Partition}, {"slurm.account", c.Account},
	} {
		if w.value != "" && !slurmWord.MatchString(w.value) {
			bad(w.key, "is %q; names have letters, digits and _ . , : + @ / -", w.value)
		}
	}
	for _, m := range []struct{ key, value string }{
		{"slurm.memory", c.Memory}, {"slurm.train_memory", c.TrainMemory},
	} {
		if m.value != "" && !slurmMemory.MatchString(m.value) {
			bad(m.key, "is %q, not an amount of memory such as 4G or 800M", m.value)
		}
	}
	for _, o := range c.Options {
		if !slurmOption.MatchString(o) {
			bad("slurm.options", "has %q, which is not an option such as --qos=short, without blanks", o)
		}
	}
}
