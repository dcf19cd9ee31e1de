package pipeline

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// clean keeps the configuration of the machine out of a test.
func clean(t *testing.T) {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, envPrefix) {
			t.Setenv(name, "")
		}
	}
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("SOURCE_DATE_EPOCH", "")
	t.Chdir(t.TempDir())
}

// file writes a file in a new folder and returns its path.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

const minimal = "ingest:\n  forecasts: fc.nc\nvariables: [t2m]\n"

// Each file says in its first line what is wrong with it, FILE standing for its path.
func TestBadConfigurations(t *testing.T) {
	paths, err := filepath.Glob("testdata/bad/*.bad.yaml")
	if err != nil || len(paths) < 30 {
		t.Fatalf("%d files: %v", len(paths), err)
	}
	for i, p := range paths {
		if paths[i], err = filepath.Abs(p); err != nil {
			t.Fatal(err)
		}
	}
	clean(t)
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".bad.yaml"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(string(text), "\n")
			want, ok := strings.CutPrefix(first, "# want: ")
			if !ok {
				t.Fatalf("the first line of %s does not say what is wrong with it", path)
			}
			want = strings.NewReplacer("FILE:", path+":", "in FILE;", "in "+path+";", `\n`, "\n").Replace(want)
			_, err = Load(LoadOptions{File: path})
			if err == nil {
				t.Fatal("it was taken for right")
			}
			if diff := cmp.Diff(want, err.Error()); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
			if code := ExitCode(err); code != ExitConfig {
				t.Errorf("exit code %d, want %d", code, ExitConfig)
			}
		})
	}
}

