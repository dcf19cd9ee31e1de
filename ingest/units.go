package ingest

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// conversion takes values from a file's units to SI:
//
//	si = value*scale + offset
type conversion struct {
	scale, offset float64
	units         string // SI units as written in output
}

func (c conversion) identity() bool { return c.scale == 1 && c.offset == 0 }

// apply converts in place; NaN stays NaN.
func (c conversion) apply(x []float32) {
	if c.identity() {
		return
	}
	for i, v := range x {
		x[i] = float32(float64(float64(v)*c.scale) + c.offset)
	}
}

// unitTable lists the units that are converted, by quantity, in the spelling that
// canonicalUnits gives them. The first of each group is the SI unit.
var unitTable = buildUnits(map[string][]unitEntry{
	"K": {
		{1, 0, "K Kelvin kelvin kelvins degK deg_K degrees_K"},
		{1, 273.15, "degC deg_C celsius Celsius degree_Celsius degrees_Celsius degree_C degrees_C C °C ºC"},
		{5. / 9, 273.15 - 32*5./9, "degF deg_F fahrenheit Fahrenheit degree_Fahrenheit degrees_Fahrenheit F °F ºF"},
	},
	"m s-1": {
		{1, 0, "m.s-1 meter.second-1 metre.second-1 meters.second-1 metres.second-1 mps"},
		{1 / 3.6, 0, "km.h-1 km.hour-1 km.hr-1 kmh kph"},
		{1852. / 3600, 0, "kt kts knot knots kn"},
		{0.44704, 0, "mph mile.h-1 miles.hour-1"},
	},
	"Pa": {
		{1, 0, "Pa pascal pascals"},
		{100, 0, "hPa mbar mb millibar millibars hectopascal"},
		{1000, 0, "kPa"},
	},
	"kg m-2": {
		{1, 0, "kg.m-2"},
		{0.1, 0, "g.dm-2"},
	},
	"kg m-2 s-1": {
		{1, 0, "kg.m-2.s-1 mm.s-1"},
		{1. / 3600, 0, "mm.h-1 mm.hour-1 mm.hr-1 kg.m-2.h-1"},
		{1. / 86400, 0, "mm.day-1 mm.d-1 kg.m-2.day-1"},
	},
	"m": {
		{1, 0, "m meter meters metre metres"},
		{1000, 0, "km"},
		{0.01, 0, "cm"},
		{0.001, 0, "mm"},
		{0.3048, 0, "ft feet foot"},
		{1, 0, "gpm"},
	},
	"1": {
		{1, 0, "1 fraction (0-1) 0-1 dimensionless none"},
		{0.01, 0, "% percent"},
		{0.125, 0, "okta oktas octa octas eighths"},
	},
	"degree": {
		{1, 0, "degree degrees deg ° degrees_north degree_north degrees_N degrees_east degree_east degrees_E degree_true degrees_true"},
		{180 / math.Pi, 0, "radian radians rad"},
	},
	"J m-2": {
		{1, 0, "J.m-2"},
	},
	"W m-2": {
		{1, 0, "W.m-2"},
	},
})

type unitEntry struct {
	scale, offset float64
	names         string // separated by blanks, factors by dots
}

func buildUnits(groups map[string][]unitEntry) map[string]conversion {
	table := map[string]conversion{}
	for si, entries := range groups {
		for _, e := range entries {
			for name := range strings.FieldsSeq(e.names) {
				table[canonicalUnits(name)] = conversion{e.scale, e.offset, si}
			}
		}
	}
	return table
}

// canonicalUnits brings the ways to write a product of units into one: "m/s", "m s**-1",
// "m.s-1" and "m s^-1" all become "m s-1".
func canonicalUnits(s string) string {
	s = strings.NewReplacer("**", "", "^", "", "⁻¹", "-1", "⁻²", "-2", "²", "2", "·", " ", "*", " ", " of water equivalent", "").Replace(s)
	if strings.Contains(s, "(") { // ECMWF's "(0 - 1)"
		return strings.ReplaceAll(s, " ", "")
	}
	s = strings.Join(strings.Fields(s), " ")
	if fields := strings.Fields(s); len(fields) == 2 && strings.HasPrefix(strings.ToLower(fields[0]), "deg") && !strings.ContainsAny(fields[1], "-0123456789") {
		return fields[0] + "_" + fields[1] // "degrees C"
	}
	over, under, fraction := strings.Cut(s, "/")
	parts := factors(over)
	if fraction {
		for _, f := range strings.Split(under, "/") {
			for _, p := range factors(f) {
				parts = append(parts, inverse(p))
			}
		}
	}
	return strings.Join(parts, " ")
}

// factors splits a product at blanks and at dots that are not decimal points.
func factors(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '.' })
}

// inverse of "m2" is "m-2", of "s" is "s-1", of "s-1" is "s".
func inverse(factor string) string {
	name := strings.TrimRight(factor, "-0123456789")
	exponent := factor[len(name):]
	switch {
	case name == "":
		return factor
	case exponent == "":
		return name + "-1"
	case exponent == "-1":
		return name
	case exponent[0] == '-':
		return name + exponent[1:]
	}
	return name + "-" + exponent
}

// UnitsError says that values cannot be brought to the units that their quantity has.
type UnitsError struct {
	Var  string
	Got  string // units in the file
	Want string // SI units of the quantity
}

func (e *UnitsError) Error() string {
	if e.Got == "" {
		return fmt.Sprintf("%q has no units", e.Var)
	}
	return fmt.Sprintf("%q has units %q, which cannot become %q", e.Var, e.Got, e.Want)
}

