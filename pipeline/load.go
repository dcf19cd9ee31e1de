package pipeline

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"
)

// envPrefix starts the name of each environment variable of the program.
const envPrefix = "SIPIPE_"

// ownVariables are environment variables of the program that are no keys.
func ownVariables() []string { return []string{"SIPIPE_CONFIG", "SIPIPE_LOG_FORMAT"} }

// LoadOptions say where the configuration comes from. Later sources win over
// earlier ones: default, file, environment, flags.
type LoadOptions struct {
	File string   // named by the user; "": the first of the usual places that exists
	Set  []string // "key=value", in the order given
	// Flags that stand for a key, such as --seed: value by key.
	Flags map[string]FlagValue
	// Incomplete leaves out the checks that a configuration is fit to run: for
	// commands that only show it.
	Incomplete bool
}

// FlagValue is the value of a flag that stands for a key.
type FlagValue struct{ Flag, Value string }

// Loaded is a configuration with the origin of each value.
type Loaded struct {
	Config
	File    string            // "" when there is none
	Root    string            // absolute folder that paths are relative to
	Origins map[string]string // by key: "default", "sipipe.yaml:12", "env SIPIPE_STATE", "flag --seed"
	Hash    string            // hex SHA-256 of all values that have an influence on the numbers
}

// ConfigError is a mistake in the configuration.
type ConfigError struct {
	Origin string // where the value comes from; "" when it comes from nowhere
	Key    string
	Text   string // what is wrong, continuing the name of the key: "is 0; valid: 1 or more"
	meant  string // the key that an unknown one is probably meant to be
}

func (e *ConfigError) Error() string {
	text := strings.TrimSpace(e.Key + " " + e.Text)
	if e.Origin == "" || e.Origin == "default" {
		return text
	}
	return e.Origin + ": " + text
}

// Load reads the configuration. All mistakes in it are reported at once.
func Load(o LoadOptions) (*Loaded, error) {
	l := &loader{
		keys:    newKeyTable(),
		viper:   viper.New(),
		lines:   map[string]int{},
		names:   map[string]string{},
		origins: map[string]string{},
	}
	out := &Loaded{Config: DefaultConfig(), Origins: l.origins}
	for _, k := range l.keys {
		l.origins[k.Name] = "default"
	}
	if err := l.readFile(o.File); err != nil {
		return nil, err
	}
	l.readEnvironment(os.Environ())
	l.readFlags(o.Set, o.Flags)

	l.decode(&out.Config)
	out.File = l.file
	root, err := filepath.Abs(filepath.Dir(l.file))
	if err != nil {
		return nil, fmt.Errorf("find the folder of the configuration: %w", err)
	}
	out.Root = root
	if !o.Incomplete {
		l.add(out.check())
	}
	if len(l.mistakes) > 0 {
		return nil, errors.Join(l.mistakes...)
	}
	out.Hash = l.hash(&out.Config)
	return out, nil
}

// Resolve makes a path of the configuration absolute.
func (l *Loaded) Resolve(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(l.Root, path)
}

// loader gathers what the sources say.
type loader struct {
	keys     keyTable
	viper    *viper.Viper
	file     string
	lines    map[string]int    // line in the file, by lower-case name
	names    map[string]string // children of map keys as the user wrote them: viper makes them lower case
	origins  map[string]string
	mistakes []error
}

func (l *loader) mistake(origin, key, text string, args ...any) {
	l.mistakes = append(l.mistakes, &ConfigError{Origin: origin, Key: key, Text: fmt.Sprintf(text, args...)})
}

// add takes in mistakes of keys of which nothing is said yet: a value that could not be
// read, or was given to a misspelt key, is the default when it is checked.
func (l *loader) add(mistakes []error) {
	known := map[string]bool{}
	for _, err := range l.mistakes {
		if e := (*ConfigError)(nil); errors.As(err, &e) {
			known[e.Key] = true
			known[e.meant] = known[e.meant] || e.meant != ""
		}
	}
	for _, err := range mistakes {
		if e := (*ConfigError)(nil); !errors.As(err, &e) || !known[e.Key] {
			l.mistakes = append(l.mistakes, err)
		}
	}
}

