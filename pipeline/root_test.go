package pipeline

import (
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func root() *cobra.Command {
	return NewRoot(&Global{Streams: Streams{Out: io.Discard, Err: io.Discard}, Build: Build{Version: "1.2.3"}, clock: noon})
}

// commands are all that a user can call.
func commands() []*cobra.Command {
	var all []*cobra.Command
	var collect func(c *cobra.Command)
	collect = func(c *cobra.Command) {
		if !c.HasSubCommands() && c.Name() != "help" {
			all = append(all, c)
		}
		for _, below := range c.Commands() {
			collect(below)
		}
	}
	collect(root())
	return all
}

func TestEachCommandTeachesByExample(t *testing.T) {
	for _, c := range commands() {
		t.Run(c.Name(), func(t *testing.T) {
			path := strings.Fields(c.CommandPath())[1:]
			r := must(t, sipipe(t, append(path, "--help")...))
			if c.Short == "" || c.Example == "" {
				t.Error("it lacks a description or an example")
			}
			if len(path) == 1 && c.GroupID == "" {
				t.Error("it is in no group")
			}
			if !strings.HasSuffix(r.out, exitHelp+"\n") {
				t.Errorf("its help does not end in the exit codes:\n%s", r.out)
			}
			for line := range strings.Lines(r.out) {
				if strings.Contains(line, "`") {
					t.Errorf("a stray quote: %s", line)
				}
			}
		})
	}
}

// Each example is parsed by the command that it calls.
func TestExamplesParse(t *testing.T) {
	call := regexp.MustCompile(`sipipe ([a-z][a-z-]*)([^|&>)#]*)`)
	seen := 0
	for _, c := range append(commands(), root()) {
		for line := range strings.Lines(c.Example) {
			for _, m := range call.FindAllStringSubmatch(line, -1) {
				seen++
				called, args, err := root().Find(append([]string{m[1]}, strings.Fields(m[2])...))
				if err != nil || !strings.HasPrefix(called.CommandPath()+" ", "sipipe "+m[1]+" ") {
					t.Errorf("%s: %v", strings.TrimSpace(line), err)
					continue
				}
				if err := called.ParseFlags(args); err != nil {
					t.Errorf("%s: %v", strings.TrimSpace(line), err)
					continue
				}
				if err := called.ValidateArgs(called.Flags().Args()); err != nil {
					t.Errorf("%s: %v", strings.TrimSpace(line), err)
				}
			}
		}
	}
	if seen < 20 {
		t.Errorf("%d examples were found", seen)
	}
}

func TestFlagsParse(t *testing.T) {
	values := map[string]string{"bool": "true", "int": "3", "float64": "0.5", "float64Slice": "1.5,2", "string": "x", "stringArray": "a=b", "stringSlice": "a,b", "intSlice": "0,12", "count": "1", "duration": "90m"}
	for _, c := range commands() {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			value, ok := values[f.Value.Type()]
			if !ok {
				t.Errorf("%s --%s is of the unknown type %s", c.Name(), f.Name, f.Value.Type())
				return
			}
			if err := c.ParseFlags([]string{"--" + f.Name + "=" + value}); err != nil {
				t.Errorf("%s --%s=%s: %v", c.Name(), f.Name, value, err)
			}
			if f.Usage == "" {
				t.Errorf("%s --%s is not described", c.Name(), f.Name)
			}
		})
	}
}

func TestFlagsStandForKeys(t *testing.T) {
	table := newKeyTable()
	found := 0
	check := func(f *pflag.Flag) {
		for _, name := range f.Annotations[keyAnnotation] {
			found++
			if _, child, ok := table.find(name); !ok || child != "" {
				t.Errorf("--%s stands for %s, which is no key", f.Name, name)
			}
		}
	}
	root().PersistentFlags().VisitAll(check)
	for _, c := range commands() {
		c.Flags().VisitAll(check)
	}
	if found < 3 {
		t.Errorf("%d flags stand for a key", found)
	}
}

func TestThreads(t *testing.T) {
	for _, c := range []struct {
		asked      int
		omp, slurm string
		want       int
	}{
		{3, "5", "7", 3},
		{0, "5", "7", 5},
		{0, "", "7", 7},
		{0, "many", "7", 7},
		{0, "-1", "7", 7},
	} {
		t.Setenv("OMP_NUM_THREADS", c.omp)
		t.Setenv("SLURM_CPUS_PER_TASK", c.slurm)
		if got := threads(c.asked); got != c.want {
			t.Errorf("%+v: %d threads", c, got)
		}
	}
}

// The environment stands for flags that are no keys.
func TestEnvironmentNamesConfigurationAndLogFormat(t *testing.T) {
	dir := place(t)
	t.Chdir(t.TempDir())
	t.Setenv("SIPIPE_CONFIG", dir+"/sipipe.yaml")
	t.Setenv("SIPIPE_LOG_FORMAT", "text")
	r := must(t, sipipe(t, "run", "--date", "2020-01-18"))
	if !strings.Contains(r.out, dir) || strings.HasPrefix(r.err, "{") {
		t.Errorf("product %q, log %.80q", r.out, r.err)
	}
}
