package report

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"testing"

	"sipipe/calibrate/theory"
)

// A density of one peak late and above gives an image that is darkest there: right
// of the middle, and in the upper half although rows of images run down.
func TestShade(t *testing.T) {
	d := theory.Density{X: []float64{-1, 0, 1}, Times: []float64{0, 0.5, 1}, P: [][]float64{{0, 0, 0}, {0, 0, 0}, {0, 0, 4}}}
	img := shade(d)
	b := img.Bounds()
	grey := func(x, y int) uint8 { return color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y }
	if got := grey(0, b.Max.Y-1); got != 255 {
		t.Errorf("nothing is drawn in tone %d, want white", got)
	}
	if got, want := grey(b.Max.X-1, 0), color.GrayModel.Convert(rawColor).(color.Gray).Y; got != want {
		t.Errorf("the peak has tone %d, want %d", got, want)
	}
}

func TestPowers(t *testing.T) {
	var got []string
	for _, tick := range (powers{10}).Ticks(1e-4, 1) {
		got = append(got, tick.Label)
	}
	want := []string{"1e−4", "1e−3", "0.01", "0.1", "1"}
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			t.Fatalf("%q, want %q", got, want)
		}
	}
	if two := (powers{2}).Ticks(1.7, 20); len(two) != 4 || two[0].Value != 2 || two[3].Label != "16" {
		t.Errorf("powers of two: %+v", two)
	}
}

// The small PNG of a figure differs from the full one by no more than the eye
// forgives, is paletted, and is the same each time.
func TestSmallPNG(t *testing.T) {
	latents, err := theory.Latents()
	if err != nil {
		t.Fatal(err)
	}
	f := TheoryLatents(latents)
	var full, small, again bytes.Buffer
	for _, err := range []error{f.WritePNG(&full), f.WriteSmallPNG(&small, 0), f.WriteSmallPNG(&again, 0)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(small.Bytes(), again.Bytes()) {
		t.Error("two writes of one figure differ")
	}
	if small.Len() > 150_000 || small.Len() > full.Len()/2 {
		t.Errorf("%d bytes, the full picture has %d", small.Len(), full.Len())
	}
	a, err := png.Decode(&full)
	if err != nil {
		t.Fatal(err)
	}
	b, err := png.Decode(&small)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := b.(*image.Paletted); !ok || a.Bounds() != b.Bounds() {
		t.Fatalf("%T of %v, want a palette and %v", b, b.Bounds(), a.Bounds())
	}
	sum, n := 0.0, 0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			r0, g0, b0, _ := a.At(x, y).RGBA()
			r1, g1, b1, _ := b.At(x, y).RGBA()
			for _, d := range [][2]uint32{{r0, r1}, {g0, g1}, {b0, b1}} {
				v := (float64(d[0]) - float64(d[1])) / 257
				sum, n = sum+v*v, n+1
			}
		}
	}
	if rms := math.Sqrt(sum / float64(n)); rms > 2 {
		t.Errorf("colours differ by %.2f of 255 in the mean", rms)
	}
}

// Figures of the theory page say what they show, and stay within the page.
func TestTheoryFigures(t *testing.T) {
	bundle := theory.Bundle{Scale: 1, Times: []float64{0, 1}, Paths: [][]float64{{-1, 0}, {1, 0.5}}, Final: []float64{0, 0.2, 99}}
	density := theory.Density{X: []float64{-1, 0, 1}, Times: []float64{0, 1}, P: [][]float64{{0.5, 0, 0.5}, {0, 1, 0}}}
	panel := theory.Panel{Title: "p", Curves: []theory.Curve{{Name: "euler", Steps: []int{2, 4}, Error: []float64{0.1, 7}, Order: 1}}}
	for _, f := range []*Figure{TheoryPaths([]theory.Bundle{bundle}, density), TheorySteps([]theory.Panel{panel})} {
		var b bytes.Buffer
		if err := f.WritePNG(&b); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		if f.Caption == "" || f.Alt == "" || f.Title == "" {
			t.Errorf("%s has no title, caption or text for those who do not see it", f.Name)
		}
		if img, err := png.Decode(&b); err != nil || img.Bounds().Dx() != 1800 {
			t.Errorf("%s: %v, %v", f.Name, img.Bounds(), err)
		}
	}
}
