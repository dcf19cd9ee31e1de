package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sipipe/export"
	"sipipe/ingest/simulate"
)

// result is what a command left.
type result struct {
	code     int
	out, err string
}

// sipipe runs a command in this process.
func sipipe(t *testing.T, args ...string) result {
	t.Helper()
	return sipipeContext(t.Context(), args...)
}

func sipipeContext(ctx context.Context, args ...string) result {
	var out, err bytes.Buffer
	clock := func() time.Time { return time.Date(2020, 1, 21, 9, 0, 0, 0, time.UTC) }
	code := execute(ctx, Build{Version: "1.2.3", Commit: "abc"}, args, Streams{Out: &out, Err: &err}, clock)
	return result{code, out.String(), err.String()}
}

// must ends the test unless the command is done.
func must(t *testing.T, r result) result {
	t.Helper()
	if r.code != ExitDone {
		t.Fatalf("exit code %d\n%s", r.code, r.err)
	}
	return r
}

// simulated is a small archive, made once.
var simulated = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "sipipe-test-")
	if err != nil {
		return "", err
	}
	o := simulate.Defaults()
	o.Dir, o.Places, o.Members, o.Steps = dir, 6, 5, 2
	o.From, o.To = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2020, 1, 20, 0, 0, 0, 0, time.UTC)
	_, err = simulate.Write(context.Background(), o, nil)
	return dir, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if os.Getenv("SIPIPE_TEST_LOCK_DIR") == "" {
		if dir, err := simulated(); err == nil {
			_ = os.RemoveAll(dir)
		}
	}
	os.Exit(code)
}

// place copies the small archive into a new folder, makes it the working one, and
// returns it. The statistical frame alone is asked for: networks take their time.
func place(t *testing.T) string {
	t.Helper()
	from, err := simulated()
	if err != nil {
		t.Fatal(err)
	}
	clean(t)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	t.Setenv("SIPIPE_CALIBRATE_METHOD", "frame")
	t.Setenv("SIPIPE_CALIBRATE_MEMBERS", "7")
	return dir
}

const forecast = "archive/forecasts/2020/01/fc_2020011800.nc"

func TestRunMakesAProductAndItsManifest(t *testing.T) {
	dir := place(t)
	r := must(t, sipipe(t, "run", "--date", "2020-01-18"))
	product := filepath.Join(dir, "out/2020/01/18/sipipe_2020011800.nc")
	if r.out != product+"\n" {
		t.Errorf("stdout is %q, want the path of the product alone, %s", r.out, product)
	}
	f, err := export.Read(t.Context(), product)
	if err != nil {
		t.Fatal(err)
	}
	e := f.Vars[0]
	if e.Variable.Name != "t2m" || len(e.Members) != 7 || len(e.Leads) != 2 || e.Places.Len() != 6 {
		t.Errorf("%s has %d members, %d leads, %d places", e.Variable.Name, len(e.Members), len(e.Leads), e.Places.Len())
	}
	if p := f.Provenance; p.Seed != 1 || p.Version != "1.2.3" || p.Command != "sipipe run --date 2020-01-18 --cycle 00" {
		t.Errorf("provenance is %+v", p)
	}
	m, err := ReadManifest(product)
	if err != nil {
		t.Fatal(err)
	}
	have, err := recordFile(t.Context(), product, filepath.Base(product))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]FileRecord{have}, m.Outputs); diff != "" {
		t.Errorf("outputs of the manifest (-file +manifest):\n%s", diff)
	}
	if len(m.Inputs) != 1 || m.Inputs[0].Path != forecast {
		t.Errorf("inputs of the manifest are %+v, want %s", m.Inputs, forecast)
	}
}

