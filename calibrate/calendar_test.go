package calibrate

import (
	"testing"
	"time"
)

func at(s string) time.Time {
	t, err := time.Parse("2006-01-02", s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestAnchor(t *testing.T) {
	for _, c := range []struct {
		name, first, cycle, want string
		every                    int64 // days to the next
	}{
		// 1970-01-01 was a Thursday: weekly anchors are Thursdays.
		{"week", "2004-01-01", "2004-02-04", "2004-01-29", 7},
		{"on the day", "2004-01-01", "2004-01-29", "2004-01-29", 7},
		{"first day", "2004-01-01", "2004-01-01", "2004-01-01", 7},
		{"years", "2000-01-01", "2009-03-01", "2008-12-25", 112},
	} {
		got, ok := Anchor(at(c.first), at(c.cycle))
		if !ok {
			t.Errorf("%s: no anchor", c.name)
			continue
		}
		n := got.Unix() / 86400
		if n%c.every != 0 || got.After(at(c.cycle)) || at(c.cycle).Sub(got) >= time.Duration(c.every)*day {
			t.Errorf("%s: anchor %s is not the latest multiple of %d days", c.name, got.Format("2006-01-02"), c.every)
		}
		if c.every == 7 && got != at(c.want) {
			t.Errorf("%s: anchor %s, want %s", c.name, got.Format("2006-01-02"), c.want)
		}
	}
	if _, ok := Anchor(at("2004-01-02"), at("2004-01-03")); ok {
		t.Error("an anchor before the archive starts")
	}
}

// Whatever the day, the anchor of an anchor is itself: training there and using it
// there are the same thing.
func TestAnchorIsIdempotent(t *testing.T) {
	first := at("2000-01-03")
	for d := range 2000 {
		c := first.AddDate(0, 0, d)
		a, ok := Anchor(first, c)
		if !ok {
			continue
		}
		if b, _ := Anchor(first, a); !b.Equal(a) {
			t.Fatalf("cycle %s: anchor %s, whose own is %s", c.Format("2006-01-02"), a.Format("2006-01-02"), b.Format("2006-01-02"))
		}
	}
}
