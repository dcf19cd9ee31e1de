package digits

import "math"

// jitter adds copies of all images that are moved by a pixel or leaned to a side:
// few images become more, and none less like its digit. The first are the originals.
func jitter(s *Images) *Images {
	out := &Images{Rows: s.Rows, Cols: s.Cols}
	for _, lean := range []float64{0, -0.15, 0.15} { // columns a row
		for _, move := range [][2]int{{0, 0}, {-1, 0}, {1, 0}, {0, -1}, {0, 1}} { // rows, columns
			for _, p := range s.Pixels {
				out.Pixels = append(out.Pixels, s.shifted(p, move[0], move[1], lean))
			}
		}
	}
	return out
}

// shifted is an image moved down and right, with its rows moved further by lean for each row
// above the middle. What comes in from outside is black.
func (s *Images) shifted(p []float64, down, right int, lean float64) []float64 {
	q := make([]float64, len(p))
	for r := range s.Rows {
		from := r - down
		if from < 0 || from >= s.Rows {
			continue
		}
		shift := float64(right) + lean*(float64(s.Rows-1)/2-float64(r))
		whole := math.Floor(shift)
		share := shift - whole
		row := p[from*s.Cols : (from+1)*s.Cols]
		at := func(c int) float64 {
			if c < 0 || c >= s.Cols {
				return 0
			}
			return row[c]
		}
		for c := range s.Cols {
			left := c - int(whole)
			q[r*s.Cols+c] = (1-share)*at(left) + share*at(left-1)
		}
	}
	return q
}
