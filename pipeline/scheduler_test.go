package pipeline

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// repository is its folder, wherever the test has changed to.
func repository() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(file))
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	must2(t, err)
	return text
}

// example reads a sample file, with paths and dates put in that are there in a test.
func example(t *testing.T, name string, replace ...string) string {
	t.Helper()
	return strings.NewReplacer(replace...).Replace(string(mustRead(t, filepath.Join(repository(), "scripts/examples", name))))
}

// program builds the real program.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sipipe")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".")
	build.Dir = repository()
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

// expandECF does what ecFlow does with a task: includes, and variables between percent
// signs.
func expandECF(t *testing.T, variables map[string]string) string {
	t.Helper()
	include := regexp.MustCompile(`(?m)^%include <(.*)>\n`)
	text := include.ReplaceAllStringFunc(example(t, "ecflow/sipipe.ecf"), func(line string) string {
		return example(t, "ecflow/"+include.FindStringSubmatch(line)[1])
	})
	return regexp.MustCompile(`%[A-Z_]+%`).ReplaceAllStringFunc(text, func(name string) string {
		value, ok := variables[strings.Trim(name, "%")]
		if !ok {
			t.Errorf("%s is no variable of the suite or of ecFlow", name)
		}
		return value
	})
}

func ecfVariables(sipipe, config string) map[string]string {
	return map[string]string{
		"ECF_HOST": "localhost", "ECF_PORT": "3141", "ECF_NAME": "/sipipe/daily/sipipe", "ECF_PASS": "x", "ECF_TRYNO": "1",
		"SIPIPE": sipipe, "CONFIG": config, "YMD": "20200118", "CYCLE": "00",
	}
}

// cronCommands are the commands of the lines of a system crontab.
func cronCommands(t *testing.T, text string) []string {
	t.Helper()
	line := regexp.MustCompile(`^([-\d*/,]+\s+){5}[a-z]+\s+(/.*)$`)
	setting := regexp.MustCompile(`^[A-Z_]+=\S+$`)
	var commands []string
	for l := range strings.Lines(text) {
		l = strings.TrimSuffix(l, "\n")
		switch m := line.FindStringSubmatch(l); {
		case l == "" || l[0] == '#' || setting.MatchString(l):
		case m == nil || strings.Contains(l, "%"):
			t.Errorf("cron would not understand %q", l)
		default:
			commands = append(commands, m[2])
		}
	}
	if !strings.HasSuffix(text, "\n") {
		t.Error("cron passes over a last line without a line break")
	}
	return commands
}

func TestSchedulersTakeExamples(t *testing.T) {
	if n := len(cronCommands(t, example(t, "crontab"))); n != 3 {
		t.Errorf("the crontab has %d commands, want 3", n)
	}
	check := func(tool, version string, args ...string) {
		t.Helper()
		if err := exec.CommandContext(t.Context(), tool, version).Run(); err != nil {
			t.Logf("%s does not work here (%v): %s is not checked by it", tool, err, args[len(args)-1])
			return
		}
		if out, err := exec.CommandContext(t.Context(), tool, args...).CombinedOutput(); err != nil {
			t.Errorf("%s %s: %v\n%s", tool, strings.Join(args, " "), err, out)
		}
	}
	dir := t.TempDir()
	here, err := os.Executable() // any program that is there
	must2(t, err)
	for _, name := range []string{"sipipe.service", "sipipe.timer"} {
		must2(t, os.WriteFile(filepath.Join(dir, name), []byte(example(t, name, "/usr/local/bin/sipipe", here)), 0o644))
	}
	check("systemd-analyze", "--version", "verify", filepath.Join(dir, "sipipe.service"), filepath.Join(dir, "sipipe.timer"))
	script := filepath.Join(dir, "sipipe.ecf")
	must2(t, os.WriteFile(script, []byte(expandECF(t, ecfVariables("sipipe", "sipipe.yaml"))), 0o644))
	check("bash", "--version", "-n", script)
	check("ecflow_client", "--version", "--load="+filepath.Join(repository(), "scripts/examples/ecflow/sipipe.def"), "check_only")
	check("cylc", "version", "validate", filepath.Join(repository(), "scripts/examples/cylc"))
}

