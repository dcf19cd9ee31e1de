package calibrate

import (
	"fmt"
	"slices"

	"sipipe/ingest"
)

// Merge puts an ensemble together from parts that [Model.Sample] has made of raw, in
// the order of places. The parts must cover the places without gap or overlap and
// agree in members and leads; then the result is that of one call for all places.
func Merge(raw *ingest.Ensemble, parts []*ingest.Ensemble) (*ingest.Ensemble, error) {
	out := *raw
	out.MemberNames, out.Members, out.Values = nil, nil, nil
	from := 0
	for k, p := range parts {
		n := p.Places.Len()
		switch {
		case k > 0 && !slices.Equal(p.Members, out.Members):
			return nil, fmt.Errorf("merge part %d of %d: it has %d members, the first has %d", k+1, len(parts), len(p.Members), len(out.Members))
		case !slices.Equal(p.Leads, raw.Leads):
			return nil, fmt.Errorf("merge part %d of %d: its lead times are not those of the raw forecast", k+1, len(parts))
		case len(p.Values) != len(p.Leads)*n*len(p.Members):
			return nil, fmt.Errorf("merge part %d of %d: it has %d values for %d leads, %d places and %d members", k+1, len(parts), len(p.Values), len(p.Leads), n, len(p.Members))
		case from+n > raw.Places.Len() || !slices.Equal(p.Places.ID, raw.Places.ID[from:from+n]):
			return nil, fmt.Errorf("merge part %d of %d: its places are not those that come next", k+1, len(parts))
		}
		out.Members = p.Members
		from += n
	}
	if from != raw.Places.Len() {
		return nil, fmt.Errorf("merge %d parts: they have %d of %d places", len(parts), from, raw.Places.Len())
	}
	// [lead, place, member]
	out.Values = make([]float32, 0, len(raw.Leads)*from*len(out.Members))
	for l := range raw.Leads {
		for _, p := range parts {
			n := p.Places.Len() * len(p.Members)
			out.Values = append(out.Values, p.Values[l*n:(l+1)*n]...)
		}
	}
	return &out, nil
}
