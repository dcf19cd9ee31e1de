package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// size of an archive with a cycle a day.
type size struct {
	Stations int `json:"stations"`
	Members  int `json:"members"` // raw; as many are sampled
	Leads    int `json:"leads"`
	Days     int `json:"days"`
}

func (s size) String() string {
	return fmt.Sprintf("%d stations, %d members, %d lead times, %d days", s.Stations, s.Members, s.Leads, s.Days)
}

// axis is a series of sizes that differ in one number.
type axis struct {
	name  string
	sizes []size
}

// The archive has days enough for networks; that of the axis of years is small in all
// else, since it is made day by day.
const (
	shortArchive = 30
	year         = 365
)

func axes(full bool) []axis {
	base := size{Stations: 1000, Members: 20, Leads: 4, Days: shortArchive}
	small := size{Stations: 20, Members: 10, Leads: 4, Days: year}
	vary := func(name string, from size, field func(*size) *int, values ...int) axis {
		a := axis{name: name}
		for _, v := range values {
			s := from
			*field(&s) = v
			a.sizes = append(a.sizes, s)
		}
		return a
	}
	stations := func(s *size) *int { return &s.Stations }
	members := func(s *size) *int { return &s.Members }
	leads := func(s *size) *int { return &s.Leads }
	days := func(s *size) *int { return &s.Days }
	if full {
		large := size{Stations: 10000, Members: 50, Leads: 20, Days: shortArchive}
		return []axis{
			vary("stations", large, stations, 100, 300, 1000, 3000, 10000),
			vary("members", large, members, 10, 20, 50, 100),
			vary("leads", large, leads, 2, 5, 10, 20, 40),
			vary("days", small, days, year, 5*year, 10*year, 20*year),
		}
	}
	return []axis{
		vary("stations", base, stations, 100, 300, 1000, 3000, 10000),
		vary("members", base, members, 10, 20, 50, 100),
		vary("leads", base, leads, 2, 4, 8, 16),
		vary("days", small, days, year/4, year, 4*year),
	}
}

// usage is what the system counts of a process.
type usage struct {
	CPU  float64 `json:"cpu_seconds"` // user and system
	Wall float64 `json:"wall_seconds"`
	Peak float64 `json:"peak_bytes"` // resident
}

// point is one size measured.
type point struct {
	size
	Axis   string `json:"axis"`
	Method string `json:"method"` // interpolant when networks have a weight, else frame
	Cold   usage  `json:"cold"`   // a first run: archive read, statistical forecasts made, networks trained
	Daily  usage  `json:"daily"`  // the run of the next day
}

// Cycles end on day last, of which the calendar of training says nothing new: the day
// before is one too, so that the last run finds its model.
var last = time.Date(2024, time.July, 2, 0, 0, 0, 0, time.UTC)

// variable is one that the frame alone does not describe: its networks get a weight.
const variable = "regime"

// measure simulates an archive of size s and runs the program on it.
func measure(program string, s size) (p point, err error) {
	dir, err := os.MkdirTemp("", "sipipe-scale-")
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	p.size = s
	day := func(t time.Time) string { return t.Format(time.DateOnly) }
	_, err = timed(exec.Command(program, "simulate", "--quiet", "--out", dir,
		"--from", day(last.AddDate(0, 0, 1-s.Days)), "--to", day(last), "--variables", variable,
		"--stations", fmt.Sprint(s.Stations), "--members", fmt.Sprint(s.Members), "--steps", fmt.Sprint(s.Leads)))
	if err != nil {
		return p, err
	}
	run := func(t time.Time) (usage, error) {
		return timed(exec.Command(program, "run", "--quiet", "--config", filepath.Join(dir, "sipipe.yaml"),
			"--set", fmt.Sprintf("calibrate.members=%d", s.Members), "--set", "export.path=out/{date:%Y%m%d%H}.nc", "--date", day(t)))
	}
	if p.Cold, err = run(last.AddDate(0, 0, -1)); err != nil {
		return p, err
	}
	if p.Daily, err = run(last); err != nil {
		return p, err
	}
	text, err := os.ReadFile(filepath.Join(dir, "out", last.Format("2006010215")+".nc.manifest.json"))
	if err != nil {
		return p, err
	}
	var manifest struct{ Variables []struct{ Method string } }
	if err := json.Unmarshal(text, &manifest); err != nil {
		return p, err
	}
	p.Method = manifest.Variables[0].Method
	return p, nil
}

// timed runs a command.
func timed(c *exec.Cmd) (u usage, err error) {
	c.Stderr = os.Stderr
	start := time.Now()
	if err := c.Run(); err != nil {
		return u, fmt.Errorf("%s %s: %w", filepath.Base(c.Path), c.Args[1], err)
	}
	u.Wall = time.Since(start).Seconds()
	u.CPU = (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds()
	if r, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.Peak = 1024 * float64(r.Maxrss) // Linux counts in KiB
	}
	return u, nil
}