// unattended is the environment of a scheduler at its poorest: no terminal, no HOME, a
// zone of its own, the root as working folder. tools are put first in PATH.
func unattended(t *testing.T, tools, script string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), "/bin/bash", "-c", script)
	c.Dir, c.Env = "/", []string{"PATH=" + tools + ":/usr/bin:/bin", "TZ=Asia/Kathmandu"}
	return c
}

// Each command of the samples makes the product, as its scheduler would start it.
func TestSchedulerExamplesRun(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	sipipe := program(t)
	command := func(text, before string) string {
		_, rest, found := strings.Cut(text, before)
		if !found {
			t.Fatalf("no %q in\n%s", before, text)
		}
		line, _, _ := strings.Cut(rest, "\n")
		return strings.TrimSpace(line)
	}
	for _, name := range []string{"crontab", "sipipe.service", "cylc/flow.cylc"} {
		dir := place(t)
		text := example(t, name, "/usr/local/bin/sipipe", sipipe, "/srv/sipipe", dir, "/var/log/sipipe", dir,
			"--date today", "--date 2020-01-18", `"$CYLC_TASK_CYCLE_POINT"`, "20200118T0000Z")
		var scripts []string
		switch name {
		case "crontab":
			scripts = cronCommands(t, text)
		case "sipipe.service":
			scripts = []string{command(text, "ExecStart=")}
		default:
			scripts = []string{command(text, "script = \"\"\"\n")}
		}
		for _, s := range scripts {
			if out, err := unattended(t, dir, s).CombinedOutput(); err != nil {
				t.Errorf("%s: %s: %v\n%s", name, s, err, out)
			}
		}
		if _, err := ReadManifest(filepath.Join(dir, "out/2020/01/18/sipipe_2020011800.nc")); err != nil {
			t.Errorf("%s: no product: %v", name, err)
		}
	}
}

// The ecFlow task tells its server how it ended: done, failed, or terminated.
func TestExampleOfECFlow(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	sipipe, tools := program(t), t.TempDir()
	calls := filepath.Join(tools, "calls")
	must2(t, os.WriteFile(filepath.Join(tools, "ecflow_client"), []byte("#!/bin/sh\necho \"$*\" >>"+calls+"\n"), 0o755))
	told := func(what string, want string) {
		t.Helper()
		if got := string(mustRead(t, calls)); !regexp.MustCompile(`^--init=\d+\n` + want + `\n$`).MatchString(got) {
			t.Errorf("%s: the server was told\n%s", what, got)
		}
		must2(t, os.Remove(calls))
	}
	dir := place(t)
	config := filepath.Join(dir, "sipipe.yaml")
	if out, err := unattended(t, tools, expandECF(t, ecfVariables(sipipe, config))).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	told("done", "--complete")
	v := ecfVariables(sipipe, config+".none")
	if err := unattended(t, tools, expandECF(t, v)).Run(); err == nil {
		t.Error("without a configuration it succeeds")
	}
	told("failed", "--abort=exit code 78")

	v = ecfVariables(sipipe, config)
	v["YMD"] = "20200219" // is waited for
	c := unattended(t, tools, expandECF(t, v))
	log := filepath.Join(tools, "log")
	f, err := os.Create(log)
	must2(t, err)
	defer f.Close()
	c.Stdout, c.Stderr = f, f
	must2(t, c.Start())
	for range 600 {
		if time.Sleep(50 * time.Millisecond); strings.Contains(string(mustRead(t, log)), "waiting for the input") {
			break
		}
	}
	must2(t, c.Process.Signal(syscall.SIGTERM))
	if err := c.Wait(); err == nil {
		t.Error("terminated, it succeeds")
	}
	told("terminated", "--abort=terminated")
	if said := string(mustRead(t, log)); !strings.Contains(said, "terminated") {
		t.Errorf("the program did not hear of it:\n%s", said)
	}
}
