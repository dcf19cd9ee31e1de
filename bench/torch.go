package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
)

//go:embed torch.py
var script string

// torch is a running Python with the workload's network.
type torch struct {
	Version string
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers *json.Decoder
}

func startTorch(python string, w workload) (*torch, error) {
	config, err := json.Marshal(w)
	if err != nil {
		return nil, err
	}
	t := &torch{cmd: exec.Command(python, "-c", script, string(config))}
	t.cmd.Stderr = os.Stderr
	// By default the C library returns every large tensor's memory to the system, and
	// page faults then take most of the time: 8 times as much where this was measured.
	t.cmd.Env = append(os.Environ(), "MALLOC_MMAP_THRESHOLD_=1000000000", "MALLOC_TRIM_THRESHOLD_=1000000000")
	if t.in, err = t.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := t.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := t.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", python, err)
	}
	t.answers = json.NewDecoder(out)
	var hello struct{ Version string }
	if err := t.answers.Decode(&hello); err != nil {
		t.close()
		return nil, fmt.Errorf("%s has no working PyTorch (Debian: python3-torch): %w", python, err)
	}
	t.Version = hello.Version
	return t, nil
}

// seconds asks for one measurement: of a training step, or of a lane and solver step.
func (t *torch) seconds(what string, threads, steps int) (float64, error) {
	q := map[string]any{"what": what, "threads": threads, "steps": steps}
	if err := json.NewEncoder(t.in).Encode(q); err != nil {
		return 0, fmt.Errorf("ask PyTorch: %w", err)
	}
	var a struct{ Seconds float64 }
	if err := t.answers.Decode(&a); err != nil {
		return 0, fmt.Errorf("measure PyTorch: %w", err)
	}
	return a.Seconds, nil
}

func (t *torch) close() {
	t.in.Close()
	// Its exit status says nothing that a failed answer has not said.
	_ = t.cmd.Wait()
}
