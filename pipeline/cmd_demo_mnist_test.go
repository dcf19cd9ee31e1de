package pipeline

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What cannot be read is told from what is not there, with a remedy; a training
// too short for eights says so and still draws.
func TestDemoMNIST(t *testing.T) {
	sample, err := filepath.Abs(filepath.Join("..", "sample", "mnist38"))
	if err != nil {
		t.Fatal(err)
	}
	clean(t)
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no folder for the picture", nil, ExitUsage, "--out"},
		{"no data", []string{"--out", "x", "--data", t.TempDir()}, ExitNoInput, "sample/mnist38"},
		{"no steps", []string{"--out", "x", "--steps", "0"}, ExitUsage, "1 or more"},
		{"a seed that is none", []string{"--out", "x", "--data", sample, "--seed", "a"}, ExitUsage, "--seed"},
	} {
		if code, _, text := on(t, append([]string{"demo", "mnist"}, c.args...)...); code != c.code || !strings.Contains(text, c.want) {
			t.Errorf("%s: code %d, %q; want %d and %q", c.name, code, text, c.code, c.want)
		}
	}
	damaged := t.TempDir()
	if err := os.WriteFile(filepath.Join(damaged, "digit3-images-idx3-ubyte"), []byte("no digits"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, text := on(t, "demo", "mnist", "--out", "x", "--data", damaged); code != ExitData || !strings.Contains(text, "idx") {
		t.Errorf("damaged data: code %d, %q", code, text)
	}

	code, out, text := on(t, "demo", "mnist", "--data", sample, "--out", "made", "--steps", "1", "--json")
	if code != ExitDone {
		t.Fatalf("code %d: %s", code, text)
	}
	var got struct {
		Picture     string
		Morphed     int
		Accuracy    float64
		CalledEight float64 `json:"called_eight"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	// A tenth of 1,010 threes is held out; the classifier is trained whatever --steps says.
	if got.Morphed != 101 || got.Accuracy < 0.97 {
		t.Errorf("%+v", got)
	}
	if got.CalledEight < enoughEights != strings.Contains(text, "train with more steps") {
		t.Errorf("%.2f are called eights: %q", got.CalledEight, text)
	}
	if s, err := os.Stat(got.Picture); err != nil || s.Size() > 250_000 {
		t.Errorf("picture %+v: %v", s, err)
	}
}
