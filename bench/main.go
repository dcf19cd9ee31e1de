// Command bench compares training and sampling of the network with OpenBLAS's matrix
// product on the same shapes and with PyTorch on the same network, data, batch and
// thread count.
//
//	go run ./bench [-rounds 5] [-out bench/results.json] [-python /usr/bin/python3]
//
// The contestants take turns within a round, so that a busy machine slows all of
// them; ratios are medians over rounds. PyTorch is Debian's python3-torch; without
// it only the rest is measured.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"

	"sipipe/calibrate/net"
)

// workload is a network and the sizes it is measured with.
type workload struct {
	Name    string     `json:"name"`
	Config  net.Config `json:"config"`
	Batch   int        `json:"batch"`   // cases of a training step
	Cases   int        `json:"cases"`   // of a sampling tile
	Members int        `json:"members"` // of each case
}

// workloads are the network in its default form, and one of the size of a
// 32-128-128-8 perceptron with FiLM.
func workloads() []workload {
	return []workload{
		{"default", net.Config{Dx: 1, Dc: 12, Dout: 2, Hidden: 32, Blocks: 2, Emb: 16, Fourier: 4, Seed: 1}, 1024, 64, 50},
		{"large", net.Config{Dx: 8, Dc: 24, Dout: 8, Hidden: 128, Blocks: 1, Emb: 32, Fourier: 4, Seed: 1}, 1024, 64, 50},
	}
}

func main() {
	rounds := flag.Int("rounds", 5, "rounds of all contestants")
	out := flag.String("out", "bench/results.json", "file for the results; empty for none")
	python := flag.String("python", "/usr/bin/python3", "Python with PyTorch")
	flag.Parse()
	if err := run(*rounds, *out, *python); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(rounds int, out, python string) error {
	r := &results{Go: runtime.Version(), CPUs: runtime.NumCPU(), Kernels: net.Kernels(), Rounds: rounds}
	for _, w := range workloads() {
		t, err := startTorch(python, w)
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench: without PyTorch:", err)
		}
		m, err := compare(w, t, rounds)
		if t != nil {
			t.close()
		}
		if err != nil {
			return fmt.Errorf("workload %s: %w", w.Name, err)
		}
		r.Workloads = append(r.Workloads, m)
	}
	r.print(os.Stdout)
	if out == "" {
		return nil
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(out, append(data, '\n'), 0o644)
}
