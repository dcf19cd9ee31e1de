package report

import "testing"

func TestMembers(t *testing.T) {
	for _, leads := range []int{1, 21} {
		f, err := exampleMembers(leads).Figure()
		if err != nil {
			t.Fatal(err)
		}
		if leads == 1 {
			f.Name += "-single"
		}
		keepFigure(t, f)
	}
}
