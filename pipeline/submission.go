package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sipipe/ingest"
)

// submission is work that was handed to a batch system: steps that follow each other,
// each of tasks that may run at the same time. It lies in a folder of its own below
// state/jobs, as plan.json, with the scripts, the logs and a record for each task.
type submission struct {
	Version int       `json:"plan_version"`
	Kind    string    `json:"kind"` // backfill, run or ablate
	Created time.Time `json:"created"`
	// Cycles that it makes products of; two submissions should not share one.
	Cycles []time.Time `json:"cycles,omitempty"`
	// Common are the flags of each command, in front of those of its own.
	Common []string `json:"common"`
	Steps  []*step  `json:"steps"`

	// Sum is the SHA-256 of the file with this value left empty.
	Sum string `json:"plan_sha256"`

	dir     string
	damaged error // why there is no more than the folder and the time in its name
}

// step is one job of the batch system, an array when it has several tasks.
type step struct {
	Name  string `json:"step"`
	After string `json:"after,omitempty"` // step that must have ended well
	// Always: it is enough that the step before has ended.
	Always bool `json:"always,omitempty"`
	// Over are jobs of earlier submissions that must be over.
	Over []string `json:"over,omitempty"`
	// Tasks are commands of the program, by task; those of one task follow each other.
	Tasks [][][]string `json:"tasks"`
	Job   string       `json:"job,omitempty"` // as the batch system calls it
}

// planVersion changes with the meaning of a field.
const planVersion = 1

const planFile = "plan.json"

// jobsFolder holds the submissions of a state folder.
func jobsFolder(state string) string { return filepath.Join(state, "jobs") }

// name of the submission: that of its folder.
func (s *submission) name() string { return filepath.Base(s.dir) }

// newSubmission names a submission after its kind and the time.
func newSubmission(state, kind string, now time.Time, cycles []time.Time, common []string) *submission {
	now = now.UTC().Truncate(time.Second)
	return &submission{
		Version: planVersion, Kind: kind, Created: now, Cycles: cycles, Common: common,
		dir: filepath.Join(jobsFolder(state), now.Format(stampLayout)+"-"+kind),
	}
}

// save writes the plan.
func (s *submission) save() error {
	text, err := seal(s, &s.Sum)
	if err != nil {
		return fmt.Errorf("encode plan: %w", err)
	}
	return publish(filepath.Join(s.dir, planFile), text)
}

// readSubmission reads the plan in a folder.
func readSubmission(dir string) (*submission, error) {
	path := filepath.Join(dir, planFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	if err != nil {
		return nil, &ingest.UnusableError{Path: path, Why: err.Error(), Remedy: "check its permissions, or submit again", Err: err}
	}
	s := &submission{dir: dir}
	if err := unseal(text, s, &s.Sum); err != nil {
		return nil, &ingest.UnusableError{Path: path, Why: "the plan is damaged: " + err.Error(), Remedy: "submit again", Err: err}
	}
	if s.Version != planVersion {
		return nil, &ingest.UnusableError{Path: path, Why: fmt.Sprintf("it has version %d, this program needs %d", s.Version, planVersion), Remedy: "submit again"}
	}
	return s, nil
}

// stampLayout is the time in the name of a submission.
const stampLayout = "20060102T150405Z"

// submissions are those of a state folder, oldest first, also the damaged ones.
func submissions(state string) ([]*submission, error) {
	entries, err := os.ReadDir(jobsFolder(state))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list submissions: %w", err)
	}
	var all []*submission
	for _, e := range entries {
		dir := filepath.Join(jobsFolder(state), e.Name())
		s, err := readSubmission(dir)
		if err != nil {
			stamp, _, _ := strings.Cut(e.Name(), "-")
			created, wrong := time.Parse(stampLayout, stamp)
			if wrong != nil {
				continue // nobody's
			}
			s = &submission{Created: created, dir: dir, damaged: err}
		}
		all = append(all, s)
	}
	return all, nil
}

// step returns the step of a name.
func (s *submission) step(name string) (*step, bool) {
	i := slices.IndexFunc(s.Steps, func(p *step) bool { return p.Name == name })
	if i < 0 {
		return nil, false
	}
	return s.Steps[i], true
}

// overlaps tells whether two submissions make a product of the same cycle.
func (s *submission) overlaps(o *submission) bool {
	return slices.ContainsFunc(s.Cycles, func(c time.Time) bool { return slices.ContainsFunc(o.Cycles, c.Equal) })
}

// taskRecord says what became of a task. It is written when the task begins and again
// when it ends, so that one that was killed without a word can be told.
type taskRecord struct {
	ExitCode int        `json:"exit_code"`
	Reason   string     `json:"reason,omitempty"` // of an exit code that is not 0
	Begun    time.Time  `json:"begun"`
	Ended    *time.Time `json:"ended,omitempty"`
	Host     string     `json:"host"`
	Job      string     `json:"job,omitempty"`
	Restarts int        `json:"restarts,omitempty"`
}

func (s *submission) recordPath(step string, task int) string {
	return filepath.Join(s.dir, fmt.Sprintf("%s-%d.json", step, task))
}

// outputPath is where the result of a task, what it writes to stdout, is kept.
func (s *submission) outputPath(step string, task int) string {
	return filepath.Join(s.dir, fmt.Sprintf("%s-%d.out", step, task))
}

// writeRecord keeps the record of a task, which counts from 1.
func (s *submission) writeRecord(step string, task int, r *taskRecord) error {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode record: %w", err)
	}
	return publish(s.recordPath(step, task), append(text, '\n'))
}

// readRecord is nil when the task has not begun, or its record cannot be read.
func (s *submission) readRecord(step string, task int) *taskRecord {
	text, err := os.ReadFile(s.recordPath(step, task))
	if err != nil {
		return nil
	}
	var r taskRecord
	if json.Unmarshal(text, &r) != nil {
		return nil
	}
	return &r
}