func TestShippedConfigurationsLoad(t *testing.T) {
	paths, err := filepath.Glob("../configs/*.yaml")
	if err != nil || len(paths) < 4 {
		t.Fatalf("%d files: %v", len(paths), err)
	}
	for i, p := range paths {
		if paths[i], err = filepath.Abs(p); err != nil {
			t.Fatal(err)
		}
	}
	clean(t)
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			// The defaults alone name no forecasts.
			incomplete := filepath.Base(path) == "default.yaml"
			if _, err := Load(LoadOptions{File: path, Incomplete: incomplete}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDefaultFileIsThatOfTheDefaults(t *testing.T) {
	have, err := os.ReadFile("../configs/default.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(defaultFile(), string(have)); diff != "" {
		t.Errorf("configs/default.yaml is not what the program says; write it again with make testdata (-program +file):\n%s", diff)
	}
}

func TestDefaultFileReadsBackAsTheDefaults(t *testing.T) {
	clean(t)
	l, err := Load(LoadOptions{File: file(t, "sipipe.yaml", defaultFile()), Incomplete: true})
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultConfig()
	for _, k := range newKeyTable() {
		if w, g := formatValue(k.in(&want)), formatValue(k.in(&l.Config)); w != g {
			t.Errorf("%s is %s, want %s", k.Name, g, w)
		}
	}
}

func TestEachKeyIsDescribedAndItsDefaultValid(t *testing.T) {
	c := DefaultConfig()
	for _, k := range newKeyTable() {
		if k.Desc == "" {
			t.Errorf("%s has no description", k.Name)
		}
		if k.Name != strings.ToLower(k.Name) {
			t.Errorf("%s is not in lower case, which viper makes of it", k.Name)
		}
		if err := checkValid(k.in(&c), k.Valid); err != nil {
			t.Errorf("the default of %s %v", k.Name, err)
		}
	}
}

func TestLaterSourcesWin(t *testing.T) {
	type source struct {
		file, env string
		set       []string
		flag      string
	}
	for name, c := range map[string]struct {
		source
		want   int
		origin string
	}{
		"default":             {source{}, 50, "default"},
		"file":                {source{file: "60"}, 60, "sipipe.yaml:5"},
		"environment":         {source{file: "60", env: "70"}, 70, "env SIPIPE_CALIBRATE_MEMBERS"},
		"--set":               {source{file: "60", env: "70", set: []string{"calibrate.members=80"}}, 80, "flag --set"},
		"the last --set":      {source{set: []string{"calibrate.members=80", "calibrate.members=81"}}, 81, "flag --set"},
		"a flag of its own":   {source{file: "60", env: "70", flag: "90"}, 90, "flag --members"},
		"empty environment":   {source{file: "60", env: ""}, 60, "sipipe.yaml:5"},
		"a key in capitals":   {source{set: []string{"Calibrate.MEMBERS=80"}}, 80, "flag --set"},
		"a key with no value": {source{file: "~"}, 50, "default"},
	} {
		t.Run(name, func(t *testing.T) {
			clean(t)
			text := minimal
			if c.file != "" {
				text += "calibrate:\n  members: " + c.file + "\n"
			}
			if err := os.WriteFile("sipipe.yaml", []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			t.Setenv("SIPIPE_CALIBRATE_MEMBERS", c.env)
			o := LoadOptions{Set: c.set}
			if c.flag != "" {
				o.Flags = map[string]FlagValue{"calibrate.members": {Flag: "members", Value: c.flag}}
			}
			l, err := Load(o)
			if err != nil {
				t.Fatal(err)
			}
			if l.Calibrate.Members != c.want {
				t.Errorf("members are %d, want %d", l.Calibrate.Members, c.want)
			}
			if got := l.Origins["calibrate.members"]; got != c.origin {
				t.Errorf("origin is %q, want %q", got, c.origin)
			}
		})
	}
}

func TestMistakesOutsideOfFiles(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		o    LoadOptions
		want string
	}{
		"unknown variable": {
			env:  map[string]string{"SIPIPE_CALIBRATE_MEMBRES": "3"},
			want: "env SIPIPE_CALIBRATE_MEMBRES: no such key; did you mean SIPIPE_CALIBRATE_MEMBERS?",
		},
		"value of a variable": {
			env:  map[string]string{"SIPIPE_CALIBRATE_DELAY": "soon"},
			want: `env SIPIPE_CALIBRATE_DELAY: calibrate.delay is "soon", not a duration such as 90m, 6h or 2d`,
		},
		"unknown key": {
			o:    LoadOptions{Set: []string{"calibrate.sed=3"}},
			want: "flag --set calibrate.sed=3: calibrate.sed is not a key; did you mean calibrate.seed?",
		},
		"a key like no other": {
			o:    LoadOptions{Set: []string{"bogus=1"}},
			want: "flag --set bogus=1: bogus is not a key; sipipe config prints all",
		},
		"a variable like no other": {
			env:  map[string]string{"SIPIPE_BOGUS": "1"},
			want: "env SIPIPE_BOGUS: no such key; sipipe config prints all",
		},
		"no value": {
			o:    LoadOptions{Set: []string{"calibrate.seed"}},
			want: "flag --set calibrate.seed: takes the form key=value",
		},
		"section": {
			o:    LoadOptions{Set: []string{"calibrate=3"}},
			want: "flag --set calibrate=3: calibrate is a section: set one of its keys",
		},
		"names without a name": {
			o:    LoadOptions{Set: []string{"ingest.units=K"}},
			want: "flag --set ingest.units=K: ingest.units takes one name at a time: ingest.units.NAME=value",
		},
		"value of a flag": {
			o:    LoadOptions{Flags: map[string]FlagValue{"calibrate.seed": {Flag: "seed", Value: "x"}}},
			want: `flag --seed: calibrate.seed is "x", not a whole number of 0 or more`,
		},
		"the same twice": {
			o: LoadOptions{
				Set:   []string{"calibrate.seed=2"},
				Flags: map[string]FlagValue{"calibrate.seed": {Flag: "seed", Value: "3"}},
			},
			want: "flag --set calibrate.seed=2: calibrate.seed is given by --seed too; leave one out",
		},
	} {
		t.Run(name, func(t *testing.T) {
			clean(t)
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			c.o.File = file(t, "sipipe.yaml", minimal)
			_, err := Load(c.o)
			if err == nil || err.Error() != c.want {
				t.Errorf("error\n%v\nwant\n%s", err, c.want)
			}
			if code := ExitCode(err); code != ExitConfig {
				t.Errorf("exit code %d, want %d", code, ExitConfig)
			}
		})
	}
}

func TestNamedFileMustBeThere(t *testing.T) {
	clean(t)
	_, err := Load(LoadOptions{File: "nowhere.yaml"})
	if code := ExitCode(err); code != ExitConfig {
		t.Errorf("exit code %d, want %d: %v", code, ExitConfig, err)
	}
}

func TestFirstOfTheUsualPlaces(t *testing.T) {
	clean(t)
	user := filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "sipipe", "sipipe.yaml")
	if err := os.MkdirAll(filepath.Dir(user), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(user, []byte(minimal+"state: of-the-user\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := Load(LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(filepath.Dir(user), "of-the-user"); l.Resolve(l.State) != want {
		t.Errorf("state is %s, want %s: relative to the file it stands in", l.Resolve(l.State), want)
	}
	if err := os.WriteFile("sipipe.yaml", []byte(minimal+"state: here\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if l, err = Load(LoadOptions{}); err != nil || l.State != "here" {
		t.Errorf("state is %q (%v), want that of the working folder", l.State, err)
	}
}

func TestPathsAreRelativeToTheFileWhereverTheProgramStarts(t *testing.T) {
	path := file(t, "sipipe.yaml", minimal)
	clean(t)
	l, err := Load(LoadOptions{File: path, Set: []string{"state=/absolute"}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := l.Resolve(l.Ingest.Forecasts), filepath.Join(filepath.Dir(path), "fc.nc"); got != want {
		t.Errorf("forecasts are %s, want %s", got, want)
	}
	if got := l.Resolve(l.State); got != "/absolute" {
		t.Errorf("state is %s", got)
	}
	if got := l.Resolve(""); got != "" {
		t.Errorf("no path became %q", got)
	}
}

func TestNamesBelowAKeyKeepTheirCase(t *testing.T) {
	clean(t)
	t.Setenv("SIPIPE_EXPORT_METADATA_LICENSE", "CC0")
	l, err := Load(LoadOptions{
		File: file(t, "sipipe.yaml", minimal+"  \nexport:\n  metadata:\n    Creator: me\n"),
		Set:  []string{"ingest.units.T2M=degC", "export.metadata.Project=a=b"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"T2M": "degC"}, l.Ingest.Units); diff != "" {
		t.Errorf("units (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"Creator": "me", "Project": "a=b", "license": "CC0"}, l.Export.Metadata); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
}

func TestListsInEachSource(t *testing.T) {
	for name, c := range map[string]struct {
		yaml, env string
		set       []string
	}{
		"block":       {yaml: "variables:\n  - t2m\n  - tp\n"},
		"flow":        {yaml: "variables: [t2m, tp]\n"},
		"text":        {yaml: "variables: t2m, tp\n"},
		"environment": {env: "t2m,tp"},
		"flag":        {set: []string{"variables=[t2m, tp]"}},
	} {
		t.Run(name, func(t *testing.T) {
			clean(t)
			t.Setenv("SIPIPE_VARIABLES", c.env)
			l, err := Load(LoadOptions{File: file(t, "sipipe.yaml", "ingest:\n  forecasts: fc.nc\n"+c.yaml), Set: c.set})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"t2m", "tp"}, l.Variables); diff != "" {
				t.Errorf("variables (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHashFollowsWhatShapesTheNumbers(t *testing.T) {
	clean(t)
	hash := func(set ...string) string {
		l, err := Load(LoadOptions{File: file(t, "sipipe.yaml", minimal), Set: set})
		if err != nil {
			t.Fatal(err)
		}
		return l.Hash
	}
	base := hash()
	for _, c := range []struct {
		set  string
		same bool
	}{
		{"calibrate.members=50", true}, // the default
		{"calibrate.members=51", false},
		{"calibrate.seed=2", false},
		{"calibrate.delay=1h", false},
		{"ingest.units.t2m=K", false},
		{"operations.threads=7", true},
		{"operations.lock_wait=1h", true},
		{"state=elsewhere", true},
		{"export.path=elsewhere/{date}.nc", true},
		{"export.metadata.title=x", false}, // shapes the file if not the numbers
	} {
		if same := hash(c.set) == base; same != c.same {
			t.Errorf("with %s the hash is the same: %v, want %v", c.set, same, c.same)
		}
	}
}

// A key that a version brings leaves products valid while it is not set.
func TestNewKeysDoNotChangeTheHash(t *testing.T) {
	c := DefaultConfig()
	c.Variables = []string{"t2m"}
	now, before := &loader{keys: newKeyTable()}, &loader{}
	for _, k := range now.keys {
		if k.Name != "calibrate.members" {
			before.keys = append(before.keys, k)
		}
	}
	if now.hash(&c) != before.hash(&c) {
		t.Error("the hash depends on a key that is the default")
	}
	c.Calibrate.Members++
	if now.hash(&c) == before.hash(&c) {
		t.Error("the hash does not depend on a key that is set")
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "0h": 0, "90m": 90 * time.Minute, "2d": 48 * time.Hour, "1d12h": 36 * time.Hour,
		"1.5d": 36 * time.Hour, "-1d6h": -30 * time.Hour, "1h30m": 90 * time.Minute,
	} {
		got, err := parseDuration(text)
		if err != nil || got != want {
			t.Errorf("%s is %s (%v), want %s", text, got, err, want)
		}
		if back, err := parseDuration(formatDuration(got)); err != nil || back != got {
			t.Errorf("%s is written %s and read as %s (%v)", got, formatDuration(got), back, err)
		}
	}
	for _, text := range []string{"", "d", "2", "2 days", "h", "1d2", "99999999d"} {
		if d, err := parseDuration(text); err == nil {
			t.Errorf("%q was taken for %s", text, d)
		}
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"0", "2d", "1d12h", "90m", "-1d6h", "1.5d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseDuration(text)
		if err != nil {
			return
		}
		if back, err := parseDuration(formatDuration(d)); err != nil || back != d {
			t.Errorf("%q is %s, written %s, and read as %s (%v)", text, d, formatDuration(d), back, err)
		}
	})
}

func FuzzLoad(f *testing.F) {
	for _, s := range []string{minimal, "a: &a [1]\nb: *a\n", "calibrate:\n  <<: {members: 3}\n", "ingest: {units: {T: K}}", "? [a]\n: b\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, err := Load(LoadOptions{File: file(t, "sipipe.yaml", text)})
		if err != nil && ExitCode(err) != ExitConfig {
			t.Errorf("exit code %d for\n%s\n%v", ExitCode(err), text, err)
		}
	})
}

func TestValuesAreWrittenAsTheyAreRead(t *testing.T) {
	for _, v := range []any{
		"plain", "with blank", "a: b", "{date:%Y}", "yes", "", "'", `"`, "*", "-", "ü", "1", "null", "a\nb", "out/{date}.nc",
		true, 7, uint64(1 << 63), 0.1, 90 * time.Minute,
		[]string{"a", "b c", "d,e"},
		map[string]string{"T2M": "K", "on": "m s-1"},
	} {
		want := reflect.New(reflect.TypeOf(v)).Elem()
		want.Set(reflect.ValueOf(v))
		got := reflect.New(want.Type()).Elem()
		raw := readYAML(t, formatValue(want))
		if err := setValue(got, raw); err != nil {
			t.Errorf("%v is written %s, which %v", v, formatValue(want), err)
			continue
		}
		if diff := cmp.Diff(want.Interface(), got.Interface()); diff != "" {
			t.Errorf("%s (-written +read):\n%s", formatValue(want), diff)
		}
	}
}

func TestConfigErrorIsFoundAmongSeveral(t *testing.T) {
	clean(t)
	_, err := Load(LoadOptions{Set: []string{"calibrate.members=0", "calibrate.seed=x"}})
	var one *ConfigError
	if !errors.As(err, &one) || one.Key != "calibrate.members" {
		t.Errorf("the first mistake is %+v", one)
	}
}

func readYAML(t *testing.T, text string) any {
	t.Helper()
	var doc map[string]any
	if err := yaml.Unmarshal([]byte("v: "+text), &doc); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return doc["v"]
}
