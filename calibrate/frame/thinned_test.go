package frame

import (
	"bytes"
	"encoding/gob"
	"math"
	"reflect"
	"testing"
)

// filled has the days of an archive of some places, of which at most so many rows are kept.
func filled(from, to, places, most int, t *thinned[int]) *thinned[int] {
	for d := from; d < to; d++ {
		for k := range places {
			t.add(float64(d), k, d*places+k)
		}
		t.thin(most)
	}
	return t
}

func TestThinnedKeepsShortArchives(t *testing.T) {
	a := filled(0, 20, 50, 1000, &thinned[int]{})
	for i, r := range a.Kept {
		if r.Row != i || a.weight(i) != 1 {
			t.Fatalf("row %d is %d with weight %g", i, r.Row, a.weight(i))
		}
	}
	if len(a.Kept) != 1000 || a.Seen != 1000 {
		t.Errorf("%d rows of %d", len(a.Kept), a.Seen)
	}
}

// Of a long archive the number of rows is bounded. With n of N rows kept and all up to
// age L, n = L (1 + log N/L); each doubling of age from there on has L log 2; weighted by one over
// their probability kept rows stand for all.
func TestThinnedSpansTheArchive(t *testing.T) {
	const days, places, most = 3000, 20, 2000
	a := filled(0, days, places, most, &thinned[int]{})
	if len(a.Kept) != most || a.Seen != days*places {
		t.Fatalf("%d rows of %d, want %d", len(a.Kept), a.Seen, most)
	}
	if got := a.Limit * (1 + math.Log(float64(a.Seen)/a.Limit)); math.Abs(got-most) > 0.05*most {
		t.Errorf("limit %.0f, which is of %.0f rows, want %d", a.Limit, got, most)
	}
	doublings := make([]float64, int(math.Log2(float64(a.Seen)/a.Limit)))
	var young int
	var stands float64
	for i := range a.Kept {
		stands += a.weight(i)
		if a.age(i) <= a.Limit {
			young++
		} else if k := int(math.Log2(a.age(i) / a.Limit)); k < len(doublings) {
			doublings[k]++
		}
	}
	if want := int(a.Limit) / places * places; young != want {
		t.Errorf("%d of the latest rows are there, want all %d", young, want)
	}
	want := a.Limit * math.Ln2
	for k, n := range doublings {
		if math.Abs(n-want) > 4*math.Sqrt(want) {
			t.Errorf("doubling %d of age has %.0f rows, want %.0f", k, n, want)
		}
	}
	// The variance of the sum is that of rows drawn by themselves, ∫ (age/L - 1) d age.
	n := float64(a.Seen)
	if sd := n / math.Sqrt(2*a.Limit); math.Abs(stands-n) > 4*sd {
		t.Errorf("rows stand for %.0f, want %.0f ± %.0f", stands, n, sd)
	}
}

// A grid may have more points than rows are kept: those of all of it stay, not of a corner.
func TestThinnedSpansAGrid(t *testing.T) {
	const places, most = 10000, 1000
	a := filled(0, 3, places, most, &thinned[int]{})
	var quarter [4]float64
	for _, r := range a.Kept {
		quarter[r.Row%places*4/places]++
	}
	for k, n := range quarter {
		if math.Abs(n-most/4) > 4*math.Sqrt(most*3./16) {
			t.Errorf("quarter %d of the grid has %.0f rows, want %d", k, n, most/4)
		}
	}
}

// An archive that is stored and read goes on as it would have.
func TestThinnedGoesOnAfterStorage(t *testing.T) {
	const places, most = 30, 500
	want := filled(0, 100, places, most, &thinned[int]{})
	half := filled(0, 60, places, most, &thinned[int]{})
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(half); err != nil {
		t.Fatal(err)
	}
	got := &thinned[int]{}
	if err := gob.NewDecoder(&b).Decode(got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(filled(60, 100, places, most, got), want) {
		t.Error("rows differ")
	}
}

// Fits become rarer as the archive grows, although the rows kept do not.
func TestCensoredFitsBecomeRare(t *testing.T) {
	const rows = 100
	f, s := New(Options{Censored: true, Exchangeable: true, ScaleRows: rows}), &Stations{}
	place := s.Lookup([]string{"a"}, []float64{47}, []float64{11}, []float64{500})
	fits, last := 0, 0
	for d := range 4 * rows {
		wave := math.Sin(float64(d*d)) + 1.5
		c := &Cases{Day: float64(d), Cycle: float64(d) - 1, Station: place, Members: 2, Values: []float32{float32(wave), float32(wave) + 1}}
		p, err := f.Predict(s, c)
		if err != nil {
			t.Fatal(err)
		}
		if q := f.Censored; d >= 2*rows && q.Fresh == 0 {
			if fits > 0 && (d-last)*50 < q.Rows.Seen {
				t.Errorf("fits on days %d and %d of an archive of %d rows", last, d, q.Rows.Seen)
			}
			fits, last = fits+1, d
		}
		if err := f.Update(s, c, []float32{float32(math.Max(0, wave+0.5*math.Cos(float64(3*d))))}, p); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.Censored.Rows.Kept) != rows || fits < 20 {
		t.Errorf("%d rows, %d fits", len(f.Censored.Rows.Kept), fits)
	}
}
