package calibrate

import (
	"strings"
	"testing"

	"sipipe/ingest"
)

// Parts of a hand-made ensemble of two leads, three places and two members, whose
// values say where they belong: 100 lead + 10 place + member.
func TestMerge(t *testing.T) {
	w := newWorld(3, 4, 1)
	raw, err := w.Ensemble(t.Context(), "", w.cycles[0])
	if err != nil {
		t.Fatal(err)
	}
	raw.Leads = append(raw.Leads, 2*raw.Leads[0])
	part := func(first, n int) *ingest.Ensemble {
		p := *raw
		p.Places, p.Members, p.Values = raw.Places.Slice(first, n), []int32{0, 1}, nil
		for l := range 2 {
			for i := first; i < first+n; i++ {
				p.Values = append(p.Values, float32(100*l+10*i), float32(100*l+10*i+1))
			}
		}
		return &p
	}
	want := []float32{0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121}
	for _, parts := range [][]*ingest.Ensemble{
		{part(0, 3)},
		{part(0, 1), part(1, 2)},
		{part(0, 2), part(2, 0), part(2, 1)},
	} {
		got, err := Merge(raw, parts)
		if err != nil {
			t.Fatal(err)
		}
		if !equalBits(got.Values, want) || len(got.Members) != 2 || got.Places != raw.Places {
			t.Errorf("%d parts make %v of %d members", len(parts), got.Values, len(got.Members))
		}
	}
	fewer, leads, cut := part(1, 2), part(1, 2), part(1, 2)
	fewer.Members = fewer.Members[:1]
	leads.Leads = leads.Leads[:1]
	cut.Values = cut.Values[:3]
	for text, parts := range map[string][]*ingest.Ensemble{
		"1 of 3 places":    {part(0, 1)},
		"that come next":   {part(0, 1), part(0, 1), part(2, 1)},
		"1 members":        {part(0, 1), fewer},
		"lead times":       {part(0, 1), leads},
		"3 values":         {part(0, 1), cut},
		"part 2 of 2: its": {part(0, 3), part(2, 1)},
	} {
		if _, err := Merge(raw, parts); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("error %v, want one with %q", err, text)
		}
	}
}