func TestSecondRunDoesNothing(t *testing.T) {
	place(t)
	must(t, sipipe(t, "run", "--date", "2020-01-18"))
	before := snapshot(t, "out")
	var second Outcome
	if err := json.Unmarshal([]byte(must(t, sipipe(t, "run", "--date", "2020-01-18", "--json")).out), &second); err != nil {
		t.Fatal(err)
	}
	if !second.Skipped || second.Status != StatusOK {
		t.Errorf("the second run says %+v", second)
	}
	if diff := cmp.Diff(before, snapshot(t, "out")); diff != "" {
		t.Errorf("it changed something (-before +after):\n%s", diff)
	}
	var forced Outcome
	if err := json.Unmarshal([]byte(must(t, sipipe(t, "run", "--date", "2020-01-18", "--json", "--force")).out), &forced); err != nil {
		t.Fatal(err)
	}
	if forced.Skipped {
		t.Error("--force did nothing")
	}
}

// snapshot is the contents of the files below a folder.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		files[path] = string(b)
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return files
}

// products are the NetCDF files among files.
func products(files map[string]string) map[string]string {
	out := map[string]string{}
	for path, b := range files {
		if strings.HasSuffix(path, ".nc") {
			out[path] = b
		}
	}
	return out
}

func TestProductsDoNotDependOnEarlierRunsOrThreads(t *testing.T) {
	place(t)
	must(t, sipipe(t, "backfill", "--from", "2020-01-16", "--to", "2020-01-18", "--threads", "2"))
	after := products(snapshot(t, "out"))
	if len(after) != 3 {
		t.Fatalf("the backfill made %d products, want 3", len(after))
	}
	place(t)
	must(t, sipipe(t, "run", "--date", "2020-01-18", "--threads", "1"))
	fresh := products(snapshot(t, "out"))
	for path, b := range fresh {
		if after[path] != b {
			t.Errorf("%s differs between a fresh run and a backfill", path)
		}
	}
}

