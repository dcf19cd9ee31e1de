package baseline

import (
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"testing"
)

// sample reads a file of testdata.
func sample(t testing.TB, name string) []Row {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []Row
	for _, l := range lines {
		v := make([]float64, len(l))
		for i, s := range l {
			if v[i], err = strconv.ParseFloat(s, 64); err != nil {
				t.Fatal(err)
			}
		}
		r := Row{Day: int(v[0]), Station: int(v[1]), Obs: v[2]}
		for _, x := range v[3:] {
			r.Members = append(r.Members, float32(x))
		}
		rows = append(rows, r)
	}
	return rows
}

// february1 is 2004-02-01.
const february1 = 12449

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol*(1+math.Abs(want))) {
		t.Errorf("%s = %.10g, want %.10g", what, got, want)
	}
}

// meanCRPS of a prediction over rows.
func meanCRPS(rows []Row, predict func(Row) (Distribution, bool)) float64 {
	var sum float64
	for _, r := range rows {
		d, ok := predict(r)
		if !ok {
			return math.NaN()
		}
		sum += d.CRPS(r.Obs)
	}
	return sum / float64(len(rows))
}

func emosCRPS(e *EMOS, rows []Row) float64 {
	return meanCRPS(rows, func(r Row) (Distribution, bool) { return e.Predict(r.Members, r.Day) })
}
