package ingest

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTemplate(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"2004/01/fc_2004012900.nc", "2004/01/fc_2004013012.nc", "2004/02/fc_2004020100.nc",
		"2004/01/fc_2004029900.nc", // no such day
		"2004/01/fc_2004022800.nc", // of another folder
		"2004/01/.fc_2004012900.nc123", "2004/01/fc_20040129.nc", "2004/01/other.nc",
		"day029_04.nc", "ec-2004-01-29_00.nc",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		text string
		want []string // "path cycle", "path -" when its date makes no sense
	}{
		{"{date:%Y/%m}/fc_{date:%Y%m%d%H}.nc", []string{
			"2004/01/fc_2004012900.nc 2004012900", "2004/01/fc_2004013012.nc 2004013012",
			"2004/01/fc_2004022800.nc -", "2004/01/fc_2004029900.nc -", "2004/02/fc_2004020100.nc 2004020100",
		}},
		{"{date:%Y}/??/fc_{date}{cycle}.nc", []string{
			"2004/01/fc_2004012900.nc 2004012900", "2004/01/fc_2004013012.nc 2004013012",
			"2004/01/fc_2004022800.nc 2004022800", "2004/01/fc_2004029900.nc -", "2004/02/fc_2004020100.nc 2004020100",
		}},
		{"2004/0[12]/fc_*00.nc", []string{
			"2004/01/fc_2004012900.nc -", "2004/01/fc_2004022800.nc -", "2004/01/fc_2004029900.nc -", "2004/02/fc_2004020100.nc -",
		}},
		{"./2004//01/fc_{date}.nc", []string{"2004/01/fc_20040129.nc 2004012900"}},
		{"day{date:%j_%y}.nc", []string{"day029_04.nc 2004012900"}},
		{"ec-{date:%F_%H}.nc", []string{"ec-2004-01-29_00.nc 2004012900"}},
		{"{date:%Y/%m}/*.nc", []string{ // a month is no cycle
			"2004/01/fc_20040129.nc -", "2004/01/fc_2004012900.nc -", "2004/01/fc_2004013012.nc -", "2004/01/fc_2004022800.nc -",
			"2004/01/fc_2004029900.nc -", "2004/01/other.nc -", "2004/02/fc_2004020100.nc -",
		}},
		{"none_{date}.nc", nil},
	}
	for _, tt := range tests {
		tmpl, err := parseTemplate(dir + "/" + tt.text)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		files, err := scan(tmpl, dir)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		var got []string
		for _, f := range files {
			date := "-"
			stamp, _ := f.stamp()
			if at, ok := stamp.time(); ok {
				date = at.Format("2006010215")
			}
			got = append(got, f.name+" "+date)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s\n got %q\nwant %q", tt.text, got, tt.want)
		}
	}
}

func TestTemplatePath(t *testing.T) {
	at := time.Date(2004, 1, 9, 6, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"/a/{date:%Y/%m}/fc_{date:%Y%m%d%H}.nc": "/a/2004/01/fc_2004010906.nc",
		"/a/{date:%y%j}_{cycle}.nc":             "/a/04009_06.nc",
		"/a/100%{date:%%%d}.nc":                 "/a/100%%09.nc",
		"/a/all.nc":                             "/a/all.nc",
		"/a/fc_{date}_*.nc":                     "", // a pattern does not tell one path
	} {
		tmpl, err := parseTemplate(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := tmpl.path(at); got != want {
			t.Errorf("%s: path %q, want %q", text, got, want)
		}
	}
}

func TestTemplateRefused(t *testing.T) {
	for _, text := range []string{
		"", "a{date", "{dat}", "{date:%Q}", "{date:%}", "{member:02d}", "{cycle:%d}", "a[", "a[]", "a[^]", `a\b`, "a\x00",
	} {
		if _, err := parseTemplate(text); err == nil {
			t.Errorf("%q was accepted", text)
		} else if text != "" && !strings.Contains(err.Error(), "path template") {
			t.Errorf("%q: %v does not say what is wrong where", text, err)
		}
	}
	tmpl, err := parseTemplate(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tmpl.find(); err == nil || !strings.Contains(err.Error(), "folder") {
		t.Errorf("a folder: %v", err)
	}
}

// FuzzTemplate: no text makes the parser panic, and the path that a template without
// patterns gives for a date is read back as that date.
func FuzzTemplate(f *testing.F) {
	f.Add("/a/{date:%Y/%m}/fc_{date:%Y%m%d%H}.nc", int64(1075334400))
	f.Add("{date:%y%j}{cycle}*[a-z]?", int64(0))
	f.Add("/ä/{date:%%%d}", int64(1e9))
	f.Fuzz(func(t *testing.T, text string, seconds int64) {
		tmpl, err := parseTemplate(text)
		if err != nil {
			return
		}
		at := time.Unix(seconds%(1<<33), 0).UTC()
		if y := at.Year(); y < 1970 || y > 2060 {
			return
		}
		path := tmpl.path(at)
		if path == "" {
			return
		}
		s, ok := tmpl.stampOf(path)
		if ok != (len(tmpl.fields) > 0) {
			t.Fatalf("%q: path %q of %s is read: %v", text, path, at, ok)
		}
		if !s.agrees(at) {
			t.Errorf("%q: path %q is read as %v, made of %s", text, path, s, at)
		}
		if matched, err := filepath.Match(tmpl.glob, path); err != nil || !matched {
			t.Errorf("%q: its pattern %q does not find %q: %v", text, tmpl.glob, path, err)
		}
	})
}

// TestGlob: what can be read is listed as filepath.Glob does.
func TestGlob(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []string{"a/1/x.nc", "a/2/x.nc", "a/2/y.nc", "b/1/x.nc", "b/.h/x.nc", "x.nc"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(f)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, f), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "a/1/z.nc")); err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{
		"*", "*/*", "*/*/*", "a/[12]/?.nc", "a/[^1]/*.nc", "[ab]/1/x.nc", "x.nc", "y.nc", "x.nc/*", "a", "c/*", "*/1", "../*/a/2/*", "a/1/z.nc", "a/*/z.nc",
	} {
		full := filepath.Join(dir, pattern)
		want, err := filepath.Glob(full)
		if err != nil {
			t.Fatal(err)
		}
		got, err := glob(full)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v, want %v", pattern, got, err, want)
		}
	}
	// What cannot be read is an error.
	if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	var unusable *UnusableError
	for _, pattern := range []string{"loop/*", "loop/x.nc"} {
		if _, err := glob(filepath.Join(dir, pattern)); !errors.As(err, &unusable) {
			t.Errorf("%s: error %v, want an UnusableError", pattern, err)
		}
	}
}
