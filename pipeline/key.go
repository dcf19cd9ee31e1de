package pipeline

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/agext/levenshtein"
)

// key is one leaf of Config.
type key struct {
	Name   string // "calibrate.members"
	Desc   string
	Valid  string
	Path   bool
	Result bool // has an influence on the numbers
	typ    reflect.Type
	index  []int // of the field, from Config
}

// in returns the field of the key in c.
func (k key) in(c *Config) reflect.Value { return reflect.ValueOf(c).Elem().FieldByIndex(k.index) }

// isMap says that the key has children of free names.
func (k key) isMap() bool { return k.typ.Kind() == reflect.Map }

// env is the environment variable of the key.
func (k key) env() string { return variableOf(k.Name) }

func variableOf(name string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(name, ".", "_"))
}

// keyTable holds all keys in the order of Config.
type keyTable []key

func newKeyTable() keyTable {
	var t keyTable
	var walk func(prefix string, index []int, typ reflect.Type)
	walk = func(prefix string, index []int, typ reflect.Type) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			at := append(slices.Clone(index), i)
			name := prefix + f.Tag.Get("mapstructure")
			if f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[time.Time]() {
				walk(name+".", at, f.Type)
				continue
			}
			t = append(t, key{
				Name:   name,
				Desc:   f.Tag.Get("desc"),
				Valid:  f.Tag.Get("valid"),
				Path:   f.Tag.Get("path") == "true",
				Result: f.Tag.Get("result") != "no",
				typ:    f.Type,
				index:  at,
			})
		}
	}
	walk("", nil, reflect.TypeFor[Config]())
	return t
}

// find looks up a full name such as "calibrate.members" or
// "export.metadata.title", of which child is "title". Case does not matter in names
// of keys; it does in child.
func (t keyTable) find(name string) (k key, child string, ok bool) {
	for _, k := range t {
		switch {
		case strings.EqualFold(name, k.Name):
			return k, "", true
		case k.isMap() && len(name) > len(k.Name)+1 && name[len(k.Name)] == '.' && strings.EqualFold(name[:len(k.Name)], k.Name):
			return k, name[len(k.Name)+1:], true
		}
	}
	return key{}, "", false
}

// isSection says that keys lie below name.
func (t keyTable) isSection(name string) bool {
	return slices.ContainsFunc(t, func(k key) bool {
		return len(k.Name) > len(name) && k.Name[len(name)] == '.' && strings.EqualFold(k.Name[:len(name)], name)
	})
}

// sections lists the names that keys lie below, in order.
func (t keyTable) sections() []string {
	var all []string
	for _, k := range t {
		for i, c := range k.Name {
			if c == '.' && !slices.Contains(all, k.Name[:i]) {
				all = append(all, k.Name[:i])
			}
		}
	}
	return all
}

// isClose says whether a name may be a slip for one that is so many changes away.
func isClose(name string, distance int) bool { return distance <= 1+len(name)/3 }

// nearest is the key or section that an unknown name was probably meant to be, "" when
// none is close. The last part of a name counts by itself, so that "members" finds "calibrate.members",
// but a key of the same section is preferred to one of another.
func (t keyTable) nearest(name string) string {
	name = strings.ToLower(name)
	parent, leaf := splitKey(name)
	best, least := "", math.MaxInt
	consider := func(candidate string, distance int) {
		if distance < least && isClose(name, distance) {
			best, least = candidate, distance
		}
	}
	const otherSection = 2
	for _, k := range t {
		p, l := splitKey(k.Name)
		d := levenshtein.Distance(leaf, l, nil)
		if p != parent {
			d += otherSection
		}
		consider(k.Name, min(d, levenshtein.Distance(name, k.Name, nil)))
	}
	for _, s := range t.sections() {
		consider(s, levenshtein.Distance(name, s, nil))
	}
	return best
}

// nearestVariable is the environment variable of a key that is nearest to that of name,
// in which dots are underscores; "" when none is close.
func (t keyTable) nearestVariable(name string) string {
	distance := func(k key) int { return levenshtein.Distance(variableOf(name), k.env(), nil) }
	nearest := slices.MinFunc(t, func(a, b key) int { return distance(a) - distance(b) })
	if !isClose(name, distance(nearest)) {
		return ""
	}
	return nearest.env()
}

// splitKey cuts the last part of a name off.
func splitKey(name string) (parent, leaf string) {
	i := strings.LastIndexByte(name, '.')
	return name[:max(i, 0)], name[i+1:]
}
