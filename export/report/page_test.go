package report

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestPage(t *testing.T) {
	var b bytes.Buffer
	if err := examplePage(t).Write(&b); err != nil {
		t.Fatal(err)
	}
	if *keep != "" {
		if err := os.WriteFile(filepath.Join(*keep, "report.html"), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
