package ingest

import (
	"math"
	"strings"
	"testing"
	"time"
)

// plausibleForecast is a forecast at 5 places, 2 lead times and 3 members, all values different
// and around 280.
func plausibleForecast() *Ensemble {
	e := &Ensemble{
		Variable: Variable{Name: "t2m", StandardName: "air_temperature", Units: "K"},
		Leads:    []time.Duration{24 * time.Hour, 48 * time.Hour},
		Members:  []int32{0, 1, 7},
		Places:   &Places{ID: []string{"a", "b", "c", "d", "e"}},
		Values:   make([]float32, 2*5*3),
	}
	for i := range e.Values {
		e.Values[i] = 280 + float32(i)/8
	}
	return e
}

func TestImplausible(t *testing.T) {
	nan := float32(math.NaN())
	each := func(f func(i int, v float32) float32) func(*Ensemble) {
		return func(e *Ensemble) {
			for i, v := range e.Values {
				e.Values[i] = f(i, v)
			}
		}
	}
	as := func(name, units string, change func(*Ensemble)) func(*Ensemble) {
		return func(e *Ensemble) {
			e.Variable.StandardName, e.Variable.Units = name, units
			change(e)
		}
	}
	constant := func(x float32) func(*Ensemble) { return each(func(int, float32) float32 { return x }) }
	shift := func(x float32) func(*Ensemble) {
		return each(func(_ int, v float32) float32 { return v + x })
	}
	second := func(e *Ensemble) { // as the first member, at all places
		for i := 0; i < len(e.Values); i += 3 {
			e.Values[i+1] = e.Values[i]
		}
	}
	for name, c := range map[string]struct {
		change func(*Ensemble)
		says   string // "" when it is plausible
	}{
		"as it is":               {func(*Ensemble) {}, ""},
		"field of zeros":         {constant(0), "all 15 values at lead time +24 h are 0 K"},
		"one lead constant":      {each(func(_ int, v float32) float32 { return min(v, 281) }), "all 15 values at lead time +48 h are 281 K"},
		"constant and missing":   {each(func(i int, v float32) float32 { return []float32{280, nan}[i%2] }), "all 8 values"},
		"dry":                    {as("precipitation_amount", "kg m-2", constant(0)), ""},
		"the same rain all over": {as("precipitation_amount", "kg m-2", constant(3)), "are 3 kg m-2"},
		"as far as is reported":  {as("visibility_in_air", "m", constant(9999)), ""},
		"overcast":               {as("cloud_area_fraction", "1", constant(1)), ""},
		"Celsius as kelvin":      {shift(-273.15), "units in the file are wrong"},
		"converted twice":        {shift(273.15), "its mean is 555.0 K"},
		"some values wrong":      {each(func(i int, v float32) float32 { return v + 1e20*float32(max(0, i-26)) }), ""}, // they count as missing
		"Antarctica":             {shift(-80), ""},
		"potential temperature":  {as("air_potential_temperature", "K", shift(200)), ""},
		"wind":                   {as("wind_speed", "m s-1", shift(-275)), ""},
		"nothing there":          {constant(nan), ""}, // for operations.min_members
		"two members":            {second, "members 0 and 1 have the same values everywhere (1 such pairs)"},
		"two members where there": {func(e *Ensemble) {
			e.Values[0] = nan
			second(e)
		}, "members 0 and 1"},
		"two members, but one is missing somewhere": {func(e *Ensemble) {
			second(e)
			e.Values[0] = nan
		}, ""},
		"all members": {func(e *Ensemble) {
			for i := range e.Values {
				e.Values[i] = e.Values[i-i%3]
			}
		}, "its 3 members are all the same"},
		"members that agree on few values": {each(func(i int, v float32) float32 { return 280 + float32(i/3%7) }), ""},
	} {
		e := plausibleForecast()
		c.change(e)
		switch got := Implausible(e); {
		case c.says == "" && got != "":
			t.Errorf("%s: %q, want no complaint", name, got)
		case c.says != "" && !strings.Contains(got, c.says):
			t.Errorf("%s: %q, want %q", name, got, c.says)
		}
	}
}

func TestLeaveOutImpossible(t *testing.T) {
	for name, c := range map[string]struct {
		variable Variable
		wrong    float32
		out      bool
	}{
		"5000 K":                        {Variable{Units: "K", StandardName: "air_temperature"}, 5000, true},
		"Celsius":                       {Variable{Units: "K"}, 7, true},
		"potential temperature":         {Variable{Units: "K", StandardName: "air_potential_temperature"}, 480, false},
		"negative rain":                 {Variable{Units: "kg m-2", StandardName: "precipitation_amount"}, -999, true},
		"rain below zero by packing":    {Variable{Units: "kg m-2", StandardName: "precipitation_amount"}, -0.003, false},
		"wind of a fill value":          {Variable{Units: "m s-1", StandardName: "wind_speed"}, 9999, true},
		"a quantity without any limits": {Variable{Units: "J kg-1"}, 9999, false},
	} {
		e := plausibleForecast()
		e.Variable = c.variable
		for i := range e.Values {
			e.Values[i] = 0
			if c.variable.Units == "K" {
				e.Values[i] = 280
			}
		}
		e.Values[19] = c.wrong // lead 1, place 1, member 1
		n, first := leaveOutImpossible(e)
		if v := e.Values[19]; (v != v) != c.out || (n == 1) != c.out {
			t.Errorf("%s: %d left out: %s", name, n, first)
		}
		if c.out && !strings.Contains(first, " at b, lead time +48 h, member 1") {
			t.Errorf("%s: the first is %q", name, first)
		}
	}
}
