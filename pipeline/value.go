package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// setValue stores what a file, the environment or a flag says into a field of
// Config. From a file, raw is what YAML makes of it; from elsewhere it is text.
// Unlike the usual weak decoding, nothing is rounded, truncated or guessed.
func setValue(dst reflect.Value, raw any) error {
	switch dst.Interface().(type) {
	case time.Duration:
		d, err := toDuration(raw)
		if err != nil {
			return err
		}
		dst.SetInt(int64(d))
		return nil
	case time.Time:
		t, err := toDate(raw)
		if err != nil {
			return err
		}
		dst.Set(reflect.ValueOf(t))
		return nil
	case []string:
		l, err := toList(raw)
		if err != nil {
			return err
		}
		dst.Set(reflect.ValueOf(l))
		return nil
	}
	switch dst.Kind() {
	case reflect.String:
		s, ok := raw.(string)
		if !ok {
			return fmt.Errorf("is %v, which YAML takes for a %s; write it in quotes", raw, kindName(raw))
		}
		dst.SetString(s)
	case reflect.Bool:
		switch text := fmt.Sprint(raw); strings.ToLower(text) {
		case "true", "yes", "on":
			dst.SetBool(true)
		case "false", "no", "off":
			dst.SetBool(false)
		default:
			return fmt.Errorf("is %q; valid: true, false", text)
		}
	case reflect.Int:
		n, err := strconv.ParseInt(number(raw), 10, 64)
		if err != nil {
			return fmt.Errorf("is %q, not a whole number", fmt.Sprint(raw))
		}
		dst.SetInt(n)
	case reflect.Uint64:
		n, err := strconv.ParseUint(number(raw), 10, 64)
		if err != nil {
			return fmt.Errorf("is %q, not a whole number of 0 or more", fmt.Sprint(raw))
		}
		dst.SetUint(n)
	case reflect.Float64:
		x, err := strconv.ParseFloat(number(raw), 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("is %q, not a number", fmt.Sprint(raw))
		}
		dst.SetFloat(x)
	case reflect.Map:
		return setMap(dst, raw)
	default:
		panic("pipeline: Config has a field of type " + dst.Type().String())
	}
	return nil
}

// number is the text of a scalar, without the underscores that help to read it.
func number(raw any) string {
	if x, ok := raw.(float64); ok && x == math.Trunc(x) && math.Abs(x) < 1e15 {
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return strings.ReplaceAll(strings.TrimSpace(fmt.Sprint(raw)), "_", "")
}

func kindName(raw any) string {
	switch raw.(type) {
	case int, int64, uint64, float64:
		return "number"
	case bool:
		return "truth value"
	case time.Time:
		return "date"
	case []any:
		return "list"
	case map[string]any:
		return "section"
	}
	return "value of another kind"
}

func setMap(dst reflect.Value, raw any) error {
	children, ok := raw.(map[string]any)
	if !ok {
		return fmt.Errorf("is %q; it takes names with values below it", fmt.Sprint(raw))
	}
	m := reflect.MakeMap(dst.Type())
	for name, r := range children {
		v := reflect.New(dst.Type().Elem()).Elem()
		if err := setValue(v, r); err != nil {
			return fmt.Errorf("%s %w", name, err)
		}
		m.SetMapIndex(reflect.ValueOf(name), v)
	}
	dst.Set(m)
	return nil
}

// toList takes a YAML list, or text such as "t2m, tp" or "[t2m, tp]".
func toList(raw any) ([]string, error) {
	var list []string
	switch raw := raw.(type) {
	case string:
		text := strings.TrimSpace(raw)
		if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
			text = text[1 : len(text)-1]
		}
		for _, s := range strings.Split(text, ",") {
			if s = strings.Trim(strings.TrimSpace(s), `"'`); s != "" {
				list = append(list, s)
			}
		}
	case []any:
		for _, r := range raw {
			s, ok := r.(string)
			if !ok {
				return nil, fmt.Errorf("has the entry %v, which YAML takes for a %s; write it in quotes", r, kindName(r))
			}
			list = append(list, s)
		}
	case []string:
		list = slices.Clone(raw)
	default:
		return nil, fmt.Errorf("is %q, not a list such as [a, b]", fmt.Sprint(raw))
	}
	return list, nil
}

// dayPart matches the days in front of a duration: Go's own syntax ends at hours.
var dayPart = regexp.MustCompile(`^([+-]?\d+(?:\.\d+)?)d`)

