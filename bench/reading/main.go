// Command reading measures how fast forecasts are read into the state beside nccopy,
// which reads and writes the same files.
//
//	go run ./bench/reading [-sipipe bin/sipipe] [-cycles 100] [-rounds 3]
//
// The archive is simulated and of the shape of EUPPBench: 229 stations, 21 lead times,
// 51 members. Both take turns; what is compared is processor time, which other work on
// the machine disturbs less than elapsed time does.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"sipipe/ingest"
	"sipipe/ingest/store"
)

// The shape of a cycle.
const stations, leads, members = 229, 21, 51

func main() {
	program := flag.String("sipipe", "bin/sipipe", "the program that simulates the archive")
	cycles := flag.Int("cycles", 100, "cycles of the archive")
	rounds := flag.Int("rounds", 3, "rounds of both contestants")
	flag.Parse()
	if err := run(*program, *cycles, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "reading:", err)
		os.Exit(1)
	}
}

func run(program string, cycles, rounds int) error {
	dir, err := os.MkdirTemp("", "sipipe-reading-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	last := time.Date(2024, time.July, 2, 0, 0, 0, 0, time.UTC)
	simulate := exec.Command(program, "simulate", "--quiet", "--out", dir, "--variables", "t2m",
		"--from", last.AddDate(0, 0, 1-cycles).Format(time.DateOnly), "--to", last.Format(time.DateOnly),
		"--stations", fmt.Sprint(stations), "--steps", fmt.Sprint(leads), "--members", fmt.Sprint(members))
	simulate.Stderr = os.Stderr
	if err := simulate.Run(); err != nil {
		return fmt.Errorf("simulate: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "archive/forecasts/*/*/*.nc"))
	if err != nil || len(files) != cycles {
		return fmt.Errorf("%d files of %d cycles: %v", len(files), cycles, err)
	}
	megabytes := float64(cycles*stations*leads*members) * 4 / 1e6
	var ours, theirs, ratios []float64
	for k := range rounds {
		a, err := processor(syscall.RUSAGE_CHILDREN, func() error {
			for _, f := range files {
				if err := exec.Command("nccopy", f, filepath.Join(dir, "copy.nc")).Run(); err != nil {
					return fmt.Errorf("nccopy %s: %w", f, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		b, err := processor(syscall.RUSAGE_SELF, func() error { return read(dir, filepath.Join(dir, fmt.Sprint("state", k))) })
		if err != nil {
			return err
		}
		theirs, ours, ratios = append(theirs, megabytes/a), append(ours, megabytes/b), append(ratios, a/b)
	}
	fmt.Printf("%d cycles, %.0f MB of values, medians of %d rounds, per second of processor time\n", cycles, megabytes, rounds)
	fmt.Printf("sipipe %.0f MB/s   nccopy %.0f MB/s   sipipe ÷ nccopy %.2f\n", median(ours), median(theirs), median(ratios))
	return nil
}

// read reads the archive into a new state.
func read(dir, state string) error {
	s, err := store.Open(state)
	if err != nil {
		return err
	}
	_, err = ingest.Open(context.Background(), ingest.Options{
		Forecasts: filepath.Join(dir, "archive/forecasts/{date:%Y/%m}/fc_{date:%Y%m%d%H}.nc"),
		Variables: []string{"t2m"}, Root: dir, Store: s, Screen: true, Interpolation: ingest.NoInterpolation,
	})
	return err
}

// processor is the processor time in seconds, of this process or its children, that f takes.
func processor(who int, f func() error) (float64, error) {
	used := func() (float64, error) {
		var u syscall.Rusage
		err := syscall.Getrusage(who, &u)
		return (time.Duration(u.Utime.Nano()) + time.Duration(u.Stime.Nano())).Seconds(), err
	}
	before, err := used()
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	after, err := used()
	return after - before, err
}

func median(x []float64) float64 {
	slices.Sort(x)
	n := len(x)
	return (x[(n-1)/2] + x[n/2]) / 2
}
