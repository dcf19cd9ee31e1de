package report

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Variable is what is forecast. Values are given in Units, which are SI, and shown
// in the units that a forecaster reads: K as °C, kg m-2 as mm. Differences, scores
// and spreads stay in K.
type Variable struct {
	Name     string // in the file, as "t2m"
	LongName string // "2-m temperature"; "" shows Name
	Units    string
}

func (v Variable) label() string {
	if v.LongName != "" {
		return v.LongName
	}
	return v.Name
}

// shown returns the units of values on axes, and the conversion to them.
func (v Variable) shown() (units string, convert func(float64) float64) {
	same := func(x float64) float64 { return x }
	switch v.Units {
	case "K":
		return "°C", func(x float64) float64 { return x - 273.15 }
	case "kg m-2":
		return "mm", same
	}
	return v.differences(), same
}

// differences returns the units of scores: "m s-1" as m/s, "W m-2" as W/m². The
// font has no superscript minus.
func (v Variable) differences() string {
	switch v.Units {
	case "kg m-2":
		return "mm"
	case "1":
		return ""
	}
	over, under := "", ""
	for _, w := range strings.Fields(v.Units) {
		base := strings.TrimRight(w, "-0123456789")
		power, below := strings.CutPrefix(w[len(base):], "-")
		switch {
		case base == "":
			base, power = w, "" // a number
		case power == "1":
			power = ""
		}
		base += superscript.Replace(power)
		switch {
		case below:
			under += "/" + base
		case over == "":
			over = base
		default:
			over += " " + base
		}
	}
	if over == "" && under != "" {
		over = "1"
	}
	return over + under
}

// superscript digits that the font has.
var superscript = strings.NewReplacer("1", "¹", "2", "²", "3", "³", "4", "⁴", "5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸")

// with adds units to what they are of: "CRPS (K)".
func with(what, units string) string {
	if units == "" {
		return what
	}
	return what + " (" + units + ")"
}

// Station is the place of a forecast. NaN coordinates are unknown.
type Station struct {
	ID, Name            string
	Latitude, Longitude float64 // degrees north and east
	Altitude            float64 // m
}

func (s Station) label() string {
	switch {
	case s.Name == "" || s.Name == s.ID:
		return "station " + s.ID
	case s.ID == "":
		return s.Name
	}
	return s.Name + " (" + s.ID + ")"
}

// position in words: "47.45° N 122.31° W, 131 m".
func (s Station) position() string {
	var parts []string
	if finite(s.Latitude) && finite(s.Longitude) {
		north, east := "N", "E"
		if s.Latitude < 0 {
			north = "S"
		}
		if s.Longitude < 0 {
			east = "W"
		}
		parts = append(parts, fmt.Sprintf("%.2f° %s %.2f° %s", math.Abs(s.Latitude), north, math.Abs(s.Longitude), east))
	}
	if finite(s.Altitude) {
		parts = append(parts, number(s.Altitude, 0)+" m")
	}
	return strings.Join(parts, ", ")
}

// clock writes a time as forecasters do: "2004-02-01 00 UTC".
func clock(t time.Time) string {
	t = t.UTC()
	if t.Minute() == 0 && t.Second() == 0 {
		return t.Format("2006-01-02 15") + " UTC"
	}
	return t.Format("2006-01-02 15:04") + " UTC"
}

// leadText writes a lead time in hours: "48-h".
func leadText(d time.Duration) string {
	return strings.TrimSuffix(fmt.Sprintf("%.1f", d.Hours()), ".0") + "-h"
}
