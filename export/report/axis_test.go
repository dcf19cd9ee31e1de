package report

import (
	"math"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/plot"
)

func labels(ticks []plot.Tick) string {
	var out []string
	for _, t := range ticks {
		out = append(out, t.Label)
	}
	return strings.Join(out, " | ")
}

func TestTicks(t *testing.T) {
	at := func(s string) float64 {
		v, err := time.Parse("2006-01-02 15", s)
		if err != nil {
			t.Fatal(err)
		}
		return seconds(v)
	}
	for _, c := range []struct {
		name         string
		ticker       plot.Ticker
		lower, upper float64
		want         string
	}{
		{"whole numbers, true minus", numbers(5), -4.2, 5.1, "−4 | −2 | 0 | 2 | 4"},
		{"fractions, zero without sign", numbers(4), -0.3, 0.3, "−0.2 | 0.0 | 0.2"},
		{"ends belong to it", numbers(5), 0, 1, "0.0 | 0.2 | 0.4 | 0.6 | 0.8 | 1.0"},
		{"small", numbers(3), 0.01, 0.032, "0.01 | 0.02 | 0.03"},
		{"no width", numbers(3), 2, 2, ""},
		{"days over a month's end", dates{8}, at("2004-02-27 12"), at("2004-03-02 12"), "12 h | 28 Feb | 12 h | 29 | 12 h | 1 Mar | 12 h | 2 | 12 h"},
		{"days and hours", dates{8}, at("2004-02-28 18"), at("2004-02-29 12"), "18 h | 21 h | 29 Feb | 3 h | 6 h | 9 h | 12 h"},
		{"weeks", dates{6}, at("2004-02-01 00"), at("2004-03-10 00"), "5 Feb | 12 | 19 | 26 | 4 Mar"},
		{"months", dates{6}, at("2009-11-15 00"), at("2010-12-02 00"), "Jan 2010 | Apr | Jul | Oct"},
		{"lead times", hours{6}, 4, 122, "24 | 48 | 72 | 96 | 120"},
	} {
		if got := labels(c.ticker.Ticks(c.lower, c.upper)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestNumbersAsText(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{number(-1.25, 1), "−1.2"},
		{number(-0.04, 1), "0.0"},
		{number(math.NaN(), 2), "–"},
		{number(math.Inf(1), 2), "–"},
		{signed(0.25, 2), "+0.25"},
		{signed(0.004, 2), "0.00"},
		{signed(-3, 0), "−3"},
		{short(278.15 - 273.15), "5"},
		{short(0.1), "0.1"},
		{short(12.345), "12.345"},
		{grouped(5831), "5\u202f831"},
		{grouped(831), "831"},
		{grouped(1234567), "1\u202f234\u202f567"},
		{probability(0.0004), "< 0.001"},
		{probability(0.0321), "0.032"},
		{leadText(48 * time.Hour), "48-h"},
		{leadText(90 * time.Minute), "1.5-h"},
		{clock(time.Date(2024, 7, 8, 2, 0, 0, 0, time.FixedZone("CEST", 7200))), "2024-07-08 00 UTC"},
		{clock(time.Date(2024, 7, 8, 6, 30, 0, 0, time.UTC)), "2024-07-08 06:30 UTC"},
		{seattle.position(), "47.45° N 122.31° W, 131 m"},
		{seattle.label(), "Seattle-Tacoma (KSEA)"},
		{Station{ID: "11120", Latitude: math.NaN(), Altitude: math.NaN()}.position(), ""},
		{Station{ID: "11120"}.label(), "station 11120"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct{ units, values, differences string }{
		{"K", "°C", "K"},
		{"kg m-2", "mm", "mm"},
		{"m s-1", "m/s", "m/s"},
		{"W m-2", "W/m²", "W/m²"},
		{"kg m-2 s-1", "kg/m²/s", "kg/m²/s"},
		{"m2", "m²", "m²"},
		{"s-1", "1/s", "1/s"},
		{"%", "%", "%"},
		{"1", "", ""},
	} {
		v := Variable{Units: c.units}
		values, convert := v.shown()
		if values != c.values || v.differences() != c.differences {
			t.Errorf("%s: values in %q, differences in %q, want %q and %q", c.units, values, v.differences(), c.values, c.differences)
		}
		want := 280.
		if c.units == "K" {
			want = 6.85
		}
		if got := convert(280); math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: 280 shown as %v, want %v", c.units, got, want)
		}
	}
}
