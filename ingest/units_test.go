package ingest

import (
	"errors"
	"math"
	"testing"
)

func TestToSI(t *testing.T) {
	tests := []struct {
		name, standard, units string
		in, want              float64
		wantUnits, wantName   string // SI units; standard name, when it changes
	}{
		{"t2m", "air_temperature", "K", 280, 280, "K", ""},
		{"t2m", "", "Kelvin", 280, 280, "K", ""},
		{"x", "air_temperature", "degC", 20, 293.15, "K", ""},
		{"x", "air_temperature", "°C", -40, 233.15, "K", ""},
		{"x", "air_temperature", "degrees Celsius", 0, 273.15, "K", ""},
		{"x", "air_temperature", "degF", 212, 373.15, "K", ""},
		{"x", "air_temperature", "degF", -40, 233.15, "K", ""},
		{"u10", "", "m s**-1", 5, 5, "m s-1", ""},
		{"x", "wind_speed", "m/s", 5, 5, "m s-1", ""},
		{"x", "wind_speed", "m.s-1", 5, 5, "m s-1", ""},
		{"x", "wind_speed", "m s^-1", 5, 5, "m s-1", ""},
		{"x", "wind_speed", "km/h", 36, 10, "m s-1", ""},
		{"x", "wind_speed", "km h-1", 36, 10, "m s-1", ""},
		{"x", "wind_speed", "kt", 3600. / 1852, 1, "m s-1", ""},
		{"msl", "", "hPa", 1013.25, 101325, "Pa", ""},
		{"x", "air_pressure_at_mean_sea_level", "mbar", 1, 100, "Pa", ""},
		{"tp", "", "m", 0.0025, 2.5, "kg m-2", ""},
		{"tp6", "", "m", 0.001, 1, "kg m-2", ""},
		{"tp", "lwe_thickness_of_precipitation_amount", "cm", 1, 10, "kg m-2", "precipitation_amount"},
		{"x", "thickness_of_rainfall_amount", "mm", 3, 3, "kg m-2", "rainfall_amount"},
		{"x", "precipitation_amount", "kg m**-2", 3, 3, "kg m-2", "precipitation_amount"},
		{"tp", "", "m of water equivalent", 0.002, 2, "kg m-2", ""},
		{"rain", "", "mm", 3, 3, "kg m-2", ""},
		{"x", "lwe_precipitation_rate", "mm/h", 3.6, 0.001, "kg m-2 s-1", "precipitation_flux"},
		{"x", "lwe_precipitation_rate", "m s-1", 1e-6, 1e-3, "kg m-2 s-1", "precipitation_flux"},
		{"snow", "surface_snow_thickness", "cm", 25, 0.25, "m", "surface_snow_thickness"},
		{"depth", "thickness_of_something", "mm", 25, 0.025, "m", "thickness_of_something"},
		{"tcc", "", "(0 - 1)", 0.5, 0.5, "1", ""},
		{"tcc", "", "", 0.5, 0.5, "1", ""},
		{"x", "relative_humidity", "%", 50, 0.5, "1", "relative_humidity"},
		{"x", "wind_from_direction", "degree", 90, 90, "degree", "wind_from_direction"},
		{"x", "wind_from_direction", "radian", math.Pi, 180, "degree", "wind_from_direction"},
		{"cape", "", "J kg**-1", 100, 100, "J kg**-1", ""}, // not known: kept
	}
	for _, tt := range tests {
		c, v, err := toSI(Variable{Name: tt.name, StandardName: tt.standard, Units: tt.units})
		if err != nil {
			t.Errorf("%s (%s) in %q: %v", tt.name, tt.standard, tt.units, err)
			continue
		}
		x := []float32{float32(tt.in), float32(math.NaN())}
		c.apply(x)
		if math.Abs(float64(x[0])-tt.want) > 2e-7*math.Abs(tt.want) || x[1] == x[1] || v.Units != tt.wantUnits {
			t.Errorf("%s (%s): %g %s = %g %s, want %g %s", tt.name, tt.standard, tt.in, tt.units, x[0], v.Units, tt.want, tt.wantUnits)
		}
		if tt.wantName != "" && v.StandardName != tt.wantName {
			t.Errorf("%s (%s) has become %q, want %q", tt.name, tt.standard, v.StandardName, tt.wantName)
		}
	}
}

func TestUnitsRefused(t *testing.T) {
	tests := []struct{ name, standard, units, want string }{
		{"t2m", "", "m", "K"},
		{"t2m", "air_temperature", "furlong", "K"},
		{"x", "wind_speed", "K", "m s-1"},
		{"tp", "", "K", "kg m-2"},
		{"x", "precipitation_amount", "kg m-2 s-1", "kg m-2"},
		{"t2m", "", "", "K"},
		{"anything", "", "", ""},
	}
	for _, tt := range tests {
		_, _, err := toSI(Variable{Name: tt.name, StandardName: tt.standard, Units: tt.units})
		var units *UnitsError
		if !errors.As(err, &units) || units.Got != tt.units || units.Want != tt.want {
			t.Errorf("%s (%s) in %q: error %v, want a UnitsError that wants %q", tt.name, tt.standard, tt.units, err, tt.want)
		}
	}
	if _, err := angleToDegrees("K"); err == nil {
		t.Error("an angle in K")
	}
	if s, err := lengthToMetres("m2 s-2"); err != nil || math.Abs(s*9.80665-1) > 1e-12 {
		t.Errorf("geopotential: %v, %v", s, err)
	}
}