func (l *loader) unknown(origin, name string) {
	e := &ConfigError{Origin: origin, Key: name, Text: "is not a key; sipipe config prints all", meant: l.keys.nearest(name)}
	if e.meant != "" {
		e.Text = "is not a key; did you mean " + e.meant + "?"
	}
	l.mistakes = append(l.mistakes, e)
}

// ConfigPlaces are the files looked for when none is named, in order.
func ConfigPlaces() []string {
	places := []string{"sipipe.yaml"}
	// No HOME is no mistake: cron and systemd start programs without.
	if dir, err := os.UserConfigDir(); err == nil {
		places = append(places, filepath.Join(dir, "sipipe", "sipipe.yaml"))
	}
	return append(places, "/etc/sipipe/sipipe.yaml")
}

func (l *loader) readFile(named string) error {
	places := ConfigPlaces()
	if named != "" {
		places = []string{named}
	}
	for _, path := range places {
		text, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist) && named == "":
			continue
		case err != nil:
			return &ConfigError{Text: "read the configuration: " + err.Error()}
		}
		l.file = path
		return l.parse(text)
	}
	return nil
}

func (l *loader) parse(text []byte) error {
	broken := func(err error) error {
		return &ConfigError{Origin: l.file, Text: strings.NewReplacer("yaml: ", "", "unmarshal errors:\n  ", "").Replace(err.Error())}
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return broken(err)
	}
	if len(doc.Content) == 0 {
		return nil // an empty file says nothing
	}
	if doc.Content[0].Kind != yaml.MappingNode {
		return &ConfigError{Origin: l.file, Text: "holds no keys; start with one such as \"variables: [t2m]\""}
	}
	l.walk("", doc.Content[0])
	l.viper.SetConfigType("yaml")
	if err := l.viper.ReadConfig(bytes.NewReader(text)); err != nil {
		var parse viper.ConfigParseError
		if errors.As(err, &parse) {
			err = parse.Unwrap()
		}
		return errors.Join(append(l.mistakes, broken(err))...) // nothing of it can be looked at
	}
	return nil
}

// walk checks the names in a section of the file and notes their lines.
func (l *loader) walk(prefix string, node *yaml.Node) {
	for node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		for value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		if name.Tag == "!!merge" {
			l.walk(prefix, value)
			continue
		}
		full := prefix + name.Value
		origin := fmt.Sprintf("%s:%d", l.file, name.Line)
		k, child, isKey := l.keys.find(full)
		switch {
		case isKey && value.Tag == "!!null":
			// "key:" without a value leaves it as it is.
		case isKey:
			l.note(k, child, origin)
			if child == "" && k.isMap() && value.Kind == yaml.MappingNode {
				l.walk(k.Name+".", value)
			}
		case l.keys.isSection(full):
			switch {
			case value.Kind == yaml.MappingNode:
				l.walk(full+".", value)
			case value.Tag != "!!null":
				l.mistake(origin, full, "is a section: put its keys below it, indented")
			}
		default:
			l.unknown(origin, full)
		}
	}
}

// note records that origin says something about a key or a child of it. The last to
// speak is the one that counts.
func (l *loader) note(k key, child, origin string) {
	l.origins[k.Name] = origin
	if child != "" {
		full := k.Name + "." + child
		l.names[strings.ToLower(full)] = child
		l.origins[full] = origin
	}
}

// readEnvironment binds the variables that are set.
func (l *loader) readEnvironment(environ []string) {
	slices.Sort(environ)
	for _, pair := range environ {
		variable, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(variable, envPrefix) || slices.Contains(ownVariables(), variable) || value == "" {
			continue
		}
		k, child, ok := l.keys.findVariable(variable)
		if !ok {
			name := strings.ToLower(strings.TrimPrefix(variable, envPrefix))
			if meant := l.keys.nearestVariable(name); meant != "" {
				l.mistake("env "+variable, "", "no such key; did you mean %s?", meant)
			} else {
				l.mistake("env "+variable, "", "no such key; sipipe config prints all")
			}
			continue
		}
		full := k.Name
		if child != "" {
			full += "." + child
		}
		if err := l.viper.BindEnv(full, variable); err != nil {
			l.mistake("env "+variable, full, "%v", err)
			continue
		}
		l.note(k, child, "env "+variable)
	}
}

