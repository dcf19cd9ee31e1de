package pipeline

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// attributeName matches names of NetCDF attributes that all readers take.
var attributeName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// variableName matches names of variables, with groups before them.
var variableName = regexp.MustCompile(`^/?[\pL\d_][^/\pC]*(/[\pL\d_][^/\pC]*)*$`)

// reservedAttributes are made by the program and not to be set.
func reservedAttributes() []string { return []string{"Conventions", "featureType", "history"} }

// check tests what takes more than one value, or a look at what a value is for.
func (l *Loaded) check() []error {
	var mistakes []error
	bad := func(key, text string, args ...any) {
		mistakes = append(mistakes, &ConfigError{Origin: l.Origins[key], Key: key, Text: fmt.Sprintf(text, args...)})
	}
	if l.Ingest.Forecasts == "" {
		where := "in " + l.File
		if l.File == "" {
			where = "(no configuration file found: looked for " + strings.Join(ConfigPlaces(), ", ") + ")"
		}
		bad("ingest.forecasts", "is not set %s; name the raw forecasts, for example archive/fc_{date:%%Y%%m%%d%%H}.nc", where)
	}
	if len(l.Variables) == 0 {
		bad("variables", "is not set; name at least one, for example [t2m]; sipipe inspect FILE lists those of a file")
	}
	for i, v := range l.Variables {
		switch {
		case slices.Contains(l.Variables[:i], v):
			bad("variables", "has %s twice", v)
		case !variableName.MatchString(v):
			bad("variables", "has %q, which is no name of a NetCDF variable", v)
		}
	}
	for _, key := range []struct{ name, value string }{
		{"ingest.forecasts", l.Ingest.Forecasts},
		{"ingest.observations", l.Ingest.Observations},
		{"export.path", l.Export.Path},
		{"state", l.State},
	} {
		if strings.Contains(key.value, "://") {
			bad(key.name, "is the address %s; only files are read and written", key.value)
		}
	}
	if m := l.Operations.Metrics; m != "" && !strings.HasSuffix(m, ".prom") {
		bad("operations.metrics", "is %q; node_exporter reads files that end in .prom only", m)
	}
	if l.State == "" {
		bad("state", "is empty; name a folder")
	}
	l.checkExportPath(bad)
	l.checkMethod(bad)
	l.checkSelection(bad)
	l.checkSlurm(bad)
	for _, name := range slices.Sorted(maps.Keys(l.Export.Metadata)) {
		full := "export.metadata." + name
		switch {
		case !attributeName.MatchString(name):
			bad(full, "cannot be the name of an attribute; use letters, digits and _")
		case slices.Contains(reservedAttributes(), name) || strings.HasPrefix(name, "sipipe__"):
			bad(full, "is written by the program and cannot be set")
		}
	}
	return mistakes
}

// checkExportPath makes sure that days do not overwrite each other.
func (l *Loaded) checkExportPath(bad func(key, text string, args ...any)) {
	day := time.Date(2024, 7, 8, 0, 0, 0, 0, time.UTC)
	one, err := expandTemplate(l.Export.Path, day)
	if err != nil {
		bad("export.path", "%v", err)
		return
	}
	other, err := expandTemplate(l.Export.Path, day.AddDate(0, 0, 1))
	switch {
	case err != nil:
		bad("export.path", "%v", err)
	case !strings.HasSuffix(one, ".nc"):
		bad("export.path", "is %q; the product is NetCDF: end it in .nc", l.Export.Path)
	case one == other:
		bad("export.path", "is %q: each day would overwrite the one before; put {date:%%Y%%m%%d%%H} into it", l.Export.Path)
	}
	for _, key := range []struct{ name, value string }{
		{"ingest.forecasts", l.Ingest.Forecasts},
		{"ingest.observations", l.Ingest.Observations},
		{"export.path", l.Export.Path},
	} {
		if leaves(key.value, day) {
			bad(key.name, "is %q: with a date put in it leaves the folder %s, in which it begins", key.value, fixedFolder(key.value))
		}
	}
	for _, key := range []struct{ name, value string }{
		{"ingest.forecasts", l.Ingest.Forecasts},
		{"ingest.observations", l.Ingest.Observations},
	} {
		if l.takesIn(key.value, one, day) {
			bad("export.path", "is %q: products would lie among the input, which %s = %q reads; name another folder", l.Export.Path, key.name, key.value)
		}
	}
}

// leaves says whether a template, with a date put in, lies outside of its fixed folder.
func leaves(template string, date time.Time) bool {
	path, err := expandTemplate(template, date)
	if err != nil {
		return false // said where templates are checked
	}
	relative, err := filepath.Rel(fixedFolder(template), path)
	return err != nil || relative == ".." || strings.HasPrefix(relative, "../")
}

// takesIn says whether an input template covers the product of a cycle, which would
// overwrite a file of the archive or be read as one.
func (l *Loaded) takesIn(template, product string, cycle time.Time) bool {
	if template == "" {
		return false
	}
	pattern, err := expandTemplate(template, cycle)
	if err != nil {
		return false // said where templates are checked
	}
	within, err := filepath.Match(filepath.Clean(l.Resolve(pattern)), filepath.Clean(l.Resolve(product)))
	return err == nil && within
}