// quantity is what is known of a variable by its name.
type quantity struct {
	units string // SI
	water bool   // an amount or rate of water, for which 1 mm is 1 kg m-2
}

// quantities lists CF standard names and ECMWF short names whose SI units are
// certain, so that wrong units are found and not taken for other data. All other
// variables keep the SI form of the units that their files give.
var quantities = buildQuantities(map[quantity]string{
	{"K", false}: `air_temperature dew_point_temperature wet_bulb_temperature surface_temperature
		soil_temperature sea_surface_temperature sea_surface_skin_temperature air_potential_temperature
		2t t2m 2d d2m mx2t mn2t mx2t6 mn2t6 mx2t3 mn2t3 skt sst t_2m td_2m tmax_2m tmin_2m stl1`,
	{"m s-1", false}: `wind_speed wind_speed_of_gust eastward_wind northward_wind x_wind y_wind
		10u 10v u10 v10 100u 100v u100 v100 10si si10 ws 10fg fg10 i10fg 10fg6 p10fg6 10fg3 u_10m v_10m vmax_10m`,
	{"Pa", false}: `air_pressure air_pressure_at_mean_sea_level air_pressure_at_sea_level surface_air_pressure
		msl sp prmsl`,
	{"kg m-2", true}: `precipitation_amount lwe_thickness_of_precipitation_amount rainfall_amount
		thickness_of_rainfall_amount convective_precipitation_amount lwe_thickness_of_convective_precipitation_amount
		stratiform_precipitation_amount lwe_thickness_of_stratiform_precipitation_amount snowfall_amount
		lwe_thickness_of_snowfall_amount lwe_thickness_of_surface_snow_amount surface_snow_amount
		tp cp lsp tp6 cp6 tp3 tp12 tp24 tot_prec sf`,
	{"kg m-2 s-1", true}: `precipitation_flux lwe_precipitation_rate rainfall_flux rainfall_rate convective_precipitation_flux
		snowfall_flux tprate pr`,
	{"1", false}: "relative_humidity cloud_area_fraction low_type_cloud_area_fraction r2 rh 2r tcc lcc mcc hcc",
})

func buildQuantities(groups map[quantity]string) map[string]quantity {
	table := map[string]quantity{}
	for q, names := range groups {
		for name := range strings.FieldsSeq(names) {
			table[name] = q
		}
	}
	return table
}

// quantityOf finds a variable by its standard name, or else by its short name.
func quantityOf(v Variable) (quantity, bool) {
	if q, ok := quantities[v.StandardName]; ok {
		return q, true
	}
	if v.StandardName != "" && v.StandardName != "unknown" {
		return quantity{}, false
	}
	name := v.Name[strings.LastIndexByte(v.Name, '/')+1:]
	q, ok := quantities[strings.ToLower(name)]
	return q, ok
}

// toSI finds the conversion of a variable with v.Units as in the file, and the variable
// as it is after it. Amounts of water given as a depth become kg m-2 (1 m of water is
// 1000 kg m-2), with the standard name that goes with that. Units that are not known,
// of a quantity that is not known either, are kept as they are.
func toSI(v Variable) (conversion, Variable, error) {
	q, known := quantityOf(v)
	canonical := canonicalUnits(v.Units)
	c, ok := unitTable[canonical]
	switch {
	case v.Units == "" && !(known && q.units == "1"):
		return c, v, &UnitsError{Var: v.Name, Want: q.units}
	case v.Units == "":
		c, ok = conversion{1, 0, "1"}, true
	case !ok && known:
		return c, v, &UnitsError{Var: v.Name, Got: v.Units, Want: q.units}
	case !ok:
		return conversion{1, 0, v.Units}, v, nil
	}
	if known && q.water {
		switch {
		case c.units == "m" && q.units == "kg m-2":
			c = conversion{c.scale * 1000, 0, q.units}
		case c.units == "m s-1" && q.units == "kg m-2 s-1":
			c = conversion{c.scale * 1000, 0, q.units}
		}
		v.StandardName = massName(v.StandardName)
	}
	if !known && canonical == "mm" && (v.StandardName == "" || v.StandardName == "unknown") {
		// Nothing else in meteorology is written in mm by files that say no more.
		c = conversion{1, 0, "kg m-2"}
	}
	if known && c.units != q.units {
		return c, v, &UnitsError{Var: v.Name, Got: v.Units, Want: q.units}
	}
	v.Units = c.units
	return c, v, nil
}

// massName is the standard name of the mass of water whose depth has the given one.
func massName(name string) string {
	if name == "lwe_precipitation_rate" {
		return "precipitation_flux"
	}
	if name == "rainfall_rate" {
		return "rainfall_flux"
	}
	name = strings.TrimPrefix(name, "lwe_thickness_of_")
	return strings.TrimPrefix(name, "thickness_of_")
}

// angleToDegrees returns the factor that takes a coordinate's units to degrees.
func angleToDegrees(units string) (float64, error) {
	if units == "" {
		return 1, nil // a bare latitude is in degrees
	}
	if c, ok := unitTable[canonicalUnits(units)]; ok && c.units == "degree" {
		return c.scale, nil
	}
	return 0, fmt.Errorf("units %q are not degrees or radian", units)
}

// lengthToMetres returns the factor that takes a height's units to m.
func lengthToMetres(units string) (float64, error) {
	if units == "" {
		return 1, nil
	}
	if c, ok := unitTable[canonicalUnits(units)]; ok && c.units == "m" {
		return c.scale, nil
	}
	if slices.Contains([]string{"m2 s-2", "J kg-1"}, canonicalUnits(units)) {
		return 1 / 9.80665, nil // geopotential
	}
	return 0, fmt.Errorf("units %q are not a length", units)
}