// parseDuration takes Go's durations ("90m", "1h30m") with days in front ("2d",
// "1d12h"). A day is 24 hours.
func parseDuration(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	if text == "0" {
		return 0, nil
	}
	var days time.Duration
	rest := text
	if m := dayPart.FindStringSubmatch(text); m != nil {
		x, err := strconv.ParseFloat(m[1], 64)
		if err != nil || math.Abs(x) > 1e5 {
			return 0, errors.New("more days than there can be")
		}
		days = time.Duration(math.Round(x * float64(24*time.Hour)))
		if rest = text[len(m[0]):]; rest == "" {
			return days, nil
		}
		if strings.HasPrefix(text, "-") {
			rest = "-" + rest
		}
	}
	d, err := time.ParseDuration(rest)
	return days + d, err
}

// durationFlag is a flag that takes durations as the configuration does.
type durationFlag struct{ d *time.Duration }

// Set implements pflag.Value.
func (f durationFlag) Set(text string) (err error) {
	*f.d, err = toDuration(text)
	return err
}

func (f durationFlag) String() string {
	if f.d == nil {
		return ""
	}
	return formatDuration(*f.d)
}

// Type implements pflag.Value.
func (f durationFlag) Type() string { return "duration" }

func toDuration(raw any) (time.Duration, error) {
	text := fmt.Sprint(raw)
	d, err := parseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("is %q, not a duration such as 90m, 6h or 2d", text)
	}
	return d, nil
}

// toDate takes a date as YAML reads it, or its text; empty text is none.
func toDate(raw any) (time.Time, error) {
	if t, ok := raw.(time.Time); ok {
		return t.UTC(), nil
	}
	text := strings.TrimSpace(fmt.Sprint(raw))
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return t, fmt.Errorf("is %q, not a date such as 2024-05-01", text)
	}
	return t, nil
}

// formatDuration is the shortest text that parseDuration reads back.
func formatDuration(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d == 0:
		return "0h"
	case d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}

// formatValue is a value as it is written in a configuration file, on one line.
func formatValue(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Duration:
		return formatDuration(x)
	case time.Time:
		if x.IsZero() {
			return quoteYAML("")
		}
		return x.Format(time.DateOnly)
	case string:
		return quoteYAML(x)
	case []string:
		q := make([]string, len(x))
		for i, s := range x {
			q[i] = quoteYAML(s)
		}
		return "[" + strings.Join(q, ", ") + "]"
	}
	if v.Kind() == reflect.Map {
		names := v.MapKeys()
		slices.SortFunc(names, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		parts := make([]string, len(names))
		for i, n := range names {
			parts[i] = quoteYAML(n.String()) + ": " + formatValue(v.MapIndex(n))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return fmt.Sprint(v.Interface())
}

// plainYAML matches text that YAML reads as that text, inside brackets too.
var plainYAML = regexp.MustCompile(`^[A-Za-z_./][A-Za-z0-9_./*+-]*$`)

func quoteYAML(s string) string {
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no", "on", "off", "null", "y", "n":
		return strconv.Quote(s)
	}
	if plainYAML.MatchString(s) {
		return s
	}
	return strconv.Quote(s)
}

// checkValid tests a value against the valid tag of its key.
func checkValid(v reflect.Value, valid string) error {
	if valid == "" {
		return nil
	}
	if lo, hi, isRange := strings.Cut(valid, ".."); isRange {
		ok := true
		for _, end := range []struct {
			text string
			sign int
		}{{lo, -1}, {hi, 1}} {
			if end.text == "" {
				continue
			}
			limit := reflect.New(v.Type()).Elem()
			if err := setValue(limit, end.text); err != nil {
				panic("pipeline: valid tag " + valid + ": " + err.Error())
			}
			ok = ok && compareValues(v, limit)*end.sign <= 0
		}
		if ok {
			return nil
		}
		switch {
		case lo == "":
			return fmt.Errorf("is %s; valid: up to %s", formatValue(v), hi)
		case hi == "":
			return fmt.Errorf("is %s; valid: %s or more", formatValue(v), lo)
		}
		return fmt.Errorf("is %s; valid: %s to %s", formatValue(v), lo, hi)
	}
	choices := strings.Split(valid, "|")
	if slices.Contains(choices, v.String()) {
		return nil
	}
	return fmt.Errorf("is %q; valid: %s", v.String(), strings.Join(choices, ", "))
}

func compareValues(a, b reflect.Value) int {
	switch {
	case a.CanInt():
		return cmp.Compare(a.Int(), b.Int())
	case a.CanUint():
		return cmp.Compare(a.Uint(), b.Uint())
	case a.CanFloat():
		return cmp.Compare(a.Float(), b.Float())
	}
	panic("pipeline: a range for a value of type " + a.Type().String())
}
