package ingest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// template is the pattern of an archive's paths. It has three kinds of parts:
//
//	{date:%Y%m%d%H}   the cycle's date by strftime directives: %Y %m %d %H %M %S %j %y %F and %%
//	{date}  {cycle}   the same as {date:%Y%m%d} and {date:%H}
//	* ? [a-z]         as in a shell, within one folder
//
// A template without any of them is the path of one file.
type template struct {
	text   string
	glob   string
	match  *regexp.Regexp
	fields []byte // directive of each group of match
	parts  []part
	wild   bool // has shell patterns: a date does not determine the path
}

// part is either literal text (directive 0) or a directive.
type part struct {
	text      string
	directive byte
}

// directives gives the number of digits of each.
var directives = map[byte]int{'Y': 4, 'm': 2, 'd': 2, 'H': 2, 'M': 2, 'S': 2, 'j': 3, 'y': 2}

// parseTemplate compiles a pattern.
func parseTemplate(text string) (*template, error) {
	if text == "" || strings.ContainsRune(text, 0) {
		return nil, fmt.Errorf("path template %q is empty or has a NUL byte", text)
	}
	t := &template{text: filepath.Clean(text)}
	for rest := t.text; rest != ""; {
		open := strings.IndexByte(rest, '{')
		if open < 0 {
			t.literal(rest)
			break
		}
		end := strings.IndexByte(rest[open:], '}')
		if end < 0 {
			return nil, fmt.Errorf("path template %q: \"{\" is not closed", text)
		}
		t.literal(rest[:open])
		if err := t.placeholder(rest[open+1 : open+end]); err != nil {
			return nil, fmt.Errorf("path template %q: %w", text, err)
		}
		rest = rest[open+end+1:]
	}
	return t, t.compile()
}

func (t *template) literal(s string) {
	if s != "" {
		t.parts = append(t.parts, part{text: s})
		t.wild = t.wild || strings.ContainsAny(s, "*?[")
	}
}

func (t *template) placeholder(s string) error {
	name, format, found := strings.Cut(s, ":")
	switch {
	case name == "cycle" && (!found || format == "02d" || format == "%H"):
		t.parts = append(t.parts, part{directive: 'H'})
		return nil
	case name != "date":
		return fmt.Errorf("{%s} is not known; use {date:%%Y%%m%%d} or {cycle}", s)
	case !found:
		format = "%Y%m%d"
	}
	format = strings.ReplaceAll(format, "%F", "%Y-%m-%d")
	for format != "" {
		i := strings.IndexByte(format, '%')
		if i < 0 {
			t.literal(format)
			return nil
		}
		t.literal(format[:i])
		if i+1 == len(format) {
			return fmt.Errorf("{%s} ends in %%", s)
		}
		d := format[i+1]
		if d == '%' {
			t.literal("%")
		} else if _, ok := directives[d]; ok {
			t.parts = append(t.parts, part{directive: d})
		} else {
			return fmt.Errorf("{%s}: %%%c is not one of %%Y %%m %%d %%H %%M %%S %%j %%y %%F", s, d)
		}
		format = format[i+2:]
	}
	return nil
}

// compile makes the glob that finds the files and the expression that reads the date
// from their paths.
func (t *template) compile() error {
	var glob, expr strings.Builder
	for _, p := range t.parts {
		if p.directive != 0 {
			n := directives[p.directive]
			glob.WriteString(strings.Repeat("[0-9]", n))
			fmt.Fprintf(&expr, "([0-9]{%d})", n)
			t.fields = append(t.fields, p.directive)
			continue
		}
		glob.WriteString(p.text)
		if err := globExpr(&expr, p.text); err != nil {
			return fmt.Errorf("path template %q: %w", t.text, err)
		}
	}
	t.glob = glob.String()
	if _, err := filepath.Match(t.glob, ""); err != nil {
		return fmt.Errorf("path template %q: %w", t.text, err)
	}
	var err error
	if t.match, err = regexp.Compile("^" + expr.String() + "$"); err != nil {
		return fmt.Errorf("path template %q: %w", t.text, err)
	}
	return nil
}

