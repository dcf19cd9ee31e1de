package pipeline

import (
	"strings"
	"testing"
	"time"
)

// evening is late on a day in a zone where it is the next day in UTC.
var evening = time.Date(2024, 7, 7, 22, 30, 0, 0, time.FixedZone("west", -5*3600)) // 2024-07-08T03:30Z

func TestParseCycle(t *testing.T) {
	at := func(day, hour int) cycleRequest {
		return cycleRequest{at: time.Date(2024, 7, day, hour, 0, 0, 0, time.UTC), hour: -1}
	}
	for _, c := range []struct {
		date, cycle string
		want        cycleRequest
	}{
		{"2024-07-08", "", at(8, 0)},
		{"20240708", "", at(8, 0)},
		{"2024070812", "", at(8, 12)},
		{"2024-07-08T06", "", at(8, 6)},
		{"2024-07-08T06Z", "", at(8, 6)},
		{"20240708T1800Z", "", at(8, 18)},
		{"2024-07-08T18:00:00Z", "", at(8, 18)},
		{"2024-07-08", "00", at(8, 0)},
		{"2024-07-08", "6", at(8, 6)},
		{"2024-07-08", "12", at(8, 12)},
		{"2024-07-08", "18z", at(8, 18)},
		{"2024070812", "12", at(8, 12)},
		{"today", "", at(8, 0)},
		{"yesterday", "18", at(7, 18)},
		{"TODAY", "03", at(8, 3)},
		{"latest", "", cycleRequest{latest: true, hour: -1}},
		{"latest", "12", cycleRequest{latest: true, hour: 12}},
	} {
		got, err := parseCycle(c.date, c.cycle, evening)
		if err != nil || got != c.want {
			t.Errorf("--date %s --cycle %s is %+v (%v), want %+v", c.date, c.cycle, got, err, c.want)
		}
	}
	for _, c := range []struct{ date, cycle, want string }{
		{"", "", "--date is not set; valid: 2024-07-08,"},
		{"08.07.2024", "", "--date 08.07.2024 is not a date; valid:"},
		{"2024-02-30", "", "is not a date"},
		{"tomorrow", "", "is not a date"},
		{"2024-07-08T06:30Z", "", "is not on the hour"},
		{"2024-07-08", "24", "--cycle 24 is not an hour that forecasts start at; valid: 00, 03, 06 to 21"},
		{"2024-07-08", "13", "part of --date, as in 2024-07-08T13"},
		{"2024-07-08", "noon", "is not an hour"},
		{"2024070812", "00", "name different hours; leave one out"},
	} {
		if got, err := parseCycle(c.date, c.cycle, evening); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("--date %s --cycle %s is %+v (%v), want an error with %q", c.date, c.cycle, got, err, c.want)
		}
	}
}

func TestParseRange(t *testing.T) {
	first, last, err := parseRange("2024-07-07", "2024-07-08", evening)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		at     time.Time
		inside bool
	}{
		{time.Date(2024, 7, 6, 18, 0, 0, 0, time.UTC), false},
		{time.Date(2024, 7, 7, 0, 0, 0, 0, time.UTC), true},
		{time.Date(2024, 7, 8, 18, 0, 0, 0, time.UTC), true}, // all of the last day
		{time.Date(2024, 7, 9, 0, 0, 0, 0, time.UTC), false},
	} {
		if inside := !c.at.Before(first) && !c.at.After(last); inside != c.inside {
			t.Errorf("%s is in the range: %v, want %v", c.at, inside, c.inside)
		}
	}
	if _, last, err = parseRange("2024-07-07", "2024-07-08T06", evening); err != nil || last.Hour() != 6 {
		t.Errorf("the last cycle is %s (%v), want that of 06", last, err)
	}
	if _, _, err := parseRange("2024-07-08", "2024-07-07", evening); err == nil || !strings.Contains(err.Error(), "lies before --from") {
		t.Errorf("a range backwards: %v", err)
	}
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2024-07-08", "2024070800", "20240708T0000Z", "today", "latest"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, _, err := parseDate(text, evening)
		if err != nil {
			return
		}
		if at.Location() != time.UTC || at.Minute() != 0 || at.Second() != 0 {
			t.Errorf("%q is %s, which is no hour in UTC", text, at)
		}
	})
}

func TestExpandTemplate(t *testing.T) {
	at := time.Date(2024, 7, 8, 6, 0, 0, 0, time.FixedZone("east", 2*3600)) // 04 UTC
	for template, want := range map[string]string{
		"out/{date:%Y/%m/%d}/x_{date:%Y%m%d%H}.nc": "out/2024/07/08/x_2024070804.nc",
		"{date}{cycle}": "2024070804",
		"plain.nc":      "plain.nc",
		"{date:%j}":     "190",
	} {
		if got, err := expandTemplate(template, at); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", template, got, err, want)
		}
	}
	for _, template := range []string{"{date", "date}", "{member}", "{}", "{date:%Q}"} {
		if got, err := expandTemplate(template, at); err == nil {
			t.Errorf("%s is %q, want an error", template, got)
		} else if strings.Contains(err.Error(), "compil") {
			t.Errorf("%s: a library speaks: %v", template, err)
		}
	}
}
