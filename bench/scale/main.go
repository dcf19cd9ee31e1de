// Command scale measures how time and memory of sipipe grow with the number of
// stations, members and lead times, and with the length of the archive.
//
//	go run ./bench/scale [-sipipe bin/sipipe] [-out bench/scale.json] [-picture docs/pictures/scale.png] [-full]
//
// Each size is simulated, calibrated once from nothing (the statistical forecasts of
// the archive are made and networks are trained), and then once more for the next day,
// as a service does daily. Processor time, elapsed time and peak memory are those that
// the operating system counts for the process. The picture shows them on log axes.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"text/tabwriter"
)

// results of a run.
type results struct {
	CPUs   int     `json:"cpus"`
	Points []point `json:"points"`
	Slopes []slope `json:"slopes"`
}

func main() {
	program := flag.String("sipipe", "bin/sipipe", "the program to measure")
	out := flag.String("out", "bench/scale.json", "file for the results; empty for none")
	picture := flag.String("picture", "docs/pictures/scale.png", "file for the picture; empty for none")
	full := flag.Bool("full", false, "also the largest sizes, which take hours")
	flag.Parse()
	if err := run(*program, *out, *picture, *full); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func run(program, out, picture string, full bool) error {
	program, err := filepath.Abs(program)
	if err != nil {
		return err
	}
	r := &results{CPUs: runtime.NumCPU()}
	measured := map[size]point{}
	for _, a := range axes(full) {
		for _, s := range a.sizes {
			p, ok := measured[s]
			if !ok {
				fmt.Fprintln(os.Stderr, "scale:", s)
				if p, err = measure(program, s); err != nil {
					return fmt.Errorf("%s: %w", s, err)
				}
				measured[s] = p
			}
			p.Axis = a.name
			r.Points = append(r.Points, p)
		}
	}
	r.Slopes = slopes(r.Points)
	if err := r.print(); err != nil {
		return err
	}
	if out != "" {
		data, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(out, append(data, '\n'), 0o644); err != nil {
			return err
		}
	}
	if picture == "" {
		return nil
	}
	return draw(r, picture)
}

// print writes the table.
func (r *results) print() error {
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "axis\tstations\tmembers\tleads\tdays\tmethod\tdaily CPU s\tdaily MB\tfrom nothing CPU s\tfrom nothing MB")
	for _, p := range r.Points {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%s\t%.1f\t%.0f\t%.1f\t%.0f\n", p.Axis, p.Stations, p.Members, p.Leads, p.Days, p.Method,
			p.Daily.CPU, p.Daily.Peak/1e6, p.Cold.CPU, p.Cold.Peak/1e6)
	}
	fmt.Fprintln(t, "\nslopes on log axes between the two largest sizes")
	for _, s := range r.Slopes {
		fmt.Fprintf(t, "%s\tdaily CPU %.2f\tdaily memory %.2f\tfrom nothing CPU %.2f\tfrom nothing memory %.2f\n", s.Axis, s.DailyCPU, s.DailyPeak, s.ColdCPU, s.ColdPeak)
	}
	return t.Flush()
}