// globExpr writes the regular expression of a shell pattern.
func globExpr(expr *strings.Builder, s string) error {
	for s != "" {
		i := strings.IndexAny(s, `*?[\`)
		if i < 0 {
			i = len(s)
		}
		expr.WriteString(regexp.QuoteMeta(s[:i]))
		s = s[i:]
		if s == "" {
			break
		}
		n := 1
		switch s[0] {
		case '*':
			expr.WriteString("[^/]*")
		case '?':
			expr.WriteString("[^/]")
		case '\\':
			return errors.New("a backslash has no meaning")
		case '[':
			end := strings.IndexByte(s, ']')
			set, negated := "", ""
			if end > 1 {
				set = s[1:end]
			}
			if strings.HasPrefix(set, "^") {
				set, negated = set[1:], "^"
			}
			if set == "" {
				return errors.New("\"[\" is not closed, or holds nothing")
			}
			set = strings.NewReplacer("[", `\[`, "^", `\^`, "&", `\&`, "~", `\~`, `\`, `\\`).Replace(set)
			fmt.Fprintf(expr, "[%s%s]", negated, set)
			n = end + 1
		}
		s = s[n:]
	}
	return nil
}

// find lists the files of the archive that are there now, by name. Hidden files are
// left out: they are those that a writer has not published yet. A folder that may not be
// read is listed in place of its files.
func (t *template) find() ([]string, error) {
	paths, err := glob(t.glob)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", t.text, err)
	}
	paths = slices.DeleteFunc(paths, func(p string) bool {
		return strings.HasPrefix(filepath.Base(p), ".") && !strings.HasPrefix(filepath.Base(t.glob), ".")
	})
	slices.Sort(paths)
	if len(paths) == 1 && paths[0] == t.glob {
		if info, err := os.Stat(paths[0]); err == nil && info.IsDir() {
			return nil, &UnusableError{Path: t.text, Why: "it is a folder", Remedy: "add a pattern such as /*.nc"}
		}
	}
	return paths, nil
}

// glob is filepath.Glob for patterns without backslashes, which leaves out what it
// cannot read: an archive that is out of reach would pass for one that has shrunk.
func glob(pattern string) ([]string, error) {
	if !strings.ContainsAny(pattern, "*?[") {
		_, err := os.Lstat(pattern)
		switch {
		case unlessGone(err) != nil:
			return nil, unreachable(pattern, err)
		case err != nil:
			return nil, nil
		}
		return []string{pattern}, nil
	}
	dir, name := filepath.Split(pattern)
	folders, err := glob(filepath.Clean(dir))
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, folder := range folders {
		entries, err := os.ReadDir(folder)
		switch err := unlessGone(err); {
		case errors.Is(err, fs.ErrPermission):
			paths = append(paths, folder)
		case err != nil:
			return nil, unreachable(folder, err)
		}
		for _, e := range entries {
			matched, err := filepath.Match(name, e.Name())
			if err != nil {
				return nil, err
			}
			if matched {
				paths = append(paths, filepath.Join(folder, e.Name()))
			}
		}
	}
	return paths, nil
}

// unreachable says that it cannot be told what is in a part of the archive.
func unreachable(path string, err error) error {
	return &UnusableError{Path: path, Why: err.Error(), Remedy: "check the permissions of its folder and whether the disk is there", Err: err}
}

// unlessGone is an error, but for one that says that there is no such file.
func unlessGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	return err
}

// path is where the file of a cycle is expected, "" when the template does not tell.
func (t *template) path(cycle time.Time) string {
	if t.wild {
		return ""
	}
	var b strings.Builder
	for _, p := range t.parts {
		if p.directive == 0 {
			b.WriteString(p.text)
		} else {
			fmt.Fprintf(&b, "%0*d", directives[p.directive], component(cycle, p.directive))
		}
	}
	return b.String()
}

// component is the number that a directive stands for.
func component(t time.Time, directive byte) int {
	switch directive {
	case 'Y':
		return t.Year()
	case 'y':
		return t.Year() % 100
	case 'm':
		return int(t.Month())
	case 'd':
		return t.Day()
	case 'H':
		return t.Hour()
	case 'M':
		return t.Minute()
	case 'S':
		return t.Second()
	}
	return t.YearDay()
}

// stamp is what a path says of its date: the value of each directive in it.
type stamp map[byte]int

// stampOf reads a path that find has returned. A path whose fields contradict each
// other, or name a month 13, has no stamp.
func (t *template) stampOf(path string) (stamp, bool) {
	m := t.match.FindStringSubmatch(path)
	if m == nil || len(t.fields) == 0 {
		return nil, false
	}
	s := stamp{}
	for i, d := range t.fields {
		n, err := strconv.Atoi(m[i+1])
		if err != nil {
			return nil, false
		}
		if old, ok := s[d]; ok && old != n {
			return nil, false
		}
		s[d] = n
	}
	if at, ok := s.time(); ok && !s.agrees(at) {
		return nil, false
	}
	return s, true
}

// time is the cycle that a stamp names; fields below the day that are not given are
// zero. It is false when the stamp does not determine a day.
func (s stamp) time() (time.Time, bool) {
	year, ok := s['Y']
	if !ok {
		if year, ok = s['y']; ok {
			year += 1900
			if year < 1969 { // as POSIX strptime
				year += 100
			}
		}
	}
	month, hasMonth := s['m']
	dayOfMonth, hasDay := s['d']
	dayOfYear, hasYearDay := s['j']
	switch {
	case ok && hasMonth && hasDay:
	case ok && hasYearDay:
		month, dayOfMonth = 1, dayOfYear
	default:
		return time.Time{}, false
	}
	return time.Date(year, time.Month(month), dayOfMonth, s['H'], s['M'], s['S'], 0, time.UTC), true
}

// agrees says whether a time has all the components of the stamp.
func (s stamp) agrees(t time.Time) bool {
	for d, n := range s {
		if component(t, d) != n {
			return false
		}
	}
	return true
}
