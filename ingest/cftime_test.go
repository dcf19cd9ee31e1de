package ingest

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestTimeUnits(t *testing.T) {
	tests := []struct {
		units, calendar string
		value           float64
		want            string // RFC 3339
	}{
		{"seconds since 1970-01-01 00:00:00", "standard", 1075334400, "2004-01-29T00:00:00Z"},
		{"seconds since 1970-01-01", "", 0, "1970-01-01T00:00:00Z"},
		{"hours since 1900-01-01 00:00:00.0", "gregorian", 1026072, "2017-01-20T00:00:00Z"}, // ERA5: 42753 days
		{"hours since 2017-01-01T00:00:00Z", "proleptic_gregorian", 12, "2017-01-01T12:00:00Z"},
		{"Days Since 2017-1-1 0:0:0", "", 59.25, "2017-03-01T06:00:00Z"},
		{"minutes since 2000-02-28 23:30", "", 60 * 24, "2000-02-29T23:30:00Z"},
		{"days since 2000-01-01 12:00 +01:00", "", 0, "2000-01-01T11:00:00Z"},
		{"days since 2000-01-01 00:00:00 -6:00", "", 0, "2000-01-01T06:00:00Z"},
		{"hours since 2000-01-01 00:00:00 UTC", "utc", 1, "2000-01-01T01:00:00Z"},
		{"nanoseconds since 1970-01-01", "", 1.5e18, "2017-07-14T02:40:00Z"},
		{"days since 1970-01-01", "", 1. / 3, "1970-01-01T08:00:00Z"}, // not 07:59:59.99…
		{"weeks since 1970-01-01", "", 1, "1970-01-08T00:00:00Z"},
		// 1582-10-04 (Julian) is followed by 1582-10-15 (Gregorian).
		{"days since 1582-10-04", "standard", 1, "1582-10-15T00:00:00Z"},
		{"days since 1582-10-04", "proleptic_gregorian", 1, "1582-10-05T00:00:00Z"},
		// As cftime.num2date(730486, "days since 0001-01-01", ...) of Python gives them.
		{"days since 0001-01-01", "standard", 730486, "2000-12-31T00:00:00Z"},
		{"days since 0001-01-01", "proleptic_gregorian", 730486, "2001-01-02T00:00:00Z"},
		{"day as %Y%m%d.%f", "proleptic_gregorian", 20040129.75, "2004-01-29T18:00:00Z"},
	}
	for _, tt := range tests {
		u, err := parseTimeUnits(tt.units, tt.calendar)
		if err != nil {
			t.Errorf("%q, %q: %v", tt.units, tt.calendar, err)
			continue
		}
		got, err := u.at(tt.value)
		if err != nil || got.Format(time.RFC3339) != tt.want {
			t.Errorf("%g %s (%s) = %s, %v, want %s", tt.value, tt.units, tt.calendar, got.Format(time.RFC3339), err, tt.want)
		}
	}
}

func TestTimeUnitsRefused(t *testing.T) {
	for _, tt := range []struct{ units, calendar string }{
		{"", ""},
		{"hours", ""},
		{"since 1970-01-01", ""},
		{"months since 1970-01-01", ""},
		{"years since 1970-01-01", ""},
		{"hours since", ""},
		{"hours since yesterday", ""},
		{"hours since 1970-13-01", ""},
		{"hours since 1970-02-30", ""},
		{"hours since 1970-01-01 25:00", ""},
		{"hours since 1970-01-01 00:60", ""},
		{"hours since 1970-01-01 00:00:00 +99:00", ""},
		{"hours since 99999-01-01", ""},
		{"day as %Y", ""},
		{"hours since 1970-01-01", "noleap"},
		{"hours since 1970-01-01", "360_day"},
	} {
		if _, err := parseTimeUnits(tt.units, tt.calendar); err == nil {
			t.Errorf("%q, %q was accepted", tt.units, tt.calendar)
		}
	}
	u, err := parseTimeUnits("days since 1970-01-01", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), 1e30, -1e30} {
		if at, err := u.at(v); err == nil {
			t.Errorf("%g days = %s", v, at)
		}
	}
	for _, v := range []float64{0, 20041301, 20040230, math.NaN(), 1e9} {
		if at, err := absoluteTime(v); err == nil {
			t.Errorf("absolute %g = %s", v, at)
		}
	}
}

func TestDurations(t *testing.T) {
	tests := []struct {
		units string
		value float64
		want  time.Duration
	}{
		{"hours", 48, 48 * time.Hour},
		{"seconds", 3600, time.Hour},
		{"nanoseconds", 2.16e13, 6 * time.Hour},
		{"days", 1.25, 30 * time.Hour},
		{" Minutes ", 90, 90 * time.Minute},
		{"h", 1. / 3, 20 * time.Minute},
	}
	for _, tt := range tests {
		unit, err := parseDurationUnits(tt.units)
		if err != nil {
			t.Errorf("%q: %v", tt.units, err)
			continue
		}
		if got, err := durationOf(tt.value, unit); err != nil || got != tt.want {
			t.Errorf("%g %s = %v, %v, want %v", tt.value, tt.units, got, err, tt.want)
		}
	}
	for _, units := range []string{"", "K", "hours since 1970-01-01", "month"} {
		if _, err := parseDurationUnits(units); err == nil {
			t.Errorf("%q was accepted", units)
		}
	}
	if d, err := durationOf(1e300, time.Hour); err == nil {
		t.Errorf("1e300 h = %v", d)
	}
}

// FuzzTimeUnits: no text makes the parser panic; what it accepts is linear in the value.
func FuzzTimeUnits(f *testing.F) {
	f.Add("hours since 1900-01-01 00:00:00.0", "gregorian", 24.0)
	f.Add("days since 0001-01-01T12:30:15Z", "proleptic_gregorian", -3.5)
	f.Add("day as %Y%m%d.%f", "", 20040129.5)
	f.Add("s since -4712-1-1 0 -12:00", "standard", 1e9)
	f.Fuzz(func(t *testing.T, units, calendar string, value float64) {
		u, err := parseTimeUnits(units, calendar)
		if err != nil || u.absolute {
			if u.absolute {
				_, _ = u.at(value)
			}
			return
		}
		zero, err := u.at(0)
		if err != nil {
			t.Fatalf("%q has no reference time: %v", units, err)
		}
		at, err := u.at(value)
		if err != nil {
			return
		}
		want := value * u.unit.Seconds()
		if got := float64(at.Unix() - zero.Unix()); math.Abs(got-want) > 0.51+1e-15*math.Abs(want) {
			t.Errorf("%g %s is %g s after the reference, want %g", value, units, got, want)
		}
		// Padding and letter case mean nothing.
		again, err := parseTimeUnits("  "+strings.ToUpper(units)+" ", calendar)
		if isASCII(units) && (err != nil || again != u) {
			t.Errorf("%q in upper case: %v, %v", units, again, err)
		}
	})
}

func isASCII(s string) bool { return strings.IndexFunc(s, func(r rune) bool { return r > 127 }) < 0 }
