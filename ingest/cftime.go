package ingest

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// timeUnits turns the numbers of a CF time coordinate (CF conventions 1.11, section
// 4.4) into times:
//
//	time = reference + value*unit
//
// or, for the absolute times that cdo writes ("day as %Y%m%d.%f"), reads the digits of
// the date from the number itself.
type timeUnits struct {
	unit      time.Duration
	reference int64 // seconds since 1970-01-01
	absolute  bool
}

// unitWords are the names of units of time that UDUNITS knows and files use. Months
// and years are not among them: their length is not fixed, and CF advises against them.
var unitWords = map[string]time.Duration{
	"nanosecond": time.Nanosecond, "nanoseconds": time.Nanosecond, "nsec": time.Nanosecond, "ns": time.Nanosecond,
	"microsecond": time.Microsecond, "microseconds": time.Microsecond, "us": time.Microsecond,
	"millisecond": time.Millisecond, "milliseconds": time.Millisecond, "msec": time.Millisecond, "ms": time.Millisecond,
	"second": time.Second, "seconds": time.Second, "sec": time.Second, "secs": time.Second, "s": time.Second,
	"minute": time.Minute, "minutes": time.Minute, "min": time.Minute, "mins": time.Minute,
	"hour": time.Hour, "hours": time.Hour, "hr": time.Hour, "hrs": time.Hour, "h": time.Hour,
	"day": day, "days": day, "d": day,
	"week": 7 * day, "weeks": 7 * day,
}

const day = 24 * time.Hour

// parseDurationUnits reads the units of a span of time, as "hours".
func parseDurationUnits(units string) (time.Duration, error) {
	if d, ok := unitWords[strings.ToLower(strings.TrimSpace(units))]; ok {
		return d, nil
	}
	return 0, fmt.Errorf("units %q are not a unit of time", units)
}

// parseTimeUnits reads the units and calendar of a time coordinate. Of the calendars
// of CF it takes those in which forecasts are made: standard (also named gregorian, and
// meant when none is given) and proleptic_gregorian.
func parseTimeUnits(units, calendar string) (timeUnits, error) {
	mixed := false
	switch strings.ToLower(strings.TrimSpace(calendar)) {
	case "", "standard", "gregorian":
		mixed = true
	case "proleptic_gregorian", "utc":
	default:
		return timeUnits{}, fmt.Errorf("calendar %q is not one of standard, gregorian, proleptic_gregorian", calendar)
	}
	fields := strings.Fields(units)
	if len(fields) >= 3 && strings.EqualFold(fields[1], "as") {
		if strings.EqualFold(strings.Join(fields, " "), "day as %Y%m%d.%f") {
			return timeUnits{absolute: true}, nil
		}
		return timeUnits{}, fmt.Errorf("units %q: of absolute times only \"day as %%Y%%m%%d.%%f\" is known", units)
	}
	if len(fields) < 3 || !strings.EqualFold(fields[1], "since") {
		return timeUnits{}, fmt.Errorf("units %q are not of the form \"hours since 1970-01-01 00:00:00\"", units)
	}
	unit, err := parseDurationUnits(fields[0])
	if err != nil {
		return timeUnits{}, err
	}
	ref, err := parseReference(strings.Join(fields[2:], " "), mixed)
	if err != nil {
		return timeUnits{}, fmt.Errorf("units %q: %w", units, err)
	}
	return timeUnits{unit: unit, reference: ref}, nil
}

// maxSeconds bounds times to the years ±30,000, far from what time.Time can hold.
const maxSeconds = 1e12

// at is the time of a coordinate value, rounded to the second: days in floating point
// miss whole hours by some microseconds, and times must be equal to match.
func (u timeUnits) at(value float64) (time.Time, error) {
	if u.absolute {
		return absoluteTime(value)
	}
	s := float64(u.reference) + value*u.unit.Seconds()
	if !(math.Abs(s) < maxSeconds) {
		return time.Time{}, fmt.Errorf("time value %g is out of range", value)
	}
	return time.Unix(int64(math.Round(s)), 0).UTC(), nil
}

// absoluteTime reads a number of the form YYYYMMDD.fraction of the day.
func absoluteTime(value float64) (time.Time, error) {
	whole, fraction := math.Modf(value)
	if !(whole >= 10101 && whole <= 99991231) {
		return time.Time{}, fmt.Errorf("time value %g is not of the form YYYYMMDD", value)
	}
	n := int(whole)
	t := time.Date(n/10000, time.Month(n/100%100), n%100, 0, 0, 0, 0, time.UTC)
	if t.Year() != n/10000 || int(t.Month()) != n/100%100 || t.Day() != n%100 {
		return time.Time{}, fmt.Errorf("time value %g is not a date", value)
	}
	return t.Add(time.Duration(math.Round(fraction*86400)) * time.Second), nil
}

// durationOf is value units of time, rounded to the second.
func durationOf(value float64, unit time.Duration) (time.Duration, error) {
	s := value * unit.Seconds()
	if !(math.Abs(s) < math.MaxInt64/float64(time.Second)) {
		return 0, fmt.Errorf("span of time %g is out of range", value)
	}
	return time.Duration(math.Round(s)) * time.Second, nil
}