func TestBackfillGoesOnAfterABrokenCycle(t *testing.T) {
	place(t)
	if err := os.WriteFile(forecast, []byte("broken"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove("archive/forecasts/2020/01/fc_2020011700.nc"); err != nil {
		t.Fatal(err)
	}
	r := sipipe(t, "backfill", "--from", "2020-01-16", "--to", "2020-01-19")
	if r.code != ExitData || days(r.out) != "16 19" {
		t.Errorf("exit code %d, want %d; made %s, want 16 19\n%s", r.code, ExitData, days(r.out), r.err)
	}
}

// Each case is a way for a run to fail. None may leave a product.
func TestFailures(t *testing.T) {
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run := []string{"run", "--date", "2020-01-18"}
	for name, c := range map[string]struct {
		prepare func()
		args    []string
		code    int
		says    []string
	}{
		"unknown command":     {nil, []string{"rnu"}, 2, []string{"rnu", "did you mean run"}},
		"unknown flag":        {nil, []string{"run", "--dates", "2020-01-18"}, 2, []string{"--dates", "sipipe run --help"}},
		"argument":            {nil, []string{"run", "2020-01-18"}, 2, []string{"2020-01-18"}},
		"no date":             {nil, []string{"run"}, 2, []string{"--date is not set"}},
		"date that is none":   {nil, []string{"run", "--date", "soon"}, 2, []string{"soon is not a date"}},
		"log format":          {nil, []string{"run", "--log-format", "xml"}, 2, []string{"xml", "auto, text, json"}},
		"quiet and verbose":   {nil, []string{"run", "-qv"}, 2, []string{"contradict"}},
		"range backwards":     {nil, []string{"backfill", "--from", "2020-01-18", "--to", "2020-01-17"}, 2, []string{"before --from"}},
		"file to inspect":     {nil, []string{"inspect"}, 2, []string{"name one file"}},
		"unknown shell":       {nil, []string{"completion", "tcsh"}, 2, []string{"bash, zsh, fish"}},
		"simulate nothing":    {nil, []string{"simulate", "--out", "x"}, 2, []string{"--from is not set"}},
		"truncated forecast":  {func() { truncate(t, forecast) }, run, 65, []string{forecast, "not a complete NetCDF file"}},
		"no NetCDF":           {func() { write(forecast, "text") }, run, 65, []string{forecast, "not a NetCDF file"}},
		"no such variable":    {nil, append(run, "--set", "variables=t3m"), 65, []string{forecast[:21], `"t3m"`, "t2m"}},
		"too few members":     {nil, append(run, "--set", "operations.min_members=6"), 65, []string{forecast, "5 of 5 members", "operations.min_members"}},
		"cycle not there":     {nil, []string{"run", "--date", "2020-03-01"}, 66, []string{"2020-03-01", "the latest cycle is 2020-01-20"}},
		"hour not there":      {nil, append(run, "--cycle", "06"), 66, []string{"2020-01-18 06"}},
		"range not there":     {nil, []string{"backfill", "--from", "2021-01-01", "--to", "2021-01-02"}, 66, []string{"2021-01-01", "2020-01-01T00Z to 2020-01-20T00Z"}},
		"empty archive":       {func() { must2(t, os.RemoveAll("archive/forecasts")) }, []string{"run", "--date", "latest"}, 66, []string{"ingest.forecasts"}},
		"nothing to inspect":  {nil, []string{"inspect", "nowhere.nc"}, 66, []string{"nowhere.nc"}},
		"folder of products":  {func() { write("out", "a file") }, run, 73, []string{"out/2020"}},
		"state":               {func() { write("state", "a file") }, run, 73, []string{"state"}},
		"unknown key":         {func() { write("sipipe.yaml", "calibrate:\n  membres: 3\n") }, run, 78, []string{"sipipe.yaml:2", "calibrate.members"}},
		"unknown --set":       {nil, append(run, "--set", "calibrate.membres=3"), 78, []string{"calibrate.members"}},
		"no configuration":    {func() { must2(t, os.Remove("sipipe.yaml")) }, run, 78, []string{"sipipe.yaml", "ingest.forecasts is not set"}},
		"configuration gone":  {nil, append(run, "--config", "nowhere.yaml"), 78, []string{"nowhere.yaml"}},
		"one product for all": {nil, append(run, "--set", "export.path=out/x.nc"), 78, []string{"would overwrite"}},
	} {
		t.Run(name, func(t *testing.T) {
			place(t)
			if c.prepare != nil {
				c.prepare()
			}
			r := sipipe(t, c.args...)
			if r.code != c.code {
				t.Errorf("exit code %d, want %d", r.code, c.code)
			}
			lines := strings.Split(strings.TrimSpace(r.err), "\n")
			var last struct {
				Message string
				Code    int `json:"exit_code"`
			}
			if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Code != c.code {
				t.Errorf("the last line is %s (%v)", lines[len(lines)-1], err)
			}
			for _, s := range c.says {
				if !strings.Contains(last.Message, s) {
					t.Errorf("message %q does not contain %q", last.Message, s)
				}
			}
			if r.out != "" {
				t.Errorf("stdout is %q", r.out)
			}
			for path := range snapshot(t, "out") {
				if path != "out" {
					t.Errorf("%s was left", path)
				}
			}
		})
	}
}

func must2(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// truncate cuts a file to half of its length.
func truncate(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	must2(t, err)
	must2(t, os.Truncate(path, info.Size()/2))
}

func TestLockedStateFolder(t *testing.T) {
	dir := place(t)
	release, _, err := acquireLock(t.Context(), filepath.Join(dir, "state"), 0, holder)
	must2(t, err)
	r := sipipe(t, "run", "--date", "2020-01-18")
	if r.code != ExitTryLater || !strings.Contains(r.err, "process 4711 on node7") {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
	// Looking takes no lock.
	must(t, sipipe(t, "status"))
	time.AfterFunc(100*time.Millisecond, func() { _ = release() })
	must(t, sipipe(t, "run", "--date", "2020-01-18", "--lock-wait", "1m"))
}

func TestSignalEndsARun(t *testing.T) {
	for signal, want := range map[syscall.Signal]int{syscall.SIGINT: ExitInterrupted, syscall.SIGTERM: ExitTerminated} {
		place(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(&SignalError{Signal: signal})
		if r := sipipeContext(ctx, "run", "--date", "2020-01-18"); r.code != want || len(snapshot(t, "out")) != 0 {
			t.Errorf("%s: exit code %d, want %d: %s", signal, r.code, want, r.err)
		}
		// What is left does not keep the next run from its work.
		must(t, sipipe(t, "run", "--date", "2020-01-18"))
	}
}

func TestLatestAndStatus(t *testing.T) {
	place(t)
	r := must(t, sipipe(t, "run", "--date", "latest"))
	if !strings.HasSuffix(r.out, "sipipe_2020012000.nc\n") {
		t.Errorf("the latest product is %s", r.out)
	}
	var s StatusReport
	if err := json.Unmarshal([]byte(must(t, sipipe(t, "status", "--json")).out), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Cycles) != statusCycles {
		t.Fatalf("%d cycles, want %d", len(s.Cycles), statusCycles)
	}
	for _, c := range s.Cycles {
		want := StatusMissing
		if c.Cycle.Day() == 20 {
			want = StatusOK
		}
		if c.Status != want {
			t.Errorf("%s is %s, want %s", c.Cycle, c.Status, want)
		}
	}
	table := must(t, sipipe(t, "status", "--from", "2020-01-19", "--to", "2020-01-20")).out
	if strings.Count(table, "2020-01-") < 2 || !strings.Contains(table, "missing") {
		t.Errorf("table is\n%s", table)
	}
}

func TestSourceDateEpochMakesManifestsAlike(t *testing.T) {
	var manifests []string
	for range 2 {
		place(t)
		t.Setenv("SOURCE_DATE_EPOCH", "1720396800")
		must(t, sipipe(t, "run", "--date", "2020-01-18"))
		for path, text := range snapshot(t, "out") {
			if strings.HasSuffix(path, manifestSuffix) {
				manifests = append(manifests, text)
			}
		}
	}
	if len(manifests) != 2 || manifests[0] != manifests[1] {
		t.Errorf("manifests:\n%s", strings.Join(manifests, "\n"))
	}
}

func TestSimulateMakesAConfigurationThatRuns(t *testing.T) {
	clean(t)
	r := must(t, sipipe(t, "simulate", "--out", "demo", "--from", "2024-05-01", "--to", "2024-05-04", "--stations", "3", "--members", "3", "--steps", "1", "--seed", "7"))
	if r.out != filepath.Join("demo", "sipipe.yaml")+"\n" {
		t.Errorf("stdout is %q", r.out)
	}
	out := must(t, sipipe(t, "run", "--config", "demo/sipipe.yaml", "--date", "2024-05-04", "--set", "calibrate.method=frame"))
	if !strings.HasSuffix(out.out, "demo/out/2024/05/04/sipipe_2024050400.nc\n") {
		t.Errorf("product is %s", out.out)
	}
	if r := sipipe(t, "simulate", "--out", ".", "--from", "2024-05-01", "--to", "2024-05-02"); r.code != ExitNoOutput {
		t.Errorf("over another folder: exit code %d, want %d: %s", r.code, ExitNoOutput, r.err)
	}
}

func TestVerifyPrintsWhatTheInterfaceSays(t *testing.T) {
	place(t)
	must(t, sipipe(t, "backfill", "--from", "2020-01-14", "--to", "2020-01-18"))
	var got struct {
		From, To string
		Cases    int
		Systems  map[string]map[string]any
		Skill    map[string]map[string]any
		ByLead   []any `json:"by_lead"`
	}
	text := must(t, sipipe(t, "verify", "--from", "2020-01-14", "--to", "2020-01-18", "--json")).out
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if strings.Count(text, "\n") != 1 {
		t.Error("it is not one object on one line")
	}
	for _, system := range []string{"raw", "emos", "calibrated"} {
		for _, score := range []string{"crps", "crps_fair", "spread", "rmse", "spread_error", "rank_histogram", "bias"} {
			if _, ok := got.Systems[system][score]; !ok {
				t.Errorf("systems.%s.%s is not there", system, score)
			}
		}
	}
	for _, skill := range []string{"calibrated_vs_raw", "calibrated_vs_emos"} {
		if _, ok := got.Skill[skill]["crpss"]; !ok {
			t.Errorf("skill.%s.crpss is not there", skill)
		}
	}
	if got.Cases == 0 || len(got.ByLead) != 2 {
		t.Errorf("%d cases, %d lead times", got.Cases, len(got.ByLead))
	}
}

// A damaged manifest is one of a product that a run makes again.
func TestStatusOfADamagedManifest(t *testing.T) {
	place(t)
	product := strings.TrimSpace(must(t, sipipe(t, "run", "--date", "2020-01-18")).out)
	must2(t, os.Truncate(manifestPath(product), 40))
	var r StatusReport
	must2(t, json.Unmarshal([]byte(must(t, sipipe(t, "status", "--from", "2020-01-18", "--to", "2020-01-18", "--json")).out), &r))
	if c := r.Cycles[0]; c.Status != StatusStale || !strings.Contains(c.Reasons[0], "is damaged") {
		t.Errorf("status says %+v", c)
	}
}

func TestConfigShowsOrigins(t *testing.T) {
	place(t)
	out := must(t, sipipe(t, "config", "--seed", "9", "--set", "operations.min_members=3")).out
	for key, origin := range map[string]string{
		"calibrate.members:":      "env SIPIPE_CALIBRATE_MEMBERS",
		"calibrate.seed:":         "flag --seed",
		"operations.min_members:": "flag --set",
		"operations.threads:":     "default",
		"variables:":              `sipipe.yaml:\d+`,
	} {
		if ok, err := regexp.MatchString(`(?m)^`+regexp.QuoteMeta(key)+`.*# `+origin+`$`, out); err != nil || !ok {
			t.Errorf("%s is not from %s in\n%s", key, origin, out)
		}
	}
	var d described
	if err := json.Unmarshal([]byte(must(t, sipipe(t, "config", "--json")).out), &d); err != nil {
		t.Fatal(err)
	}
	if got := d.Keys["calibrate.members"]; got.Value != float64(7) || got.Origin != "env SIPIPE_CALIBRATE_MEMBERS" {
		t.Errorf("calibrate.members is %+v", got)
	}
}

func TestInspectAndVersion(t *testing.T) {
	place(t)
	out := must(t, sipipe(t, "inspect", forecast)).out
	for _, want := range []string{"t2m: forecasts", "air_temperature", "members", "5, ", "2020-01-18T00Z"} {
		if !strings.Contains(out, want) {
			t.Errorf("inspect does not show %q:\n%s", want, out)
		}
	}
	if got := must(t, sipipe(t, "--version")).out; got != "sipipe 1.2.3\n" {
		t.Errorf("--version is %q", got)
	}
	var v map[string]string
	if err := json.Unmarshal([]byte(must(t, sipipe(t, "version", "--json")).out), &v); err != nil {
		t.Fatal(err)
	}
	if v["sipipe"] != "1.2.3" || v["commit"] != "abc" || !regexp.MustCompile(`^\d+\.\d+\.\d+`).MatchString(v["netcdf"]) {
		t.Errorf("version is %v", v)
	}
}

func TestCompletionOffersValues(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out := must(t, sipipe(t, "completion", shell)).out; !strings.Contains(out, "sipipe") {
			t.Errorf("%s: %d bytes", shell, len(out))
		}
	}
	out := must(t, sipipe(t, "__complete", "run", "--date", "")).out
	if got := strings.Fields(out); !slices.Contains(got, "latest") {
		t.Errorf("--date is offered %v", got)
	}
}
