package report

import "testing"

func TestCycles(t *testing.T) {
	f, err := exampleCycles(14).Figure()
	if err != nil {
		t.Fatal(err)
	}
	keepFigure(t, f)
}
