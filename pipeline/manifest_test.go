package pipeline

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var aCycle = time.Date(2024, 7, 8, 0, 0, 0, 0, time.UTC)

func wanted() Wanted {
	return Wanted{Cycle: aCycle, ConfigSHA256: "c", Archive: "a", Inputs: []FileRecord{{Path: "fc.nc", SHA256: "i"}}}
}

// complete writes a product and its manifest.
func complete(t *testing.T) (product string) {
	t.Helper()
	product = file(t, "x.nc", "hello")
	out, err := recordFile(t.Context(), product, "x.nc")
	if err != nil {
		t.Fatal(err)
	}
	w := wanted()
	m := Manifest{Version: manifestVersion, Cycle: w.Cycle, Status: StatusOK, ConfigSHA256: w.ConfigSHA256, Archive: w.Archive, Inputs: w.Inputs, Outputs: []FileRecord{out}}
	if err := m.Write(product); err != nil {
		t.Fatal(err)
	}
	return product
}

// alter replaces a text in a file.
func alter(t *testing.T, path, old, with string) {
	t.Helper()
	text, err := os.ReadFile(path)
	must2(t, err)
	if strings.Count(string(text), old) != 1 {
		t.Fatalf("%q is there %d times", old, strings.Count(string(text), old))
	}
	must2(t, os.WriteFile(path, []byte(strings.Replace(string(text), old, with, 1)), 0o644))
}

// sumIn is the checksum that the manifest of a product has of itself.
func sumIn(t *testing.T, product string) string {
	t.Helper()
	m, err := ReadManifest(product)
	must2(t, err)
	return m.Sum
}

func TestRecordFile(t *testing.T) {
	got, err := recordFile(t.Context(), file(t, "x", "hello"), "name")
	if err != nil {
		t.Fatal(err)
	}
	// printf hello | sha256sum
	want := FileRecord{Path: "name", Bytes: 5, SHA256: "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}

func TestValidProduct(t *testing.T) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	rewrite := func(t *testing.T, product string, change func(m *Manifest)) {
		m, err := ReadManifest(product)
		must(err)
		change(m)
		must(m.Write(product))
	}
	for name, c := range map[string]struct {
		harm func(t *testing.T, product string)
		want func(w *Wanted)
		why  string
	}{
		"as it was":            {why: "product is there and valid"},
		"other configuration":  {want: func(w *Wanted) { w.ConfigSHA256 = "d" }, why: "the configuration has changed"},
		"other history":        {want: func(w *Wanted) { w.Archive = "b" }, why: "earlier forecasts or observations have changed"},
		"other forecast":       {want: func(w *Wanted) { w.Inputs = []FileRecord{{Path: "fc.nc", SHA256: "j"}} }, why: "the forecast has changed"},
		"one forecast more":    {want: func(w *Wanted) { w.Inputs = append(w.Inputs, FileRecord{Path: "g.nc"}) }, why: "the forecast has changed"},
		"forecast and history": {want: func(w *Wanted) { w.Archive, w.Inputs = "b", nil }, why: "the forecast has changed"},
		"a later forecast": {
			harm: func(t *testing.T, p string) { rewrite(t, p, func(m *Manifest) { m.ForecastCycle = &aCycle }) },
			want: func(w *Wanted) { w.Inputs = nil },
			why:  "it was made from the forecast of 2024-07-08T00Z, and there is a later one",
		},
		"another lack": {
			harm: func(t *testing.T, p string) {
				rewrite(t, p, func(m *Manifest) { m.Reasons = []string{"made, because it is missing"} })
			},
			want: func(w *Wanted) { w.Instead = "made, because it cannot be used" },
			why:  "it would now be made, because it cannot be used",
		},
		"no manifest":            {harm: func(t *testing.T, p string) { must(os.Remove(manifestPath(p))) }, why: "no product yet"},
		"no product":             {harm: func(t *testing.T, p string) { must(os.Remove(p)) }, why: "x.nc is gone"},
		"truncated product":      {harm: func(t *testing.T, p string) { must(os.Truncate(p, 4)) }, why: "x.nc was changed or damaged"},
		"a bit of the product":   {harm: func(t *testing.T, p string) { must(os.WriteFile(p, []byte("hellp"), 0o644)) }, why: "x.nc was changed or damaged"},
		"truncated manifest":     {harm: func(t *testing.T, p string) { must(os.Truncate(manifestPath(p), 40)) }, why: "x.nc.manifest.json is damaged: unexpected end of JSON input"},
		"changed manifest":       {harm: func(t *testing.T, p string) { alter(t, manifestPath(p), `"ok"`, `"oj"`) }, why: "x.nc.manifest.json is damaged: its checksum does not match"},
		"manifest without a sum": {harm: func(t *testing.T, p string) { alter(t, manifestPath(p), sumIn(t, p), "") }, why: "product is there and valid"},
		"manifest of the future": {harm: func(t *testing.T, p string) { rewrite(t, p, func(m *Manifest) { m.Version++ }) }, why: "its manifest has version 2, not 1"},
		"manifest of nothing":    {harm: func(t *testing.T, p string) { rewrite(t, p, func(m *Manifest) { m.Outputs = nil }) }, why: "its manifest names no output"},
	} {
		t.Run(name, func(t *testing.T) {
			product := complete(t)
			if c.harm != nil {
				c.harm(t, product)
			}
			w := wanted()
			if c.want != nil {
				c.want(&w)
			}
			valid, why, err := validProduct(t.Context(), product, w)
			if err != nil {
				t.Fatal(err)
			}
			if valid != (c.why == "product is there and valid") || !strings.HasSuffix(why, c.why) {
				t.Errorf("valid: %v, %q; want %q", valid, why, c.why)
			}
		})
	}
}

func TestTwoCyclesWithOneProduct(t *testing.T) {
	w := wanted()
	w.Cycle = aCycle.Add(6 * time.Hour)
	_, _, err := validProduct(t.Context(), complete(t), w)
	if ExitCode(err) != ExitConfig || !strings.Contains(err.Error(), "put {date:%Y%m%d%H} into it") {
		t.Errorf("error is %v", err)
	}
}

func TestFolderOfProductsCanBeMoved(t *testing.T) {
	product := complete(t)
	moved := filepath.Join(t.TempDir(), "moved")
	if err := os.Rename(filepath.Dir(product), moved); err != nil {
		t.Fatal(err)
	}
	if valid, why, err := validProduct(t.Context(), filepath.Join(moved, "x.nc"), wanted()); err != nil || !valid {
		t.Errorf("valid: %v, %s, %v", valid, why, err)
	}
}

func TestSourceDateEpoch(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1720396800")
	at, set, err := sourceDateEpoch()
	if err != nil || !set || !at.Equal(aCycle) {
		t.Errorf("%s, %v, %v", at, set, err)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "yesterday")
	if _, _, err := sourceDateEpoch(); ExitCode(err) != ExitConfig {
		t.Errorf("error is %v", err)
	}
}
