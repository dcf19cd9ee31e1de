package pipeline

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// variant is a configuration to compare.
type variant struct {
	group string // heading of the rows it belongs to; may be empty
	name  string
	set   []string // key=value, on top of the configuration
}

// variants lists the configuration itself, then those of a list, then one for each
// value, or for each combination of values.
func variants(listed []variant, vary []string, grid bool) ([]variant, error) {
	all := append([]variant{{name: "as configured"}}, listed...)
	combined := []variant{{}}
	for _, v := range vary {
		key, list, ok := strings.Cut(v, "=")
		if !ok || list == "" {
			return nil, fmt.Errorf("--vary %s is not key=value,value", v)
		}
		var values []variant
		for _, value := range strings.Split(list, ",") {
			one := variant{name: key + "=" + value}
			for i, part := range strings.Split(value, "+") {
				if i == 0 {
					part = key + "=" + part
				}
				name, rest, ok := strings.Cut(part, "=")
				if !ok {
					return nil, fmt.Errorf("--vary %s: %s is not key=value", v, part)
				}
				full, err := modelKey(name)
				if err != nil {
					return nil, fmt.Errorf("--vary %s: %w", v, err)
				}
				one.set = append(one.set, full+"="+rest)
			}
			values = append(values, one)
		}
		all = append(all, values...)
		var next []variant
		for _, c := range combined {
			for _, one := range values {
				next = append(next, variant{
					name: strings.TrimSpace(c.name + " " + one.name),
					set:  append(append([]string(nil), c.set...), one.set...),
				})
			}
		}
		combined = next
	}
	if grid && len(vary) > 0 {
		return append(all[:1+len(listed):1+len(listed)], combined...), nil
	}
	return all, nil
}

// modelKey is the full name of a key that shapes models; the last part is enough.
func modelKey(name string) (string, error) {
	var known []string
	for _, k := range newKeyTable() {
		parent, leaf := splitKey(k.Name)
		if parent != "calibrate.interpolant" && parent != "calibrate.network" && k.Name != "calibrate.method" {
			continue
		}
		if strings.EqualFold(name, leaf) || strings.EqualFold(name, k.Name) {
			return k.Name, nil
		}
		known = append(known, leaf)
	}
	return "", fmt.Errorf("no key %s shapes the model; there are %s", name, strings.Join(known, ", "))
}

// readVariants reads a list of variants, such as those in configs/ablate:
//
//   - group: diffusion
//     name: the ODE
//     set: {epsilon: zero}
func readVariants(path string) ([]variant, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the list of variants: %w", err)
	}
	var rows []struct {
		Group string         `yaml:"group"`
		Name  string         `yaml:"name"`
		Set   map[string]any `yaml:"set"`
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&rows); err != nil {
		return nil, &ConfigError{Origin: path, Text: "is no list of variants, each with group, name and set: " + strings.TrimPrefix(err.Error(), "yaml: ")}
	}
	var all []variant
	for _, r := range rows {
		v := variant{group: r.Group, name: r.Name}
		for _, name := range slices.Sorted(maps.Keys(r.Set)) {
			full, err := modelKey(name)
			if err != nil {
				return nil, &ConfigError{Origin: path, Key: r.Name, Text: err.Error()}
			}
			v.set = append(v.set, fmt.Sprintf("%s=%v", full, r.Set[name]))
		}
		if v.name == "" || len(v.set) == 0 {
			return nil, &ConfigError{Origin: path, Text: fmt.Sprintf("holds a variant without a name or without keys to set: %q", r.Name)}
		}
		all = append(all, v)
	}
	return all, nil
}
