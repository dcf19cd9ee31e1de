package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"sipipe/calibrate/score"
)

// experiment is a data set with a test period.
type experiment struct {
	Name                    string
	Forecasts, Observations string   // ${data} and ${repository} stand for folders
	Variables               string   // as in --set variables=…
	Simulate                []string // flags of sipipe simulate, in place of the three above
	From, To                date
	Folds                   int // of stations, each withheld once; 0: none
	Young                   struct {
		Days   []int  // lengths of archives before the first cycle
		Starts []date // first cycles
		Length int    // days that are scored
	}
	Variants []variant // compared with the default, case by case
}

// variant is a run of an experiment with other settings.
type variant struct {
	Name   string
	Set    []string // keys and values
	System string   // what is scored of it; empty: the calibrated members
	Apart  bool     // it learns from something else, so that its state has a folder of its own
}

// date is a day in YAML.
type date struct{ time.Time }

// UnmarshalText reads 2004-01-30.
func (d *date) UnmarshalText(text []byte) (err error) {
	d.Time, err = time.Parse(time.DateOnly, string(text))
	return err
}

func (d date) String() string { return d.Format(time.DateOnly) }

func (d date) after(days int) date { return date{d.AddDate(0, 0, days)} }

// runner runs the program.
type runner struct {
	folder, program, data, repository string
	threads                           int
}

// period is a run of an experiment over some cycles.
type period struct {
	state, products string // folders
	from, to        date
	set             []string // keys and values
	verify          []string // flags
}

// verified is what sipipe verify says, and of how many cycles the product was made by
// networks, by variable.
type verified struct {
	Variables map[string]*score.Report `json:"variables"`
	cycles    int
	networks  map[string]int
}

// fairMembers are so many independent members that the noise of their fair CRPS is small:
// it falls as one over the root of their number.
const fairMembers = "400"

func (r *runner) experiment(ctx context.Context, e *experiment, t *tables) error {
	place := filepath.Join(r.folder, strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return '-'
	}, strings.ToLower(e.Name)))
	if err := r.configure(ctx, e, place); err != nil {
		return err
	}
	whole := period{state: "state", from: e.From, to: e.To}
	var draws []*verified
	for _, draw := range []string{"stratified", "independent"} {
		p := whole
		p.products, p.set = draw, []string{"calibrate.draw=" + draw}
		if draw == "independent" {
			p.set = append(p.set, "calibrate.members="+fairMembers)
		}
		v, err := r.run(ctx, place, p)
		if err != nil {
			return err
		}
		draws = append(draws, v)
	}
	t.add(e.Name, draws[0], draws[1])
	var variants []*verified
	for i, one := range e.Variants {
		p := whole
		p.products, p.set = fmt.Sprintf("variant-%d", i+1), one.Set
		if one.Apart {
			p.state = fmt.Sprintf("state-variant-%d", i+1)
		}
		v, err := r.run(ctx, place, p)
		if err != nil {
			return fmt.Errorf("%s: %w", one.Name, err)
		}
		variants = append(variants, v)
	}
	if err := t.compare(e.Name, draws[0], e.Variants, variants); err != nil {
		return err
	}
	var folds []*verified
	for k := range e.Folds {
		p := whole
		p.state = fmt.Sprintf("state-fold-%d", k+1)
		p.products = fmt.Sprintf("fold-%d", k+1)
		p.set, p.verify = []string{fmt.Sprintf("calibrate.withhold=%d/%d", k+1, e.Folds)}, []string{"--withheld"}
		v, err := r.run(ctx, place, p)
		if err != nil {
			return err
		}
		folds = append(folds, v)
	}
	t.unseen(e.Name, folds)
	for _, days := range e.Young.Days {
		var starts []*verified
		for _, start := range e.Young.Starts {
			p := period{
				state: "state-young-" + start.String(), products: fmt.Sprintf("young-%d-%s", days, start),
				from: start, to: start.after(e.Young.Length - 1),
				set: []string{"calibrate.since=" + start.after(-days).String()},
			}
			v, err := r.run(ctx, place, p)
			if err != nil {
				return err
			}
			starts = append(starts, v)
		}
		t.young(e.Name, days, starts)
	}
	return nil
}

// configure writes the configuration of an experiment, and its archive if that is
// simulated.
func (r *runner) configure(ctx context.Context, e *experiment, place string) error {
	config := filepath.Join(place, "sipipe.yaml")
	if e.Simulate != nil {
		if _, err := os.Stat(config); err == nil {
			return nil
		}
		_, err := r.sipipe(ctx, append([]string{"simulate", "--out", place, "--quiet"}, e.Simulate...))
		return err
	}
	if err := os.MkdirAll(place, 0o755); err != nil {
		return err
	}
	folders := strings.NewReplacer("${data}", r.data, "${repository}", r.repository)
	text := fmt.Sprintf("ingest:\n  forecasts: %q\n  observations: %q\nvariables: %s\n", folders.Replace(e.Forecasts), folders.Replace(e.Observations), e.Variables)
	return os.WriteFile(config, []byte(text), 0o644)
}

// run makes the products of a period that are not there, and verifies them.
func (r *runner) run(ctx context.Context, place string, p period) (*verified, error) {
	products := filepath.Join(place, p.products)
	common := []string{
		"--quiet", "--config", filepath.Join(place, "sipipe.yaml"), "--threads", fmt.Sprint(r.threads),
		"--from", p.from.String(), "--to", p.to.String(),
		"--set", "state=" + filepath.Join(place, p.state), "--set", "export.path=" + products + "/{date:%Y%m%d%H}.nc",
	}
	for _, s := range p.set {
		common = append(common, "--set", s)
	}
	if _, err := r.sipipe(ctx, append([]string{"backfill"}, common...)); err != nil {
		return nil, err
	}
	text, err := r.sipipe(ctx, append(append([]string{"verify", "--json"}, p.verify...), common...))
	if err != nil {
		return nil, err
	}
	v := &verified{networks: map[string]int{}}
	if err := json.Unmarshal(text, v); err != nil {
		return nil, fmt.Errorf("read what verify says: %w", err)
	}
	manifests, err := filepath.Glob(filepath.Join(products, "*.manifest.json"))
	if err != nil {
		return nil, err
	}
	for _, path := range manifests {
		var m struct {
			Variables []struct{ Name, Method string }
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &m); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		v.cycles++
		for _, one := range m.Variables {
			if one.Method == "interpolant" {
				v.networks[one.Name]++
			}
		}
	}
	return v, nil
}

// sipipe runs the program and returns what it prints. Of its log, which warns of each
// product of a young archive, an error shows the end.
func (r *runner) sipipe(ctx context.Context, args []string) ([]byte, error) {
	var log bytes.Buffer
	c := exec.CommandContext(ctx, r.program, args...)
	c.Stderr = &log
	out, err := c.Output()
	if err != nil {
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		return nil, fmt.Errorf("%s %s: %w: %s", filepath.Base(r.program), strings.Join(args, " "), err, lines[len(lines)-1])
	}
	return out, nil
}
