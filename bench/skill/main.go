// Command skill makes the tables of docs/explanation/skill.md: it makes products of
// test periods by the program, verifies them, and prints Markdown.
//
//	go run ./bench/skill [-o FOLDER] [-data FOLDER] [-only TEXT] [bench/skill/experiments.yaml]
//
// Of each experiment it makes the products twice, with stratified and with (more)
// independent members; once more for each variant; with folds, once more for each fold of
// stations that nothing learns from; and for young archives, with an archive that begins
// so many days before. Intervals are of 95 %, by a block bootstrap over days.
//
// FOLDER (default: a new one in the temporary folder) holds state and products; with
// the same FOLDER a stopped run goes on. Experiments whose data are not there are left
// out, which is said.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

func main() {
	var r runner
	flag.StringVar(&r.folder, "o", "", "`folder` of state and products; empty: a new one")
	flag.StringVar(&r.program, "sipipe", "bin/sipipe", "the `program`")
	flag.StringVar(&r.data, "data", "", "`folder` that ${data} stands for")
	only := flag.String("only", "", "run experiments with this `text` in their names")
	flag.IntVar(&r.threads, "threads", 0, "threads of the program; 0: all")
	flag.Parse()
	list := "bench/skill/experiments.yaml"
	if flag.NArg() > 0 {
		list = flag.Arg(0)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, &r, list, *only, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "skill:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, r *runner, list, only string, out io.Writer) (err error) {
	text, err := os.ReadFile(list)
	if err != nil {
		return fmt.Errorf("read experiments: %w", err)
	}
	var all []experiment
	if err := yaml.Unmarshal(text, &all); err != nil {
		return fmt.Errorf("%s: %w", list, err)
	}
	if r.folder == "" {
		if r.folder, err = os.MkdirTemp("", "sipipe-skill-"); err != nil {
			return err
		}
	}
	for _, path := range []*string{&r.folder, &r.program, &r.data} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	if r.repository, err = os.Getwd(); err != nil {
		return err
	}
	t := newTables()
	for _, e := range all {
		if !strings.Contains(e.Name, only) {
			continue
		}
		if r.data == "" && strings.Contains(e.Forecasts, "${data}") {
			fmt.Fprintf(os.Stderr, "skill: %s: left out, since -data does not name its folder\n", e.Name)
			continue
		}
		if err := r.experiment(ctx, &e, t); err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
	}
	return t.write(out)
}
