package ingest

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Bounds of a temperature near the ground [K]: beyond them it is one in degrees Celsius or
// Fahrenheit that is said to be in kelvin, or converted twice.
const (
	coldest = 150
	hottest = 350
)

// Implausible says why a forecast cannot be what it is said to be; "" if it can. It
// looks for what broken production leaves: fields that are constant, wrong units, and
// members that are copies.
func Implausible(e *Ensemble) string {
	for _, test := range []func(*Ensemble) string{constantField, wrongTemperature, copiedMembers} {
		if why := test(e); why != "" {
			return why
		}
	}
	return ""
}

// constantField finds a lead time at which all places and members have one value. No
// rain anywhere is a forecast, and so is a sky that is clear or overcast.
func constantField(e *Ensemble) string {
	n := e.Places.Len() * len(e.Members)
	for l, lead := range e.Leads {
		count, constant := 0, true
		var value float32
		for _, v := range e.Values[l*n : (l+1)*n] {
			switch {
			case v != v: // missing
			case count == 0:
				value, count = v, 1
			default:
				count++
				constant = constant && v == value
			}
		}
		if count > 1 && constant && !AtBound(e.Variable, value) {
			return fmt.Sprintf("all %d values at lead time %s are %g %s", count, formatLead(lead), value, e.Variable.Units)
		}
	}
	return ""
}

// AtBound says whether a quantity often has a value that is its least or greatest.
// Visibility, cloud base and sunshine are given up to a limit, which may be any.
func AtBound(v Variable, value float32) bool {
	switch v.Units {
	case "K", "Pa":
		return false
	case "m", "s":
		return true
	case "1", "%":
		return value == 0 || value == 1 || value == 100
	}
	return value == 0
}

// wrongTemperature finds temperatures most of which no place on Earth has.
func wrongTemperature(e *Ensemble) string {
	if !isTemperature(e.Variable) {
		return ""
	}
	sum, n, wrong := 0.0, 0, 0
	for _, x := range e.Values {
		if x == x {
			sum += float64(x)
			n++
			if x < coldest || x > hottest {
				wrong++
			}
		}
	}
	if 2*wrong > n {
		return fmt.Sprintf("its mean is %.1f K after conversion: the units in the file are wrong", sum/float64(n))
	}
	return ""
}

// isTemperature says whether a variable is the temperature of air or ground near the surface.
func isTemperature(v Variable) bool {
	return v.Units == "K" && (v.StandardName == "" ||
		strings.HasSuffix(v.StandardName, "temperature") && !strings.Contains(v.StandardName, "potential"))
}

// Limits of what a variable can be, in its units; where none are known, all that is finite.
func Limits(v Variable) (least, most float64) {
	switch n := v.StandardName; {
	case isTemperature(v):
		return coldest, hottest // on record: 184 to 330
	case strings.Contains(n, "precipitation"), strings.Contains(n, "rainfall"), strings.Contains(n, "snowfall"):
		return 0, 5000 // kg m-2; most in a day on record: 1825
	case strings.Contains(n, "wind_speed"):
		return 0, 150 // m s-1; highest gust on record: 113
	}
	return -math.MaxFloat64, math.MaxFloat64
}

// packingError is by how much a forecast may be below 0 mm or 0 m/s: packed values are.
const packingError = 0.1

// leaveOutImpossible makes the values of a forecast missing that its variable cannot have,
// and returns their number and what the first is.
func leaveOutImpossible(e *Ensemble) (n int, first string) {
	least, most := Limits(e.Variable)
	for i, v := range e.Values {
		if v != v || float64(v) >= least-packingError && float64(v) <= most {
			continue
		}
		if n++; n == 1 {
			at := i / len(e.Members)
			first = fmt.Sprintf("%g %s at %s, lead time %s, member %d", v, e.Variable.Units,
				e.Places.ID[at%e.Places.Len()], formatLead(e.Leads[at/e.Places.Len()]), e.Members[i%len(e.Members)])
		}
		e.Values[i] = float32(math.NaN())
	}
	return n, first
}

// distinctForCopy is how many different values two members must share to be taken for
// copies: dry members, and rounded values at a few places, agree by chance.
const distinctForCopy = 8

// copiedMembers finds two members that agree at all places and lead times, and
// ensembles all of whose members do.
func copiedMembers(e *Ensemble) string {
	m := len(e.Members)
	var copies [][2]int32
	together := 1 // members equal to the first, with itself
	for a := range m {
		for b := a + 1; b < m; b++ {
			if !sameMember(e, a, b) {
				continue
			}
			copies = append(copies, [2]int32{e.Members[a], e.Members[b]})
			if a == 0 {
				together++
			}
		}
	}
	switch {
	case len(copies) == 0:
		return ""
	case together == m:
		return fmt.Sprintf("its %d members are all the same", m)
	}
	return fmt.Sprintf("members %d and %d have the same values everywhere (%d such pairs)", copies[0][0], copies[0][1], len(copies))
}

// sameMember compares members a and b by position. Where both are missing they agree.
func sameMember(e *Ensemble, a, b int) bool {
	m := len(e.Members)
	distinct := map[float32]bool{}
	for i := 0; i < len(e.Values); i += m {
		x, y := e.Values[i+a], e.Values[i+b]
		if x != y && (x == x || y == y) {
			return false
		}
		if x == x && len(distinct) < distinctForCopy {
			distinct[x] = true
		}
	}
	return len(distinct) >= distinctForCopy
}

// pattern is the hash of the values of a forecast at their lead times, members and places,
// whatever its cycle: two cycles with the same are copies. It is zero for forecasts with so
// few different values that they may agree by chance.
func pattern(e *Ensemble) [32]byte {
	distinct := map[float32]bool{}
	for _, v := range e.Values {
		if v == v {
			if distinct[v] = true; len(distinct) == distinctForCopy {
				as := *e
				as.Cycle = time.Unix(0, 0)
				return ensembleHash(&as)
			}
		}
	}
	return [32]byte{}
}

// formatLead is a lead time in hours, as forecasters write it.
func formatLead(d time.Duration) string { return fmt.Sprintf("%+g h", d.Hours()) }

// implausibleError is the error of a forecast in which Implausible finds why.
func implausibleError(path, variable, why string) *ImplausibleError {
	return &ImplausibleError{UnusableError{
		Path: path, Var: variable, Why: "not plausible: " + why,
		Remedy: "replace the file, or set ingest.implausible to warn to use it as it is",
	}}
}

// ImplausibleError is an input that is complete and wrong: waiting does not help.
type ImplausibleError struct{ UnusableError }

// Unwrap makes it an input that cannot be used.
func (e *ImplausibleError) Unwrap() error { return &e.UnusableError }