// parseReference reads "1900-01-01", "1970-1-1 0:0:0.0", "2017-01-01T00:00:00Z",
// "2000-01-01 12:00 +01:00" and returns seconds since 1970-01-01 UTC. In the mixed
// calendar, dates before 15 October 1582 are Julian.
func parseReference(s string, mixed bool) (int64, error) {
	date, clock, _ := strings.Cut(strings.TrimSpace(s), " ")
	// An ISO time has a T between date and clock.
	if i := strings.IndexAny(date, "Tt"); i > 0 {
		date, clock = date[:i], strings.TrimSpace(date[i+1:]+" "+clock)
	}
	y, m, d, err := parseDate(date)
	if err != nil {
		return 0, err
	}
	var days int64
	if mixed && (y < 1582 || y == 1582 && (m < 10 || m == 10 && d < 15)) {
		days = julianDays(y, m, d)
	} else {
		days = time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC).Unix() / 86400
	}
	seconds, err := parseClock(clock)
	if err != nil {
		return 0, err
	}
	return days*86400 + seconds, nil
}

func parseDate(s string) (y, m, d int, err error) {
	bad := fmt.Errorf("%q is not a date", s)
	parts := strings.Split(strings.TrimPrefix(s, "-"), "-")
	if len(parts) != 3 {
		return 0, 0, 0, bad
	}
	var v [3]int
	for i, p := range parts {
		if v[i], err = parseDigits(p, 4); err != nil {
			return 0, 0, 0, bad
		}
	}
	y, m, d = v[0], v[1], v[2]
	if strings.HasPrefix(s, "-") {
		y = -y
	}
	// Leap days of the Julian calendar (1500-02-29) are dates too: a day is only
	// bounded by the longest month of its name.
	lengths := [...]int{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	if m < 1 || m > 12 || d < 1 || d > lengths[m-1] {
		return 0, 0, 0, bad
	}
	return y, m, d, nil
}

// parseDigits reads a number of at most width digits, without sign.
func parseDigits(s string, width int) (int, error) {
	if s == "" || len(s) > width || strings.Trim(s, "0123456789") != "" {
		return 0, fmt.Errorf("%q is not a number", s)
	}
	return strconv.Atoi(s)
}

// parseClock reads "", "12", "12:30", "12:30:15.5", each with an optional zone: Z, UTC,
// GMT, +01:00, -6:00, +0530. It returns seconds to add to midnight UTC.
func parseClock(s string) (int64, error) {
	bad := fmt.Errorf("%q is not a time of day", s)
	s = strings.TrimSpace(s)
	var offset int64
	upper := strings.ToUpper(s)
	switch {
	case strings.HasSuffix(upper, "UTC"), strings.HasSuffix(upper, "GMT"):
		s = strings.TrimSpace(s[:len(s)-3])
	case strings.HasSuffix(upper, "Z"):
		s = strings.TrimSpace(s[:len(s)-1])
	default:
		if i := strings.LastIndexAny(s, "+-"); i >= 0 {
			zone, err := parseZone(s[i:])
			if err != nil {
				return 0, bad
			}
			s, offset = strings.TrimSpace(s[:i]), zone
		}
	}
	if s == "" {
		return -offset, nil
	}
	parts := strings.Split(s, ":")
	if len(parts) > 3 {
		return 0, bad
	}
	seconds := 0.0
	for i, p := range parts {
		limit := [...]float64{24, 59, 60}[i]
		v, err := strconv.ParseFloat(p, 64)
		if err != nil || !(v >= 0 && v <= limit) || i < 2 && v != math.Trunc(v) {
			return 0, bad
		}
		seconds += v * [...]float64{3600, 60, 1}[i]
	}
	return int64(math.Round(seconds)) - offset, nil
}

// parseZone reads "+01:00", "-6", "+0530" as seconds east of UTC.
func parseZone(s string) (int64, error) {
	sign := int64(1)
	if s[0] == '-' {
		sign = -1
	}
	hour, minute, colon := strings.Cut(s[1:], ":")
	if !colon && len(hour) == 4 {
		hour, minute = hour[:2], hour[2:]
	}
	if minute == "" {
		minute = "0"
	}
	h, err := parseDigits(hour, 2)
	if err != nil {
		return 0, err
	}
	m, err := parseDigits(minute, 2)
	if err != nil {
		return 0, err
	}
	if h > 18 || m > 59 {
		return 0, fmt.Errorf("zone %q is out of range", s)
	}
	return sign * int64(h*3600+m*60), nil
}

// julianDays is the number of days from 1970-01-01 of the Gregorian calendar to a date
// of the Julian calendar (Richards 2013, Explanatory Supplement to the Astronomical
// Almanac, section 15.11; year 0 precedes year 1).
func julianDays(y, m, d int) int64 {
	a := (14 - m) / 12
	yy := int64(y + 4800 - a)
	mm := int64(m + 12*a - 3)
	floorDiv4 := yy >> 2
	jdn := int64(d) + (153*mm+2)/5 + 365*yy + floorDiv4 - 32083
	const unixEpoch = 2440588 // Julian day number of 1970-01-01
	return jdn - unixEpoch
}
