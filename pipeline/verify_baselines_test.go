package pipeline

import (
	"math"
	"slices"
	"testing"
)

// A member is known by its number, wherever it stands in the file.
func TestMembersOfBaselinesAreKnownByNumber(t *testing.T) {
	r := &pastRows{members: []int32{3, 1, 2}}
	if got := r.align([]int32{3, 1, 2}, []float32{30, 10, 20}); !slices.Equal(got, []float32{30, 10, 20}) {
		t.Errorf("the order of the rows: %v", got)
	}
	got := r.align([]int32{1, 4, 3}, []float32{10, 40, 30})
	if len(got) != 3 || got[0] != 30 || got[1] != 10 || !math.IsNaN(float64(got[2])) {
		t.Errorf("%v, want member 3, member 1, and no member 2", got)
	}
}
