package pipeline

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// dateHelp is the help of every flag that takes a date.
const dateHelp = "2024-07-08, 20240708, 2024070800, 2024-07-08T00, 20240708T0000Z, today, yesterday or latest; UTC"

// cycleRequest is a cycle as the user asks for it.
type cycleRequest struct {
	at     time.Time
	latest bool // the last timely cycle that has a forecast; with hour, the last at that hour
	hour   int  // -1: any
}

// cycleStep is the time in hours between the synoptic hours, at which models start.
const cycleStep = 3

// dateForms are the accepted forms; those that hold the hour come with it.
func dateForms() []struct {
	layout  string
	hasHour bool
} {
	return []struct {
		layout  string
		hasHour bool
	}{
		{"2006-01-02", false},
		{"20060102", false},
		{"2006010215", true},
		{"2006-01-02T15", true},
		{"2006-01-02T15Z", true},
		{"2006-01-02T15:04", true},
		{"2006-01-02T15:04Z", true},
		{"2006-01-02T15:04:05Z", true},
		{"20060102T15Z", true},
		{"20060102T15", true},
		{"20060102T1504", true},
		{"20060102T1504Z", true},
	}
}

// parseCycle reads the flags --date and --cycle. Without an hour in either, it is 00.
func parseCycle(date, cycle string, now time.Time) (cycleRequest, error) {
	hour := -1
	if cycle != "" {
		n, err := strconv.Atoi(strings.TrimSuffix(strings.ToUpper(cycle), "Z"))
		if err != nil || n < 0 || n > 23 || n%cycleStep != 0 {
			return cycleRequest{}, fmt.Errorf("--cycle %s is not an hour that forecasts start at; valid: 00, 03, 06 to 21; another one may be part of --date, as in 2024-07-08T13", cycle)
		}
		hour = n
	}
	if strings.EqualFold(date, "latest") {
		return cycleRequest{latest: true, hour: hour}, nil
	}
	day, hasHour, err := parseDate(date, now)
	switch {
	case err != nil:
		return cycleRequest{}, fmt.Errorf("--date %w", err)
	case hasHour && hour >= 0 && day.Hour() != hour:
		return cycleRequest{}, fmt.Errorf("--date %s and --cycle %s name different hours; leave one out", date, cycle)
	case !hasHour && hour > 0:
		day = day.Add(time.Duration(hour) * time.Hour)
	}
	return cycleRequest{at: day, hour: -1}, nil
}

// parseDate reads a date, with or without an hour.
func parseDate(text string, now time.Time) (t time.Time, hasHour bool, err error) {
	today := now.UTC().Truncate(24 * time.Hour)
	switch strings.ToLower(text) {
	case "":
		return t, false, fmt.Errorf("is not set; valid: %s", dateHelp)
	case "today":
		return today, false, nil
	case "yesterday":
		return today.AddDate(0, 0, -1), false, nil
	}
	for _, f := range dateForms() {
		t, err := time.ParseInLocation(f.layout, text, time.UTC)
		if err != nil {
			continue
		}
		if t.Minute() != 0 || t.Second() != 0 {
			return t, false, fmt.Errorf("%s is not on the hour; cycles are", text)
		}
		return t, f.hasHour, nil
	}
	return t, false, fmt.Errorf("%s is not a date; valid: %s", text, dateHelp)
}

// parseRange reads the flags --from and --to. A last day without an hour means all of
// it.
func parseRange(from, to string, now time.Time) (first, last time.Time, err error) {
	first, _, err = parseDate(from, now)
	if err != nil {
		return first, last, fmt.Errorf("--from %w", err)
	}
	last, hasHour, err := parseDate(to, now)
	if err != nil {
		return first, last, fmt.Errorf("--to %w", err)
	}
	if !hasHour {
		last = last.Add(24*time.Hour - time.Second)
	}
	if last.Before(first) {
		return first, last, fmt.Errorf("--to %s lies before --from %s", to, from)
	}
	return first, last, nil
}

// formatCycle is a cycle in messages and file names of logs.
func formatCycle(t time.Time) string { return t.UTC().Format("2006-01-02T15Z") }
