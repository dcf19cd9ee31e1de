package ingest

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Bounds of the mean of a temperature near the ground [K]: beyond them it is one in
// degrees Celsius or Fahrenheit that is said to be in kelvin, or converted twice.
const (
	coldestMean = 150
	hottestMean = 350
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

// wrongTemperature finds temperatures whose mean no place on Earth has.
func wrongTemperature(e *Ensemble) string {
	v := e.Variable
	if v.Units != "K" || v.StandardName != "" && (!strings.HasSuffix(v.StandardName, "temperature") || strings.Contains(v.StandardName, "potential")) {
		return ""
	}
	sum, n := 0.0, 0
	for _, x := range e.Values {
		if x == x {
			sum += float64(x)
			n++
		}
	}
	if mean := sum / float64(n); n > 0 && (mean < coldestMean || mean > hottestMean || math.IsInf(mean, 0)) {
		return fmt.Sprintf("its mean is %.1f K after conversion: the units in the file are wrong", mean)
	}
	return ""
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