// findVariable looks up the key of an environment variable. Children of map keys
// are in lower case: SIPIPE_EXPORT_METADATA_TITLE is export.metadata.title.
func (t keyTable) findVariable(variable string) (k key, child string, ok bool) {
	for _, k := range t {
		if variable == k.env() && !k.isMap() {
			return k, "", true
		}
		if rest, found := strings.CutPrefix(variable, k.env()+"_"); found && rest != "" && k.isMap() {
			return k, strings.ToLower(rest), true
		}
	}
	return key{}, "", false
}

func (l *loader) readFlags(set []string, flags map[string]FlagValue) {
	given := map[string]string{}
	for _, pair := range set {
		origin := "flag --set " + pair
		name, value, ok := strings.Cut(pair, "=")
		name = strings.TrimSpace(name)
		if !ok || name == "" {
			l.mistake(origin, "", "takes the form key=value")
			continue
		}
		k, child, ok := l.keys.find(name)
		switch {
		case !ok && l.keys.isSection(name):
			l.mistake(origin, name, "is a section: set one of its keys")
			continue
		case !ok:
			l.unknown(origin, name)
			continue
		case child == "" && k.isMap():
			l.mistake(origin, k.Name, "takes one name at a time: %s.NAME=value", k.Name)
			continue
		}
		full := k.Name
		if child != "" {
			full += "." + child
		}
		given[full] = origin
		l.viper.Set(full, value)
		l.note(k, child, "flag --set")
	}
	for _, name := range slices.Sorted(maps.Keys(flags)) {
		f := flags[name]
		if origin, twice := given[name]; twice {
			l.mistake(origin, name, "is given by --%s too; leave one out", f.Flag)
			continue
		}
		k, _, ok := l.keys.find(name)
		if !ok {
			panic("pipeline: flag --" + f.Flag + " stands for the unknown key " + name)
		}
		l.viper.Set(name, f.Value)
		l.note(k, "", "flag --"+f.Flag)
	}
}

// decode stores what viper holds into c, and checks each value by itself.
func (l *loader) decode(c *Config) {
	settings := l.viper.AllSettings()
	for _, k := range l.keys {
		raw, ok := lookUp(settings, k.Name)
		if !ok || raw == nil {
			continue
		}
		if k.isMap() {
			raw = l.restoreNames(k.Name, raw)
		}
		field := k.in(c)
		if err := setValue(field, raw); err != nil {
			l.mistake(l.origins[k.Name], k.Name, "%v", err)
			continue
		}
		if err := checkValid(field, k.Valid); err != nil {
			l.mistake(l.origins[k.Name], k.Name, "%v", err)
		}
	}
}

// restoreNames gives the children of a map key the case that the user wrote:
// names of variables and attributes are told apart by it.
func (l *loader) restoreNames(name string, raw any) any {
	children, ok := raw.(map[string]any)
	if !ok {
		return raw
	}
	out := make(map[string]any, len(children))
	for child, v := range children {
		if as, ok := l.names[name+"."+child]; ok {
			child = as
		}
		out[child] = v
	}
	return out
}

// lookUp finds "a.b" in nested maps.
func lookUp(settings map[string]any, name string) (any, bool) {
	head, rest, nested := strings.Cut(name, ".")
	v, ok := settings[head]
	if !ok || !nested {
		return v, ok
	}
	below, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	return lookUp(below, rest)
}

// hash digests the values that have an influence on the numbers and are not the default,
// as text, in the order of the table: a key that a later version brings leaves products
// valid. Paths count as written, so that an archive may be moved together with its
// configuration.
func (l *loader) hash(c *Config) string {
	if c.Operations.OnMissing == onMissingPrevious {
		// It differs for cycles without a forecast only, whose products say so.
		as := *c
		as.Operations.OnMissing = onMissingBaseline
		c = &as
	}
	d := sha256.New()
	usual := DefaultConfig()
	for _, k := range l.keys {
		value := formatValue(k.in(c))
		if k.Result && value != formatValue(k.in(&usual)) {
			fmt.Fprintf(d, "%s: %s\n", k.Name, value)
		}
	}
	return hex.EncodeToString(d.Sum(nil))
}
