package baseline

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"
)

func dayOf(y int, m time.Month, d int) int {
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

func TestClimatology(t *testing.T) {
	rows := []Row{
		{Obs: 1, Day: dayOf(2001, 1, 1)},
		{Obs: 2, Day: dayOf(2002, 12, 25)},
		{Obs: 3, Day: dayOf(2002, 12, 16)},
		{Obs: 4, Day: dayOf(2003, 1, 16)},
		{Obs: 5, Day: dayOf(2003, 1, 18)},
		{Obs: 6, Day: dayOf(2003, 7, 1)},
		{Obs: math.NaN(), Day: dayOf(2003, 1, 1)},
		{Obs: 9, Day: dayOf(2003, 1, 1), Station: 7},
	}
	c, err := FitClimatology(rows, ClimatologyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// Fifteen days on both sides of 1 January, across the turn of the year; 16
	// December is sixteen days away.
	for _, k := range []struct {
		station, day int
		want         []float64
	}{
		{0, dayOf(2005, 1, 1), []float64{1, 2, 4}},
		{0, dayOf(2005, 7, 10), []float64{6}},
		{7, dayOf(2005, 1, 10), []float64{9}},
		{7, dayOf(2005, 5, 10), nil},
		{8, dayOf(2005, 1, 1), nil},
	} {
		d, ok := c.Predict(k.station, k.day)
		if !slices.Equal(d.Values, k.want) || ok != (k.want != nil) {
			t.Errorf("station %d, day %d: %v, %v; want %v", k.station, k.day, d.Values, ok, k.want)
		}
	}
	// Less than a year of data: all of it.
	c, err = FitClimatology(rows[3:6], ClimatologyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if d, ok := c.Predict(0, dayOf(2005, 1, 1)); !ok || !slices.Equal(d.Values, []float64{4, 5, 6}) {
		t.Errorf("short archive: %v", d.Values)
	}
	var few *TooFewError
	if _, err := FitClimatology(rows[6:7], ClimatologyOptions{}); !errors.As(err, &few) {
		t.Errorf("no observation: %v", err)
	}
}
