package pipeline

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

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
func (k key) env() string { return envPrefix + strings.ToUpper(strings.ReplaceAll(k.Name, ".", "_")) }

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
			if f.Type.Kind() == reflect.Struct {
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

// nearest is the key that an unknown name was probably meant to be. The last part
// of a name counts by itself, so that "members" finds "calibrate.members".
func (t keyTable) nearest(name string) string {
	name = strings.ToLower(name)
	distance := func(k key) int {
		leaf := k.Name[strings.LastIndexByte(k.Name, '.')+1:]
		return min(
			2*levenshtein.Distance(name, k.Name, nil),
			2*levenshtein.Distance(name[strings.LastIndexByte(name, '.')+1:], leaf, nil)+1,
		)
	}
	return slices.MinFunc(t, func(a, b key) int { return cmp.Compare(distance(a), distance(b)) }).Name
}
